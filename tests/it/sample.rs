//! Small trees for the tests of store and view, without a mesh behind them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use meshgen::file::{Disk, Fault};
use meshgen::store::{Digest, Record};
use meshgen::tree::view::{Options, ViewError, Writer, Written};
use meshgen::tree::{ArtifactRow, ClusterRow, Index};

/// Path → content.
pub type Files = BTreeMap<String, String>;

/// A tree of clusters; `mark` stands in each file of a cluster, and in what is shared.
pub fn tree(clusters: &[(&str, &str)]) -> Files {
    let mut files = Files::new();
    let mut shared = String::new();
    for (cluster, mark) in clusters {
        for path in ["00-namespaces/ns.yaml", "10-cacerts/ca.yaml", "istio-operator.yaml"] {
            files.insert(format!("{cluster}/{path}"), format!("{path} of {cluster}: {mark}\n"));
        }
        files.insert(format!("{cluster}/70-samples/{mark}.yaml"), format!("{cluster}: {mark}\n"));
        // equal in all clusters: one blob
        files.insert(format!("{cluster}/70-samples/equal.yaml"), "equal everywhere\n".to_owned());
        files.insert(format!("remote-secrets/{cluster}.yaml"), format!("peers of {cluster}\n"));
        shared += &format!("{cluster} = {mark}\n");
    }
    files.insert("terraform/terraform.tfvars".to_owned(), shared);
    files
}

/// The index of a tree.
pub fn index(mesh: &str, files: &Files) -> Index {
    let mut names: Vec<&str> = files.keys().filter_map(|path| path.split('/').next()).collect();
    names.retain(|name| name.starts_with('c'));
    names.dedup();
    let cluster = |name: &&str| ClusterRow {
        name: (*name).to_owned(),
        network: (*name).to_owned(),
        context: (*name).to_owned(),
        uid: None,
    };
    Index {
        mesh: mesh.to_owned(),
        clusters: names.iter().map(cluster).collect(),
        examples: Vec::new(),
        pending: Vec::new(),
        artifacts: files.iter().map(row).collect(),
    }
}

fn row((path, content): (&String, &String)) -> ArtifactRow {
    ArtifactRow {
        path: path.parse().expect("a path of a tree"),
        digest: Digest::of(content),
        stage: None,
        targets: None,
        object: None,
        sealed: Vec::new(),
        bindings: Vec::new(),
        handover: Vec::new(),
    }
}

pub fn record() -> Record {
    Record {
        meshgen: "0.1.0".to_owned(),
        inputs: [("mesh.yaml".to_owned(), Digest::of("mesh"))].into(),
        derivations: [("c1".to_owned(), Digest::of("c1"))].into(),
    }
}

/// Writes a tree as `render` does.
pub fn write_with(
    disk: &Disk,
    out: &Path,
    files: &Files,
    options: Options,
) -> Result<Written, ViewError> {
    let writer = Writer::open(disk, out, options)?;
    for (path, content) in files {
        writer.add(path.parse().expect("a path of a tree"), content.as_bytes())?;
    }
    writer.finish(&index("apac", files).to_text(), &record())
}

pub fn write(out: &Path, files: &Files) -> Result<Written, ViewError> {
    write_with(&Disk::new(), out, files, Options::default())
}

/// What a finished write of `files` leaves in `out`, without the store.
pub fn expected(files: &Files) -> Files {
    let mut all = files.clone();
    all.insert("index.json".to_owned(), index("apac", files).to_text());
    all.insert(".gitignore".to_owned(), "/store/\n".to_owned());
    all
}

/// All files and folders of `out` but the store; folders end in `/` and are listed if empty.
pub fn view(out: &Path) -> Files {
    if !out.exists() {
        return Files::new();
    }
    let mut files = read_folder(out);
    files.retain(|path, _| !path.starts_with("store/"));
    files
}

pub fn read_folder(root: &Path) -> Files {
    let mut files = Files::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries: Vec<PathBuf> = fs::read_dir(&folder)
            .expect("lists")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        let name =
            |path: &Path| path.strip_prefix(root).expect("below").to_string_lossy().into_owned();
        if entries.is_empty() && folder != root {
            files.insert(format!("{}/", name(&folder)), String::new());
        }
        for path in entries {
            if path.is_symlink() {
                files.insert(name(&path), "(symlink)".to_owned());
            } else if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = fs::read(&path).expect("reads");
                files.insert(name(&path), String::from_utf8_lossy(&bytes).into_owned());
            }
        }
    }
    files
}

/// Copies a folder, symlinks left out.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("creates");
    for entry in fs::read_dir(from).expect("lists") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copies");
        }
    }
}

/// Asserts that `out` holds what a finished write of `files` leaves; names the paths that differ.
#[track_caller]
pub fn assert_view(out: &Path, files: &Files) {
    let (there, expected) = (view(out), expected(files));
    let all: std::collections::BTreeSet<&String> = there.keys().chain(expected.keys()).collect();
    let differ: Vec<_> =
        all.into_iter().filter(|path| there.get(*path) != expected.get(*path)).collect();
    assert!(differ.is_empty(), "differ: {differ:?}");
}

/// A temporary folder in memory where there is one: barriers cost nothing there.
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a temporary folder")
}

/// A disk that only records.
pub fn recording() -> Disk {
    Disk::with_faults(Fault::None)
}
