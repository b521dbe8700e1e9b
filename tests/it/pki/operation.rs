//! `init`, `rotate`, `updatekeys`, `status`, and the plaintext Secret of `export`.

use meshgen::pki::{self, ClusterPolicy, Identities, Policy, Validity, cacerts};

use super::{
    Bench, Files, Person, days, document_of, made, now, policy, printed, put, refused, sound,
    string, text_of,
};
use crate::tool;

fn init(
    files: &Files,
    policy: &Policy,
    identities: &Identities,
) -> Result<pki::Changes, Vec<pki::OperationError>> {
    pki::init(&sound(files), policy, now(), identities)
}

fn enabled(name: &str) -> ClusterPolicy {
    ClusterPolicy { name: name.to_owned(), is_enabled: true, recipients: Vec::new() }
}

#[test]
fn init_makes_only_what_is_missing() {
    let person = Person::new();
    let mut policy = policy(&["c1", "c2"], &person);
    policy.clusters.push(ClusterPolicy { is_enabled: false, ..enabled("later") });
    let mut files = made(&policy);
    let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["root", "c1", "c2"]);
    // nothing is missing: nothing is opened, so no identity is needed
    let nothing = init(&files, &policy, &Identities::default()).expect("nothing to do");
    assert_eq!(nothing, pki::Changes::default());
    policy.clusters.push(enabled("c3"));
    let without = refused(init(&files, &policy, &Identities::default()));
    assert!(without.contains("pki/root.yaml: an age identity is needed"), "{without}");
    let changes = init(&files, &policy, &person.identities()).expect("c3 is made");
    let written: Vec<_> =
        changes.files.iter().map(|file| (file.path.as_str(), file.is_new)).collect();
    assert_eq!(written, [("pki/c3.yaml", true)]);
    put(&mut files, &changes);
    let keyring = sound(&files);
    let root = keyring.root().expect("a root").entry().certificate();
    for entry in keyring.entries() {
        entry.certificate().check_issuer(root).expect("it chains");
        entry.open(&person.identities()).expect("the key fits");
    }
    assert!(pki::check(&keyring, &policy).is_empty());
}

#[test]
fn init_says_everything_that_stops_it() {
    let person = Person::new();
    let mut nobody = policy(&["c1", "c2"], &person);
    nobody.recipients.clear();
    let refusal = refused(init(&Files::new(), &nobody, &person.identities()));
    assert_eq!(refusal.lines().count(), 3, "{refusal}");
    assert!(refusal.contains("pki/c1.yaml: there is no recipient to seal it for"), "{refusal}");
    let clash = refused(init(&Files::new(), &policy(&["root"], &person), &person.identities()));
    assert!(clash.contains("a cluster cannot be called `root`"), "{clash}");
    // a root that was lost is not made anew below intermediates of the old one
    let mut files = made(&policy(&["c1"], &person));
    files.retain(|(name, _)| name != "root");
    let lost = refused(init(&files, &policy(&["c1", "c2"], &person), &person.identities()));
    assert!(lost.contains("would cut them off"), "{lost}");
}

#[test]
fn rsa_is_made_by_choice() {
    let person = Person::new();
    let mut policy = policy(&["c1"], &person);
    policy.algorithm = "rsa-4096".parse().expect("a name of mesh.yaml");
    let keyring = sound(&made(&policy));
    assert!(keyring.all().all(|entry| entry.info().key == "RSA 4096"));
    assert!("rsa-2048".parse::<pki::Algorithm>().is_err());
}

#[test]
fn rotate_makes_a_new_intermediate_under_the_same_root() {
    let person = Person::new();
    let policy = policy(&["c1", "c2"], &person);
    let mut files = made(&policy);
    let before = files.clone();
    let identities = person.identities();
    let later = now() + days(3600);
    let rotate = |name| pki::rotate(&sound(&before), &policy, name, later, &identities);
    let changes = rotate("c1").expect("a new one");
    assert!(
        changes.files[0].what.ends_with("2036-11-21 12:00:00Z, when the root ends"),
        "{changes:?}"
    );
    put(&mut files, &changes);
    let (old, new) = (sound(&before), sound(&files));
    let serial = |keyring: &pki::Keyring| keyring.entry("c1").expect("c1").info().serial.clone();
    assert_ne!(serial(&old), serial(&new));
    for name in ["root", "c2"] {
        assert_eq!(text_of(&before, name), text_of(&files, name));
    }
    assert!(pki::check(&new, &policy).is_empty());
    assert!(refused(rotate("c9")).contains("mesh.yaml has no cluster of this name"));
    let stranger = Person::new().identities();
    let closed = refused(pki::rotate(&old, &policy, "c1", later, &stranger));
    assert!(closed.contains("pki/root.yaml: none of the age identities"), "{closed}");
}

