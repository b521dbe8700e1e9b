//! Importing what people have: Istio's makefiles, a company's root, keys in every form.

use std::path::Path;

use meshgen::pki::{self, Import, Material, Policy, Secret};

use super::{Bench, Files, Person, days, now, policy, put, refused, sound};
use crate::tool;

/// A root and an intermediate of `c1`, made by openssl with this kind of key.
struct Theirs {
    bench: Bench,
    openssl: std::path::PathBuf,
}

const CA: &str = "basicConstraints = critical, CA:true\nkeyUsage = critical, keyCertSign\n";

impl Theirs {
    fn new(openssl: &Path, genkey: &str) -> Self {
        let theirs = Self { bench: Bench::new(), openssl: openssl.to_owned() };
        theirs.bench.write("ca.ext", CA);
        theirs.bench.write("none.ext", "basicConstraints = CA:false\n");
        for name in ["root", "ca"] {
            theirs.run(&format!("{genkey} -out {name}-key.pem"));
        }
        theirs.run("req -new -key root-key.pem -subj /C=AU/O=Corp/CN=Corp -out root.csr");
        theirs.run(
            "x509 -req -days 4000 -signkey root-key.pem -extfile ca.ext -in root.csr -out root.pem",
        );
        theirs.sign("ca", 3000, "ca.ext");
        theirs
    }

    fn run(&self, arguments: &str) {
        self.bench.run(&self.openssl, arguments);
    }

    /// Signs `<name>-key.pem` into `<name>.pem`.
    fn sign(&self, name: &str, days: u32, extensions: &str) {
        self.run(&format!("req -new -key {name}-key.pem -subj /O=Corp/CN=c1 -out {name}.csr"));
        self.run(&format!("x509 -req -days {days} -CA root.pem -CAkey root-key.pem -CAcreateserial -extfile {extensions} -in {name}.csr -out {name}.pem"));
    }

    fn material(&self, certificate: &str, key: Option<&str>) -> Material {
        Material {
            certificate: self.bench.read(certificate),
            key: key.map(|key| Secret::new(self.bench.read(key))),
        }
    }

    fn root(&self) -> Material {
        self.material("root.pem", Some("root-key.pem"))
    }

    fn ca(&self) -> Vec<(String, Material)> {
        vec![("c1".to_owned(), self.material("ca.pem", Some("ca-key.pem")))]
    }
}

fn import(
    files: &Files,
    policy: &Policy,
    import: &Import,
) -> Result<pki::Changes, Vec<pki::OperationError>> {
    pki::import(&sound(files), policy, import, now())
}

const P256: &str = "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256";

#[test]
fn keys_of_every_form_are_imported() {
    let Some(openssl) = tool::path("openssl") else { return };
    let person = Person::new();
    let mut policy = policy(&["c1", "c2"], &person);
    let kinds = [
        (P256, "PRIVATE KEY", "ECDSA P-256"),
        ("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384", "PRIVATE KEY", "ECDSA P-384"),
        // with the EC PARAMETERS block that this command puts before the key
        ("ecparam -name prime256v1 -genkey", "EC PRIVATE KEY", "ECDSA P-256"),
        ("genrsa -traditional", "RSA PRIVATE KEY", "RSA 2048"),
        ("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072", "PRIVATE KEY", "RSA 3072"),
    ];
    for (genkey, label, kind) in kinds {
        let theirs = Theirs::new(&openssl, genkey);
        let all = Import { root: Some(theirs.root()), intermediates: theirs.ca(), replace: false };
        let mut files = Files::new();
        let changes =
            import(&files, &policy, &all).unwrap_or_else(|error| panic!("{genkey}: {error:?}"));
        assert!(changes.notes.iter().any(|note| note.ends_with("this root: c2")), "{changes:?}");
        put(&mut files, &changes);
        let keyring = sound(&files);
        let entry = keyring.entry("c1").expect("c1");
        assert_eq!(entry.info().key, kind);
        let key = entry.open(&person.identities()).expect("the key fits");
        assert!(key.pem().expose().starts_with(&format!("-----BEGIN {label}-----\n")), "{genkey}");
        assert!(theirs.bench.read("ca-key.pem").ends_with(key.pem().expose().as_str()));
        // the imported root signs for the others
        policy.intermediate_days = 30;
        let made = pki::init(&keyring, &policy, now() + days(1), &person.identities()).expect("c2");
        put(&mut files, &made);
        let keyring = sound(&files);
        assert!(pki::check(&keyring, &policy).is_empty(), "{genkey}");
        let c2 = keyring.entry("c2").expect("c2");
        assert_eq!(c2.info().issuer, "C=AU, O=Corp, CN=Corp");
        theirs.bench.write("c2.pem", &c2.certificate().pem());
        theirs.run("verify -no_check_time -CAfile root.pem c2.pem");
    }
}

#[test]
fn a_root_without_its_key_wants_its_intermediates_imported() {
    let Some(openssl) = tool::path("openssl") else { return };
    let person = Person::new();
    let policy = policy(&["c1", "c2"], &person);
    let theirs = Theirs::new(&openssl, P256);
    let root = || Some(theirs.material("root.pem", None));
    let mut files = Files::new();
    let changes = import(&files, &policy, &Import { root: root(), ..Import::default() });
    put(&mut files, &changes.expect("the root"));
    let keyring = sound(&files);
    assert!(!keyring.root().expect("a root").entry().has_key());
    let nothing = refused(pki::init(&keyring, &policy, now(), &person.identities()));
    assert!(nothing.contains("the root's private key is not in `pki/root.yaml`"), "{nothing}");
    let intermediates = Import { intermediates: theirs.ca(), ..Import::default() };
    let changes = import(&files, &policy, &intermediates).expect("c1");
    put(&mut files, &changes);
    let codes: Vec<_> =
        pki::check(&sound(&files), &policy).iter().map(|one| one.rule.code).collect();
    assert_eq!(codes, ["MG0601"], "only c2 is missing");
    // bringing the same again changes nothing; bringing the key adds it
    let again = Import { root: root(), intermediates: theirs.ca(), replace: false };
    assert!(import(&files, &policy, &again).expect("nothing").files.is_empty());
    let key = Import { root: Some(theirs.root()), ..Import::default() };
    let changes = import(&files, &policy, &key).expect("the root's key");
    put(&mut files, &changes);
    let keyring = sound(&files);
    assert!(keyring.root().expect("a root").entry().has_key());
    pki::init(&keyring, &policy, now() + days(1), &person.identities()).expect("c2 is made");
}

