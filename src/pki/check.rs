//! The rules of the keyring as a whole (MG0601 to MG0610); none of them opens anything.

use rayon::prelude::*;

use super::certificate::date;
use super::entry::{Entry, Root, about};
use super::keyring::Keyring;
use super::policy::{Policy, ROOT, path_of};
use super::recipient::Recipient;
use crate::diag::{Diagnostic, Diagnostics, keyring_rules as rules};

/// Checks how the files fit together and what mesh.yaml asks of them.
///
/// What is wrong with a file by itself came from [`Keyring::read`]; such a file is passed over
/// here. Looks at no clock: expiry is the business of `pki status` and of an apply.
pub fn check(keyring: &Keyring, policy: &Policy) -> Diagnostics {
    let mut found = Diagnostics::new();
    check_presence(keyring, policy, &mut found);
    let root = keyring.root();
    if let Some(root) = root {
        check_root(root, policy, &mut found);
    }
    let entries: Vec<_> = keyring.entries().collect();
    let checked: Vec<_> =
        entries.par_iter().map(|entry| check_entry(entry, root, policy)).collect();
    for one in checked {
        found.extend(one);
    }
    found
}

fn check_presence(keyring: &Keyring, policy: &Policy, found: &mut Diagnostics) {
    let missing = |name: &str, what: &str| {
        let message = format!("{what}: `{}` is missing", path_of(name));
        let made = Diagnostic::new(&rules::MISSING, message);
        about(made.hint("`meshgen pki init` makes what is missing, and touches nothing else"), name)
    };
    if policy.enabled().next().is_some() && !keyring.holds(ROOT) {
        found.push(missing(ROOT, "the mesh has no root"));
    }
    for name in policy.enabled().filter(|name| !keyring.holds(name)) {
        found.push(missing(name, &format!("cluster `{name}` has no intermediate")));
    }
    for name in keyring.names() {
        if name != ROOT && policy.cluster(name).is_none() {
            let message = format!("mesh.yaml has no cluster `{name}`");
            let made = Diagnostic::new(&rules::UNUSED, message);
            found.push(about(made.hint("delete the file, or put the cluster back"), name));
        }
    }
    let nobody = |name: &str| policy.recipients_of(name).is_empty();
    if policy.enabled().any(nobody) || (nobody(ROOT) && policy.enabled().next().is_some()) {
        let message = "mesh.yaml names nobody who can open the keyring";
        found.push(Diagnostic::new(&rules::NO_RECIPIENTS, message).hint(
            "list age recipients under `pki.recipients`; `meshgen pki init --new-identity FILE` makes one",
        ));
    }
}

fn check_root(root: &Root, policy: &Policy, found: &mut Diagnostics) {
    let entry = root.entry();
    if entry.has_key() {
        check_recipients(entry, policy, found);
    }
    check_authority(entry, found);
    if entry.info().path_length == Some(0) {
        let message =
            format!("the root `{}` has path length 0: no CA may stand below it", entry.path());
        let made = Diagnostic::new(&rules::NOT_A_CA, message);
        let made = made.at_maybe(entry.places.certificate, "pathlen:0");
        found.push(about(made.hint("import a root without `pathlen:0`"), ROOT));
    }
}

fn check_entry(entry: &Entry, root: Option<&Root>, policy: &Policy) -> Diagnostics {
    let mut found = Diagnostics::new();
    check_recipients(entry, policy, &mut found);
    check_authority(entry, &mut found);
    let Some(root) = root.map(Root::entry) else {
        return found;
    };
    let name = entry.name();
    let place = entry.places.certificate;
    if let Err(error) = entry.certificate().check_issuer(root.certificate()) {
        let message =
            format!("the intermediate of `{name}` does not chain to the mesh's root: {error}");
        let made = Diagnostic::new(&rules::CHAIN, message)
            .at_maybe(place, "this certificate")
            .at_maybe(root.places.certificate, "the root")
            .hint(format!("`meshgen pki rotate {name}` makes one under the root; `meshgen pki import` takes one that you have"));
        found.push(about(made, name));
    }
    let (end, root_end) = (entry.info().not_after, root.info().not_after);
    if end > root_end {
        let message = format!("the intermediate of `{name}` outlives its root");
        let made = Diagnostic::new(&rules::OUTLIVES_ROOT, message)
            .at_maybe(place, format!("ends on {}", date(end)))
            .at_maybe(root.places.certificate, format!("ends on {}", date(root_end)))
            .hint(format!("`meshgen pki rotate {name}` makes one that ends in time"));
        found.push(about(made, name));
    }
    found
}

fn check_recipients(entry: &Entry, policy: &Policy, found: &mut Diagnostics) {
    let wanted = policy.recipients_of(entry.name());
    // without any, MG0609 says what is wrong
    if wanted.is_empty() {
        return;
    }
    let differences = describe_differences(entry.recipients(), &wanted);
    if !differences.is_empty() {
        let message = format!("`{}` is not sealed for whom mesh.yaml says", entry.path());
        let made = Diagnostic::new(&rules::RECIPIENTS, message)
            .at_maybe(entry.places.recipients, differences)
            .hint("`meshgen pki updatekeys` wraps the data key anew");
        found.push(about(made, entry.name()));
    }
}

/// `lacks age1…, has age1… too`; empty if both are the same people.
fn describe_differences(has: &[String], wanted: &[Recipient]) -> String {
    let lacks =
        wanted.iter().map(Recipient::as_str).filter(|one| !has.iter().any(|own| own == one));
    let extra = has
        .iter()
        .map(String::as_str)
        .filter(|one| !wanted.iter().any(|other| other.as_str() == *one));
    let lacks: Vec<_> = lacks.collect();
    let extra: Vec<_> = extra.collect();
    match (lacks.is_empty(), extra.is_empty()) {
        (true, true) => String::new(),
        (false, true) => format!("lacks {}", lacks.join(", ")),
        (true, false) => format!("also opens for {}", extra.join(", ")),
        (false, false) => {
            format!("lacks {}; also opens for {}", lacks.join(", "), extra.join(", "))
        }
    }
}

fn check_authority(entry: &Entry, found: &mut Diagnostics) {
    if entry.info().is_authority {
        return;
    }
    let message = format!("the certificate in `{}` is no CA", entry.path());
    let made = Diagnostic::new(&rules::NOT_A_CA, message)
        .at_maybe(entry.places.certificate, "basicConstraints or keyUsage say so")
        .hint("Istio's makefiles and `meshgen pki init` make CA certificates; a workload's certificate cannot stand in for one");
    found.push(about(made, entry.name()));
}
