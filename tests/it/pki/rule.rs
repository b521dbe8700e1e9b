//! The rules of the keyring, MG0601 to MG0610: each breach is found, said and placed.

use base64::Engine;
use meshgen::diag::{self, Diagnostics, Sources};
use meshgen::pki::{
    self, Algorithm, Certificate, Keyring, KeyringFile, Pair, Policy, cacerts, mint,
};
use meshgen::yaml;
use serde_json::{Value, json};

use super::{Bench, Files, Person, document_of, made, now, policy, text_of};
use crate::tool;

/// What is said of a file, and what has to be done to it for that.
type Alteration = (&'static str, fn(&mut Value));

/// All that is found wrong, drawn as people see it.
fn found(files: &Files, policy: &Policy) -> (Diagnostics, String) {
    let mut sources = Sources::new();
    let ids: Vec<_> =
        files.iter().map(|(name, text)| sources.add(pki::path_of(name), text.as_str())).collect();
    let files: Vec<_> = files
        .iter()
        .zip(ids)
        .map(|((name, text), source)| KeyringFile { name, source, text })
        .collect();
    let (keyring, mut problems) = Keyring::read(&files);
    problems.extend(pki::check(&keyring, policy));
    let drawn = diag::draw(&problems, &sources, false);
    (problems, drawn)
}

fn codes(files: &Files, policy: &Policy) -> Vec<&'static str> {
    found(files, policy).0.iter().map(|one| one.rule.code).collect()
}

fn altered(files: &Files, name: &str, alter: impl FnOnce(&mut Value)) -> Files {
    let mut files = files.clone();
    let (_, text) = files.iter_mut().find(|(own, _)| own == name).expect("the file is there");
    let mut document = document_of(text);
    alter(&mut document);
    *text = yaml::canonical(&document);
    files
}

fn with(files: &Files, name: &str, pair: &Pair, policy: &Policy) -> Files {
    let mut files = files.clone();
    files.retain(|(own, _)| own != name);
    let document = cacerts::seal(pair, &policy.recipients_of(name), now()).expect("it is sealed");
    files.push((name.to_owned(), yaml::canonical(&document)));
    files
}

fn root(days: u32) -> Pair {
    mint::root(Algorithm::EcdsaP256, days, now()).expect("a root")
}

fn below(root: &Pair, days: u32) -> Pair {
    mint::intermediate("c1", Algorithm::EcdsaP256, days, now(), &root.certificate, &root.key)
        .expect("an intermediate")
}

#[test]
fn a_good_keyring_breaks_no_rule() {
    let person = Person::new();
    let mut policy = policy(&["c1", "c2"], &person);
    let files = made(&policy);
    assert_eq!(codes(&files, &policy), [""; 0]);
    // a disabled cluster may keep its intermediate, or have none
    policy.clusters[0].is_enabled = false;
    assert_eq!(codes(&files, &policy), [""; 0]);
    let without: Files = files.iter().filter(|(name, _)| name != "c1").cloned().collect();
    assert_eq!(codes(&without, &policy), [""; 0]);
    assert_eq!(codes(&Files::new(), &Policy::default()), [""; 0]);
}

#[test]
fn what_is_missing_or_unused_is_named() {
    let person = Person::new();
    let wide = policy(&["c1", "c2"], &person);
    let files = made(&wide);
    let (_, drawn) = found(&Files::new(), &wide);
    for text in [
        "the mesh has no root",
        "cluster `c1` has no intermediate",
        "pki/c2.yaml",
        "meshgen pki init",
    ] {
        assert!(drawn.contains(text), "{text}:\n{drawn}");
    }
    assert_eq!(codes(&files, &policy(&["c1"], &person)), ["MG0606"]);
    let mut nobody = wide.clone();
    nobody.recipients.clear();
    assert_eq!(codes(&files, &nobody), ["MG0609"]);
}

