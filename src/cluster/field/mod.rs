//! Whose a field of a live object is: managed fields, and what follows from them without a schema.
//!
//! Source: `metadata.managedFields`, whose `fieldsV1` is the set of the library
//! structured-merge-diff ("Server-Side Apply" in the Kubernetes documentation).

mod adopt;
mod equal;
mod handover;
mod set;
mod settled;
mod view;

use std::collections::BTreeSet;

use serde_json::Value;

pub use adopt::adopt_managed_fields;
pub use handover::{hand_over, without_handed_over};
pub use set::{FieldSet, Node, PathElement, Scalar};
pub use settled::{contains, settled};
pub use view::{drop_fields, normal, overlay, owned, project};

/// An entry of `metadata.managedFields`.
#[derive(Debug, Clone, Copy)]
struct Entry<'a> {
    manager: &'a str,
    operation: &'a str,
    /// Empty where the object itself was written.
    subresource: &'a str,
    api_version: &'a str,
    /// RFC 3339 in UTC, so that texts are in order of time; empty where it is not told.
    time: &'a str,
    fields: Option<&'a Value>,
}

impl<'a> Entry<'a> {
    fn of(entry: &'a Value) -> Self {
        let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
        Self {
            manager: text("manager"),
            operation: text("operation"),
            subresource: text("subresource"),
            api_version: text("apiVersion"),
            time: text("time"),
            fields: entry.get("fieldsV1"),
        }
    }

    fn is_applied_by(&self, manager: &str) -> bool {
        self.manager == manager && self.operation == "Apply" && self.subresource.is_empty()
    }

    /// The fields; `None` where they are written in a way that is not known.
    fn set(&self) -> Option<FieldSet> {
        FieldSet::parse(self.fields?)
    }
}

fn entries(live: &Value) -> impl Iterator<Item = Entry<'_>> {
    let entries = live.pointer("/metadata/managedFields").and_then(Value::as_array);
    entries.into_iter().flatten().map(Entry::of)
}

/// The fields that a manager has applied to an object itself, not to a subresource of it.
///
/// `None` if it has applied none, or if its entry cannot be read.
pub fn managed(live: &Value, manager: &str) -> Option<FieldSet> {
    entries(live).find(|entry| entry.is_applied_by(manager))?.set()
}

/// The fields of everybody but a manager's apply, by who has them, in the order of the object.
///
/// What the manager has updated, or applied to a subresource, counts as another's and is named
/// `meshgen (update)` or `meshgen (scale)`. Who writes `status` is left out: nobody renders it.
/// An autoscaler's entry has the subresource `scale` and `spec.replicas`. Entries that cannot be
/// read are left out.
pub fn other_owners(live: &Value, manager: &str) -> Vec<(String, FieldSet)> {
    let others = entries(live)
        .filter(|entry| !entry.is_applied_by(manager) && entry.subresource != "status");
    others
        .filter_map(|entry| {
            let name = if entry.manager != manager {
                entry.manager.to_owned()
            } else if entry.subresource.is_empty() {
                format!("{manager} ({})", entry.operation.to_lowercase())
            } else {
                format!("{manager} ({})", entry.subresource)
            };
            Some((name, entry.set()?))
        })
        .collect()
}

/// The managers that fit and have fields of the object itself, sorted, each once.
///
/// Who has written a subresource alone (`status`, `scale`) is left out: nothing of his is adopted.
pub fn foreign_in(live: &Value, fits: &dyn Fn(&str) -> bool) -> Vec<String> {
    let names: BTreeSet<&str> = entries(live)
        .filter(|entry| entry.subresource.is_empty() && fits(entry.manager))
        .map(|entry| entry.manager)
        .collect();
    names.into_iter().map(str::to_owned).collect()
}

/// The managers that have fields of the object itself, sorted, each once.
pub fn managers(live: &Value) -> Vec<String> {
    foreign_in(live, &|_| true)
}

#[cfg(test)]
mod tests;
