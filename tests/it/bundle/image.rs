//! Images in bundles: by digest, from registries, layouts, archives and other bundles.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use meshgen::bundle::{
    self, BINARY_TYPE, BundleError, BundleFile, Content, Entry, Kind, Options, Part,
};
use meshgen::store::{Digest, oci};
use serde_json::{Value, json};

use super::{entries, files, open, project, run, text};
use crate::registry::Registry;
use crate::tool;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

fn put(layout: &Path, media_type: &str, bytes: &[u8]) -> Value {
    let digest = Digest::of(bytes);
    let blobs = layout.join("blobs/sha256");
    fs::create_dir_all(&blobs).expect("creates");
    fs::write(blobs.join(digest.hex()), bytes).expect("writes");
    json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
}

/// A layer as a runtime takes it.
fn layer(content: &str) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&plain(content)).expect("packs");
    gzip.finish().expect("packs")
}

/// A tar of one file.
fn plain(content: &str) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(content.len() as u64);
    header.set_mode(0o755);
    archive.append_data(&mut header, "bin/program", content.as_bytes()).expect("appends");
    archive.into_inner().expect("a tar")
}

fn config(architecture: &str, layer: &[u8]) -> Vec<u8> {
    json!({
        "architecture": architecture,
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [Digest::of(layer)]},
    })
    .to_string()
    .into_bytes()
}

/// An image of one platform; its descriptor.
fn image(layout: &Path, name: &str, architecture: &str) -> Value {
    let content = format!("{name} for {architecture}");
    let (layer, config) = (layer(&content), config(architecture, &plain(&content)));
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": put(layout, "application/vnd.oci.image.config.v1+json", &config),
        "layers": [put(layout, LAYER, &layer)],
    });
    let mut descriptor = put(layout, MANIFEST, manifest.to_string().as_bytes());
    descriptor["platform"] = json!({"architecture": architecture, "os": "linux"});
    descriptor
}

/// An image of three platforms; its descriptor.
fn images(layout: &Path, name: &str) -> Value {
    let all: Vec<Value> =
        ["amd64", "arm64", "s390x"].iter().map(|one| image(layout, name, one)).collect();
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": all});
    put(layout, INDEX, index.to_string().as_bytes())
}

