//! Registries that mean harm: every answer is checked, and nothing is written.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

use meshgen::bundle::{self, Bundle, BundleError, Content, Created, Options};
use meshgen::file::Disk;
use meshgen::store::Digest;
use meshgen::tree::Index;
use meshgen::tree::source::resolve;

use super::gate::{Act, Gate, Seen};
use super::{Bed, inside};
use crate::project::Project;
use crate::registry::Registry;
use crate::tool;

const TREE: [(&str, &str); 1] = [("c1", "same")];

type Script = Box<dyn Fn(&Seen) -> Act + Send + Sync>;

type Answer = (u16, Vec<(&'static str, String)>);

fn is_blob(seen: &Seen) -> bool {
    seen.target.contains("/blobs/sha256:")
}

#[test]
fn an_answer_with_other_bytes_is_refused_wherever_it_stands() {
    let Some(registry) = Registry::start() else { return };
    let gate = Gate::start(&registry.address);
    let bed = Bed::new(&TREE);
    bed.push(&registry.address);
    gate.script(|_| Act::Forward);
    bed.pull(&gate.address, "two.tar");
    let targets: std::collections::BTreeSet<String> = gate
        .seen()
        .into_iter()
        .map(|one| one.target)
        .filter(|target| target.contains("sha256:") && !target.contains("referrers"))
        .collect();
    assert!(targets.len() > 6, "{targets:?}");
    for target in targets {
        std::fs::remove_file(bed.path("two.tar")).ok();
        std::fs::remove_dir_all(bed.path("two.tar.partial")).ok();
        let bad = target.clone();
        gate.script(move |seen| if seen.target == bad { Act::Flip } else { Act::Forward });
        let pull = ["bundle", "pull", &bed.at(&gate.address), "--out", "two.tar"];
        let said = bed.fails(2, &pull);
        let digest = target.rsplit('/').next().expect("a digest");
        assert!(said.contains(digest) && said.contains("but gives sha256:"), "{target}: {said}");
        assert!(!bed.path("two.tar").exists(), "{target}");
        let said = bed.fails(1, &["bundle", "verify", &bed.at(&gate.address), "--allow-unsigned"]);
        assert!(said.contains(digest), "{target}: {said}");
    }
}

#[test]
fn endless_short_and_odd_answers_end() {
    let Some(registry) = Registry::start() else { return };
    let gate = Gate::start(&registry.address);
    let bed = Bed::new(&TREE);
    bed.push(&registry.address);
    let pull = ["bundle", "pull", &bed.at(&gate.address), "--out", "two.tar"];
    let large = vec![b' '; 8 << 20];
    let index = |act: Act| -> Script {
        Box::new(
            move |seen| {
                if seen.target.contains("/manifests/") { act.clone() } else { Act::Forward }
            },
        )
    };
    let blob = |act: Act| -> Script {
        Box::new(move |seen| if is_blob(seen) { act.clone() } else { Act::Forward })
    };
    let answer = |body: &[u8]| Act::Answer(200, Vec::new(), body.to_vec());
    let to = |location: &str| Act::Answer(302, vec![("Location", location.to_owned())], Vec::new());
    let cases: Vec<(i32, &str, Script)> = vec![
        (2, "larger than 4 MiB", index(answer(&large))),
        (2, "but gives sha256:", index(answer(b"{}"))),
        (2, "but gives sha256:", index(answer(b""))),
        (2, "it is larger than", blob(answer(&large))),
        (2, "but gives sha256:", blob(answer(b"x"))),
        (3, "it breaks off", blob(Act::Half)),
        (2, "more than 5 redirects", blob(to("/v2/loop/blobs/sha256:0"))),
        (2, "is neither https nor http", blob(to("file:///etc/passwd"))),
        (2, "plain http would let", blob(to("http://192.0.2.1/x?secret"))),
        (2, "the server answers 418", index(Act::status(418))),
    ];
    for (code, expected, script) in cases {
        gate.script(script);
        let said = bed.fails(code, &pull);
        assert!(said.contains(expected), "{expected}: {said}");
        assert!(!said.contains("secret"), "{said}");
        assert!(!bed.path("two.tar").exists(), "{expected}");
        std::fs::remove_dir_all(bed.path("two.tar.partial")).ok();
    }
    // what lies in the folder of unfinished work counts by its digest alone
    let (digest, _) = inside(&bed.path("one.tar")).bundle.blobs.into_iter().next().expect("a blob");
    std::fs::create_dir(bed.path("two.tar.partial")).expect("a folder");
    for name in [digest.hex(), "0".repeat(64), "mine".to_owned()] {
        std::fs::write(bed.path("two.tar.partial").join(name), "planted").expect("written");
    }
    bed.pull(&registry.address, "two.tar");
    assert_eq!(bed.bytes("one.tar"), bed.bytes("two.tar"));
    let left: Vec<_> = std::fs::read_dir(bed.path("two.tar.partial")).expect("stays").collect();
    assert_eq!(left.len(), 1, "what is none of ours stays");
}

/// The blobs of a bundle, and some more.
struct More<'a>(&'a dyn Content, BTreeMap<Digest, Vec<u8>>);

impl Content for More<'_> {
    fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + '_>, BundleError> {
        match self.1.get(digest) {
            Some(bytes) => Ok(Box::new(bytes.as_slice())),
            None => self.0.blob(digest),
        }
    }
}

