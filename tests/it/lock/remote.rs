//! Servers: good ones, bad ones, and what they must never learn.

use std::fs;

use super::server::{Answer, Server};
use super::{chart, digests, packed, project, refused, release, said, unpacked};

#[test]
fn a_version_comes_from_a_mirror_and_back_again() {
    let server = Server::start(|request| match request.target.as_str() {
        "/istio/1.27.0/istio-1.27.0-linux-amd64.tar.gz" => {
            Answer::ok(packed("istio-1.27.0", &release("1.27.0")))
        }
        _ => Answer::status(404),
    });
    let project = project();
    let base = server.url("/istio/");
    project.run(&["lock", "stable=1.27.0", "--base-url", &base]);
    unpacked(&project.path().join("folder"), &release("1.27.0"));
    project.run(&["lock", "folder=folder"]);
    let all = digests(&project);
    assert_eq!(all["stable"], all["folder"]);
    let text = fs::read_to_string(project.path().join("meshgen.lock")).expect("is there");
    assert!(text.contains("source: \"1.27.0\"") && !text.contains("http"), "{text}");
    fs::remove_dir_all(project.path().join("charts")).expect("removed");
    project.run(&["lock", "--fetch", "--base-url", &base]);
    assert_eq!(digests(&project), all);
    // what is there is not fetched again
    let count = server.seen().len();
    project.run(&["lock", "--fetch", "--base-url", &base]);
    assert_eq!(server.seen().len(), count);
    let said = refused(&project, 2, &["new=1.99.0", "--base-url", &base]);
    assert!(said.contains("the server answers 404") && said.contains("--base-url"), "{said}");
}

#[test]
fn credentials_are_used_and_never_written_or_sent_elsewhere() {
    let other = Server::start(|_| Answer::ok(packed("one", &chart("1.0.0"))));
    let there = other.url("/signed.tgz?signature=secret");
    let server = Server::start(move |request| match request.headers.get("authorization") {
        Some(_) => Answer::status(302).with("Location", there.clone()),
        None => Answer::status(401),
    });
    let project = project();
    let url = format!("http://me:secret@{}/one.tgz", server.address);
    let output = project.output(&["lock", &format!("a={url}")]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(!said(&output).contains("secret"), "{}", said(&output));
    let text = fs::read_to_string(project.path().join("meshgen.lock")).expect("is there");
    assert!(!text.contains("secret") && !text.contains("me:"), "{text}");
    assert!(server.seen()[0].headers.contains_key("authorization"));
    assert!(!other.seen()[0].headers.contains_key("authorization"));
    assert_eq!(other.seen()[0].target, "/signed.tgz?signature=secret");
    // without them the answer is 401, and the message holds no part of a URL that could be secret
    fs::remove_dir_all(project.path().join("charts")).expect("removed");
    let said = refused(&project, 2, &["--fetch"]);
    assert!(said.contains("401") && !said.contains("secret"), "{said}");
}

#[test]
fn servers_that_fail_change_nothing() {
    let server = Server::start(|request| match request.target.as_str() {
        "/loop" => Answer::status(302).with("Location", "/loop"),
        "/nowhere" => Answer::status(302),
        "/file" => Answer::status(302).with("Location", "file:///etc/passwd"),
        "/public" => Answer::status(302).with("Location", "http://192.0.2.1/a.tgz?secret"),
        "/half" => Answer { length: Some(1 << 20), ..Answer::ok("half") },
        "/large" => Answer { length: Some(300 << 20), ..Answer::ok("large") },
        "/busy" => Answer::status(503),
        "/page" => Answer::ok("<html>"),
        _ => Answer::status(404),
    });
    let project = project();
    for (path, code, expected) in [
        ("/loop", 2, "more than 5 redirects"),
        ("/nowhere", 2, "a redirect to nowhere"),
        ("/file", 2, "is neither https nor http"),
        ("/public", 2, "plain http would let anybody"),
        ("/half", 3, "it breaks off after"),
        ("/large", 2, "it is larger than 256 MiB"),
        ("/busy", 3, "the server answers 503"),
        ("/page", 2, "it is no `.tar.gz`"),
    ] {
        let said = refused(&project, code, &[&format!("a={}", server.url(path))]);
        assert!(said.contains(expected) && !said.contains("secret"), "{path}: {said}");
    }
    // nobody listens there
    let said = refused(&project, 3, &["a=http://127.0.0.1:1/a.tgz"]);
    assert!(said.contains("127.0.0.1:1") && said.contains("HTTPS_PROXY"), "{said}");
    // another machine, unencrypted: refused before anything is sent
    let said = refused(&project, 2, &["a=http://192.0.2.1/a.tgz", "b=oci://192.0.2.1"]);
    assert!(said.contains("it has no repository"), "{said}");
    let said = refused(&project, 2, &["a=http://me:secret@192.0.2.1/a.tgz?secret"]);
    assert!(said.contains("--plain-http") && !said.contains("secret"), "{said}");
}

#[test]
fn one_source_of_several_that_fails_stops_all() {
    let server = Server::start(|_| Answer::status(500));
    let project = project();
    unpacked(&project.path().join("one"), &chart("1.0.0"));
    let said =
        refused(&project, 3, &["a=one", &format!("b={}", server.url("/b.tgz")), "c=nowhere"]);
    assert!(said.contains("2 problems; nothing was changed"), "{said}");
}
