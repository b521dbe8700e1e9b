//! Following a path into an object, and writing there.

use serde_json::Value;

use super::node::{Node, Origin};
use super::path;
use crate::yaml;

/// What a write did.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Done {
    /// The value was a string that reads as a map, and became one.
    pub(super) read_as_map: bool,
}

/// Why a write did not do what it was asked for.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    /// istioctl drops this error.
    Silent(String),
    /// istioctl crashes.
    Fatal(String),
}

/// Whether what was made on the way takes its place.
///
/// Go writes the parts of a path back from the last to the first, and stops at the first that it cannot write.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Attach {
    Yes,
    No,
}

type Step = Result<Attach, Fault>;

fn silent<T>(reason: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Silent(reason.into()))
}

/// What is written.
struct Writer {
    /// `None` deletes.
    value: Option<Node>,
    /// Whether it is a map that came as a string.
    from_text: bool,
}

/// Writes a value at a path; without one, deletes what is there.
pub(super) fn write(root: &mut Node, path: &[String], value: Option<Node>) -> Result<Done, Fault> {
    let (value, from_text) = match value {
        Some(Node::Scalar(Value::String(text))) => match map_in(&text) {
            Some(map) => (Some(map), true),
            None => (Some(Node::Scalar(Value::String(text))), false),
        },
        Some(Node::Null) | None => (None, false),
        other => (other, false),
    };
    if path.is_empty() {
        return if value.is_none() {
            silent("the root cannot be deleted")
        } else {
            silent("the path is empty")
        };
    }
    let writer = Writer { value, from_text };
    writer.descend(root, path, false)?;
    Ok(Done { read_as_map: from_text })
}

/// A string that reads as a map, and not as JSON: people pass maps in this way.
fn map_in(text: &str) -> Option<Node> {
    let is_like_one = if text.contains('\n') { text.contains(':') } else { text.contains(": ") };
    if !is_like_one || serde_json::from_str::<serde_json::Map<String, Value>>(text).is_ok() {
        return None;
    }
    match yaml::go_document(text).ok()? {
        map @ Value::Object(_) => Some(Node::given(&map)),
        Value::Null => Some(Node::empty(Origin::Given)),
        _ => None,
    }
}

impl Writer {
    /// Follows a path from a node. `nested` says that the node is a list in a list, which Go cannot write into.
    fn descend(&self, node: &mut Node, path: &[String], nested: bool) -> Step {
        let (segment, rest) = path.split_first().expect("the caller has a segment left");
        match node {
            Node::List(items) => self.in_list(items, segment, rest, nested),
            Node::Map(origin, entries) => self.in_map(*origin, entries, segment, rest),
            Node::Null => self.in_nothing(node, segment, path),
            Node::Scalar(_) => {
                silent(format!("`{segment}` is looked for in a value that has no parts"))
            }
        }
    }

    /// Where a null stands, a map takes its place; a list is made, too, but Go cannot write into it.
    fn in_nothing(&self, node: &mut Node, segment: &str, path: &[String]) -> Step {
        if path::index(segment).is_some() || path::key_value(segment).is_some() {
            let mut list = Node::List(Vec::new());
            return self.descend(&mut list, path, true);
        }
        let mut map = Node::empty(Origin::Given);
        let attach = self.descend(&mut map, path, false)?;
        if attach == Attach::Yes && self.value.is_some() {
            *node = map;
        }
        Ok(attach)
    }

    fn in_list(&self, items: &mut Vec<Node>, segment: &str, rest: &[String], nested: bool) -> Step {
        const NESTED: &str = "a list in a list, or in place of a null, cannot be written into";
        let at = match path::index(segment) {
            Some(index) => usize::try_from(index).unwrap_or(items.len()).min(items.len()),
            None => path::select(items, segment).map_err(Fault::Silent)?,
        };
        if !rest.is_empty() {
            let mut new = Node::empty(Origin::Given);
            let is_new = at == items.len();
            let item = items.get_mut(at).unwrap_or(&mut new);
            let attach = self.descend(item, rest, true)?;
            if self.value.is_none() || attach == Attach::No {
                return Ok(attach);
            }
            if nested {
                return silent(NESTED);
            }
            if is_new {
                items.push(new);
            }
            return Ok(Attach::Yes);
        }
        match &self.value {
            _ if nested => return silent(NESTED),
            None if at == items.len() => {
                return Err(Fault::Fatal(format!("{segment} is beyond the end of the list")));
            }
            None => drop(items.remove(at)),
            Some(value) if at == items.len() => items.push(value.clone()),
            Some(value) => items[at] = value.clone(),
        }
        Ok(Attach::Yes)
    }

    fn in_map(
        &self,
        origin: Origin,
        entries: &mut Vec<(String, Node)>,
        segment: &str,
        rest: &[String],
    ) -> Step {
        let at = find_or_make(origin, entries, segment, rest.first());
        if !rest.is_empty() {
            return self.descend(&mut entries[at].1, rest, false);
        }
        let Some(value) = self.value.clone() else {
            entries.remove(at);
            return Ok(Attach::Yes);
        };
        match (origin, &mut entries[at].1) {
            // what is written onto a list that was given is added to it
            (Origin::Given, Node::List(items)) if !self.from_text => items.push(value),
            // the map's own key takes the place of the one that it was written to
            (Origin::Given, _) if self.from_text => {
                entries.remove(at);
                let Node::Map(_, mut own) = value else { return Ok(Attach::No) };
                own.sort_by(|a, b| a.0.cmp(&b.0));
                if let Some((key, value)) = own.into_iter().next() {
                    entries.retain(|(own, _)| *own != key);
                    entries.push((key, value));
                }
                return Ok(Attach::No);
            }
            (_, old) => *old = value,
        }
        Ok(Attach::Yes)
    }
}

/// The place of a key in a map; a map or list that is not there is made.
fn find_or_make(
    origin: Origin,
    entries: &mut Vec<(String, Node)>,
    key: &str,
    next: Option<&String>,
) -> usize {
    if let Some(at) = entries.iter().position(|(own, _)| own == key) {
        return at;
    }
    let wants_list = next.is_some_and(|next| path::index(next).is_some());
    let made = match origin {
        Origin::Given if wants_list => Node::List(Vec::new()),
        origin => Node::empty(origin),
    };
    entries.push((key.to_owned(), made));
    entries.len() - 1
}