/// Writes a layout's index: each with its whole name.
fn finish(layout: &Path, named: &[(&str, Value)]) {
    let manifests: Vec<Value> = named
        .iter()
        .map(|(name, descriptor)| {
            let mut descriptor = descriptor.clone();
            descriptor["annotations"] = json!({"org.opencontainers.image.ref.name": name});
            descriptor
        })
        .collect();
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
    fs::write(layout.join("index.json"), index.to_string()).expect("writes");
    fs::write(layout.join("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}").expect("writes");
}

/// A layout with an image of one platform for each reference.
pub fn layout(folder: &Path, references: &[&str]) {
    let named: Vec<(&str, Value)> =
        references.iter().map(|name| (*name, image(folder, name, "amd64"))).collect();
    finish(folder, &named);
}

/// A project whose mesh runs `HUB/pilot:1`, for three platforms, and `HUB/proxyv2:1`, for one; and a
/// layout with both.
pub fn mesh(folder: &Path, hub: &str) -> (PathBuf, PathBuf) {
    let mut files = files("a");
    files.retain(|path, _| !path.ends_with("istio-operator.yaml"));
    let operator = format!("spec:\n  hub: {hub}\n  tag: \"1\"\n");
    files.insert("c1/istio-operator.yaml".to_owned(), operator);
    let project = project(folder, "mesh", &files);
    let layout = folder.join("layout");
    let (pilot, proxy) = (images(&layout, "pilot"), image(&layout, "proxy", "amd64"));
    finish(&layout, &[(&format!("{hub}/pilot:1"), pilot), (&format!("{hub}/proxyv2:1"), proxy)]);
    (project, layout)
}

/// Bundles with images; its file, opened.
#[track_caller]
fn bundle(project: &Path, file: &Path, arguments: &[&str]) -> BundleFile {
    let name = file.to_str().expect("text");
    let all = [&["bundle", "create", "--images", "--out", name][..], arguments].concat();
    let output = run(project, &all);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    open(file).expect("opens")
}

fn digests(bundle: &BundleFile) -> Vec<(String, Digest)> {
    let images = bundle.bundle.entries.iter().filter_map(|entry| match &entry.kind {
        Kind::Image(reference) => Some((reference.clone(), entry.descriptor.digest)),
        _ => None,
    });
    images.collect()
}

#[test]
fn images_of_a_layout_go_in_by_digest() {
    let folder = crate::sample::folder();
    let (project, layout) = mesh(folder.path(), "hub.example/istio");
    let file = folder.path().join("a.tar");
    let from = format!("oci-layout:{}", layout.display());
    let whole = bundle(&project, &file, &["--from", &from]);
    let there = fs::read_dir(layout.join("blobs/sha256")).expect("lists").count();
    let bytes = fs::read(&file).expect("reads");
    let blob = |name: &str| Digest::of(layer(name)).hex();
    let has = |bytes: &[u8], name: &str| {
        entries(bytes).iter().any(|entry| entry.name.ends_with(&blob(name)))
    };
    assert!(has(&bytes, "pilot for arm64") && has(&bytes, "proxy for amd64"));
    let list = entries(&bytes).into_iter().find(|entry| entry.name == "IMAGES").expect("a list");
    let list = text(&bytes[list.content()]);
    for (reference, digest) in digests(&whole) {
        assert!(list.contains(&format!("{reference} {digest}\n")), "{list}");
    }
    assert_eq!(digests(&whole).len(), 2);
    let tree = whole.bundle.blobs.len() - there;
    let again = bundle(&project, &folder.path().join("b.tar"), &["--from", &from]);
    assert_eq!(again.digest, whole.digest, "the same bytes");

    // another bundle is an origin too, and gives the same
    let copy = format!("bundle:{}", file.display());
    let copy = bundle(&project, &folder.path().join("c.tar"), &["--from", &copy]);
    assert_eq!(copy.digest, whole.digest);

    // one platform: its manifest alone; two: an index of those two
    let platform = ["--from", &from, "--platform", "linux/amd64"];
    let one = bundle(&project, &file, &platform);
    let bytes = fs::read(&file).expect("reads");
    assert!(has(&bytes, "pilot for amd64") && !has(&bytes, "pilot for arm64"));
    assert_eq!(one.bundle.blobs.len() - tree, 6);
    let output = run(
        &project,
        &[
            "bundle",
            "create",
            "--images",
            "--from",
            &from,
            "--platform",
            "linux/amd64",
            "--platform",
            "linux/arm64",
            "--out",
            "x.tar",
        ],
    );
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("hub.example/istio/proxyv2:1: it is for linux/amd64 alone"), "{said}");
    let output = run(
        &project,
        &[
            "bundle",
            "create",
            "--images",
            "--from",
            &from,
            "--platform",
            "linux/riscv64",
            "--out",
            "x.tar",
        ],
    );
    let said = text(&output.stderr);
    assert!(said.contains("but for linux/amd64, linux/arm64, linux/s390x"), "{said}");
    // what is not there is said
    let output = run(
        &project,
        &["bundle", "create", "--images", "--from", "oci-layout:none", "--out", "x.tar"],
    );
    assert_eq!(output.status.code(), Some(2));
    fs::write(layout.join("index.json"), "{\"manifests\": []}").expect("writes");
    let output =
        run(&project, &["bundle", "create", "--images", "--from", &from, "--out", "x.tar"]);
    let said = text(&output.stderr);
    assert!(said.contains("image hub.example/istio/pilot:1: it is not in oci-layout:"), "{said}");
    assert!(!folder.path().join("x.tar").exists());
}

#[test]
fn damaged_images_stop_the_bundle() {
    let folder = crate::sample::folder();
    let (project, layout) = mesh(folder.path(), "hub.example/istio");
    let from = format!("oci-layout:{}", layout.display());
    let file = folder.path().join("a.tar");
    let name = file.to_str().expect("text");
    for content in ["pilot for s390x", "proxy for amd64"] {
        let blob = layout.join("blobs/sha256").join(Digest::of(layer(content)).hex());
        let good = fs::read(&blob).expect("reads");
        for bad in [good[1..].to_vec(), [&good[..], b"x"].concat(), vec![0; good.len()]] {
            fs::write(&blob, bad).expect("writes");
            let output =
                run(&project, &["bundle", "create", "--images", "--from", &from, "--out", name]);
            assert_eq!(output.status.code(), Some(2));
            assert!(text(&output.stderr).contains("holds other bytes than its name says"));
            assert!(!file.exists());
        }
        fs::write(&blob, good).expect("writes");
    }
}