#[test]
fn what_does_not_fit_is_refused_all_at_once() {
    let Some(openssl) = tool::path("openssl") else { return };
    let person = Person::new();
    let policy = policy(&["c1", "c2", "c3", "c4", "c5", "c6"], &person);
    let (theirs, other) = (Theirs::new(&openssl, P256), Theirs::new(&openssl, P256));
    theirs.run(&format!("{P256} -out late-key.pem"));
    theirs.sign("late", 5000, "ca.ext");
    theirs.run(&format!("{P256} -out leaf-key.pem"));
    theirs.sign("leaf", 30, "none.ext");
    theirs.run("pkey -in ca-key.pem -aes256 -passout pass:x -out closed.pem");
    let given = |name: &str, material| (name.to_owned(), material);
    let all = Import {
        root: Some(theirs.material("root.pem", Some("ca-key.pem"))),
        intermediates: vec![
            given("c1", theirs.material("ca.pem", Some("root-key.pem"))),
            given("c2", other.material("ca.pem", Some("ca-key.pem"))),
            given("c3", theirs.material("late.pem", Some("late-key.pem"))),
            given("c4", theirs.material("leaf.pem", Some("leaf-key.pem"))),
            given("c5", theirs.material("ca.pem", Some("closed.pem"))),
            given("c6", theirs.material("ca.pem", None)),
            given("c7", theirs.material("ca.pem", Some("ca-key.pem"))),
            given("c1", theirs.material("ca-key.pem", Some("ca.pem"))),
        ],
        replace: false,
    };
    let refusal = refused(import(&Files::new(), &policy, &all));
    let expected = [
        "pki/root.yaml: the private key does not fit the certificate",
        "pki/c1.yaml: the private key does not fit the certificate",
        "pki/c2.yaml: the certificate does not chain to the root: its signature was not made",
        "pki/c3.yaml: the certificate ends on",
        "pki/c4.yaml: the certificate is no CA",
        "pki/c5.yaml: the key: the private key is protected by a passphrase",
        "pki/c6.yaml: the key: it holds no private key",
        "pki/c7.yaml: mesh.yaml has no cluster of this name",
        "pki/c1.yaml: the certificate: it holds no certificate",
    ];
    let lines: Vec<_> = refusal.lines().collect();
    assert_eq!(lines.len(), expected.len(), "{refusal}");
    for (line, start) in lines.iter().zip(expected) {
        assert!(line.starts_with(start), "{line}\n  for: {start}");
    }
    let key = theirs.bench.read("ca-key.pem");
    let secret = key.lines().nth(1).expect("a line");
    assert!(!refusal.contains(&secret[..24]));
}

#[test]
fn what_is_there_is_replaced_only_when_asked() {
    let Some(openssl) = tool::path("openssl") else { return };
    let person = Person::new();
    let policy = policy(&["c1"], &person);
    let (old, new) = (Theirs::new(&openssl, P256), Theirs::new(&openssl, P256));
    let all = |theirs: &Theirs, replace| Import {
        root: Some(theirs.root()),
        intermediates: theirs.ca(),
        replace,
    };
    let mut files = Files::new();
    let changes = import(&files, &policy, &all(&old, false)).expect("all");
    put(&mut files, &changes);
    let refusal = refused(import(&files, &policy, &all(&new, false)));
    assert_eq!(refusal.matches("there already, with another certificate").count(), 2, "{refusal}");
    let changes = import(&files, &policy, &all(&new, true)).expect("all");
    put(&mut files, &changes);
    assert!(pki::check(&sound(&files), &policy).is_empty());
    // nobody is sealed for: refused before anything else
    let nobody = Policy { recipients: Vec::new(), ..policy };
    assert!(refused(import(&Files::new(), &nobody, &all(&old, false))).contains("no recipient"));
}

#[test]
fn keys_that_istiod_is_not_known_to_take_are_refused() {
    let Some(openssl) = tool::path("openssl") else { return };
    let bench = Bench::new();
    for genkey in [
        "genpkey -algorithm ed25519",
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521",
        "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024",
    ] {
        bench.run(&openssl, &format!("{genkey} -out key.pem"));
        let refused = pki::PrivateKey::from_pem(&bench.read("key.pem")).err().expect(genkey);
        assert!(refused.to_string().contains("none of RSA"), "{genkey}: {refused}");
    }
    bench.run(&openssl, &format!("{P256} -out key.pem"));
    let key = bench.read("key.pem");
    for (text, message) in [
        (key.replace("-----END", "----END"), "has no end line"),
        (key.replace("\nM", "\n*"), "is no base64"),
        (key.repeat(2), "2 private keys"),
        (key.replace("\nM", "\nProc-Type: 4,ENCRYPTED\nM"), "protected by a passphrase"),
        (String::new(), "no private key"),
    ] {
        let refused = pki::PrivateKey::from_pem(&text).err().expect(message).to_string();
        assert!(refused.contains(message), "{message}: {refused}");
    }
}