#[test]
fn a_recipient_that_is_added_leaves_every_other_byte() {
    let (old, new) = (Person::new(), Person::new());
    let mut policy = policy(&["c1", "c2"], &old);
    let mut files = made(&policy);
    let before = files.clone();
    let update = |files: &Files, policy: &Policy, by: &Person| {
        pki::update_keys(&sound(files), policy, now() + days(1), &by.identities())
    };
    assert_eq!(update(&files, &policy, &old).expect("nothing"), pki::Changes::default());
    policy.clusters[0].recipients.push(new.recipient.clone());
    let stranger = refused(update(&files, &policy, &new));
    assert!(stranger.contains("pki/c1.yaml: none of the age identities"), "{stranger}");
    let changes = update(&files, &policy, &old).expect("wrapped anew");
    assert_eq!(changes.files.len(), 1, "only c1 has new recipients");
    assert!(changes.notes.is_empty());
    put(&mut files, &changes);
    let (was, is) = (document_of(text_of(&before, "c1")), document_of(text_of(&files, "c1")));
    assert_eq!(was["stringData"], is["stringData"]);
    for field in ["/sops/mac", "/sops/lastmodified", "/sops/age/0/enc", "/sops/age/0/recipient"] {
        assert_eq!(was.pointer(field), is.pointer(field), "{field}");
    }
    for person in [&old, &new] {
        sound(&files).entry("c1").expect("c1").open(&person.identities()).expect("it opens");
    }
    let Some(sops) = tool::path("sops") else { return };
    let bench = Bench::new();
    bench.write("c1.yaml", text_of(&files, "c1"));
    printed(bench.sops(&sops, &new, "decrypt c1.yaml"));
}

#[test]
fn a_recipient_that_is_taken_away_means_a_new_data_key() {
    let (stays, goes) = (Person::new(), Person::new());
    let mut policy = policy(&["c1"], &stays);
    policy.recipients.push(goes.recipient.clone());
    let mut files = made(&policy);
    let before = files.clone();
    policy.recipients.pop();
    let changes = pki::update_keys(&sound(&files), &policy, now() + days(1), &stays.identities());
    let changes = changes.expect("sealed anew");
    assert_eq!(changes.files.len(), 2, "the root and c1");
    assert!(
        changes.notes.iter().any(|note| note.contains("only `meshgen pki rotate c1`")),
        "{changes:?}"
    );
    put(&mut files, &changes);
    for name in ["c1", "root"] {
        let (was, is) = (document_of(text_of(&before, name)), document_of(text_of(&files, name)));
        assert_ne!(was.pointer(pki::SEALED_POINTER), is.pointer(pki::SEALED_POINTER));
        assert_eq!(was["stringData"]["ca-cert.pem"], is["stringData"]["ca-cert.pem"]);
        let opened = |document, by: &Person| {
            let opened = pki::sops::open(document, &by.identities());
            opened.map(|one| string(one.document(), pki::SEALED_POINTER).to_owned())
        };
        assert_eq!(opened(&was, &stays).expect("opens"), opened(&is, &stays).expect("opens"));
        assert!(opened(&is, &goes).is_err());
        // the old wrapped key opens the new value no more
        let mut replayed = is.clone();
        replayed["sops"]["age"] = was["sops"]["age"].clone();
        assert!(opened(&replayed, &goes).is_err());
    }
    assert!(pki::check(&sound(&files), &policy).is_empty());
}

#[test]
fn what_sops_sealed_its_own_way_is_sealed_anew() {
    let Some(sops) = tool::path("sops") else { return };
    let (person, bench) = (Person::new(), Bench::new());
    let policy = policy(&["c1"], &person);
    let files = made(&policy);
    for options in ["", "--encrypted-regex ^(data|stringData)$", "--encrypted-regex ^ca-key\\.pem$"]
    {
        bench.write("c1.yaml", text_of(&files, "c1"));
        let clear = printed(bench.sops(&sops, &person, "decrypt c1.yaml"));
        bench.write("clear.yaml", &clear);
        let command = format!("encrypt --age {} {options} clear.yaml", person.recipient);
        let sealed = printed(bench.sops(&sops, &person, &command));
        let mut theirs = files.clone();
        theirs[1].1 = sealed;
        let (keyring, problems) = super::keyring(&theirs);
        let codes: Vec<_> = problems.iter().map(|one| one.rule.code).collect();
        assert_eq!(codes, ["MG0602"], "{options}");
        assert_eq!(keyring.foreign().count(), 1);
        let stranger = pki::update_keys(&keyring, &policy, now(), &Identities::default());
        assert!(refused(stranger).contains("pki/c1.yaml: an age identity is needed"));
        let changes = pki::update_keys(&keyring, &policy, now(), &person.identities());
        put(&mut theirs, &changes.expect("sealed anew"));
        let (ours, anew) = (sound(&files), sound(&theirs));
        assert!(pki::check(&anew, &policy).is_empty());
        let entry = |keyring: &pki::Keyring| keyring.entry("c1").expect("c1").certificate().clone();
        assert_eq!(entry(&ours), entry(&anew));
        anew.entry("c1").expect("c1").open(&person.identities()).expect("the key fits");
    }
}

