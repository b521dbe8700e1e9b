//! The sealed form: real sops opens ours, ours opens real sops', and nobody opens what was changed.

use std::path::Path;

use meshgen::pki::{self, Identities, SEALED_POINTER, cacerts};
use meshgen::yaml;
use serde_json::{Value, json};

use super::{
    Bench, Files, Person, document_of, keyring, made, policy, printed, sound, string, text_of,
};
use crate::tool;

const MAC_ONLY: &str = "mac_only_encrypted: true";

/// A keyring of one cluster, and the private key that is sealed in it.
fn one_cluster(person: &Person) -> (Files, String) {
    let files = made(&policy(&["c1"], person));
    let key = opened(text_of(&files, "c1"), person);
    (files, key)
}

fn opened(text: &str, person: &Person) -> String {
    let opened = pki::sops::open(&document_of(text), &person.identities());
    let opened = opened.unwrap_or_else(|error| panic!("{error}"));
    string(opened.document(), SEALED_POINTER).to_owned()
}

fn refusal(document: &Value, identities: &Identities) -> String {
    pki::sops::open(document, identities).err().expect("it does not open").to_string()
}

fn decrypt(bench: &Bench, sops: &Path, person: &Person, file: &str) -> Value {
    document_of(&printed(bench.sops(sops, person, &format!("decrypt {file}"))))
}

#[test]
fn real_sops_opens_what_meshgen_seals() {
    let Some(sops) = tool::path("sops") else { return };
    let (person, bench) = (Person::new(), Bench::new());
    let (files, key) = one_cluster(&person);
    let keyring = sound(&files);
    let root = keyring.root().expect("a root");
    let entry = keyring.entry("c1").expect("an entry");
    let rendered = cacerts(root, entry);
    for (name, text) in &files {
        bench.write(&format!("{name}.yaml"), text);
        let clear = decrypt(&bench, &sops, &person, &format!("{name}.yaml"));
        assert_eq!(string(&clear, SEALED_POINTER), opened(text, &person));
        assert_eq!(clear.get("sops"), None);
    }
    bench.write("cacerts.yaml", &yaml::canonical(&rendered));
    let clear = decrypt(&bench, &sops, &person, "cacerts.yaml");
    let (own, above) = (entry.certificate().pem(), root.entry().certificate().pem());
    let expected = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "cacerts", "namespace": "istio-system"},
        "type": "Opaque",
        "stringData": {
            "ca-cert.pem": own,
            "ca-key.pem": key,
            "cert-chain.pem": format!("{own}{above}"),
            "root-cert.pem": above,
        },
    });
    assert_eq!(clear, expected);
}

#[test]
fn rendering_copies_the_ciphertext() {
    let person = Person::new();
    let (files, _) = one_cluster(&person);
    let keyring = sound(&files);
    let root = keyring.root().expect("a root");
    let entry = keyring.entry("c1").expect("an entry");
    let rendered = cacerts(root, entry);
    assert_eq!(rendered.pointer(SEALED_POINTER), entry.document().pointer(SEALED_POINTER));
    assert_eq!(rendered["sops"], entry.document()["sops"]);
    assert_eq!(rendered, cacerts(root, entry));
}

#[test]
fn meshgen_opens_what_real_sops_seals() {
    let Some(sops) = tool::path("sops") else { return };
    let (person, bench) = (Person::new(), Bench::new());
    let (_, key) = one_cluster(&person);
    let clear = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "cacerts", "namespace": "istio-system", "labels": {"a": ""}},
        "stringData": {"ca-cert.pem": "in clear\n", "ca-key.pem": key},
        "odd": {"numbers": [1, -2, 1.5, 1.0e+21], "flags": [true, false], "none": null},
        "texts": ["on", "ENC[", "", "ä\u{1F510}", {"deep": ["x"]}],
    });
    let some = "encrypted_regex: ^(ca-key\\.pem|odd|texts)$";
    for (rule, only) in [("", ""), (some, ""), (some, MAC_ONLY), ("", MAC_ONLY)] {
        bench.write("clear.yaml", &yaml::canonical(&clear));
        let age = format!("age: {}", person.recipient);
        let rules = format!("creation_rules:\n  - {age}\n    {rule}\n    {only}\n");
        bench.write(".sops.yaml", &rules);
        let sealed = document_of(&printed(bench.sops(&sops, &person, "encrypt clear.yaml")));
        let opened = pki::sops::open(&sealed, &person.identities());
        let opened = opened.unwrap_or_else(|error| panic!("{rules}: {error}"));
        assert_eq!(*opened.document(), clear, "{rules}");
        let stranger = refusal(&sealed, &Person::new().identities());
        assert!(stranger.contains(person.recipient.as_str()), "{stranger}");
    }
}

