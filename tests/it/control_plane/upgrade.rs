//! From one Istio to the next: what `diff`, `why`, `show` and `rollback` say of such trees.

use serde_json::{Value, json};

use super::{json, pin, reference, reference_mesh, said};
use crate::project::{Project, files};

/// Renders the reference job on 1.26, then on 1.30 from a pin of another name.
fn upgraded() -> Option<Project> {
    let project = reference("1.26")?;
    project.run(&["render", "-q"]);
    let mesh = reference_mesh("1.30").replace("charts: stable", "charts: next");
    project.write("mesh.yaml", &mesh.replace("v1.33.1", "v1.32.1"));
    pin(&project, &[("next", "1.30")])?;
    project.run(&["render", "-q"]);
    Some(project)
}

#[test]
fn a_diff_shows_what_an_upgrade_changes() {
    let Some(project) = upgraded() else { return };
    let output = project.output(&["diff", "gen:1", "gen:2"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let text = String::from_utf8(output.stdout).expect("text");
    for part in [
        "                           added  changed  removed  restarts  widens RBAC",
        "  widens RBAC: ClusterRole/istiod-clusterrole-istio-system (c1, c2)\n",
        "    may get, list, watch inferencepools.inference.networking.k8s.io\n",
        "  restarts pods: Deployment/istio-system/istiod (c1, c2)\n",
        "  restarts pods: Deployment/istio-system/istio-eastwestgateway (c1, c2)\n",
        // by identity: from another pin it is the same object
        "~ CustomResourceDefinition/authorizationpolicies.security.istio.io  (c1, c2; 20-base)\n",
        "+ CustomResourceDefinition/trafficextensions.extensions.istio.io  (c1, c2; 20-base)\n",
        "= CustomResourceDefinition/proxyconfigs.networking.istio.io  (c1, c2; 20-base)\n",
        "docker.io/istio/pilot:1.26.0",
        "docker.io/istio/pilot:1.30.0",
    ] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    let row = text.lines().find(|line| line.starts_with("  c1, c2 ")).expect("a row of counts");
    let counts: Vec<u32> = row.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    assert_eq!(counts, [1, 22, 4, 6, 1, 1], "{row}");
    // and the way back takes along what exists of the new kind
    let back = project.output(&["diff", "gen:2", "gen:1", "--brief"]);
    let text = String::from_utf8(back.stdout).expect("text");
    let takes =
        "takes others along: CustomResourceDefinition/trafficextensions.extensions.istio.io";
    assert!(text.contains(takes), "{text}");
}

#[test]
fn why_names_the_file_of_the_chart_and_the_pin() {
    let Some(project) = reference("1.30") else { return };
    // nothing needs to be rendered for it
    let crd = "crds/stable/customresourcedefinition_sidecars.networking.istio.io.yaml";
    let cases = [
        ("c1/30-istiod/deployment_istio-system_istiod.yaml", "istiod/templates/deployment.yaml"),
        (
            "c2/40-gateways/service_istio-system_istio-eastwestgateway.yaml",
            "istio-ingress/templates/service.yaml",
        ),
        (crd, "base/templates/crds.yaml"),
    ];
    let lock = std::fs::read_to_string(project.path().join("meshgen.lock")).expect("a lock");
    let digest = lock.split("digest: \"").nth(1).and_then(|rest| rest.split('"').next());
    let digest = digest.expect("the pin has a digest");
    for (path, file) in cases {
        let text = project.run(&["why", path]);
        assert!(text.contains(&format!("  chart {file} of the pin stable\n")), "{path}: {text}");
        assert!(text.contains(&format!("  reads pin stable {digest}\n")), "{path}: {text}");
        assert!(text.contains("  istio.charts: stable\n"), "{path}: {text}");
    }
    let behind = json(&project, &["why", crd]);
    assert_eq!(behind["chart"], "base/templates/crds.yaml of the pin stable");
    assert_eq!(behind["builder"], "crds");
    let output = project.output(&["why", "crds/stable/nothing.yaml"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
}

#[test]
fn history_holds_such_trees() {
    let Some(project) = upgraded() else { return };
    let out = project.path().join("out");
    let newest = files(&out);
    let generations = json(&project, &["generations"]);
    assert_eq!(generations.as_array().map(Vec::len), Some(2), "{generations}");
    let path = "crds/stable/customresourcedefinition_sidecars.networking.istio.io.yaml";
    let shown = project.run(&["show", "gen:1", path]);
    assert!(shown.starts_with("apiVersion: apiextensions.k8s.io/v1\n"), "{shown}");
    let index = json(&project, &["show", "gen:2"]);
    let rows = index["artifacts"].as_array().expect("rows");
    let is_crd =
        |row: &&Value| row["path"].as_str().is_some_and(|path| path.starts_with("crds/next/"));
    assert_eq!(rows.iter().filter(is_crd).count(), 15);
    assert!(rows.iter().filter(is_crd).all(|row| row["targets"] == json!(["c1", "c2"])));
    project.run(&["rollback", "1"]);
    assert!(!out.join("crds/next").exists() && out.join(path).exists());
    let same = project.output(&["diff", "gen:1"]);
    assert_eq!(same.status.code(), Some(0), "{}", said(&same));
    assert_eq!(project.output(&["render", "--check"]).status.code(), Some(1));
    project.run(&["render", "-q"]);
    assert_eq!(files(&out), newest);
    project.run(&["fsck"]);
}
