//! Signatures with bundles, in files and in registries: who counts, and who does not.

use std::fs;

use serde_json::Value;

use super::gate::{Act, Gate};
use super::{Bed, said};
use crate::registry::Registry;
use crate::tool;

const TREE: [(&str, &str); 1] = [("c1", "same")];

impl Bed {
    /// Makes a key pair with OpenSSL: `NAME.key` and `NAME.pub`.
    pub fn keys(&self, name: &str) -> Option<()> {
        let openssl = tool::path("openssl")?;
        let run = |arguments: &[&str]| {
            let mut command = std::process::Command::new(&openssl);
            tool::run(command.current_dir(self.folder.path()).args(arguments), "")
        };
        let (key, public) = (format!("{name}.key"), format!("{name}.pub"));
        let curve = "ec_paramgen_curve:P-256";
        run(&["genpkey", "-algorithm", "EC", "-pkeyopt", curve, "-out", &key]);
        run(&["pkey", "-in", &key, "-pubout", "-out", &public]);
        Some(())
    }
}

#[test]
fn a_file_counts_if_somebody_who_is_trusted_signed_it() {
    let bed = Bed::new(&TREE);
    let (Some(()), Some(())) = (bed.keys("ours"), bed.keys("other")) else { return };
    let verify = ["bundle", "verify", "one.tar"];
    let with = |more: &[&str]| bed.output(&[&verify, more].concat());
    let fails = |more: &[&str], expected: &str| {
        let output = with(more);
        assert_eq!(output.status.code(), Some(1), "{expected}: {}", said(&output));
        assert!(said(&output).contains(expected), "{expected}: {}", said(&output));
    };
    fails(&[], "it is not signed: there is no `one.tar.sigstore.json`");
    fails(&["--key", "ours.pub"], "it is not signed");
    assert_eq!(with(&["--allow-unsigned"]).status.code(), Some(0));
    bed.run(&["bundle", "sign", "--key", "ours.key", "one.tar"]);
    fails(&[], "no key is trusted");
    fails(&["--key", "other.pub"], "is not among the 1 trusted");
    for more in [&["--key", "ours.pub"][..], &["--key", "other.pub", "--key", "ours.pub"]] {
        assert_eq!(with(more).status.code(), Some(0), "{}", said(&with(more)));
    }
    // the operator's own folder; a variable lifts nothing
    let folder = bed.path(".config/meshgen/trusted");
    fs::create_dir_all(&folder).expect("a folder");
    fs::copy(bed.path("other.pub"), folder.join("other.pub")).expect("copied");
    fails(&[], "is not among the 1 trusted");
    let mut command = bed.command(&verify);
    let output = tool::output(command.env("MESHGEN_ALLOW_UNSIGNED", "1"), "");
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    fs::copy(bed.path("ours.pub"), folder.join("ours.pub")).expect("copied");
    assert_eq!(with(&[]).status.code(), Some(0), "{}", said(&with(&[])));
    fs::write(folder.join("bad.pub"), "no key").expect("written");
    // a wrong request, not a wrong signature
    let output = with(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("bad.pub"), "{}", said(&output));
    fs::remove_file(folder.join("bad.pub")).expect("removed");
    // changed: no flag takes it
    let good = bed.bytes("one.tar.sigstore.json");
    let mut json: Value = serde_json::from_slice(&good).expect("JSON");
    let text = json["messageSignature"]["signature"].as_str().expect("text").to_owned();
    let (start, end) = text.split_at(20);
    let flipped = format!("{start}{}{}", if end.starts_with('A') { 'B' } else { 'A' }, &end[1..]);
    json["messageSignature"]["signature"] = flipped.into();
    fs::write(bed.path("one.tar.sigstore.json"), json.to_string()).expect("written");
    for more in [&[][..], &["--allow-unsigned"]] {
        fails(more, "whose name it has: signature or content was changed");
    }
    // the signature of another bundle
    let other = Bed::new(&[("c1", "third")]);
    fs::write(bed.path("one.tar.sigstore.json"), good).expect("written");
    fs::copy(other.path("one.tar"), bed.path("one.tar")).expect("copied");
    for more in [&[][..], &["--allow-unsigned"]] {
        fails(more, "the signature is of sha256:");
    }
    let said = bed.fails(2, &["bundle", "push", "one.tar", "oci://127.0.0.1:1/x"]);
    assert!(said.contains("the signature is of sha256:"), "{said}");
    // a pipe that nobody writes to is not waited for
    fs::remove_file(bed.path("one.tar.sigstore.json")).expect("removed");
    for pipe in ["one.tar.sigstore.json", ".config/meshgen/trusted/pipe.pub"] {
        tool::run(std::process::Command::new("mkfifo").arg(bed.path(pipe)), "");
        let output = with(&[]);
        let text = super::said(&output);
        assert!(text.contains("a device, pipe or socket"), "{text}");
        fs::remove_file(bed.path(pipe)).expect("removed");
    }
    // nobody signs what is no bundle
    fs::write(bed.path("x.tar"), "x").expect("written");
    bed.fails(2, &["bundle", "sign", "--key", "ours.key", "x.tar"]);
    assert!(!bed.path("x.tar.sigstore.json").exists());
}