#[test]
fn other_recipients_than_in_the_mesh_file_are_found() {
    let (person, other) = (Person::new(), Person::new());
    let mut policy = policy(&["c1", "c2"], &person);
    let files = made(&policy);
    policy.clusters[1].recipients = vec![other.recipient.clone()];
    let (problems, drawn) = found(&files, &policy);
    assert_eq!(problems.count(diag::Severity::Error), 1);
    assert!(drawn.contains(&format!("lacks {}", other.recipient)), "{drawn}");
    assert!(drawn.contains("pki/c2.yaml:"), "the place is shown:\n{drawn}");
    policy.clusters[1].recipients.clear();
    policy.recipients = vec![other.recipient.clone()];
    let (_, drawn) = found(&files, &policy);
    assert!(drawn.contains(&format!("also opens for {}", person.recipient)), "{drawn}");
    // the order is no difference
    policy.recipients = vec![other.recipient, person.recipient];
    let files = made(&policy);
    policy.recipients.reverse();
    assert_eq!(codes(&files, &policy), [""; 0]);
}

#[test]
fn an_intermediate_of_another_root_is_found() {
    let person = Person::new();
    let policy = policy(&["c1", "c2"], &person);
    let files = made(&policy);
    let stranger = with(&files, "c1", &below(&root(3000), 90), &policy);
    let (problems, drawn) = found(&stranger, &policy);
    let codes: Vec<_> = problems.iter().map(|one| one.rule.code).collect();
    assert_eq!(codes, ["MG0604"]);
    assert!(drawn.contains("not made by the root's key"), "{drawn}");
    assert!(drawn.contains("pki/root.yaml"), "both places are shown:\n{drawn}");
}

#[test]
fn an_intermediate_that_outlives_its_root_is_found() {
    let Some(openssl) = tool::path("openssl") else { return };
    let (person, bench) = (Person::new(), Bench::new());
    let policy = policy(&["c1"], &person);
    // meshgen never makes one: openssl does
    let root = root(100);
    let pair = below(&root, 90);
    bench.write("root.pem", &root.certificate.pem());
    bench.write("root-key.pem", root.key.pem().expose());
    bench.write("key.pem", pair.key.pem().expose());
    bench.write(
        "ext",
        "basicConstraints = critical, CA:true, pathlen:0\nkeyUsage = critical, keyCertSign\n",
    );
    bench.run(&openssl, "req -new -key key.pem -subj /O=Istio -out csr");
    bench.run(&openssl, "x509 -req -days 9000 -CA root.pem -CAkey root-key.pem -set_serial 1 -extfile ext -in csr -out ca.pem");
    let certificate = Certificate::one(&bench.read("ca.pem")).expect("a certificate");
    let files = with(
        &with(&Files::new(), "root", &root, &policy),
        "c1",
        &Pair { certificate, key: pair.key },
        &policy,
    );
    let (problems, drawn) = found(&files, &policy);
    assert_eq!(problems.iter().map(|one| one.rule.code).collect::<Vec<_>>(), ["MG0607"]);
    assert!(drawn.contains("ends on 2027-03-04 12:00:00Z"), "{drawn}");
}

#[test]
fn what_is_no_authority_is_found() {
    let Some(openssl) = tool::path("openssl") else { return };
    let (person, bench) = (Person::new(), Bench::new());
    let policy = policy(&["c1"], &person);
    let root = root(9000);
    let key = below(&root, 90).key;
    bench.write("root.pem", &root.certificate.pem());
    bench.write("root-key.pem", root.key.pem().expose());
    bench.write("key.pem", key.pem().expose());
    bench.run(&openssl, "req -new -key key.pem -subj /O=Istio -out csr");
    for extensions in [
        "",
        "basicConstraints = CA:false\n",
        "basicConstraints = CA:true\nkeyUsage = digitalSignature\n",
    ] {
        bench.write("ext", extensions);
        bench.run(&openssl, "x509 -req -days 9 -CA root.pem -CAkey root-key.pem -set_serial 1 -extfile ext -in csr -out ca.pem");
        let certificate = Certificate::one(&bench.read("ca.pem")).expect("a certificate");
        let key = pki::PrivateKey::from_pem(key.pem().expose()).expect("a key");
        let files = with(
            &with(&Files::new(), "root", &root, &policy),
            "c1",
            &Pair { certificate, key },
            &policy,
        );
        assert_eq!(codes(&files, &policy), ["MG0610"], "{extensions}");
    }
    // a root with path length 0 cannot have an intermediate below it
    let pair = below(&root, 90);
    let files = with(&Files::new(), "root", &pair, &policy);
    assert!(codes(&files, &policy).contains(&"MG0610"));
}