#[test]
fn images_of_a_registry_are_the_same() {
    let folder = crate::sample::folder();
    let (Some(crane), Some(registry)) = (tool::path("crane"), Registry::start()) else { return };
    let hub = format!("{}/istio", registry.address);
    let (project, layout) = mesh(folder.path(), &hub);
    // crane pushes a layout of one
    let single = folder.path().join("single");
    for name in ["pilot", "proxy"] {
        let is_pilot = name == "pilot";
        let descriptor =
            if is_pilot { images(&single, name) } else { image(&single, name, "amd64") };
        finish(&single, &[(name, descriptor.clone())]);
        let repository = if is_pilot { "pilot" } else { "proxyv2" };
        let target = format!("{hub}/{repository}:1");
        if is_pilot {
            // the layout's index is what is pushed: it is the image's own
            let hex =
                descriptor["digest"].as_str().expect("a digest").trim_start_matches("sha256:");
            let index = fs::read(single.join("blobs/sha256").join(hex)).expect("reads");
            fs::write(single.join("index.json"), index).expect("writes");
            tool::run(Command::new(&crane).args(["push", "--index"]).arg(&single).arg(&target), "");
        } else {
            tool::run(Command::new(&crane).arg("push").arg(&single).arg(&target), "");
        }
    }
    let from = format!("oci-layout:{}", layout.display());
    let here = bundle(&project, &folder.path().join("a.tar"), &["--from", &from]);
    let there = bundle(&project, &folder.path().join("b.tar"), &[]);
    assert_eq!(digests(&there), digests(&here));
    assert_eq!(there.digest, here.digest, "the same bytes, wherever images come from");

    // plain tools: the layout in the bundle, pushed with its images
    let inside = folder.path().join("inside");
    fs::create_dir(&inside).expect("creates");
    let file = folder.path().join("b.tar");
    tool::run(Command::new("tar").arg("-xf").arg(&file).arg("-C").arg(&inside), "");
    let name = format!("{}/handed/over:1", registry.address);
    tool::run(Command::new(&crane).args(["push", "--index"]).arg(&inside).arg(&name), "");
    tool::run(Command::new(&crane).args(["validate", "--remote", &name]), "");

    // one that the registry does not have
    drop(registry);
    let output = run(&project, &["bundle", "create", "--images", "--out", "x.tar"]);
    assert_eq!(output.status.code(), Some(3), "the same again may work");
    assert!(text(&output.stderr).contains("/pilot:1: "), "{}", text(&output.stderr));
}

/// What `docker save` wrote before version 25: layers by path, one of them a link.
#[test]
fn images_of_a_docker_archive() {
    let folder = crate::sample::folder();
    let (project, _) = mesh(folder.path(), "hub.example/istio");
    let file = folder.path().join("saved.tar");
    let mut archive = tar::Builder::new(fs::File::create(&file).expect("creates"));
    let mut add = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        archive.append_data(&mut header, name, bytes).expect("appends");
    };
    let layer = plain("shared");
    let config = config("amd64", &layer);
    add("aa/layer.tar", &layer);
    add("c.json", &config);
    let manifest = json!([
        {"Config": "c.json", "RepoTags": ["hub.example/istio/pilot:1"], "Layers": ["aa/layer.tar"]},
        {"Config": "c.json", "RepoTags": ["hub.example/istio/proxyv2:1"], "Layers": ["bb/layer.tar"]},
    ]);
    add("manifest.json", manifest.to_string().as_bytes());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    archive.append_link(&mut header, "bb/layer.tar", "../aa/layer.tar").expect("appends");
    archive.finish().expect("finishes");
    drop(archive);
    let from = format!("docker-archive:{}", file.display());
    let out = folder.path().join("a.tar");
    let opened = bundle(&project, &out, &["--from", &from, "--platform", "linux/amd64"]);
    let digests = digests(&opened);
    assert_eq!(digests[0].1, digests[1].1, "both are one");
    assert!(opened.bundle.blobs.contains_key(&Digest::of(&layer)));
    assert!(opened.bundle.blobs.contains_key(&Digest::of(&config)));
    // a tar that Docker did not write
    let mut other = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(0);
    other.append_data(&mut header, "x", &b""[..]).expect("appends");
    fs::write(&file, other.into_inner().expect("a tar")).expect("writes");
    let all = ["bundle", "create", "--images", "--from", &from, "--out", "x.tar"];
    let output = run(&project, &all);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("nothing that `docker save` wrote"), "{said}");
}