#[test]
fn passwords_come_from_a_file_or_from_cosigns_variable() {
    let bed = Bed::new(&TREE);
    let key = tool::root().join("tests/data/sign/cosign.key").display().to_string();
    let public = tool::root().join("tests/data/sign/cosign.pub").display().to_string();
    let password = "no secret: a test's";
    fs::write(bed.path("password"), format!("{password}\n")).expect("written");
    fs::write(bed.path("wrong"), "canary-wrong").expect("written");
    let sign = ["bundle", "sign", "one.tar", "--key", &key];
    let verify = ["bundle", "verify", "one.tar", "--key", &public];
    let text = bed.fails(2, &sign);
    assert!(text.contains("no terminal to ask at"), "{text}");
    let text = bed.fails(2, &[&sign[..], &["--password-file", "wrong"]].concat());
    assert!(text.contains("does not open") && !text.contains("canary"), "{text}");
    assert!(!bed.path("one.tar.sigstore.json").exists());
    bed.run(&[&sign[..], &["--password-file", "password"]].concat());
    bed.run(&verify);
    let mut command = bed.command(&sign);
    let output = tool::output(command.env("COSIGN_PASSWORD", password), "");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    bed.run(&verify);
    let mut command = bed.command(&[&sign[..], &["--password-file", "-", "-v"]].concat());
    let output = tool::output(&mut command, password);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(!said(&output).contains(password));
    bed.run(&verify);
    let text = String::from_utf8(bed.bytes("one.tar.sigstore.json")).expect("text");
    assert!(!text.contains(password) && !text.contains("PRIVATE"));
}

#[test]
fn the_signature_of_a_file_travels_with_it() {
    let Some(registry) = Registry::start() else { return };
    let bed = Bed::new(&TREE);
    let (Some(()), Some(())) = (bed.keys("ours"), bed.keys("other")) else { return };
    bed.run(&["bundle", "sign", "--key", "ours.key", "one.tar"]);
    bed.push(&registry.address);
    bed.pull(&registry.address, "two.tar");
    assert_eq!(bed.bytes("one.tar.sigstore.json"), bed.bytes("two.tar.sigstore.json"));
    bed.run(&["bundle", "verify", "two.tar", "--key", "ours.pub"]);
    // several signed it: the one that counts here comes
    bed.run(&["bundle", "sign", "--key", "other.key", "one.tar"]);
    bed.push(&registry.address);
    for name in ["ours", "other"] {
        let (file, key) = (format!("{name}.tar"), format!("{name}.pub"));
        let at = bed.at(&registry.address);
        bed.run(&["bundle", "pull", &at, "--out", &file, "--key", &key]);
        bed.run(&["bundle", "verify", &file, "--key", &key]);
    }
}

#[test]
fn a_tree_in_a_registry_counts_if_somebody_who_is_trusted_signed_it_there() {
    let Some(registry) = Registry::start() else { return };
    let bed = Bed::new(&TREE);
    let (Some(()), Some(())) = (bed.keys("ours"), bed.keys("other")) else { return };
    bed.push(&registry.address);
    let at = bed.at(&registry.address);
    let diff = ["diff", &at, "project/out"];
    let with = |more: &[&str]| bed.output(&[&diff[..], more].concat());
    let fails = |more: &[&str], expected: &str| {
        let output = with(more);
        assert_eq!(output.status.code(), Some(2), "{expected}: {}", said(&output));
        assert!(said(&output).contains(expected), "{expected}: {}", said(&output));
    };
    fails(&["--key", "ours.pub"], "there is no signature in the registry");
    bed.run(&["bundle", "sign", "--key", "other.key", &at]);
    fails(&["--key", "ours.pub"], "is not among the 1 trusted");
    fails(&[], "no key is trusted");
    assert_eq!(with(&["--allow-unsigned"]).status.code(), Some(0));
    bed.run(&["bundle", "sign", "--key", "ours.key", &at]);
    for key in ["ours.pub", "other.pub"] {
        let output = with(&["--key", key]);
        assert_eq!(output.status.code(), Some(0), "{key}: {}", said(&output));
        let output = bed.output(&["bundle", "verify", &at, "--key", key]);
        assert_eq!(output.status.code(), Some(0), "{key}: {}", said(&output));
        assert!(said(&output).contains(&format!("(`{key}`)")), "{}", said(&output));
    }
    // a signature of the file is none of the index
    let third = Bed::new(&[("c1", "third")]);
    for name in ["ours.key", "ours.pub"] {
        fs::copy(bed.path(name), third.path(name)).expect("copied");
    }
    third.run(&["bundle", "sign", "--key", "ours.key", "one.tar"]);
    third.push(&registry.address);
    let at = third.at(&registry.address);
    let text = third.fails(2, &["diff", &at, "project/out", "--key", "ours.pub"]);
    assert!(text.contains("there is no signature in the registry"), "{text}");
    // nothing of it is fetched before that is known
    let gate = Gate::start(&registry.address);
    let at = third.at(&gate.address);
    third.fails(2, &["diff", &at, "project/out", "--key", "ours.pub"]);
    let seen = gate.seen();
    let about = |target: &str| target.contains("referrers") || target.contains("sha256-");
    assert!(seen.iter().all(|one| about(&one.target)), "{seen:?}");
}

