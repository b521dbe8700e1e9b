//! What an index says of paths and digests, read line by line: fast, and also from an index that
//! git left its conflict markers in.
#![expect(clippy::disallowed_types, reason = "looked up by key; what is listed is sorted first")]

use std::collections::{HashMap, HashSet};

use super::TreePath;
use crate::store::Digest;

/// Paths and digests of an index, of both sides if it is conflicted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rows {
    /// The digests of each path: one, or one a side.
    pub digests: HashMap<TreePath, Vec<Digest>>,
    /// Paths with a row between conflict markers.
    pub disputed: HashSet<TreePath>,
    /// The names of the mesh: one, or one a side.
    pub meshes: Vec<String>,
    /// Whether there are conflict markers.
    pub conflict: bool,
}

impl Rows {
    /// Reads an index. What is no row is passed over, and so is a row whose path could leave the
    /// folder.
    pub fn read(text: &str) -> Self {
        let mut rows = Self::default();
        let mut between = false;
        for line in text.lines() {
            match marker(line) {
                Some(Marker::Start) => (between, rows.conflict) = (true, true),
                Some(Marker::Middle) if between => {}
                Some(Marker::End) => between = false,
                _ => rows.line(line, between),
            }
        }
        rows
    }

    fn line(&mut self, line: &str, between: bool) {
        let line = line.trim_start();
        if let Some((path, digest)) = artifact(line) {
            if between {
                self.disputed.insert(path.clone());
            }
            let digests = self.digests.entry(path).or_default();
            if !digests.contains(&digest) {
                digests.push(digest);
            }
        } else if line.starts_with("{\"apiVersion\": ")
            && let Some((_, mesh)) = line.split_once("\"mesh\": \"")
            && let Some((mesh, _)) = mesh.split_once('"')
            && !self.meshes.iter().any(|known| known == mesh)
        {
            self.meshes.push(mesh.to_owned());
        }
    }

    /// Whether a path has a row with that digest.
    pub fn holds(&self, path: &TreePath, digest: &Digest) -> bool {
        self.digests.get(path).is_some_and(|digests| digests.contains(digest))
    }
}

/// Path and digest of an artifact's line, as `ArtifactRow::to_line` writes it; not yet checked.
pub(super) fn listed(line: &str) -> Option<(&str, &str)> {
    let (path, rest) = line.trim_start().strip_prefix("{\"path\": \"")?.split_once('"')?;
    let digest = rest.strip_prefix(", \"digest\": \"")?.get(..71)?;
    Some((path, digest))
}

fn artifact(line: &str) -> Option<(TreePath, Digest)> {
    let (path, digest) = listed(line)?;
    Some((path.parse().ok()?, digest.parse().ok()?))
}

enum Marker {
    Start,
    Middle,
    End,
}

fn marker(line: &str) -> Option<Marker> {
    if line.starts_with("<<<<<<<") {
        return Some(Marker::Start);
    }
    if line.starts_with(">>>>>>>") {
        return Some(Marker::End);
    }
    // `|||||||` stands before the common ancestor in git's diff3 style
    (line.starts_with("=======") || line.starts_with("|||||||")).then_some(Marker::Middle)
}

/// Whether a file holds a conflict that git left for people to settle.
pub(super) fn has_markers(bytes: &[u8]) -> bool {
    let lines = || bytes.split(|byte| *byte == b'\n');
    lines().any(|line| line.starts_with(b"<<<<<<< "))
        && lines().any(|line| line.starts_with(b">>>>>>> "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{ArtifactRow, ClusterRow, Index};

    fn index() -> Index {
        let cluster = ClusterRow {
            name: "c1".into(),
            network: "n1".into(),
            context: "{\"apiVersion\": \"mesh\": \"".into(),
            uid: None,
        };
        let row = |path: &str| ArtifactRow {
            path: path.parse().expect("a path"),
            digest: Digest::of(path),
            stage: None,
            targets: None,
            object: None,
            sealed: vec!["/{\"path\": \"x\", \"digest\": \"".into()],
            bindings: Vec::new(),
            handover: Vec::new(),
        };
        Index {
            mesh: "apac".into(),
            clusters: vec![cluster],
            examples: Vec::new(),
            pending: Vec::new(),
            artifacts: vec![row("c1/a.yaml"), row("c1/b%2f.yaml")],
        }
    }

    #[test]
    fn agrees_with_the_strict_reader() {
        let index = index();
        let rows = Rows::read(&index.to_text());
        assert_eq!(rows.digests.len(), 2);
        assert!(index.artifacts.iter().all(|row| rows.holds(&row.path, &row.digest)));
        assert_eq!(rows.meshes, ["apac"]);
        assert!(!rows.conflict && rows.disputed.is_empty());
    }

    #[test]
    fn hostile_rows_are_passed_over() {
        let digest = Digest::of("");
        for path in ["../x", "/x", "a//b", "a/./b", "store/x", "a\\u002f..", ""] {
            let rows = Rows::read(&format!("  {{\"path\": \"{path}\", \"digest\": \"{digest}\"}}"));
            assert_eq!(rows, Rows::default(), "{path}");
        }
    }

    #[test]
    fn either_side_of_a_conflict_counts() {
        let row = |path: &str, text: &str| {
            format!("  {{\"path\": \"{path}\", \"digest\": \"{}\"}},\n", Digest::of(text))
        };
        let text = [
            row("a", "1"),
            "<<<<<<< HEAD\n".into(),
            row("b", "ours"),
            "||||||| base\n".into(),
            row("b", "base"),
            "=======\n".into(),
            row("b", "theirs"),
            ">>>>>>> other\n".into(),
        ]
        .concat();
        let rows = Rows::read(&text);
        let path = |text: &str| text.parse::<TreePath>().expect("a path");
        assert!(rows.conflict);
        assert_eq!(rows.disputed, HashSet::from([path("b")]));
        for side in ["ours", "base", "theirs"] {
            assert!(rows.holds(&path("b"), &Digest::of(side)));
        }
        assert!(rows.holds(&path("a"), &Digest::of("1")));
    }
}