#[test]
fn a_private_key_in_clear_is_found_wherever_it_stands() {
    let person = Person::new();
    let policy = policy(&["c1"], &person);
    let files = made(&policy);
    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let in_place = altered(&files, "c1", |one| one["stringData"]["ca-key.pem"] = key.into());
    let beside = altered(&files, "c1", |one| one["metadata"]["annotations"] = json!({"old": key}));
    let encoded = base64::engine::general_purpose::STANDARD.encode(key);
    let in_data = altered(&files, "c1", |one| one["data"] = json!({"ca-key.pem": encoded}));
    let mut comment = files.clone();
    comment[1].1 += "# -----BEGIN EC PRIVATE KEY-----\n";
    let mut broken = files.clone();
    broken[1].1 = format!("a: [\n{key}");
    for files in [in_place, beside, in_data, comment, broken] {
        let (problems, drawn) = found(&files, &policy);
        assert_eq!(problems.iter().next().expect("a problem").rule.code, "MG0608", "{drawn}");
    }
    // and so it is in the root's file
    let root = altered(&files, "root", |one| one["stringData"]["ca-key.pem"] = key.into());
    assert!(codes(&root, &policy).contains(&"MG0608"));
}

#[test]
fn other_shapes_are_found() {
    let person = Person::new();
    let policy = policy(&["c1"], &person);
    let files = made(&policy);
    let alterations: [Alteration; 12] = [
        ("`kind` must be `Secret`", |one| one["kind"] = "ConfigMap".into()),
        ("`metadata.name` must be `cacerts`", |one| one["metadata"]["name"] = "other".into()),
        ("`metadata.namespace` must be `istio-system`", |one| {
            one["metadata"] = json!({"name": "cacerts"});
        }),
        ("`type` must be `Opaque`", |one| one["type"] = Value::Null),
        ("`stringData.token` does not belong here", |one| one["stringData"]["token"] = "x".into()),
        ("`spec` does not belong here", |one| one["spec"] = json!({})),
        ("`stringData.ca-cert.pem` is missing", |one| {
            one["stringData"]["ca-cert.pem"] = Value::Null;
        }),
        ("`ca-cert.pem`: it holds no certificate", |one| {
            one["stringData"]["ca-cert.pem"] = "x".into();
        }),
        ("`ca-key.pem` is no sealed value", |one| one["stringData"]["ca-key.pem"] = "x".into()),
        ("cannot be opened: it has no `sops` block", |one| {
            drop(one.as_object_mut().expect("a map").remove("sops"));
        }),
        ("`sops.mac` is missing", |one| one["sops"]["mac"] = "x".into()),
        ("is sealed for nobody", |one| one["sops"]["age"] = json!([])),
    ];
    for (message, alter) in alterations {
        let (problems, drawn) = found(&altered(&files, "c1", alter), &policy);
        assert_eq!(problems.iter().next().expect("a problem").rule.code, "MG0605", "{drawn}");
        assert!(drawn.contains(message), "{message}:\n{drawn}");
    }
    for text in ["", "x", "[]", "a: b: c\n", "{a: 1, a: 2}", "\u{0}"] {
        let mut files = files.clone();
        files[1].1 = text.to_owned();
        assert!(codes(&files, &policy).contains(&"MG0605"), "{text:?}");
    }
    assert!(text_of(&files, "c1").starts_with("apiVersion: v1\nkind: Secret\n"));
}

#[test]
fn other_ways_of_sealing_are_found() {
    let person = Person::new();
    let policy = policy(&["c1"], &person);
    let files = made(&policy);
    let alterations: [Alteration; 5] = [
        ("`mac_only_encrypted: true` is missing", |one| {
            one["sops"]["mac_only_encrypted"] = false.into();
        }),
        ("`encrypted_regex` is `^data$`", |one| one["sops"]["encrypted_regex"] = "^data$".into()),
        ("it has `encrypted_suffix`", |one| one["sops"]["encrypted_suffix"] = "x".into()),
        ("readers under `kms`", |one| one["sops"]["kms"] = json!([{"arn": "x"}])),
        ("split between key groups", |one| one["sops"]["key_groups"] = json!([{}, {}])),
    ];
    for (message, alter) in alterations {
        let (problems, drawn) = found(&altered(&files, "c1", alter), &policy);
        let codes: Vec<_> = problems.iter().map(|one| one.rule.code).collect();
        assert_eq!(codes, ["MG0602"], "{drawn}");
        assert!(drawn.contains(message) && drawn.contains("meshgen pki updatekeys"), "{drawn}");
    }
}