#[test]
fn referrers_of_strangers_neither_help_nor_harm() {
    let Some(registry) = Registry::start() else { return };
    let gate = Gate::start(&registry.address);
    let bed = Bed::new(&TREE);
    let Some(()) = bed.keys("ours") else { return };
    bed.push(&registry.address);
    let at = bed.at(&gate.address);
    bed.run(&["bundle", "sign", "--key", "ours.key", &at]);
    let diff = ["diff", &at, "project/out", "--key", "ours.pub"];
    assert_eq!(bed.output(&diff).status.code(), Some(0));
    // a referrers API that lists what is not there, and what is no signature
    let kind = "application/vnd.dev.sigstore.bundle.v0.3+json";
    let none = format!(
        r#"{{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [
            {{"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "sha256:{}",
              "size": 2, "artifactType": "{kind}"}},
            {{"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "{}",
              "size": 2, "artifactType": "{kind}"}}]}}"#,
        "0".repeat(64),
        bed.digest,
    );
    for (body, expected) in [
        (none.as_str(), "there is no signature in the registry"),
        ("[]", "the list of referrers cannot be read"),
        ("{\"schemaVersion\": 2}", "the list of referrers cannot be read"),
    ] {
        let body = body.as_bytes().to_vec();
        gate.script(move |seen| {
            if seen.target.contains("/referrers/") {
                return Act::Answer(200, Vec::new(), body.clone());
            }
            Act::Forward
        });
        let text = bed.fails(2, &diff);
        assert!(text.contains(expected), "{expected}: {text}");
    }
    // beside a good one they change nothing, on the first page of the list or on the next
    let list = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let listed = {
        // the tag that stands in for the referrers API here
        let tag = format!("sha256-{}", bed.digest.hex());
        let referrers = format!("http://{}/v2/mesh/apac/manifests/{tag}", registry.address);
        let mut command = std::process::Command::new("curl");
        tool::run(command.args(["-sS", "--fail", &referrers]), "")
    };
    let good: Value = serde_json::from_str(&listed).expect("a list");
    let is_good = |one: &&Value| one["artifactType"] == kind;
    let good = good["manifests"].as_array().expect("some").iter().find(is_good).expect("ours");
    let strange: Value = serde_json::from_str(&none).expect("JSON");
    let page = |entries: Vec<Value>| {
        let mut page = strange.clone();
        page["manifests"] = entries.into();
        page.to_string().into_bytes()
    };
    let strangers = strange["manifests"].as_array().expect("some").clone();
    let together = page([strangers.clone(), vec![good.clone()]].concat());
    let pages = [page(strangers), page(vec![good.clone()])];
    for (is_paged, status) in [(false, 404), (false, 400), (false, 200), (true, 400)] {
        let (pages, together, list) = (pages.clone(), together.clone(), list.clone());
        gate.script(move |seen| {
            if seen.target.contains(&"0".repeat(64)) {
                return Act::Answer(status, Vec::new(), vec![b' '; 2 << 20]);
            }
            if !seen.target.contains("/referrers/") {
                return Act::Forward;
            }
            list.lock().expect("nobody panics").push(seen.target.clone());
            if !is_paged {
                return Act::Answer(200, Vec::new(), together.clone());
            }
            if seen.target.contains("page=2") {
                return Act::Answer(200, Vec::new(), pages[1].clone());
            }
            let link = "</v2/mesh/apac/referrers/x?page=1>; rel=\"first\", \
                        </v2/mesh/apac/referrers/x?page=2>; rel=\"next\"";
            Act::Answer(200, vec![("Link", link.to_owned())], pages[0].clone())
        });
        let output = bed.output(&diff);
        assert_eq!(output.status.code(), Some(0), "{is_paged} {status}: {}", said(&output));
    }
    assert!(list.lock().expect("nobody panics").iter().any(|target| target.contains("page=2")));
    // a list that goes on elsewhere is not followed
    gate.script(|seen| {
        if seen.target.contains("/referrers/") {
            let link = "<http://192.0.2.1/v2/x>; rel=next".to_owned();
            return Act::Answer(200, vec![("Link", link)], br#"{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []}"#.to_vec());
        }
        Act::Forward
    });
    let text = bed.fails(2, &diff);
    assert!(text.contains("goes on nowhere"), "{text}");
}
