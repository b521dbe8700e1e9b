//! Signature files that mean harm, or are merely wrong: each is refused for what it is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use meshgen::bundle::sign::{
    SignatureError, sign_file, sign_manifest, verify_file, verify_manifest,
};
use meshgen::store::Digest;
use serde_json::{Value, json};

use super::Keys;

type Change = fn(&mut Value);

#[test]
fn a_signature_file_is_taken_in_one_shape_alone() {
    let Some(keys) = Keys::new() else { return };
    let (key, trust) = (keys.ec("ours"), keys.trust(&["ours"]));
    let digest = Digest::of("file");
    let good: Value =
        serde_json::from_slice(&sign_file(&key, &digest).expect("signs")).expect("JSON");
    let verify = |bytes: &[u8]| verify_file(bytes, &digest, &trust).map(|key| key.path.clone());
    let of = |json: &Value| verify(json.to_string().as_bytes());
    assert_eq!(of(&good), Ok(keys.path("ours.pub")));
    let cases: [(&str, Change); 22] = [
        ("of version 0.3", |it| it["mediaType"] = json!("application/json")),
        ("of version 0.3", |it| {
            it["mediaType"] = json!("application/vnd.dev.sigstore.bundle.v0.4+json");
        }),
        ("of version 0.3", |it| {
            it["mediaType"] = json!("application/vnd.dev.sigstore.bundle+json;version=0.1");
        }),
        ("missing field `mediaType`", |it| drop(it.as_object_mut().unwrap().remove("mediaType"))),
        ("unknown field `extra`", |it| it["extra"] = json!(1)),
        ("unknown field `extra`", |it| it["messageSignature"]["extra"] = json!(1)),
        ("unknown field `extra`", |it| it["verificationMaterial"]["extra"] = json!(1)),
        ("by a certificate", |it| {
            it["verificationMaterial"] = json!({"certificate": {"rawBytes": "AAAA"}});
        }),
        ("by a certificate", |it| {
            it["verificationMaterial"]["x509CertificateChain"] = json!({"certificates": []});
        }),
        ("does not say that a public key", |it| it["verificationMaterial"] = json!({})),
        ("not one of `messageSignature`", |it| {
            it.as_object_mut().unwrap().remove("messageSignature");
        }),
        ("not one of `messageSignature`", |it| {
            it["dsseEnvelope"] =
                json!({"payload": "", "payloadType": "", "signatures": [{"sig": ""}]});
        }),
        ("over `SHA2_512`", |it| {
            it["messageSignature"]["messageDigest"]["algorithm"] = json!("SHA2_512");
        }),
        ("or of another length", |it| {
            it["messageSignature"]["messageDigest"]["digest"] = json!("AAAA");
        }),
        ("is no base64", |it| it["messageSignature"]["signature"] = json!("*")),
        ("the signature is of sha256:", |it| {
            it["messageSignature"]["messageDigest"]["digest"] = json!(STANDARD.encode([7; 32]));
        }),
        ("is not that of sha256:", |it| it["messageSignature"]["signature"] = json!("")),
        ("is not that of sha256:", |it| it["messageSignature"]["signature"] = json!("AAAA")),
        ("is not among the 1 trusted", |it| {
            it["messageSignature"]["signature"] = json!("AAAA");
            it["verificationMaterial"]["publicKey"]["hint"] = json!("\u{1b}[2Jme");
        }),
        ("of none of the 1 trusted keys", |it| {
            it["messageSignature"]["signature"] = json!("AAAA");
            it["verificationMaterial"]["publicKey"] = json!({});
        }),
        ("invalid length", |it| it["messageSignature"] = json!([])),
        ("invalid type", |it| it["verificationMaterial"]["publicKey"]["hint"] = json!(1)),
    ];
    for (expected, change) in cases {
        let mut changed = good.clone();
        change(&mut changed);
        let error = of(&changed).expect_err(expected).to_string();
        assert!(error.contains(expected), "{expected}: {error}");
        assert!(!error.contains('\u{1b}'), "{error:?}");
    }
    // texts that no JSON value shows: repeated keys, more after the end, nothing, far too much
    let text = good.to_string();
    let twice = text.replacen("{\"mediaType\"", "{\"mediaType\":\"x\",\"mediaType\"", 1);
    let inside = text.replacen("\"digest\":", "\"digest\":\"AAAA\",\"digest\":", 1);
    let large = format!("{text}{}", " ".repeat(1 << 20));
    for (expected, text) in [
        ("duplicate field `mediaType`", twice.as_str()),
        ("duplicate field `digest`", &inside),
        ("trailing characters", &format!("{text}{text}")),
        ("EOF", ""),
        ("EOF", &text[..text.len() / 2]),
        ("larger than 1 MiB", &large),
        ("no Sigstore bundle", "[]"),
        ("no Sigstore bundle", &"[".repeat(100_000)),
    ] {
        let error = verify(text.as_bytes()).expect_err(expected).to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
    // what proves nothing beside a key is passed over: it neither helps nor harms
    let mut logged = good.clone();
    logged["verificationMaterial"]["tlogEntries"] = json!([{"logIndex": "1", "forged": true}]);
    logged["verificationMaterial"]["timestampVerificationData"] = json!({"rfc3161Timestamps": []});
    assert_eq!(of(&logged), Ok(keys.path("ours.pub")));
    // the same version under its other name, and a hint that names nobody
    let mut other = good.clone();
    other["mediaType"] = json!("application/vnd.dev.sigstore.bundle+json;version=0.3");
    other["verificationMaterial"]["publicKey"]["hint"] = json!("somebody");
    assert_eq!(of(&other), Ok(keys.path("ours.pub")));
}

#[test]
fn every_flipped_bit_of_a_signature_counts() {
    let Some(keys) = Keys::new() else { return };
    let (key, trust) = (keys.ec("ours"), keys.trust(&["ours"]));
    let digest = Digest::of("file");
    let good: Value =
        serde_json::from_slice(&sign_file(&key, &digest).expect("signs")).expect("JSON");
    let text = good["messageSignature"]["signature"].as_str().expect("a signature");
    let raw = STANDARD.decode(text).expect("base64");
    for bit in 0..raw.len() * 8 {
        let mut flipped = raw.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let mut json = good.clone();
        json["messageSignature"]["signature"] = json!(STANDARD.encode(flipped));
        let result = verify_file(json.to_string().as_bytes(), &digest, &trust);
        assert!(matches!(result, Err(SignatureError::Forged(_))), "bit {bit}: {result:?}");
    }
}

/// A signature over any statement by a key that is trusted.
fn envelope(keys: &Keys, payload: &str, kind: &str) -> Value {
    let pae = format!("DSSEv1 {} {kind} {} {payload}", kind.len(), payload.len());
    std::fs::write(keys.path("pae"), pae).expect("written");
    keys.openssl(&["dgst", "-sha256", "-sign", "ours.key", "-out", "raw", "pae"]);
    let raw = std::fs::read(keys.path("raw")).expect("made");
    json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": "x"}},
        "dsseEnvelope": {
            "payload": STANDARD.encode(payload),
            "payloadType": kind,
            "signatures": [{"sig": STANDARD.encode(raw), "keyid": ""}],
        },
    })
}

