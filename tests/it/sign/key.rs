//! Keys: what is taken, what is refused, and what is never said.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use meshgen::bundle::sign::{
    PublicKey, SigningKey, SigningKeyError, sign_file, sign_manifest, verify_file,
};
use meshgen::pki::Secret;
use meshgen::store::Digest;
use serde_json::Value;

use super::{Keys, signed};
use crate::tool;

/// The password of the key in `tests/data/sign`, which cosign made.
const PASSWORD: &str = "no secret: a test's";

fn sealed() -> String {
    fs::read_to_string(tool::root().join("tests/data/sign/cosign.key")).expect("is there")
}

fn opened(text: &str, password: &str) -> Result<SigningKey, SigningKeyError> {
    SigningKey::from_pem(text, Some(&Secret::new(password.as_bytes().to_vec())))
}

#[test]
fn a_key_that_cosign_sealed_opens_with_its_password_alone() {
    let text = sealed();
    assert!(SigningKey::is_protected(&text).expect("a key"));
    let key = opened(&text, PASSWORD).expect("opens");
    let public = fs::read_to_string(tool::root().join("tests/data/sign/cosign.pub"));
    assert_eq!(key.public().to_pem(), public.expect("is there"));
    // as cosign called it before 2.0
    let old = text.replace("SIGSTORE", "COSIGN");
    assert!(opened(&old, PASSWORD).is_ok());
    assert!(matches!(SigningKey::from_pem(&text, None), Err(SigningKeyError::Protected)));
    for wrong in ["", "another", "no secret: a test's\n"] {
        let Err(error) = opened(&text, wrong) else { panic!("{wrong:?} opens it") };
        let said = error.to_string();
        assert!(said.contains("the password does not open"), "{said}");
        assert!(wrong.is_empty() || !said.contains(wrong), "{said}");
    }
}

#[test]
fn a_sealed_key_cannot_ask_for_any_amount_of_memory() {
    let text = sealed();
    let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    let mut json: Value =
        serde_json::from_slice(&STANDARD.decode(body).expect("base64")).expect("JSON");
    let with = |json: &Value| {
        let body = STANDARD.encode(json.to_string());
        let label = "ENCRYPTED SIGSTORE PRIVATE KEY";
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    };
    for (pointer, value) in [
        ("/kdf/params/N", Value::from(1_u64 << 40)),
        ("/kdf/params/r", Value::from(1 << 20)),
        ("/kdf/params/p", Value::from(0)),
        ("/kdf/name", Value::from("argon2")),
        ("/cipher/name", Value::from("none")),
        ("/cipher/nonce", Value::from("AAAA")),
        ("/ciphertext", Value::from("%")),
    ] {
        let was = json.pointer(pointer).cloned().expect("is there");
        *json.pointer_mut(pointer).expect("is there") = value;
        let Err(error) = opened(&with(&json), PASSWORD) else { panic!("{pointer} is taken") };
        assert!(error.to_string().contains("is damaged"), "{pointer}: {error}");
        *json.pointer_mut(pointer).expect("is there") = was;
    }
    assert!(opened(&with(&json), PASSWORD).is_ok());
    json["ciphertext"] = Value::from("AAAA");
    assert!(opened(&with(&json), PASSWORD).is_err());
}

#[test]
fn plain_keys_sign_what_openssl_verifies() {
    let Some(keys) = Keys::new() else { return };
    keys.make("ec", "EC", "ec_paramgen_curve:P-256");
    keys.make("rsa", "RSA", "rsa_keygen_bits:2048");
    // the older forms of both
    keys.openssl(&["pkey", "-in", "ec.key", "-traditional", "-out", "sec1.key"]);
    keys.openssl(&["pkey", "-in", "rsa.key", "-traditional", "-out", "pkcs1.key"]);
    for (name, public) in [("ec", "ec"), ("rsa", "rsa"), ("sec1", "ec"), ("pkcs1", "rsa")] {
        let key = keys.signing(name);
        let (_, digest) = signed(keys.folder.path(), &key);
        let json: Value =
            serde_json::from_slice(&sign_file(&key, &digest).expect("signs")).expect("JSON");
        let signature = json["messageSignature"]["signature"].as_str().expect("a signature");
        fs::write(keys.path("raw"), STANDARD.decode(signature).expect("base64")).expect("written");
        let public = format!("{public}.pub");
        let said =
            keys.openssl(&["dgst", "-sha256", "-verify", &public, "-signature", "raw", "file.tar"]);
        assert_eq!(said, "Verified OK\n", "{name}");
        assert_eq!(key.public().to_pem(), fs::read_to_string(keys.path(&public)).expect("made"));
        // the name that cosign gives a key
        let der = keys.folder.path().join("der");
        keys.openssl(&["pkey", "-pubin", "-in", &public, "-outform", "DER", "-out", "der"]);
        let hint = STANDARD.encode(Digest::of(fs::read(der).expect("made")).as_bytes());
        assert_eq!(json["verificationMaterial"]["publicKey"]["hint"], hint);
    }
}