#[test]
fn a_file_that_real_sops_rotated_is_still_ours() {
    let Some(sops) = tool::path("sops") else { return };
    let (person, bench) = (Person::new(), Bench::new());
    let (mut files, key) = one_cluster(&person);
    bench.write("c1.yaml", text_of(&files, "c1"));
    printed(bench.sops(&sops, &person, "rotate -i c1.yaml"));
    let rotated = bench.read("c1.yaml");
    assert_ne!(rotated, text_of(&files, "c1"));
    files.retain(|(name, _)| name != "c1");
    files.push(("c1".to_owned(), rotated.clone()));
    sound(&files);
    assert_eq!(opened(&rotated, &person), key);
}

#[test]
fn every_recipient_opens_alone() {
    let Some(sops) = tool::path("sops") else { return };
    let (people, bench) = ([Person::new(), Person::new(), Person::new()], Bench::new());
    let [mesh, cluster, root] = &people;
    let mut policy = policy(&["c1", "c2"], mesh);
    policy.clusters[0].recipients = vec![cluster.recipient.clone(), mesh.recipient.clone()];
    policy.root_recipients = vec![root.recipient.clone()];
    let files = made(&policy);
    for (name, may) in
        [("c1", [true, true, false]), ("c2", [true, false, false]), ("root", [false, false, true])]
    {
        let text = text_of(&files, name);
        bench.write("file.yaml", text);
        for (person, may) in people.iter().zip(may) {
            let ours = pki::sops::open(&document_of(text), &person.identities());
            assert_eq!(ours.is_ok(), may, "{name}");
            let theirs = bench.sops(&sops, person, "decrypt file.yaml");
            assert_eq!(theirs.status.success(), may, "{name}");
        }
    }
}

#[test]
fn clear_parts_can_be_rewritten() {
    let Some(sops) = tool::path("sops") else { return };
    let (person, bench) = (Person::new(), Bench::new());
    let (files, key) = one_cluster(&person);
    let mut document = document_of(text_of(&files, "c1"));
    document["metadata"]["labels"] = json!({"team": "mesh"});
    document["stringData"]["ca-cert.pem"] = Value::String("another\n".to_owned());
    document["stringData"]["more"] = Value::String("more".to_owned());
    let text = yaml::canonical(&document);
    bench.write("c1.yaml", &text);
    assert_eq!(string(&decrypt(&bench, &sops, &person, "c1.yaml"), SEALED_POINTER), key);
    assert_eq!(opened(&text, &person), key);
    // but a key is not used with a certificate that it does not fit
    let other = made(&policy(&["c1"], &person));
    let other = document_of(text_of(&other, "c1"));
    document["stringData"]["ca-cert.pem"] = other["stringData"]["ca-cert.pem"].clone();
    let refused = cacerts::open(&document, &person.identities()).err().expect("refused");
    assert_eq!(refused.to_string(), "its private key does not fit its certificate");
}

/// Changes one character of a text, so that it still is base64.
fn flip(text: &str, at: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
    String::from_utf8(bytes).expect("ASCII")
}

