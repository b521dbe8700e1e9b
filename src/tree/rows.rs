//! What an index says of paths and digests, read line by line: fast, and also from an index that
//! git left its conflict markers in.

use std::collections::BTreeSet;

use super::TreePath;
use crate::store::Digest;

/// Paths and digests of an index, of both sides if it is conflicted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rows {
    /// Each path with its digest, or with one a side; sorted, none twice.
    pub listed: Vec<(TreePath, Digest)>,
    /// Paths with a row between conflict markers.
    pub disputed: BTreeSet<TreePath>,
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
        // they are, but for what git merged
        if !rows.listed.is_sorted() {
            rows.listed.sort_unstable();
        }
        rows.listed.dedup();
        rows
    }

    fn line(&mut self, line: &str, between: bool) {
        let line = line.trim_start();
        if let Some((path, digest)) = artifact(line) {
            if between {
                self.disputed.insert(path.clone());
            }
            self.listed.push((path, digest));
        } else if line.starts_with("{\"apiVersion\": ")
            && let Some((_, mesh)) = line.split_once("\"mesh\": \"")
            && let Some((mesh, _)) = mesh.split_once('"')
            && !self.meshes.iter().any(|known| known == mesh)
        {
            self.meshes.push(mesh.to_owned());
        }
    }

    /// Whether a path has a row with that digest.
    pub fn holds(&self, path: &str, digest: &Digest) -> bool {
        let row = |(known, of): &(TreePath, Digest)| (known.as_str(), of).cmp(&(path, digest));
        self.listed.binary_search_by(row).is_ok()
    }

    /// Whether a path has a row.
    pub fn lists(&self, path: &TreePath) -> bool {
        self.listed.binary_search_by(|(known, _)| known.cmp(path)).is_ok()
    }

    /// The paths, sorted; one with several digests stands there as often.
    pub fn paths(&self) -> impl Iterator<Item = &TreePath> {
        self.listed.iter().map(|(path, _)| path)
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
        assert_eq!(rows.listed.len(), 2);
        assert!(index.artifacts.iter().all(|row| rows.holds(row.path.as_str(), &row.digest)));
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
        assert!(rows.conflict);
        assert_eq!(rows.disputed, BTreeSet::from(["b".parse().expect("a path")]));
        for side in ["ours", "base", "theirs"] {
            assert!(rows.holds("b", &Digest::of(side)));
        }
        assert!(rows.holds("a", &Digest::of("1")));
    }
}
