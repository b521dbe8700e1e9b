//! One change in many clusters is told once; what a cluster does otherwise stays visible.

use super::tree::{Tree, changes, details, text};

const TWELVE: [&str; 12] =
    ["c01", "c02", "c03", "c04", "c05", "c06", "c07", "c08", "c09", "c10", "c11", "c12"];

/// A Deployment in every cluster, with the image and environment that `of` gives.
fn fleet(clusters: &[&str], of: impl Fn(&str) -> String) -> Tree {
    clusters.iter().fold(Tree::new(clusters), |tree, cluster| {
        let text = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: istiod, namespace: istio-system}}\nspec: {{template: {{spec: {{containers: [{}]}}}}}}\n",
            of(cluster)
        );
        tree.object(&format!("{cluster}/30-istiod/deployment_istio-system_istiod.yaml"), &text)
    })
}

#[test]
fn the_same_change_in_twelve_clusters_is_one_entry() {
    // the objects differ by cluster, the change does not
    let image = |tag: &'static str| {
        move |cluster: &str| format!("{{name: discovery, image: pilot:{tag}, id: {cluster}}}")
    };
    let (old, new) = (fleet(&TWELVE, image("1.20.2")), fleet(&TWELVE, image("1.20.3")));
    assert_eq!(
        text(&old, &new),
        "
                   added  changed  removed  restarts
  all 12 clusters      -        1        -         1

  restarts pods: Deployment/istio-system/istiod (all 12 clusters)
    the pod template differs: all its pods are replaced

~ Deployment/istio-system/istiod  (all 12 clusters; 30-istiod)  restarts pods
    spec.template.spec.containers[discovery].image: \"pilot:1.20.2\" → \"pilot:1.20.3\"

"
    );
    let changes = changes(&old, &new);
    assert_eq!(changes.entries.len(), 1);
    assert_eq!(changes.entries[0].members.len(), 12);
    assert!(!changes.entries[0].own_names);
}

#[test]
fn a_change_that_differs_by_the_clusters_own_name_is_one_entry() {
    let old = fleet(&TWELVE, |_| "{name: a}".to_owned());
    let new =
        fleet(&TWELVE, |cluster| format!("{{name: a, env: [{{name: ID, value: x-{cluster}}}]}}"));
    assert_eq!(
        details(&old, &new),
        "\
~ Deployment/istio-system/istiod  (all 12 clusters; 30-istiod)  restarts pods
    shown as in c01/30-istiod/deployment_istio-system_istiod.yaml; the others have their own cluster's name in its place
    spec.template.spec.containers[a].env:
      + - name: ID
      +   value: x-c01"
    );
}

#[test]
fn a_cluster_with_anothers_name_stands_apart() {
    let old = fleet(&TWELVE, |_| "{name: a}".to_owned());
    let new = fleet(&TWELVE, |cluster| {
        let name = if cluster == "c07" { "c01" } else { cluster };
        format!("{{name: a, id: {name}}}")
    });
    let changes = changes(&old, &new);
    assert_eq!(changes.entries.len(), 2, "the mix-up of c07 is not told as the others");
    let titles: Vec<String> =
        changes.entries.iter().map(|entry| changes.names.describe(&entry.clusters())).collect();
    assert_eq!(titles, ["c01, c07", "all but c01, c07"]);
    assert!(!changes.entries[0].own_names && changes.entries[1].own_names);
}

#[test]
fn a_part_of_a_word_is_no_name() {
    let old = fleet(&["c1", "c2"], |_| "{name: a}".to_owned());
    let new = fleet(&["c1", "c2"], |cluster| format!("{{name: a, id: {cluster}0}}"));
    assert_eq!(changes(&old, &new).entries.len(), 2, "c10 and c20 are not c1 and c2");
}

fn remote(cluster: &str, server: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: istio-remote-secret-{cluster}, namespace: istio-system, annotations: {{server: '{server}'}}}}\n"
    )
}

#[test]
fn one_file_for_all_peers_is_one_change_for_each() {
    let tree = |server: &str| {
        Tree::new(&["c1", "c2", "c3"])
            .object("remote-secrets/c1.yaml", &remote("c1", server))
            .object("remote-secrets/c2.yaml", &remote("c2", "x"))
    };
    assert_eq!(
        text(&tree("x"), &tree("z")),
        "
          added  changed  removed
  c2, c3      -        1        -

~ Secret/istio-system/istio-remote-secret-c1  (c2, c3; 60-remote-secrets)
    metadata.annotations.server: x → z

"
    );
}

#[test]
fn a_cluster_that_joins_gets_files_that_are_known() {
    let tree = |names: &[&str]| {
        names.iter().fold(Tree::new(names), |tree, name| {
            tree.object(&format!("remote-secrets/{name}.yaml"), &remote(name, "x"))
        })
    };
    assert_eq!(
        text(&tree(&["c1", "c2"]), &tree(&["c1", "c2", "c3"])),
        "
          added  changed  removed
  c1, c2      1        -        -
  c3          2        -        -

  in the index:
    cluster c3: cluster: network c3, context c3 (new)

+ Secret/istio-system/istio-remote-secret-c1 and 1 more  (c3; 60-remote-secrets)
    the same in Secret/istio-system/istio-remote-secret-c2
    the file is unchanged; it now goes to these clusters too

+ Secret/istio-system/istio-remote-secret-c3  (c1, c2; 60-remote-secrets)
      + apiVersion: v1
      + kind: Secret
      + metadata:
      +   name: istio-remote-secret-c3
      +   namespace: istio-system
      +   annotations:
      +     server: x

"
    );
    // a cluster that leaves: nothing follows there, and its secret goes from the others
    let found = text(&tree(&["c1", "c2", "c3"]), &tree(&["c1", "c2"]));
    assert!(found.contains("cluster c3: cluster: network c3, context c3 (gone)"), "{found}");
    assert!(
        found.contains("- Secret/istio-system/istio-remote-secret-c3  (c1, c2; 60-"),
        "{found}"
    );
}