#[test]
fn images_are_imported_and_kept() {
    let folder = crate::sample::folder();
    let (project, layout) = mesh(folder.path(), "hub.example/istio");
    let file = folder.path().join("a.tar");
    let opened = bundle(&project, &file, &["--from", &format!("oci-layout:{}", layout.display())]);
    let site = folder.path().join("site");
    fs::create_dir(&site).expect("creates");
    let name = file.to_str().expect("text");
    assert!(run(&site, &["bundle", "import", name, "--allow-unsigned"]).status.success());
    assert!(run(&site, &["gc", "--keep", "1"]).status.success());
    for digest in opened.bundle.blobs.keys() {
        assert!(site.join("out/store/blobs/sha256").join(digest.hex()).exists(), "{digest}");
    }
    let lost = Digest::of(layer("pilot for arm64"));
    fs::remove_file(site.join("out/store/blobs/sha256").join(lost.hex())).expect("removes");
    let output = run(&site, &["fsck"]);
    assert!(!output.status.success());
    let said = text(&[output.stdout, output.stderr].concat());
    assert!(said.contains(&lost.to_string()) || said.contains(&lost.short()), "{said}");
}

#[test]
fn meshgen_itself_goes_in_by_its_platform() {
    let folder = crate::sample::folder();
    let project = project(folder.path(), "a", &files("a"));
    let program = folder.path().join("meshgen-linux");
    let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
    bytes.resize(4096, 7);
    bytes[18..20].copy_from_slice(&183_u16.to_le_bytes());
    fs::write(&program, &bytes).expect("writes");
    let file = folder.path().join("a.tar");
    let name = file.to_str().expect("text");
    let with = format!("--with-binary={}", program.display());
    let output = run(&project, &["bundle", "create", &with, "--out", name]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let opened = open(&file).expect("opens");
    let entry = opened.bundle.entries.last().expect("an entry");
    assert_eq!(entry.kind, Kind::Binary("linux-arm64".to_owned()));
    assert!(opened.bundle.blobs.contains_key(&Digest::of(&bytes)));
    let readme = text(&fs::read(&file).expect("reads")[512..2048]);
    assert!(readme.contains("inside, for linux-arm64"), "{readme}");
    let Some(oras) = tool::path("oras") else { return };
    let inside = folder.path().join("inside");
    fs::create_dir(&inside).expect("creates");
    tool::run(Command::new("tar").arg("-xf").arg(&file).arg("-C").arg(&inside), "");
    let mut command = Command::new(oras);
    command.args(["pull", "--oci-layout", ".:meshgen-linux-arm64", "-o", "bin"]);
    tool::run(command.current_dir(&inside), "");
    assert!(fs::read(inside.join("bin/meshgen")).expect("reads") == bytes);

    nothing_rides_with_it(&project);

    fs::write(&program, "#!/bin/sh\n").expect("writes");
    let output = run(&project, &["bundle", "create", &with, "--out", name]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("is no program for Linux"));
}

/// A part of a bundle that is held.
struct Held(BTreeMap<Digest, Vec<u8>>);

impl Content for Held {
    fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + '_>, BundleError> {
        let bytes = self.0.get(digest).ok_or(BundleError::Missing(*digest))?;
        Ok(Box::new(bytes.as_slice()))
    }
}

/// Under what is called meshgen itself, nothing else goes in or is taken: reader and writer share the rule.
fn nothing_rides_with_it(project: &Path) {
    let (program, guest) = (b"a program".to_vec(), b"-----BEGIN PRIVATE KEY-----".to_vec());
    let layer =
        |title: &str, bytes: &[u8]| oci::layer(title, Digest::of(bytes), bytes.len() as u64);
    let own = layer("meshgen", &program);
    let cases = [
        ("", "linux-amd64", "amd64", vec![own.clone()]),
        (
            "one program and nothing else",
            "linux-amd64",
            "amd64",
            vec![own.clone(), layer("key", &guest)],
        ),
        ("one program and nothing else", "linux-amd64", "amd64", vec![layer("other", &program)]),
        ("one program and nothing else", "linux-amd64", "amd64", Vec::new()),
        ("describes it otherwise", "linux-arm64", "amd64", vec![own.clone()]),
        ("describes it otherwise", "linux-riscv64", "riscv64", vec![own]),
    ];
    for (expected, platform, architecture, layers) in cases {
        let manifest = oci::encode(&oci::Manifest::new(BINARY_TYPE, layers));
        let held = [manifest.clone(), b"{}".to_vec(), program.clone(), guest.clone()];
        let held: BTreeMap<Digest, Vec<u8>> =
            held.into_iter().map(|bytes| (Digest::of(&bytes), bytes)).collect();
        let descriptor = serde_json::from_value(json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": Digest::of(&manifest), "size": manifest.len(),
            "annotations": {"org.opencontainers.image.ref.name": format!("meshgen-{platform}")},
            "platform": {"architecture": architecture, "os": "linux"},
            "artifactType": BINARY_TYPE,
        }));
        let descriptor = descriptor.expect("a descriptor");
        let part = Part {
            entry: Entry { kind: Kind::Binary(platform.to_owned()), descriptor },
            blobs: held.iter().map(|(digest, bytes)| (*digest, bytes.len() as u64)).collect(),
            content: Box::new(Held(held)),
        };
        let source = super::view(project);
        let made = bundle::create(&source, Options { since: None, parts: vec![part] });
        match made.err().map(|error| error.to_string()) {
            None => assert_eq!(expected, "", "it was taken"),
            Some(said) => assert!(!expected.is_empty() && said.contains(expected), "{said}"),
        }
    }
}

