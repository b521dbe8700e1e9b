//! Registries that ask who comes: the answer goes to them and to nobody else, and is never seen.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::gate::{Act, Gate, Seen};
use super::{Bed, said};
use crate::project::files;
use crate::registry::Registry;

const TREE: [(&str, &str); 1] = [("c1", "same")];
const SECRETS: [&str; 2] = ["canary-s3cret", "canary-t0ken"];

/// Asks for a token, which is good for so many requests.
fn closed(address: String, uses: usize) -> impl Fn(&Seen) -> Act {
    let (given, used) = (AtomicUsize::new(0), AtomicUsize::new(0));
    move |seen| {
        let authorization = seen.headers.get("authorization").map(String::as_str);
        if seen.target.starts_with("/token?") {
            let wanted = format!("Basic {}", STANDARD.encode(format!("me:{}", SECRETS[0])));
            if authorization != Some(&wanted) {
                return Act::status(401);
            }
            used.store(0, Ordering::SeqCst);
            let number = given.fetch_add(1, Ordering::SeqCst) + 1;
            let body = format!(r#"{{"token": "{}-{number}"}}"#, SECRETS[1]);
            return Act::Answer(200, Vec::new(), body.into_bytes());
        }
        let good = format!("Bearer {}-{}", SECRETS[1], given.load(Ordering::SeqCst));
        if authorization == Some(&good) && used.fetch_add(1, Ordering::SeqCst) < uses {
            return Act::Forward;
        }
        let challenge = format!(r#"Bearer realm="http://{address}/token",service="here""#);
        Act::Answer(401, vec![("WWW-Authenticate", challenge)], Vec::new())
    }
}

fn login(bed: &Bed, host: &str) {
    let auth = STANDARD.encode(format!("me:{}", SECRETS[0]));
    let config = format!(r#"{{"auths": {{"{host}": {{"auth": "{auth}"}}}}}}"#);
    fs::create_dir_all(bed.path("docker")).expect("a folder");
    fs::write(bed.path("docker/config.json"), config).expect("written");
}

/// No credential in a text or in any file but docker's.
fn assert_unseen(bed: &Bed, text: &str) {
    for secret in SECRETS.iter().copied().chain([&*STANDARD.encode(format!("me:{}", SECRETS[0]))]) {
        assert!(!text.contains(secret), "{text}");
        for (path, bytes) in files(bed.folder.path()) {
            let is_dockers = path.starts_with("docker/");
            assert!(is_dockers || !String::from_utf8_lossy(&bytes).contains(secret), "{path}");
        }
    }
}

#[test]
fn a_token_that_expires_on_the_way_is_asked_for_again() {
    let Some(registry) = Registry::start() else { return };
    let gate = Gate::start(&registry.address);
    let bed = Bed::new(&TREE);
    gate.script(closed(gate.address.clone(), 16));
    let to = format!("oci://{}/mesh/apac", gate.address);
    let said = bed.fails(2, &["bundle", "push", "one.tar", &to, "-v"]);
    assert!(said.contains("401") && said.contains("docker login"), "{said}");
    login(&bed, &gate.address);
    let output = bed.output(&["bundle", "push", "one.tar", &to, "-v"]);
    assert_eq!(output.status.code(), Some(0), "{}", super::said(&output));
    assert_unseen(&bed, &super::said(&output));
    let tokens: Vec<Seen> =
        gate.seen().into_iter().filter(|one| one.target.starts_with("/token?")).collect();
    assert!(tokens.len() > 2, "{} tokens", tokens.len());
    let wanted = "scope=repository%3Amesh%2Fapac%3Apull%2Cpush";
    assert!(tokens.iter().all(|one| one.target.contains(wanted)), "{tokens:?}");
    gate.script(closed(gate.address.clone(), 1000));
    let pull = ["bundle", "pull", &bed.at(&gate.address), "--out", "two.tar", "-v"];
    let output = bed.output(&pull);
    assert_eq!(output.status.code(), Some(0), "{}", super::said(&output));
    assert_unseen(&bed, &super::said(&output));
    assert_eq!(bed.bytes("one.tar"), bed.bytes("two.tar"));
    let token = gate.seen().into_iter().find(|one| one.target.starts_with("/token?"));
    let token = token.expect("one was asked for").target;
    assert!(token.contains("apac%3Apull&"), "only what a pull needs: {token}");
    // a wrong login
    fs::write(
        bed.path("docker/config.json"),
        format!(r#"{{"auths": {{"{}": {{"auth": "bWU6bm8="}}}}}}"#, gate.address),
    )
    .expect("written");
    gate.script(closed(gate.address.clone(), 1000));
    let text = bed.fails(2, &["bundle", "push", "one.tar", &to, "-v"]);
    assert!(text.contains("/token?…: the server answers 401"), "{text}");
}

#[test]
fn credentials_go_nowhere_else() {
    let Some(registry) = Registry::start() else { return };
    let (gate, other) = (Gate::start(&registry.address), Gate::start(&registry.address));
    let bed = Bed::new(&TREE);
    login(&bed, &gate.address);
    // blobs are to be sent to, and fetched from, another server, as clouds do
    let elsewhere = other.address.clone();
    let basic = |seen: &Seen| {
        let challenge = vec![("WWW-Authenticate", "Basic realm=\"x\"".to_owned())];
        let known = seen.headers.contains_key("authorization");
        (!known).then_some(Act::Answer(401, challenge, Vec::new()))
    };
    gate.script(move |seen| {
        if let Some(act) = basic(seen) {
            return act;
        }
        if seen.method == "POST" {
            let to = format!("http://{elsewhere}/v2/mesh/apac/blobs/uploads/1?sig=x");
            return Act::Answer(202, vec![("Location", to)], Vec::new());
        }
        if seen.method == "GET" && seen.target.contains("/blobs/") {
            let to = format!("http://{elsewhere}{}?sig=x", seen.target);
            return Act::Answer(307, vec![("Location", to)], Vec::new());
        }
        Act::Forward
    });
    let to = format!("oci://{}/mesh/apac", gate.address);
    let output = bed.output(&["bundle", "push", "one.tar", &to, "-v"]);
    // the other server has no such upload; what counts is what it was told
    assert!(other.seen().iter().any(|one| one.method == "PUT"), "{}", said(&output));
    assert_unseen(&bed, &said(&output));
    bed.push(&registry.address);
    other.script(|_| Act::Forward);
    let pull = ["bundle", "pull", &bed.at(&gate.address), "--out", "two.tar"];
    let output = bed.output(&pull);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let seen = other.seen();
    assert!(seen.len() > 5);
    assert!(seen.iter().all(|one| !one.headers.contains_key("authorization")), "{seen:?}");
    assert_unseen(&bed, &said(&output));
}
