//! Charts in registries: a real one, and one that asks for a login.

use std::fs;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use meshgen::store::Digest;

use super::server::{Answer, Request, Server};
use super::{chart, digests, one_digest, packed, project, refused, said, unpacked};
use crate::registry::Registry;
use crate::tool;

const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
const LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

#[test]
fn a_chart_that_oras_pushed_is_the_folder_it_was_made_of() {
    let (Some(oras), Some(registry)) = (tool::path("oras"), Registry::start()) else { return };
    let project = project();
    unpacked(&project.path().join("one"), &chart("1.2.3"));
    let archive = packed("one", &chart("1.2.3"));
    fs::write(project.path().join("one-1.2.3.tgz"), &archive).expect("written");
    fs::write(project.path().join("config.json"), r#"{"name": "one"}"#).expect("written");
    let push = |name: &str, config: &str, layer: &str| {
        let mut command = Command::new(&oras);
        command.current_dir(project.path()).args(["push", "--plain-http", name]);
        command.args(["--config", &format!("config.json:{config}")]);
        tool::run(command.arg(format!("one-1.2.3.tgz:{layer}")), "")
    };
    let name = format!("{}/charts/one", registry.address);
    let pushed = push(&format!("{name}:1.2.3"), CONFIG, LAYER);
    let digest = pushed.split("Digest: ").nth(1).expect("a digest").trim();
    project.run(&[
        "lock",
        &format!("a=oci://{name}:1.2.3"),
        &format!("b=oci://{name}@{digest}"),
        "c=one",
        "d=one-1.2.3.tgz",
    ]);
    one_digest(&project);
    fs::remove_dir_all(project.path().join("charts")).expect("removed");
    fs::remove_dir_all(project.path().join("one")).expect("removed");
    project.run(&["lock", "--fetch"]);
    // what is no chart, or not there
    push(&format!("{name}:image"), "application/vnd.oci.image.config.v1+json", "application/x");
    let said = refused(&project, 2, &["e", &format!("e=oci://{name}:image")]);
    assert!(said.contains("has not the form"), "{said}");
    let said = refused(&project, 2, &[&format!("e=oci://{name}:image")]);
    assert!(said.contains("there is not one Helm chart in it, but application/x"), "{said}");
    let said = refused(&project, 2, &[&format!("e=oci://{name}:9")]);
    assert!(said.contains("the server answers 404"), "{said}");
}

/// A registry that wants a token, which it gives to one user alone.
fn closed(address: &str, request: &Request, archive: &[u8], lie: bool) -> Answer {
    let manifest = format!(
        r#"{{"schemaVersion": 2, "config": {{"mediaType": "{CONFIG}"}},
            "layers": [{{"mediaType": "{LAYER}", "digest": "{}", "size": 1}}]}}"#,
        Digest::of(archive)
    );
    let authorization = request.headers.get("authorization").map(String::as_str);
    if request.target.starts_with("/token?") {
        let wanted = format!("Basic {}", STANDARD.encode("me:secret"));
        return if authorization == Some(&wanted) {
            Answer::ok(r#"{"token": "t0ken"}"#)
        } else {
            Answer::status(401)
        };
    }
    if authorization != Some("Bearer t0ken") {
        let challenge = format!(r#"Bearer realm="http://{address}/token",service="here""#);
        return Answer::status(401).with("WWW-Authenticate", challenge);
    }
    match request.target.as_str() {
        "/v2/a/one/manifests/1" => Answer::ok(manifest),
        target if target.starts_with("/v2/a/one/blobs/sha256:") => {
            Answer::ok(if lie { b"other".to_vec() } else { archive.to_vec() })
        }
        _ => Answer::status(404),
    }
}

fn registry(lie: bool) -> Server {
    let archive = packed("one", &chart("1.0.0"));
    Server::start(move |request| {
        let host = request.headers["host"].clone();
        closed(&host, request, &archive, lie)
    })
}

/// Runs `lock` with docker's folder in the project.
fn lock(project: &crate::project::Project, arguments: &[&str]) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshgen"));
    command.arg("-C").arg(project.path()).arg("lock").args(arguments);
    command.env("DOCKER_CONFIG", project.path().join("docker"));
    tool::output(&mut command, "")
}

#[test]
fn a_login_of_docker_opens_a_closed_registry() {
    let server = registry(false);
    let project = project();
    let source = format!("a=oci://{}/a/one:1", server.address);
    let output = lock(&project, &[&source]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("docker login"), "{}", said(&output));
    let auth = STANDARD.encode("me:secret");
    let config = format!(r#"{{"auths": {{"{}": {{"auth": "{auth}"}}}}}}"#, server.address);
    project.write("docker/config.json", &config);
    let output = lock(&project, &[&source]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(!said(&output).contains("secret") && !said(&output).contains("t0ken"));
    let asked = server.seen();
    let token = asked.iter().find(|one| one.target.starts_with("/token?")).expect("was asked");
    assert!(token.target.contains("scope=repository%3Aa%2Fone%3Apull"), "{}", token.target);
    assert!(token.target.contains("service=here"), "{}", token.target);
    assert_eq!(digests(&project).len(), 1);
}

#[test]
fn a_credential_helper_is_asked() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = registry(false);
    let project = project();
    let host = &server.address;
    project
        .write("docker/config.json", &format!(r#"{{"credHelpers": {{"{host}": "of-a-test"}}}}"#));
    let answer = format!(r#"{{"ServerURL": "{host}", "Username": "me", "Secret": "secret"}}"#);
    let script = format!("#!/bin/sh\n[ \"$1 $(cat)\" = 'get {host}' ] && echo '{answer}'\n");
    project.write("bin/docker-credential-of-a-test", &script);
    let path = project.path().join("bin/docker-credential-of-a-test");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a program");
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshgen"));
    command.arg("-C").arg(project.path()).args(["lock", &format!("a=oci://{host}/a/one:1")]);
    command.env("DOCKER_CONFIG", project.path().join("docker"));
    let path = std::env::var("PATH").expect("a path");
    command.env("PATH", format!("{}:{path}", project.path().join("bin").display()));
    let output = tool::output(&mut command, "");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

#[test]
fn a_registry_that_gives_other_bytes_is_caught() {
    let server = registry(true);
    let project = project();
    let auth = STANDARD.encode("me:secret");
    let config = format!(r#"{{"auths": {{"{}": {{"auth": "{auth}"}}}}}}"#, server.address);
    project.write("docker/config.json", &config);
    let output = lock(&project, &[&format!("a=oci://{}/a/one:1", server.address)]);
    assert_eq!(output.status.code(), Some(2));
    let said = said(&output);
    assert!(said.contains("the registry names sha256:") && said.contains("but gives"), "{said}");
    assert!(said.contains(&Digest::of("other").to_string()), "{said}");
    assert!(!project.path().join("charts").exists());
}
