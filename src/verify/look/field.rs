//! The fields in which live objects differ from the tree, as `plan` shows them: no secret is in them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cluster::{Mesh, Survey, changes};
use crate::diff::{Card, Sign, What};
use crate::store::Digest;

/// Lines of one object that are shown.
const LINES: usize = 6;

/// The fields that differ, by cluster and object: `spec.replicas: 0 → 1`, live first.
pub fn fields(
    mesh: &Arc<Mesh>,
    survey: &Survey,
    tree: Digest,
) -> BTreeMap<(String, String), Vec<String>> {
    let mut all = BTreeMap::new();
    let Ok(changes) = changes(mesh, survey, "tree", tree) else { return all };
    for entry in changes.entries.iter().filter(|entry| entry.what == What::Changed) {
        let card = Card::of(&changes, entry);
        let mut lines = Vec::new();
        for field in &card.fields {
            if let Some((old, new)) = field.short() {
                lines.push(format!("{}: {} → {}", field.path, old.text(), new.text()));
                continue;
            }
            lines.push(format!("{} {}", field.sign, field.path));
            let shown = field.lines.iter().filter(|line| line.sign != Sign::Same);
            lines.extend(shown.map(|line| format!("  {} {}", line.sign.character(), line.text())));
        }
        if lines.len() > LINES {
            lines.truncate(LINES - 1);
            lines.push("… (`meshgen plan` shows all)".to_owned());
        }
        for member in &entry.members {
            for place in member.clusters.iter() {
                let cluster = changes.names.name(place).to_owned();
                all.insert((cluster, member.title()), lines.clone());
            }
        }
    }
    all
}