#[test]
fn keys_that_cosign_would_sign_otherwise_with_are_refused() {
    let Some(keys) = Keys::new() else { return };
    keys.openssl(&["genpkey", "-algorithm", "ED25519", "-out", "ed.key"]);
    keys.openssl(&["pkey", "-in", "ed.key", "-pubout", "-out", "ed.pub"]);
    keys.make("p384", "EC", "ec_paramgen_curve:P-384");
    keys.make("small", "RSA", "rsa_keygen_bits:1024");
    let read = |name: &str| fs::read_to_string(keys.path(name)).expect("made");
    for name in ["ed", "p384", "small"] {
        let error = SigningKey::from_pem(&read(&format!("{name}.key")), None).err();
        assert!(matches!(error, Some(SigningKeyError::Unsupported)), "{name}: {error:?}");
    }
    for name in ["ed.pub", "p384.pub"] {
        assert!(PublicKey::from_pem(&read(name)).is_err(), "{name}");
    }
    keys.make("ec", "EC", "ec_paramgen_curve:P-256");
    keys.openssl(&["pkey", "-in", "ec.key", "-aes256", "-passout", "pass:x", "-out", "pass.key"]);
    for (text, expected) in [
        (read("pass.key"), "in a way that cosign does not read"),
        (read("ec.pub"), "it holds no private key"),
        ([read("ec.key"), read("ec.key")].concat(), "2 private keys"),
        (String::new(), "it holds no private key"),
    ] {
        let Err(error) = SigningKey::from_pem(&text, None) else { panic!("{expected}") };
        assert!(error.to_string().contains(expected), "{error}");
    }
    let error = PublicKey::from_pem(&read("ec.key")).expect_err("private").to_string();
    assert!(error.contains("it holds a private key"), "{error}");
}

#[test]
fn a_small_key_verifies_nothing() {
    let Some(keys) = Keys::new() else { return };
    keys.make("small", "RSA", "rsa_keygen_bits:1024");
    let text = fs::read_to_string(keys.path("small.pub")).expect("made");
    assert!(PublicKey::from_pem(&text).is_ok(), "it is refused when it is used");
    let key = keys.ec("ec");
    let digest = Digest::of("x");
    fs::write(keys.path("x"), "x").expect("written");
    keys.openssl(&["dgst", "-sha256", "-sign", "small.key", "-out", "raw", "x"]);
    let mut json: Value =
        serde_json::from_slice(&sign_file(&key, &digest).expect("signs")).expect("JSON");
    let raw = STANDARD.encode(fs::read(keys.path("raw")).expect("made"));
    json["messageSignature"]["signature"] = Value::from(raw);
    assert!(verify_file(json.to_string().as_bytes(), &digest, &keys.trust(&["small"])).is_err());
}

#[test]
fn nothing_that_signs_can_be_printed() {
    let key = opened(&sealed(), PASSWORD).expect("opens");
    let said = format!("{:?} {}", key.public(), key.public().fingerprint());
    assert!(said.contains("ECDSA P-256 sha256:"), "{said}");
    let signature = sign_manifest(&key, &Digest::of("x")).expect("signs");
    let text = String::from_utf8(signature).expect("text");
    assert!(!text.contains(PASSWORD) && !text.contains("PRIVATE"), "{text}");
}
