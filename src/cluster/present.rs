//! A plan as changes, so that it is printed by the writers of `diff`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::bind::live_text;
use super::client::MANAGER;
use super::desired::Desired;
use super::field;
use super::identity::token_of;
use super::plan::{Action, Step};
use super::survey::{Mesh, Survey};
use crate::diff::{Changes, DiffError, Side, diff};
use crate::object::{Identity, Targets, canonical, file_name};
use crate::store::Digest;
use crate::tree::{ArtifactRow, ClusterRow, Index, TreePath};

/// The changes of a plan, from what is live to the tree. `label` is what people call the tree.
pub fn changes(
    mesh: &Mesh,
    survey: &Survey,
    label: &str,
    digest: Digest,
) -> Result<Changes, DiffError> {
    let (mut old, mut new) = (Files::default(), Files::default());
    for (member, surveyed) in mesh.members.iter().zip(survey) {
        let Ok(surveyed) = surveyed else { continue };
        for step in &surveyed.plan.steps {
            let (before, after) = sides(step);
            if before == after {
                continue;
            }
            if let Some(value) = before {
                old.add(&member.name, step, &value);
            }
            if let Some(value) = after {
                new.add(&member.name, step, &value);
            }
        }
    }
    let old = old.side("live", None, mesh);
    let new = new.side(label, Some(digest), mesh);
    diff(&old, &new)
}

/// An object before and after a step, as far as they are compared.
fn sides(step: &Step) -> (Option<Value>, Option<Value>) {
    let desired = step.desired.as_deref();
    let shown = |value: &Value| {
        let normal = field::normal(value);
        match desired {
            Some(desired) => unbound(desired, &normal),
            None => normal,
        }
    };
    let before = step.live.as_ref().map(shown);
    let after = match (&step.action, desired) {
        (Action::Prune, _) | (_, None) => None,
        (Action::Create, Some(desired)) => Some((*desired.rendered).clone()),
        (Action::Adopt, Some(desired)) => {
            let after = step.after.as_ref().or(step.live.as_ref());
            after.map(|after| shown(&without_installers(step, desired, after)))
        }
        (Action::Recreate { .. }, Some(desired)) => {
            // what the server would fill in is not known
            let live = step.live.as_ref().map(field::normal).unwrap_or_default();
            Some(unbound(
                desired,
                &field::overlay(&live, &super::desired::in_data((*desired.rendered).clone())),
            ))
        }
        (_, Some(_)) => step.after.as_ref().or(step.live.as_ref()).map(shown),
    };
    let before = before.filter(|_| step.action != Action::Create);
    (before, after)
}

/// What an adoption leaves: fields that installers brought and the tree does not have go.
fn without_installers(step: &Step, desired: &Desired, after: &Value) -> Value {
    let Some(live) = &step.live else { return after.clone() };
    let owners = field::other_owners(live, MANAGER);
    let mut moved = field::FieldSet::default();
    let mut kept = field::FieldSet::default();
    for (manager, set) in owners {
        if super::write::is_installer(&manager) {
            moved = moved.union(&set);
        } else {
            kept = kept.union(&set);
        }
    }
    let wanted = super::desired::in_data((*desired.rendered).clone());
    field::drop_fields(after, &moved, &kept, &wanted)
}

/// A remote secret with its token as the placeholder, so that the rest of it can be shown.
pub(super) fn unbound(desired: &Desired, value: &Value) -> Value {
    let Some(binding) = desired.bindings.first() else { return value.clone() };
    let (Some(text), Some(key)) =
        (live_text(desired, value), binding.field.strip_prefix("/stringData/"))
    else {
        return value.clone();
    };
    let text = match token_of(&text) {
        Some(token) if !token.is_empty() => text.replace(&token, &binding.placeholder),
        _ => return value.clone(),
    };
    let mut value = value.clone();
    if let Some(map) = value.as_object_mut() {
        if let Some(Value::Object(data)) = map.get_mut("data") {
            data.shift_remove(key);
            if data.is_empty() {
                map.shift_remove("data");
            }
        }
        let mut texts = Map::new();
        texts.insert(key.to_owned(), Value::from(text));
        map.insert("stringData".to_owned(), Value::Object(texts));
    }
    value
}

/// Whether a step puts another token in, which no diff shows.
pub fn renews_token(step: &Step) -> bool {
    let Some(desired) = step.desired.as_deref().filter(|desired| !desired.bindings.is_empty())
    else {
        return false;
    };
    let token = |value: &Option<Value>| {
        token_of(&live_text(desired, value.as_ref()?)?).map(|token| STANDARD.encode(token))
    };
    matches!((token(&step.live), token(&step.after)), (Some(old), Some(new)) if old != new)
}

#[derive(Default)]
struct Files {
    rows: Vec<ArtifactRow>,
    bytes: BTreeMap<TreePath, Vec<u8>>,
}

impl Files {
    fn add(&mut self, cluster: &str, step: &Step, value: &Value) {
        let identity = Identity::of(value)
            .unwrap_or_else(|_| super::resource::identity(&step.api_version, &step.key));
        let path = format!("{cluster}/{}/{}", step.stage, file_name(&identity));
        let Ok(path) = path.parse::<TreePath>() else { return };
        let bytes = canonical(value).into_bytes();
        let desired = step.desired.as_deref();
        self.rows.push(ArtifactRow {
            path: path.clone(),
            digest: Digest::of(&bytes),
            stage: Some(step.stage.clone()),
            targets: Some(Targets::Only(vec![cluster.to_owned()])),
            object: Some(identity),
            sealed: desired.map(|desired| desired.sealed.clone()).unwrap_or_default(),
            bindings: desired.map(|desired| desired.bindings.clone()).unwrap_or_default(),
            handover: desired.map(|desired| desired.handover.clone()).unwrap_or_default(),
        });
        self.bytes.insert(path, bytes);
    }

    fn side(mut self, label: &str, digest: Option<Digest>, mesh: &Mesh) -> Side<'static> {
        self.rows.sort_by(|a, b| a.path.cmp(&b.path));
        let cluster = |member: &super::survey::Member| ClusterRow {
            name: member.name.clone(),
            network: member.network.clone(),
            context: member.context.clone(),
            uid: None,
        };
        let index = Index {
            mesh: mesh.index.mesh.clone(),
            clusters: mesh.members.iter().map(cluster).collect(),
            examples: Vec::new(),
            pending: Vec::new(),
            artifacts: self.rows,
        };
        let bytes = self.bytes;
        Side::new(label, digest, index, move |path| {
            bytes.get(path).cloned().ok_or_else(|| "no such file".into())
        })
    }
}
