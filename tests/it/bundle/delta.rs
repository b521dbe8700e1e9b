//! Deltas: what the far side lacks, and nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use meshgen::bundle::{Base, Options};
use meshgen::store::Digest;

use super::{entries, files, open, pack, project, run, text, view};
use crate::project::{Project, copy};
use crate::sample::write;
use crate::tool;

fn blobs(file: &Path) -> BTreeSet<Digest> {
    let bytes = fs::read(file).expect("reads");
    let names = entries(&bytes).into_iter().map(|entry| entry.name);
    names.filter_map(|name| Digest::from_hex(name.strip_prefix("blobs/sha256/")?)).collect()
}

/// One value of twelve clusters changes: the delta holds the blobs that the far side lacks, and at
/// most 64 KiB more.
#[test]
fn a_delta_of_twelve_clusters_holds_what_the_far_side_lacks() {
    let folder = crate::sample::folder();
    let golden = tool::root().join("tests/golden/twelve-mixed");
    let project = Project::copy_of(&golden).with_keyring(&golden.join("pki"));
    let name = |file: &str| folder.path().join(file).to_string_lossy().into_owned();
    let (old, new, delta) = (name("old.tar"), name("new.tar"), name("delta.tar"));
    // an image for each that is listed, before the change and after it
    let layout = folder.path().join("layout");
    let from = format!("oci-layout:{}", layout.display());
    let with_images = |arguments: &[&str]| {
        let listed = project.run(&["images", "-q"]);
        let images: Vec<&str> = listed.lines().collect();
        super::image::layout(&layout, &images);
        let all = [&["bundle", "create", "--images", "--from", &from][..], arguments].concat();
        project.run(&all);
    };
    project.run(&["render", "-q"]);
    with_images(&["--out", &old]);
    let mesh = fs::read_to_string(project.path().join("mesh.yaml")).expect("reads");
    let changed = mesh.replace("version: 1.24.2", "version: 1.24.3");
    assert!(changed != mesh);
    project.write("mesh.yaml", &changed);
    project.run(&["render", "-q"]);
    with_images(&["--out", &new]);
    for is_with_images in [false, true] {
        if is_with_images {
            with_images(&["--since", &old, "--out", &delta]);
        } else {
            project.run(&["bundle", "create", "--out", &name("plain.tar")]);
            project.run(&["bundle", "create", "gen:1", "--out", &name("plain-old.tar")]);
            project.run(&["bundle", "create", "--since", "gen:1", "--out", &delta]);
        }
        let files = if is_with_images {
            [&old, &new]
        } else {
            [&name("plain-old.tar"), &name("plain.tar")]
        };
        let [old, new] = files.map(String::as_str);
        let (old, all, inside) =
            (blobs(Path::new(old)), blobs(Path::new(new)), blobs(Path::new(&delta)));
        let lacks: BTreeSet<Digest> = all.difference(&old).copied().collect();
        let empty = Digest::of("{}");
        assert_eq!(
            inside.iter().filter(|one| **one != empty).copied().collect::<BTreeSet<_>>(),
            lacks
        );
        assert!(lacks.len() > 3 && lacks.len() < all.len() / 2, "{} of {}", lacks.len(), all.len());
        let opened = open(Path::new(&delta)).expect("opens");
        let size: u64 = lacks.iter().map(|one| opened.bundle.blobs[one]).sum();
        assert!(opened.size - size < 64 << 10, "{} for {size}", opened.size);
        let whole = fs::metadata(new).expect("is there").len();
        println!("12 clusters: whole {whole}, delta {}, its blobs {size}", opened.size);
    }

    // the far side has the old bundle: imported, or as a clone
    let imported = folder.path().join("imported");
    fs::create_dir(&imported).expect("creates");
    let output = run(&imported, &["bundle", "import", &delta, "--allow-unsigned"]);
    assert_eq!(output.status.code(), Some(2));
    let base = open(Path::new(&old)).expect("opens").bundle.tree;
    let said = text(&output.stderr);
    assert!(said.contains(&format!("a delta on the tree {base}")), "{said}");
    assert!(said.contains("import the bundle of that tree first"), "{said}");
    assert!(!imported.join("out").exists(), "nothing is written");
    let output = run(&imported, &["diff", "--allow-unsigned", &delta, &new]);
    assert_eq!(output.status.code(), Some(2));
    assert!(run(&imported, &["bundle", "import", &old, "--allow-unsigned"]).status.success());
    let tree = open(Path::new(&new)).expect("opens").bundle.tree.to_string();
    for arguments in [
        &["diff", "--allow-unsigned", &delta, &new][..],
        &["bundle", "import", &delta, "--allow-unsigned"],
        &["diff", "--allow-unsigned", &tree, &new],
        &["bundle", "create", &tree, "--images", "--from", &from, "--out", &delta],
        // all that the delta builds on is here: nothing else is needed
        &["bundle", "create", &tree, "--images", "--from", "store", "--out", &name("store.tar")],
        &["gc", "--keep", "2"],
        &["fsck"],
    ] {
        let output = run(&imported, arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
    }
    for made in [&delta, &name("store.tar")] {
        assert!(fs::read(made).expect("reads") == fs::read(&new).expect("reads"), "whole again");
    }
}

#[test]
fn a_clone_has_its_view_and_the_delta_builds_on_it() {
    let folder = crate::sample::folder();
    let (old, new) =
        (project(folder.path(), "a", &files("a")), project(folder.path(), "b", &files("b")));
    let file = folder.path().join("delta.tar");
    let since = Some(Base::of_tree(&view(&old)));
    pack(&new, &file, Options { since, ..Options::default() });
    let name = file.to_str().expect("text");
    // a clone has no store
    let clone = folder.path().join("clone");
    copy(&old.join("out"), &clone.join("out"));
    assert!(!clone.join("out/store").exists());
    let shown = run(&clone, &["show", name, "c1/70-samples/equal.yaml"]);
    assert_eq!(text(&shown.stdout), "equal everywhere\n");
    let output = run(&clone, &["bundle", "import", name, "--allow-unsigned"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    write(&clone.join("out"), &files("c")).expect("writes");
    let tree = open(&file).expect("opens").bundle.tree.to_string();
    assert_eq!(run(&clone, &["show", &tree]).status.code(), Some(0), "it needs the view no more");
    assert!(run(&clone, &["fsck"]).status.success());

    // a view that was edited gives nothing
    let edited = folder.path().join("edited");
    copy(&old.join("out"), &edited.join("out"));
    fs::write(edited.join("out/c1/70-samples/equal.yaml"), "other\n").expect("writes");
    fs::write(edited.join("out/c2/70-samples/equal.yaml"), "other\n").expect("writes");
    let output = run(&edited, &["bundle", "import", name, "--allow-unsigned"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(!edited.join("out/store").exists());
}
