//! One change as people read it: once, with every object and cluster that it is about.

use super::cluster_set::ClusterSet;
use super::consequence::Consequence;
use super::content::Content;
use super::field_change::FieldChange;
use super::index_change::IndexChange;
use crate::object::Identity;
use crate::tree::TreePath;

/// What happened to an object or file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// It is gone.
    Removed,
    /// It waits for facts now: what is in the cluster stays as it is.
    Postponed,
    /// Its bytes differ.
    Changed,
    /// It is new.
    Added,
    /// Its bytes are the same; what the index says of it differs.
    Moved,
}

impl What {
    /// The word in JSON and in sentences.
    pub fn word(self) -> &'static str {
        match self {
            What::Removed => "removed",
            What::Postponed => "postponed",
            What::Changed => "changed",
            What::Added => "added",
            What::Moved => "moved",
        }
    }

    /// The character in front of a title.
    pub fn character(self) -> char {
        match self {
            What::Removed => '-',
            What::Postponed => '?',
            What::Changed => '~',
            What::Added => '+',
            What::Moved => '=',
        }
    }
}

/// One change, in all the places where it is the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What happened.
    pub what: What,
    /// The objects or files that it happened to, at least one, sorted by path.
    pub members: Vec<Member>,
    /// The fields that differ, by path.
    pub fields: Vec<FieldChange>,
    /// What is in an object that came or went; not for one that was only sent to more or fewer
    /// clusters.
    pub content: Option<Content>,
    /// What the index says differently of it.
    pub index: Vec<IndexChange>,
    /// What follows.
    pub consequences: Vec<Consequence>,
    /// Whether the values are those of the first member, and the others have the name of their own
    /// cluster or network wherever the first has its own.
    pub own_names: bool,
    /// Whether a file that came or went for these clusters is there on both sides, for others.
    pub same_file: bool,
}

/// An object or file of an [`Entry`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The object; none for files that are not sent.
    pub object: Option<Identity>,
    /// The file in the old tree.
    pub old_path: Option<TreePath>,
    /// The file in the new tree.
    pub new_path: Option<TreePath>,
    /// The stage, in the new tree if it is there.
    pub stage: Option<String>,
    /// The clusters; none for files that are not sent.
    pub clusters: ClusterSet,
}

impl Member {
    /// The file, in the new tree if it is there.
    pub fn path(&self) -> &str {
        let path = self.new_path.as_ref().or(self.old_path.as_ref());
        path.map_or("", TreePath::as_str)
    }

    /// The object's name, or the file's path.
    pub fn title(&self) -> String {
        match &self.object {
            Some(object) => object.to_string(),
            None => self.path().to_owned(),
        }
    }
}

impl Entry {
    /// The object or file, and how many others there are.
    pub fn title(&self) -> String {
        let first = self.members.first().map(Member::title).unwrap_or_default();
        let others = self.members.iter().filter(|member| member.title() != first).count();
        match others {
            0 => first,
            count => format!("{first} and {count} more"),
        }
    }

    /// All clusters of all members.
    pub fn clusters(&self) -> ClusterSet {
        match self.members.as_slice() {
            [one] => one.clusters.clone(),
            many => many.iter().flat_map(|member| member.clusters.iter()).collect(),
        }
    }

    /// Whether it is about objects that are sent, rather than files that people use.
    pub fn is_sent(&self) -> bool {
        self.members.first().is_some_and(|member| !member.clusters.is_empty())
    }
}
