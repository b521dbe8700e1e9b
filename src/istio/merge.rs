//! From profile, documents and settings to one `IstioOperator`.
//!
//! Source of the rules: `operator/pkg/render/manifest.go`, `MergeInputs`.

use serde_json::{Value, json};

use super::error::{IstioError, IstioErrors};
use super::input::{Content, Document, Request};
use super::package::{Package, read_tree};
use super::profile;
use super::set::{self, Outcome};
use super::text;
use super::tree::{self, Tree};
use super::value::display;
use super::warning::Warning;
use crate::yaml;

/// What of `spec` goes into `values`.
pub(super) const TRANSLATED: [(&str, &str); 5] = [
    ("spec.hub", "global.hub"),
    ("spec.tag", "global.tag"),
    ("spec.revision", "revision"),
    ("spec.meshConfig", "meshConfig"),
    ("spec.compatibilityVersion", "compatibilityVersion"),
];

/// Components whose switch charts read in `values`.
pub(super) const SWITCHES: [(&str, &str, &str); 2] = [
    ("spec.components.pilot.enabled", "spec.values.pilot", "enabled"),
    ("spec.components.cni.enabled", "spec.values.pilot.cni", "enabled"),
];

/// An `IstioOperator` that was put together.
#[derive(Debug)]
pub(super) struct Merged {
    /// All of it.
    pub(super) operator: Tree,
    /// What the user wrote: documents and settings.
    pub(super) user: Tree,
}

/// Merges everything.
pub(super) fn merge_inputs(
    package: &Package,
    request: &Request,
    warnings: &mut Vec<Warning>,
) -> Result<Merged, IstioErrors> {
    let user = user_input(request, warnings)?;
    let mut operator = profile::merged(package, tree::text_at(&user, "spec.profile"))?;
    let mut values = tree::map_at(&user, "spec.values").cloned();
    let shared = values.is_some().then(|| Shared::of(&operator, &user));
    tree::merge(&mut operator, &user);
    translate(&mut operator).map_err(invalid)?;
    if let (Some(values), Some(shared)) = (&mut values, shared) {
        shared.write(&operator, values, warnings);
        let over = json!({"spec": {"values": values}});
        tree::merge(&mut operator, over.as_object().expect("it was made as a map"));
    }
    ignored(&operator, &user, warnings);
    Ok(Merged { operator, user })
}

fn invalid(reason: String) -> IstioError {
    IstioError::Invalid { path: "spec".to_owned(), reason }
}

/// What the user wrote: documents in their order, then the settings.
pub(super) fn user_input(
    request: &Request,
    warnings: &mut Vec<Warning>,
) -> Result<Tree, IstioError> {
    let mut user = start();
    for document in &request.documents {
        tree::merge(&mut user, &read(document)?);
    }
    for flag in request.flags() {
        set::set_flag(&mut user, &flag, warnings)?;
    }
    Ok(user)
}

/// What istioctl starts with.
pub(super) fn start() -> Tree {
    let start = json!({
        "apiVersion": "install.istio.io/v1alpha1",
        "kind": "IstioOperator",
        "metadata": {},
        "spec": {},
    });
    start.as_object().expect("it was made as a map").clone()
}

/// Reads a document; a `spec` that is null is none.
pub(super) fn read(document: &Document) -> Result<Tree, IstioError> {
    let refused = |reason: String| IstioError::Document { document: document.name.clone(), reason };
    let mut read = match &document.content {
        Content::Text(text) => {
            single(text).map_err(refused)?;
            read_tree(text).map_err(refused)?
        }
        Content::Value(value) => {
            let mut value = value.clone();
            tree::to_floats(&mut value);
            let Value::Object(tree) = value else { return Err(refused("it is no map".to_owned())) };
            tree
        }
    };
    if read.get("spec").is_some_and(Value::is_null) {
        read.remove("spec");
    }
    Ok(read)
}

/// A text may hold one object, whatever its kind.
fn single(text: &str) -> Result<(), String> {
    let mut count = 0;
    for document in text::documents(text) {
        let value = yaml::go_document(document).map_err(|error| error.with_position(document))?;
        match value.get("kind").and_then(Value::as_str) {
            Some(kind) if !kind.is_empty() => count += 1,
            _ if value.is_null() => {}
            _ => {
                return Err(
                    "it is no object: `kind` is missing; it must be `IstioOperator`".to_owned()
                );
            }
        }
    }
    if count > 1 {
        return Err("it holds several IstioOperators, and may hold one".to_owned());
    }
    Ok(())
}