#[test]
fn status_counts_the_days() {
    let person = Person::new();
    let mut policy = policy(&["c1"], &person);
    policy.intermediate_days = 90;
    let keyring = sound(&made(&policy));
    let at = |when| pki::status(&keyring, when);
    let rows = at(now() + days(60));
    let left: Vec<_> = rows.iter().map(|row| (row.name.as_str(), row.left.whole_days())).collect();
    assert_eq!(left, [("root", 3590), ("c1", 30)]);
    let validity = |when| at(when)[1].validity;
    assert_eq!(validity(now()), Validity::Valid);
    assert_eq!(validity(now() - days(1)), Validity::NotYet);
    assert_eq!(validity(now() + days(91)), Validity::Expired);
    let spans = ["30d", "12h", "4w"].map(|text| pki::parse_span(text).expect("a span"));
    assert_eq!(spans, [days(30), days(1) / 2, days(28)]);
    for text in ["", "d", "30", "-1d", "30 d", "1.5d", "30д", "99999999999d"] {
        assert!(pki::parse_span(text).is_err(), "{text}");
    }
}

#[test]
fn the_plaintext_secret_is_what_kubectl_takes() {
    let person = Person::new();
    let policy = policy(&["c1"], &person);
    let files = made(&policy);
    let keyring = sound(&files);
    let (root, entry) = (keyring.root().expect("a root"), keyring.entry("c1").expect("c1"));
    let plain =
        cacerts::plain(root, entry, &person.identities()).unwrap_or_else(|error| panic!("{error}"));
    let document = document_of(plain.expose());
    assert_eq!(meshgen::yaml::canonical(&document), *plain.expose());
    let mut expected = pki::cacerts(root, entry);
    expected.as_object_mut().expect("a mapping").remove("sops");
    let key = entry.open(&person.identities()).expect("the key fits");
    expected["stringData"]["ca-key.pem"] = key.pem().expose().as_str().into();
    assert_eq!(document, expected);
    let stranger = cacerts::plain(root, entry, &Person::new().identities());
    assert!(stranger.err().expect("refused").to_string().contains("none of the age identities"));
}

/// No private key stands in a file, a message or a debug print, whatever is done with it.
#[test]
fn keys_are_seen_nowhere() {
    let person = Person::new();
    let mut policy = policy(&["c1", "c2"], &person);
    let mut files = made(&policy);
    let identities = person.identities();
    let mut keys = Vec::new();
    let mut seen = Vec::new();
    for entry in sound(&files).all() {
        let key = entry.open(&identities).expect("the key fits");
        keys.push(key.pem().expose().clone());
    }
    policy.recipients.push(Person::new().recipient);
    for step in [
        pki::update_keys(&sound(&files), &policy, now(), &identities),
        pki::rotate(&sound(&files), &policy, "c1", now(), &identities),
        pki::rotate(&sound(&files), &policy, "c1", now() + days(9999), &identities),
        pki::init(&sound(&files), &policy, now(), &Person::new().identities()),
    ] {
        seen.push(format!("{step:?}"));
        if let Ok(changes) = step {
            put(&mut files, &changes);
        }
    }
    let keyring = sound(&files);
    let (root, entry) = (keyring.root().expect("a root"), keyring.entry("c2").expect("c2"));
    seen.push(format!(
        "{:?}",
        (&keyring, pki::check(&keyring, &policy), pki::status(&keyring, now()))
    ));
    seen.push(format!("{:?}", pki::cacerts(root, entry)));
    seen.extend(files.into_iter().map(|(_, text)| text));
    let seen = seen.concat();
    for key in &keys {
        for line in key.lines().filter(|line| !line.starts_with("-----")) {
            assert!(!seen.contains(line), "a line of a private key is to be seen");
            assert!(!seen.contains(&line[..24]), "a part of a private key is to be seen");
        }
    }
    let identity = person.identity.expose().lines().last().expect("a line");
    assert!(!seen.contains(identity) && !seen.contains("AGE-SECRET-KEY"));
    assert!(!seen.contains("PRIVATE KEY"));
}
