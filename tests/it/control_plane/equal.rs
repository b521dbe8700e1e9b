//! The reference job: what the tree holds for a cluster is what istioctl makes of its `IstioOperator`.

use super::{compare, reference, row, rows_of};

#[test]
fn the_reference_job_is_what_istioctl_makes_of_four_releases() {
    let mut compared = 0;
    for release in ["1.24", "1.26", "1.30", "1.31"] {
        let Some(project) = reference(release) else { return };
        project.run(&["render", "-q"]);
        let tree = project.tree();
        for cluster in ["c1", "c2"] {
            let Some(count) = compare(&tree, cluster, release) else { return };
            assert!(count >= 50, "{cluster} on {release} has only {count} objects");
            compared += count;
            // the stages follow each other as product.md lists them, and none is empty
            let mut stages: Vec<String> = rows_of(&tree, cluster)
                .iter()
                .map(|row| row["stage"].as_str().expect("a stage").to_owned())
                .collect();
            stages.sort();
            stages.dedup();
            assert_eq!(stages, ["20-base", "30-istiod", "40-gateways"], "{cluster} on {release}");
            for validator in ["istio-validator-istio-system", "istiod-default-validator"] {
                let file = format!("validatingwebhookconfiguration_{validator}.yaml");
                let row = row(&tree, &format!("{cluster}/30-istiod/{file}"));
                assert_eq!(
                    row["handover"],
                    serde_json::json!([
                        "/webhooks/*/failurePolicy",
                        "/webhooks/*/clientConfig/caBundle"
                    ])
                );
            }
        }
    }
    println!("{compared} objects are equal");
}