#[test]
fn what_was_changed_does_not_open() {
    let person = Person::new();
    let (files, key) = one_cluster(&person);
    let sealed = document_of(text_of(&files, "c1"));
    let identities = person.identities();
    for pointer in [SEALED_POINTER, "/sops/mac"] {
        let text = string(&sealed, pointer).to_owned();
        for part in ["data:", "iv:", "tag:"] {
            let mut changed = sealed.clone();
            let at = text.find(part).expect("the part") + part.len() + 3;
            *changed.pointer_mut(pointer).expect("the value") = flip(&text, at).into();
            let refused = refusal(&changed, &identities);
            assert!(refused.contains("was changed"), "{pointer} {part}: {refused}");
        }
    }
    let change = |alter: &dyn Fn(&mut Value)| {
        let mut changed = sealed.clone();
        alter(&mut changed);
        refusal(&changed, &identities)
    };
    // moved to another place, copied there, or gone
    let moved = change(&|document| {
        document["data"]["ca-key.pem"] = document["stringData"]["ca-key.pem"].take();
    });
    assert!(moved.contains("`data.ca-key.pem` does not open"), "{moved}");
    let gone = change(&|document| document["stringData"]["ca-key.pem"] = Value::Null);
    assert!(gone.contains("MAC does not fit"), "{gone}");
    let clear = change(&|document| document["stringData"]["ca-key.pem"] = key.clone().into());
    assert!(clear.contains("MAC does not fit"), "{clear}");
    assert!(!clear.contains("PRIVATE KEY"));
    let when = change(&|document| document["sops"]["lastmodified"] = "2020-01-01T00:00:00Z".into());
    assert!(when.contains("`sops.mac` does not open"), "{when}");
    let scope = change(&|document| document["sops"]["mac_only_encrypted"] = false.into());
    assert!(scope.contains("MAC does not fit"), "{scope}");
    // another file's value, another file's key
    let other = document_of(text_of(&files, "root"));
    let value = change(&|document| document["stringData"] = other["stringData"].clone());
    assert!(value.contains("was changed"), "{value}");
    let wrapped = change(&|document| document["sops"]["age"] = other["sops"]["age"].clone());
    assert!(wrapped.contains("was changed"), "{wrapped}");
    let armor = string(&sealed, "/sops/age/0/enc").to_owned();
    let damaged = change(&|document| document["sops"]["age"][0]["enc"] = flip(&armor, 120).into());
    assert!(damaged.contains("none of the age identities"), "{damaged}");
    let without = change(&|document| document["sops"] = Value::Null);
    assert!(without.contains("no `sops` block"), "{without}");
    assert!(refusal(&sealed, &Identities::default()).contains("an age identity is needed"));
}

#[test]
fn hostile_blocks_are_refused_without_a_panic() {
    let person = Person::new();
    let (files, _) = one_cluster(&person);
    let sealed = document_of(text_of(&files, "c1"));
    let odd = [
        json!(null),
        json!(1),
        json!("x"),
        json!([]),
        json!({}),
        json!([1]),
        json!([{}]),
        json!("ENC[AES256_GCM,data:,iv:,tag:,type:str]"),
        json!("ENC[AES256_GCM,data:%%,iv:AA==,tag:AA==,type:str]"),
        json!("ENC[é"),
        json!([{"recipient": "x", "enc": "x"}]),
    ];
    let mut cut = sealed.clone();
    cut["sops"]["age"][0]["enc"] = "-----BEGIN AGE ENCRYPTED FILE-----\n".into();
    refusal(&cut, &person.identities());
    for pointer in ["/sops", "/sops/age", "/sops/mac", "/sops/lastmodified", SEALED_POINTER] {
        for value in &odd {
            let mut changed = sealed.clone();
            *changed.pointer_mut(pointer).expect("the place") = value.clone();
            refusal(&changed, &person.identities());
            let text = yaml::canonical(&changed);
            let (_, problems) = keyring(&vec![("c1".to_owned(), text.clone())]);
            assert!(problems.has_errors(), "{text}");
        }
    }
    for document in odd {
        refusal(&document, &person.identities());
    }
}

#[test]
fn identities_are_read_as_sops_reads_them() {
    let (a, b) = (Person::new(), Person::new());
    let (files, _) = one_cluster(&b);
    let sealed = document_of(text_of(&files, "c1"));
    let both =
        format!("# mine\r\n\r\n{}\r\n  {}\n", a.identity.expose().trim(), b.identity.expose());
    let one_line =
        [&a, &b].map(|one| one.identity.expose().lines().last().expect("a line")).join(" ");
    for text in [both, one_line] {
        let identities = Identities::parse(&text).expect("identities");
        assert!(pki::sops::open(&sealed, &identities).is_ok());
    }
    let wrong = format!("{}AGE-SECRET-KEY-1WRONG\n", a.identity.expose());
    for (text, message) in [
        (wrong.as_str(), "line 3 is no age identity"),
        ("# nothing\n", "holds no age identity"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\n", "SSH key"),
        ("-----BEGIN AGE ENCRYPTED FILE-----\n", "protected by a passphrase"),
    ] {
        let error = Identities::parse(text).err().expect("refused").to_string();
        assert!(error.contains(message) && !error.contains("WRONG"), "{error}");
    }
    for text in ["age1", "AGE1", "ssh-ed25519 AAAA", ""] {
        assert!(text.parse::<pki::Recipient>().is_err(), "{text}");
    }
    let secret = a.identity.expose().lines().last().expect("a line");
    let refused = secret.parse::<pki::Recipient>().expect_err("refused").to_string();
    assert!(!refused.contains(&secret[20..]), "the identity is not repeated");
}