/// An origin that has another image of that name does not hide the next one.
#[test]
fn an_image_named_by_its_digest_is_taken_where_it_is() {
    let folder = crate::sample::folder();
    let (project, layout) = mesh(folder.path(), "hub.example/istio");
    let from = format!("oci-layout:{}", layout.display());
    let old = folder.path().join("old.tar");
    bundle(&project, &old, &["--from", &from]);
    // the next release, by its digest
    let next = folder.path().join("next");
    let image = image(&next, "pilot of the next release", "amd64");
    let digest = image["digest"].as_str().expect("a digest").to_owned();
    finish(&next, &[("hub.example/istio/pilot:2", image)]);
    let mut files = files("a");
    files.retain(|path, _| !path.ends_with("istio-operator.yaml"));
    let reference = format!("hub.example/istio/pilot:2@{digest}");
    let operator = format!(
        "spec:\n  values:\n    pilot: {{image: \"{reference}\"}}\n    global: {{proxy: {{image: \"{reference}\"}}}}\n"
    );
    files.insert("c1/istio-operator.yaml".to_owned(), operator);
    let project = super::project(folder.path(), "next-mesh", &files);
    let (old, new) =
        (format!("bundle:{}", old.display()), format!("oci-layout:{}", next.display()));
    let file = folder.path().join("new.tar");
    let opened = bundle(&project, &file, &["--from", &old, "--from", &new]);
    assert_eq!(digests(&opened), [(reference, digest.parse().expect("a digest"))]);
    let name = file.to_str().expect("text");
    let output = run(&project, &["bundle", "create", "--images", "--from", &old, "--out", name]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("it is not in bundle:"), "{}", text(&output.stderr));
}

/// Two bundles with one name for two images: each tree gets its own again.
#[test]
fn what_came_with_a_tree_is_taken_for_it_from_the_store() {
    let folder = crate::sample::folder();
    let site = folder.path().join("site");
    fs::create_dir(&site).expect("creates");
    let mut all = Vec::new();
    for mark in ["a", "b"] {
        let place = folder.path().join(mark);
        let mut files = files(mark);
        files.retain(|path, _| !path.ends_with("istio-operator.yaml"));
        let operator = "spec:\n  hub: hub.example/istio\n  tag: \"1\"\n".to_owned();
        files.insert("c1/istio-operator.yaml".to_owned(), operator);
        let project = super::project(&place, "mesh", &files);
        let layout = place.join("layout");
        let [pilot, proxy] =
            ["pilot", "proxy"].map(|name| image(&layout, &format!("{name} {mark}"), "amd64"));
        let named = [("hub.example/istio/pilot:1", pilot), ("hub.example/istio/proxyv2:1", proxy)];
        finish(&layout, &named);
        let file = place.join("mesh.tar");
        let opened =
            bundle(&project, &file, &["--from", &format!("oci-layout:{}", layout.display())]);
        let name = file.to_str().expect("text");
        assert!(run(&site, &["bundle", "import", name, "--allow-unsigned"]).status.success());
        all.push((opened.bundle.tree.to_string(), fs::read(&file).expect("reads")));
    }
    for (tree, bytes) in all {
        let file = folder.path().join("again.tar");
        let name = file.to_str().expect("text");
        let output =
            run(&site, &["bundle", "create", &tree, "--images", "--from", "store", "--out", name]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert!(fs::read(&file).expect("reads") == bytes, "{tree}");
    }
}
