//! Images that come with a bundle go to the names that the tree has for them.

use std::process::Command;

use super::gate::{Act, Gate};
use super::inside;
use crate::bundle::image::mesh;
use crate::bundle::{run, text};
use crate::registry::Registry;
use crate::tool;

#[test]
fn images_go_where_the_tree_looks_for_them() {
    let (Some(crane), Some(registry)) = (tool::path("crane"), Registry::start()) else { return };
    let gate = Gate::start(&registry.address);
    let folder = crate::sample::folder();
    let (project, layout) = mesh(folder.path(), &format!("{}/istio", gate.address));
    let file = folder.path().join("a.tar").display().to_string();
    let from = format!("oci-layout:{}", layout.display());
    let create = ["bundle", "create", "--images", "--from", &from, "--out", &file];
    let output = run(&project, &create);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let to = format!("oci://{}/mesh/apac", gate.address);
    // to another registry than the tree names: nothing is sent
    let elsewhere = to.replace(&gate.address, "localhost:1");
    let output = run(&project, &["bundle", "push", &file, &elsewhere, "--images"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("images that are not at localhost:1"));
    assert_eq!(gate.seen().len(), 0);
    let push = ["bundle", "push", &file, &to, "--images", "-o", "json"];
    let output = run(&project, &push);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let opened = inside(file.as_ref());
    for (name, entry) in ["pilot:1", "proxyv2:1"].iter().zip(&opened.bundle.entries[1..]) {
        let image = format!("{}/istio/{name}", registry.address);
        let crane = |arguments: &[&str]| tool::run(Command::new(&crane).args(arguments), "");
        assert_eq!(crane(&["digest", &image]).trim(), entry.descriptor.digest.to_string());
        crane(&["validate", "--remote", &image]);
    }
    // and again: nothing but tags is written
    gate.script(|_| Act::Forward);
    let output = run(&project, &push);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let seen = gate.seen();
    let written: Vec<_> = seen.iter().filter(|one| one.writes()).collect();
    let is_tag = |target: &str| target.ends_with("/manifests/1");
    assert_eq!(written.len(), 2, "{written:?}");
    assert!(written.iter().all(|one| is_tag(&one.target)), "{written:?}");
}