#[test]
fn what_only_the_index_says_is_shown() {
    let object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m, namespace: s}\n";
    let mut old = Tree::new(&["c1", "c2"]).object("c1/30-istiod/m.yaml", object);
    old.index.examples = vec!["c1".to_owned()];
    let mut new = Tree::new(&["c1", "c2"])
        .object("c1/40-gateways/m.yaml", object)
        .row(|row| row.handover = vec!["/data/x".to_owned()])
        .pending("c2/istio-operator.yaml", "facts.c2.server");
    new.index.clusters[0].uid = Some("u-1".to_owned());
    new.index.clusters[1].context = "prod".to_owned();
    assert_eq!(
        text(&old, &new),
        "
      added  changed  removed  index only
  c1      -        -        -           1

  in the index:
    cluster c1: uid: u-1 (new)
    cluster c2: context: c2 → prod
    cluster c1: facts: made up → real
    c2/istio-operator.yaml: waits for: facts.c2.server (new)

= ConfigMap/s/m  (c1; 40-gateways)
    index: stage: 30-istiod → 40-gateways
    index: handover: /data/x (new)

"
    );
}

#[test]
fn what_waits_for_facts_is_not_removed() {
    let old = Tree::new(&["c1"]).object("c1/30-x/m.yaml", &remote("c9", "x"));
    let new = Tree::new(&["c1"]).pending("c1/30-x/m.yaml", "facts.c1.server");
    assert_eq!(
        details(&old, &new),
        "\
? Secret/istio-system/istio-remote-secret-c9  (c1; 30-x)
    it waits for facts; until they are imported, the cluster keeps what it has"
    );
}

#[test]
fn one_shared_file_split_in_two_is_matched_cluster_by_cluster() {
    let crd = |scope: &str| {
        format!(
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: x.io}}\nspec: {{a: {scope}}}\n"
        )
    };
    let all = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        move |row: &mut meshgen::tree::ArtifactRow| {
            row.targets = Some(meshgen::tree::Targets::Only(names));
            row.stage = Some("20-base".to_owned());
        }
    };
    let old = Tree::new(&["c1", "c2", "c3"])
        .object("crds/one/x.yaml", &crd("old"))
        .row(all(&["c1", "c2"]));
    let new = Tree::new(&["c1", "c2", "c3"])
        .object("crds/one/x.yaml", &crd("old"))
        .row(all(&["c1", "c3"]))
        .object("crds/two/x.yaml", &crd("new"))
        .row(all(&["c2"]));
    assert_eq!(
        details(&old, &new),
        "\
~ CustomResourceDefinition/x.io  (c2; 20-base)
    index: path: crds/one/x.yaml → crds/two/x.yaml
    spec.a: old → new

+ CustomResourceDefinition/x.io  (c3; 20-base)
    the file is unchanged; it now goes to these clusters too"
    );
}

#[test]
fn a_folder_without_index_is_matched_by_what_its_files_hold() {
    let config = |value: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m, namespace: s}}\ndata: {{a: {value}}}\n"
        )
    };
    let old = Tree::new(&[]).file("x/one.yaml", &config("b"));
    let new = Tree::new(&[]).file("x/two.yaml", &config("c"));
    assert_eq!(
        details(&old, &new),
        "\
~ x/two.yaml
    index: path: x/one.yaml → x/two.yaml
    data.a: b → c"
    );
}

#[test]
fn equal_digests_are_never_read() {
    let object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m, namespace: s}\n";
    let tree = Tree::new(&["c1"]).object("c1/30-x/m.yaml", object);
    let side = || {
        meshgen::diff::Side::new("x", None, tree.index.clone(), |path| {
            Err(format!("{path} was read").into())
        })
    };
    assert!(meshgen::diff::diff(&side(), &side()).expect("nothing is read").is_empty());
}

#[test]
fn a_file_that_is_not_what_its_index_says_is_refused() {
    let object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m, namespace: s}\n";
    let tree = Tree::new(&["c1"]).object("c1/30-x/m.yaml", object);
    let mut damaged = tree.clone().row(|row| row.digest = meshgen::store::Digest::of("other"));
    damaged.index.mesh = "x".to_owned();
    let error = meshgen::diff::diff(&tree.side("old"), &damaged.side("new")).expect_err("damaged");
    assert!(
        error.to_string().starts_with("`c1/30-x/m.yaml` of `new` has the digest sha256:"),
        "{error}"
    );
}

#[test]
fn the_order_of_rows_and_threads_changes_nothing() {
    let old = fleet(&TWELVE, |cluster| format!("{{name: a, id: {cluster}, image: x}}"));
    let new = fleet(&TWELVE, |cluster| format!("{{name: a, id: {cluster}-{}}}", cluster.len()));
    let expected = format!("{:?}", changes(&old, &new));
    let (mut old, mut new) = (old, new);
    old.index.artifacts.reverse();
    new.index.artifacts.rotate_left(5);
    new.index.clusters.reverse();
    for threads in [1, 4] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let found = pool.install(|| changes(&old, &new));
        // digests of the indexes differ, as their order does
        let strip = |text: String| text.split_once("names:").map(|(_, rest)| rest.to_owned());
        assert_eq!(strip(format!("{found:?}")), strip(expected.clone()));
    }
}
