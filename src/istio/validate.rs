//! What istioctl refuses before it renders.
//!
//! Source of the rules: `operator/pkg/apis` and `operator/pkg/apis/validation`. All faults are found, not the first alone.
//! What comes from the package's own profile, and not from the user, is no fault: profiles of old releases hold values
//! that the newest schema does not know.

mod cross;
mod fault;
mod mesh;
mod message;
mod name;
mod typed;

use serde_json::Value;

use super::component::Instance;
use super::error::{IstioError, IstioErrors};
use super::merge::{Merged, TRANSLATED};
use super::schema::Type;
use super::tree;
use super::warning::Warning;
use fault::{Fault, Part, Path};
use typed::Mode;

/// Checks an `IstioOperator`; with `force`, what is wrong becomes warnings.
///
/// # Errors
/// Everything that is wrong.
pub(super) fn validate(
    merged: &Merged,
    force: bool,
    warnings: &mut Vec<Warning>,
) -> Result<(), IstioErrors> {
    let faults = faults(merged);
    if faults.is_empty() {
        cross::conflicts(&merged.operator, warnings);
        return Ok(());
    }
    if force {
        let forced = |fault: Fault| Warning::Forced(format!("{}: {}", fault.path, fault.reason));
        warnings.extend(faults.into_iter().map(forced));
        return Ok(());
    }
    let error =
        |fault: Fault| IstioError::Invalid { path: fault.path.to_string(), reason: fault.reason };
    Err(IstioErrors(faults.into_iter().map(error).collect()))
}

/// Checks the types of an instance, which must fit even where all else is let pass.
///
/// # Errors
/// Everything that is wrong.
pub(super) fn convert(instance: &Instance) -> Result<(), IstioErrors> {
    let Some(given) = &instance.given else { return Ok(()) };
    let mut faults = Vec::new();
    let kind = Type::Struct("GatewayComponentSpec");
    typed::check(&given.clone().into(), kind, Mode::Lenient, &Path::root(), &mut faults);
    let error = |fault: Fault| IstioError::Invalid {
        path: format!("spec.{}.{}", instance.place, fault.path),
        reason: fault.reason,
    };
    if faults.is_empty() {
        Ok(())
    } else {
        Err(IstioErrors(faults.into_iter().map(error).collect()))
    }
}

fn faults(merged: &Merged) -> Vec<Fault> {
    let operator = &merged.operator;
    let mut faults = Vec::new();
    let mut whole = operator.clone();
    if let Some(Value::Object(spec)) = whole.get_mut("spec") {
        // the package is given, whatever stands here
        spec.remove("installPackagePath");
    }
    let kind = Type::Struct("IstioOperator");
    typed::check(&whole.into(), kind, Mode::Strict, &Path::root(), &mut faults);
    let of_user = |faults: &mut Vec<Fault>| faults.retain(|fault| is_users(merged, &fault.path));
    of_user(&mut faults);
    if !faults.is_empty() {
        // the rules below rest on the types
        return faults;
    }
    let values = Path::root().key("spec").key("values");
    if let Some(value) = tree::at(operator, "spec.values") {
        message::check(value, "istio.operator.v1alpha1.Values", true, &values, &mut faults);
        of_user(&mut faults);
        if faults.is_empty() {
            cross::check(operator, &mut faults);
        }
        if let Some(mesh) = value.get("meshConfig").filter(|mesh| !mesh.is_null()) {
            mesh::check(mesh, &values.key("meshConfig"), &mut faults);
        }
    }
    if let Some(mesh) = tree::at(operator, "spec.meshConfig") {
        mesh::check(mesh, &Path::root().key("spec").key("meshConfig"), &mut faults);
    }
    name::check(operator, &mut faults);
    of_user(&mut faults);
    faults
}

/// Whether the user wrote what a path leads to, there or where it was translated from.
fn is_users(merged: &Merged, path: &Path) -> bool {
    let has = |parts: &[Part]| {
        let Some((Part::Key(first), rest)) = parts.split_first() else { return true };
        let step = |found: &'_ Value, part: &Part| match (part, found) {
            (Part::Key(key), Value::Object(map)) => map.get(key).cloned(),
            (Part::Index(index), Value::Array(items)) => items.get(*index).cloned(),
            _ => None,
        };
        let first = merged.user.get(first).cloned();
        first
            .and_then(|first| rest.iter().try_fold(first, |found, part| step(&found, part)))
            .is_some()
    };
    let text = path.to_string();
    let origin = TRANSLATED.into_iter().find(|(_, to)| text == format!("spec.values.{to}"));
    has(path.parts()) || origin.is_some_and(|(from, _)| tree::at(&merged.user, from).is_some())
}
