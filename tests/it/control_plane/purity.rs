//! A tree with control planes is a function of its inputs, and only what changed is made anew.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use super::{alike, json, project, replace};
use crate::project::{Project, files};

#[test]
fn threads_caches_and_paths_do_not_show() {
    // as many clusters as make threads help each other, on two pins
    let mesh = alike(6)
        .replace("  c2: {}\n", "  c2: {istio: {version: 1.31.0, charts: next}}\n")
        .replace("  c3: {}\n", "  c3: {istio: {revision: blue, profile: ambient}}\n");
    let Some(project) = project(&mesh, &[("stable", "1.30"), ("next", "1.31")]) else { return };
    let wanted = project.run(&["render", "-q", "-j", "1"]);
    let tree = files(&project.path().join("out"));
    assert!(tree.contains_key("c3/45-ztunnel/daemonset_istio-system_ztunnel.yaml"));
    // warm
    let again = json(&project, &["render"]);
    for count in ["built", "written", "removed"] {
        assert_eq!(again[count], 0, "{again}");
    }
    assert_eq!(files(&project.path().join("out")), tree);
    // cold, elsewhere, with more threads than clusters
    for threads in ["7", "16"] {
        let other = Project::copy_of(project.path());
        assert_eq!(other.run(&["render", "-q", "-j", threads]), wanted, "{threads} threads");
        assert_eq!(files(&other.path().join("out")), tree, "{threads} threads");
    }
    // with the view and without a store, and the other way round
    fs::remove_dir_all(project.path().join("out/store")).expect("the store goes");
    let output = project.output(&["render", "--check"]);
    assert_eq!(output.status.code(), Some(0), "{}", super::said(&output));
    assert_eq!(project.run(&["render", "-q"]), wanted);
    fs::remove_dir_all(project.path().join("out/c3")).expect("some files go");
    assert_eq!(project.output(&["render"]).status.code(), Some(2), "edited by hand");
    assert_eq!(project.run(&["render", "-q", "--overwrite-edits"]), wanted);
    assert_eq!(files(&project.path().join("out")), tree);
}

#[test]
fn a_change_of_one_cluster_builds_that_cluster_anew() {
    let Some(project) = project(&alike(4), &[("stable", "1.30")]) else { return };
    project.run(&["render", "-q"]);
    let before = files(&project.path().join("out"));
    replace(
        &project,
        "mesh.yaml",
        "  c3: {}\n",
        "  c3: {istio: {meshConfig: {accessLogFile: /dev/stdout}}}\n",
    );
    let said = json(&project, &["render"]);
    // its IstioOperator and its control plane
    assert_eq!(said["built"], 2, "{said}");
    let after = files(&project.path().join("out"));
    let changed: Vec<&String> = after
        .iter()
        .filter(|(path, bytes)| before.get(*path) != Some(*bytes))
        .map(|(path, _)| path)
        .collect();
    assert_eq!(
        changed,
        [
            "c3/30-istiod/configmap_istio-system_istio.yaml",
            // in the charts since 1.26: all values that istiod was installed with
            "c3/30-istiod/configmap_istio-system_values.yaml",
            "c3/istio-operator.yaml",
            "index.json",
        ]
    );
    // a CRD that one cluster has otherwise: its files, and the rows of those that are shared
    replace(
        &project,
        "mesh.yaml",
        "  c4: {}\n",
        "  c4: {istio: {values: {base: {excludedCRDs: [sidecars.networking.istio.io]}}}}\n",
    );
    let said = json(&project, &["render"]);
    assert_eq!(said["built"], 3, "{said}");
    let shared = project.tree().rows(|path| path.starts_with("crds/"));
    let without: Vec<&Value> = shared
        .iter()
        .filter(|row| row["targets"] == serde_json::json!(["c1", "c2", "c3"]))
        .collect();
    assert_eq!(without.len(), 1);
    assert_eq!(without[0]["object"]["name"], "sidecars.networking.istio.io");
}

#[test]
fn a_tree_grows_with_its_clusters_and_crds_do_not() {
    let mut seen = BTreeMap::new();
    for clusters in [2, 4, 8] {
        let Some(project) = project(&alike(clusters), &[("stable", "1.30")]) else { return };
        project.run(&["render", "-q"]);
        let tree = project.tree();
        let crds = tree.rows(|path| path.starts_with("crds/")).len();
        let own = |name: &str| tree.rows(|path| path.starts_with(&format!("{name}/"))).len();
        let each: Vec<usize> = tree.clusters().iter().map(|name| own(name)).collect();
        assert!(each.windows(2).all(|pair| pair[0] == pair[1]), "{each:?}");
        let bytes: usize = files(&project.path().join("out/crds")).values().map(Vec::len).sum();
        seen.insert(clusters, (crds, each[0], bytes));
    }
    assert_eq!(seen[&2], seen[&4]);
    assert_eq!(seen[&4], seen[&8]);
    assert_eq!(seen[&2].0, 15, "all CRDs of 1.30");
}