#[test]
fn a_statement_must_say_what_cosign_says_of_this_manifest() {
    const KIND: &str = "application/vnd.in-toto+json";
    let Some(keys) = Keys::new() else { return };
    let (key, trust) = (keys.ec("ours"), keys.trust(&["ours"]));
    keys.ec("other");
    let manifest = Digest::of("manifest");
    let statement = |predicate: &str, subject: &Value| {
        json!({"_type": "https://in-toto.io/Statement/v1", "subject": subject,
            "predicateType": predicate, "predicate": {}})
        .to_string()
    };
    let sign = "https://sigstore.dev/cosign/sign/v1";
    let subject = json!([{"digest": {"sha256": manifest.hex()}, "annotations": {"a": "b"}}]);
    let verify =
        |json: &Value| verify_manifest(json.to_string().as_bytes(), &manifest, &trust).map(|_| ());
    let good = envelope(&keys, &statement(sign, &subject), KIND);
    assert_eq!(verify(&good), Ok(()));
    let elsewhere = json!([{"digest": {"sha256": Digest::of("x").hex()}}]);
    let old = statement(sign, &subject).replace("Statement/v1", "Statement/v0.1");
    for (expected, payload, kind) in [
        ("the signature is of sha256:", statement(sign, &elsewhere), KIND),
        (
            "it states `https://slsa.dev",
            statement("https://slsa.dev/provenance/v1", &subject),
            KIND,
        ),
        ("it is about 0 things", statement(sign, &json!([])), KIND),
        ("it is about 2 things", statement(sign, &json!([subject[0], elsewhere[0]])), KIND),
        ("it names no sha256", statement(sign, &json!([{"digest": {"sha512": "00"}}])), KIND),
        ("it names no sha256", statement(sign, &json!([{"digest": {"sha256": "00"}}])), KIND),
        ("its type is", old, KIND),
        ("its payload is `text/plain`", statement(sign, &subject), "text/plain"),
        ("something else", "{}".to_owned(), KIND),
    ] {
        let error = verify(&envelope(&keys, &payload, kind)).expect_err(expected).to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
    // several signatures, or none
    let one = good["dsseEnvelope"]["signatures"][0].clone();
    for signatures in [json!([]), json!([one, one])] {
        let mut changed = good.clone();
        changed["dsseEnvelope"]["signatures"] = signatures;
        let error = verify(&changed).expect_err("not one").to_string();
        assert!(error.contains("signatures where one belongs"), "{error}");
    }
    // the payload or its type was changed after it was signed
    for (field, letter) in [("payload", 'e'), ("payloadType", 'p')] {
        let mut changed = good.clone();
        let text = changed["dsseEnvelope"][field].as_str().expect("text");
        changed["dsseEnvelope"][field] = json!(text.replacen(letter, "f", 1));
        assert!(verify(&changed).is_err(), "{field}");
    }
    // one kind of signature is not taken for the other
    let ours = sign_manifest(&key, &manifest).expect("signs");
    assert!(verify_manifest(&ours, &manifest, &trust).is_ok());
    let error = verify_file(&ours, &manifest, &trust).expect_err("of a manifest").to_string();
    assert!(error.contains("where one of a file"), "{error}");
    let file = sign_file(&key, &manifest).expect("signs");
    let error = verify_manifest(&file, &manifest, &trust).expect_err("of a file").to_string();
    assert!(error.contains("where one of a manifest"), "{error}");
    // nobody, and somebody else
    let nobody = meshgen::bundle::sign::TrustedKeys::default();
    assert_eq!(verify_file(&file, &manifest, &nobody).err(), Some(SignatureError::NoKeys));
    let error = verify_file(&file, &manifest, &keys.trust(&["other"])).expect_err("another's");
    assert!(matches!(&error, SignatureError::Untrusted { .. }) && error.is_unsigned());
    assert!(verify_file(&file, &manifest, &keys.trust(&["other", "ours"])).is_ok());
}
