//! Takes over the fields of other tools.

use serde_json::{Map, Value, json};

use super::{Entry, FieldSet};

/// The `metadata.managedFields` that gives the fields of the managers that fit to one manager's
/// apply, or `None` if there is nothing to move.
///
/// What they have applied and updated in the object itself becomes one entry with what `to` has
/// applied already, of the API version of that one, else of the newest; the time is the newest's.
/// It stands in the place of the first of them. Entries for subresources, of other managers, and
/// those that cannot be read stay as they are. What the next apply of `to` does not send is then
/// removed, as with any field of its own.
///
/// Source: `UpgradeManagedFields` of client-go's csaupgrade, which kubectl uses; to be sent as a
/// patch that also holds the `resourceVersion` of `live`. Unlike it, entries of other API versions
/// are united too, rather than dropped: their fields would have no owner, and stay for ever.
pub fn adopt_managed_fields(live: &Value, from: &dyn Fn(&str) -> bool, to: &str) -> Option<Value> {
    let fields = live.pointer("/metadata/managedFields")?.as_array()?;
    let mut kept: Vec<Value> = Vec::new();
    let mut first = None;
    let mut sources: Vec<(Entry<'_>, FieldSet)> = Vec::new();
    for value in fields {
        let entry = Entry::of(value);
        match entry.set().filter(|_| entry.is_applied_by(to) || is_source(&entry, from)) {
            Some(set) => {
                first.get_or_insert(kept.len());
                sources.push((entry, set));
            }
            None => kept.push(value.clone()),
        }
    }
    if sources.iter().all(|(entry, _)| entry.is_applied_by(to)) {
        return None;
    }
    let newest = sources.iter().map(|(entry, _)| entry).max_by_key(|entry| entry.time)?;
    let own = sources.iter().map(|(entry, _)| entry).find(|entry| entry.is_applied_by(to));
    let united = sources.iter().fold(FieldSet::default(), |all, (_, set)| all.union(set));
    let mut entry = Map::new();
    entry.insert("manager".to_owned(), json!(to));
    entry.insert("operation".to_owned(), json!("Apply"));
    entry.insert("apiVersion".to_owned(), json!(own.unwrap_or(newest).api_version));
    if !newest.time.is_empty() {
        entry.insert("time".to_owned(), json!(newest.time));
    }
    entry.insert("fieldsType".to_owned(), json!("FieldsV1"));
    entry.insert("fieldsV1".to_owned(), united.to_value());
    kept.insert(first?, Value::Object(entry));
    Some(Value::Array(kept))
}

fn is_source(entry: &Entry<'_>, from: &dyn Fn(&str) -> bool) -> bool {
    entry.subresource.is_empty()
        && ["Apply", "Update"].contains(&entry.operation)
        && from(entry.manager)
}