/// Translates what stands in `spec` into values of the charts.
pub(super) fn translate(operator: &mut Tree) -> Result<(), String> {
    for (from, to) in TRANSLATED {
        match tree::at(operator, from).cloned() {
            None => {}
            Some(Value::Object(map)) => {
                let over = json!({"spec": {"values": {"meshConfig": map}}});
                tree::merge(operator, over.as_object().expect("it was made as a map"));
            }
            Some(value) => {
                set::set_spec(operator, &format!("values.{to}={}", display(&value)))?;
            }
        }
    }
    for (from, to, key) in SWITCHES {
        let flag = tree::flag_at(operator, from);
        set::set(operator, &format!("{to}.{key}"), flag.into())?;
    }
    let namespace = tree::text_at(operator, "spec.values.global.istioNamespace").to_owned();
    if !namespace.is_empty() {
        set::set(operator, "metadata.namespace", namespace.into())?;
    }
    Ok(())
}

/// Maps of the user that istioctl takes over as they are, because the profile has none at their place. What is
/// translated into them changes what the user wrote, so that it holds although the user's values go over it.
struct Shared {
    pilot: bool,
    cni: bool,
    mesh_config: bool,
}

impl Shared {
    fn of(profile: &Tree, user: &Tree) -> Self {
        let is_shared = |path: &[&str]| {
            let mut own = tree::map_at(profile, "spec.values");
            let mut given = tree::map_at(user, "spec.values");
            for key in path {
                given = given.and_then(|map| map.get(*key)?.as_object());
                if given.is_none() {
                    return false;
                }
                own = own.and_then(|map| map.get(*key)?.as_object());
                if own.is_none() {
                    return true;
                }
            }
            false
        };
        Self {
            pilot: is_shared(&["pilot"]),
            cni: is_shared(&["pilot"]) || is_shared(&["pilot", "cni"]),
            mesh_config: is_shared(&["meshConfig"]),
        }
    }

    /// Writes what was translated into the user's own maps as well.
    fn write(&self, operator: &Tree, values: &mut Tree, warnings: &mut Vec<Warning>) {
        if self.pilot {
            let flag = tree::flag_at(operator, "spec.components.pilot.enabled");
            Self::switch(values, "pilot.enabled", flag, "values.pilot.enabled", warnings);
        }
        if self.cni {
            let flag = tree::flag_at(operator, "spec.components.cni.enabled");
            Self::switch(values, "pilot.cni.enabled", flag, "values.pilot.cni.enabled", warnings);
        }
        if let Some(mesh) = tree::map_at(operator, "spec.meshConfig")
            && let Some(Value::Object(own)) = values.get_mut("meshConfig")
            && self.mesh_config
        {
            tree::merge(own, mesh);
        }
    }

    fn switch(
        values: &mut Tree,
        path: &str,
        flag: bool,
        place: &'static str,
        warnings: &mut Vec<Warning>,
    ) {
        if tree::at(values, path).is_some_and(|own| *own != flag) {
            let by = "the component's own switch in `components` goes over it";
            warnings.push(Warning::Overridden { place, by });
        }
        // a null on the way is kept, as in istioctl
        let _: Result<Outcome, String> = set::set(values, path, flag.into());
    }
}

/// What the user wrote and nothing reads.
fn ignored(operator: &Tree, user: &Tree, warnings: &mut Vec<Warning>) {
    if !tree::text_at(user, "spec.namespace").is_empty() {
        warnings.push(Warning::Unused {
            place: "spec.namespace".to_owned(),
            instead: "set values.global.istioNamespace",
        });
    }
    let wanted = tree::text_at(user, "metadata.namespace");
    let given = tree::text_at(operator, "metadata.namespace");
    if !wanted.is_empty() && wanted != given {
        warnings.push(Warning::Overridden {
            place: "metadata.namespace",
            by: "the namespace is that of values.global.istioNamespace",
        });
    }
}