/// A bundle of the case with control planes, after `table` had its table of contents and `change` the
/// bundle; every digest fits.
fn lying(
    folder: &std::path::Path,
    table: impl Fn(&str) -> String,
    change: impl Fn(&mut Bundle),
) -> (PathBuf, Digest) {
    let project = Project::copy_of(&tool::root().join("tests/golden/control-plane"));
    project.run(&["render", "-q"]);
    let source = resolve(&Disk::new(), project.path(), None).expect("a view");
    let Created { mut bundle, content } =
        bundle::create(&source, Options::default()).expect("a bundle");
    let text = String::from_utf8(bundle.table_bytes.clone()).expect("text");
    let changed = table(&text);
    assert_eq!(changed.len(), text.len(), "no size changes");
    let (old, new) = (bundle.tree, Digest::of(&changed));
    let old_manifest = bundle.entries[0].descriptor.digest;
    let manifest = String::from_utf8(bundle.documents[&old_manifest].clone()).expect("text");
    let manifest = manifest.replace(&old.to_string(), &new.to_string());
    let new_manifest = Digest::of(&manifest);
    let index = String::from_utf8(bundle.index.clone()).expect("text");
    let index = index.replace(&old.to_string(), &new.to_string());
    bundle.index = index.replace(&old_manifest.to_string(), &new_manifest.to_string()).into_bytes();
    bundle.entries[0].descriptor.digest = new_manifest;
    for (old, new, bytes) in [
        (old, new, changed.clone().into_bytes()),
        (old_manifest, new_manifest, manifest.into_bytes()),
    ] {
        let size = bundle.blobs.remove(&old).expect("it was inside");
        bundle.blobs.insert(new, size);
        if bundle.documents.remove(&old).is_some() {
            bundle.documents.insert(new, bytes);
        }
    }
    let more = BTreeMap::from([
        (new, changed.clone().into_bytes()),
        (new_manifest, bundle.documents[&new_manifest].clone()),
    ]);
    bundle.table = Index::parse(changed.as_bytes()).expect("an index");
    (bundle.tree, bundle.table_bytes) = (new, changed.into_bytes());
    change(&mut bundle);
    bundle.digest = Digest::of(&bundle.index);
    std::fs::create_dir(folder).expect("a folder");
    let file = folder.join("lying.tar");
    bundle::write(&Disk::new(), &file, &bundle, &More(&content, more)).expect("writes");
    (file, bundle.digest)
}

#[test]
fn an_index_that_lies_about_its_tree_is_told_in_a_file_and_in_a_registry() {
    let (Some(crane), Some(registry)) = (tool::path("crane"), Registry::start()) else { return };
    let bed = Bed::new(&TREE);
    let same = |text: &str| text.to_owned();
    let sample = r#""kind": "Namespace", "name": "sample""#;
    let identity = |text: &str| text.replacen(sample, &sample.replace("sample", "simple"), 1);
    let image = |bundle: &mut Bundle| {
        let mut images = bundle.images.clone();
        images.push("zz.example/miner:1".to_owned());
        let text = String::from_utf8(bundle.index.clone()).expect("text");
        let (old, new) = (bundle.images.join(" "), images.join(" "));
        assert_eq!(text.matches(&old).count(), 1);
        bundle.index = text.replace(&old, &new).into_bytes();
        bundle.images = images;
    };
    let cases: [(&str, (PathBuf, Digest)); 3] = [
        ("", lying(&bed.path("honest"), same, |_| {})),
        ("does not hold", lying(&bed.path("identity"), identity, |_| {})),
        ("are not those that its tree names", lying(&bed.path("image"), same, image)),
    ];
    for (expected, (file, digest)) in &cases {
        let file = file.display().to_string();
        let layout = bed.path("layout");
        std::fs::remove_dir_all(&layout).ok();
        std::fs::create_dir(&layout).expect("a folder");
        let mut command = std::process::Command::new("tar");
        tool::run(command.args(["-xf", &file, "-C"]).arg(&layout), "");
        let name = format!("{}/mesh/apac", registry.address);
        let mut command = std::process::Command::new(&crane);
        tool::run(command.args(["push", "--index"]).arg(&layout).arg(&name), "");
        let remote = format!("oci://{name}@{digest}");
        for bundle in [&file, &remote] {
            let verify = ["bundle", "verify", bundle, "--allow-unsigned"];
            if expected.is_empty() {
                bed.run(&verify);
            } else {
                let said = bed.fails(1, &verify);
                assert!(said.contains(expected), "{bundle}: {said}");
            }
        }
    }
}

#[test]
fn uploads_go_where_they_were_meant_to() {
    let Some(registry) = Registry::start() else { return };
    let gate = Gate::start(&registry.address);
    let bed = Bed::new(&TREE);
    let to = format!("oci://{}/mesh/apac", gate.address);
    let cases: [(&str, Answer); 4] = [
        ("it says not where to send", (202, Vec::new())),
        ("is neither https nor http", (202, vec![("Location", "ftp://x/y".to_owned())])),
        ("plain http would let", (202, vec![("Location", "http://192.0.2.1/y".to_owned())])),
        ("a redirect of what is sent", (307, vec![("Location", "/v2/x".to_owned())])),
    ];
    for (expected, (status, headers)) in cases {
        gate.script(move |seen| {
            if seen.method == "POST" {
                return Act::Answer(status, headers.clone(), Vec::new());
            }
            Act::Forward
        });
        let said = bed.fails(2, &["bundle", "push", "one.tar", &to]);
        assert!(said.contains(expected), "{expected}: {said}");
    }
    // a registry that says that it took a blob and did not: the index finds none of it
    gate.script(|seen| {
        if seen.method == "PUT" && seen.target.contains("/blobs/") {
            return Act::status(400);
        }
        Act::Forward
    });
    let said = bed.fails(2, &["bundle", "push", "one.tar", &to]);
    assert!(said.contains("the server answers 400"), "{said}");
    assert!(
        bed.fails(2, &["bundle", "pull", &bed.at(&registry.address), "--out", "x"])
            .contains("is not there")
    );
}
