//! What follows from a change.

use super::tree::{Tree, changes, object_details};

/// Label and sentences of what follows from the change of one object.
fn effects(old: Option<&str>, new: Option<&str>) -> Vec<String> {
    let tree = |text: Option<&str>| match text {
        Some(text) => Tree::new(&["c1"]).object("c1/30-x/x.yaml", text),
        None => Tree::new(&["c1"]),
    };
    let changes = changes(&tree(old), &tree(new));
    let found = changes.entries.iter().flat_map(|entry| &entry.consequences);
    found.map(|one| format!("{}: {}", one.label(), one.sentences().join("; "))).collect()
}

fn changed(old: &str, new: &str) -> Vec<String> {
    effects(Some(old), Some(new))
}

fn object(api_version: &str, kind: &str, body: &str) -> String {
    format!(
        "apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: x, namespace: s}}\n{body}\n"
    )
}

#[test]
fn only_a_pod_template_restarts() {
    let restarts = ["restarts pods: the pod template differs: all its pods are replaced"];
    for kind in ["Deployment", "DaemonSet", "StatefulSet"] {
        let body = |image: &str, replicas: u8| {
            let spec = format!(
                "spec: {{replicas: {replicas}, template: {{spec: {{containers: [{{name: a, image: {image}}}]}}}}}}"
            );
            object("apps/v1", kind, &spec)
        };
        assert_eq!(changed(&body("a", 1), &body("b", 1)), restarts, "{kind}");
        assert!(changed(&body("a", 1), &body("a", 2)).is_empty(), "{kind}");
    }
    let annotated = |text: &str| {
        let spec = format!(
            "spec: {{template: {{metadata: {{annotations: {{checksum/config: {text}}}}}}}}}"
        );
        object("apps/v1", "Deployment", &spec)
    };
    assert_eq!(changed(&annotated("a"), &annotated("b")), restarts);
    let on_delete = |image: &str| {
        let spec =
            format!("spec: {{updateStrategy: {{type: OnDelete}}, template: {{image: {image}}}}}");
        object("apps/v1", "DaemonSet", &spec)
    };
    assert_eq!(
        changed(&on_delete("a"), &on_delete("b")),
        [
            "new pods when deleted by hand: the pod template differs, but pods change only when they are deleted"
        ]
    );
    // what a pod mounts restarts nothing by itself, nor does a kind that is called like one
    let config = |text: &str| object("v1", "ConfigMap", &format!("data: {{a: {text}}}"));
    assert!(changed(&config("a"), &config("b")).is_empty());
    let other =
        |image: &str| object("x.io/v1", "Deployment", &format!("spec: {{template: {image}}}"));
    assert!(changed(&other("a"), &other("b")).is_empty());
}

#[test]
fn what_cannot_change_is_recreated() {
    let cases = [
        (
            "apps/v1",
            "Deployment",
            "spec: {selector: {matchLabels: {a: b}}}",
            "spec: {selector: {matchLabels: {a: c}}}",
            "spec.selector.matchLabels.a",
        ),
        (
            "apps/v1",
            "StatefulSet",
            "spec: {serviceName: a}",
            "spec: {serviceName: b}",
            "spec.serviceName",
        ),
        (
            "batch/v1",
            "Job",
            "spec: {template: {a: b}}",
            "spec: {template: {a: c}}",
            "spec.template.a",
        ),
        (
            "v1",
            "Service",
            "spec: {clusterIP: None}",
            "spec: {clusterIP: 10.0.0.1}",
            "spec.clusterIP",
        ),
        ("v1", "Service", "spec: {clusterIP: None}", "spec: {ports: []}", "spec.clusterIP"),
        ("v1", "Secret", "type: Opaque", "type: kubernetes.io/tls", "type"),
        (
            "v1",
            "ConfigMap",
            "immutable: true\ndata: {a: b}",
            "immutable: true\ndata: {a: c}",
            "data.a",
        ),
        (
            "v1",
            "PersistentVolumeClaim",
            "spec: {storageClassName: a}",
            "spec: {storageClassName: b}",
            "spec.storageClassName",
        ),
        ("storage.k8s.io/v1", "StorageClass", "provisioner: a", "provisioner: b", "provisioner"),
        (
            "rbac.authorization.k8s.io/v1",
            "RoleBinding",
            "roleRef: {name: a}",
            "roleRef: {name: b}",
            "roleRef.name",
        ),
        (
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            "spec: {scope: Namespaced}",
            "spec: {scope: Cluster}",
            "spec.scope",
        ),
    ];
    for (api_version, kind, old, new, field) in cases {
        let found = changed(&object(api_version, kind, old), &object(api_version, kind, new));
        let expected = format!("must be recreated: the server refuses a change of {field}");
        assert_eq!(found.first(), Some(&expected), "{kind}: {old} → {new}");
    }
    let free = [
        ("apps/v1", "StatefulSet", "spec: {replicas: 1}", "spec: {replicas: 2}"),
        ("v1", "Service", "spec: {ports: []}", "spec: {clusterIP: 10.0.0.1}"),
        ("v1", "Service", "spec: {type: LoadBalancer}", "spec: {type: ClusterIP}"),
        ("v1", "ConfigMap", "data: {a: b}", "immutable: true\ndata: {a: c}"),
        (
            "v1",
            "PersistentVolumeClaim",
            "spec: {resources: {requests: {storage: 1Gi}}}",
            "spec: {resources: {requests: {storage: 2Gi}}}",
        ),
    ];
    for (api_version, kind, old, new) in free {
        let found = changed(&object(api_version, kind, old), &object(api_version, kind, new));
        assert!(found.is_empty(), "{kind}: {old} → {new}: {found:?}");
    }
}

#[test]
fn what_widens_rbac_is_said_in_words() {
    const RBAC: &str = "rbac.authorization.k8s.io/v1";
    let role = |rules: &str| object(RBAC, "ClusterRole", &format!("rules: {rules}"));
    let old = role("[{apiGroups: [''], resources: [pods, secrets], verbs: [get, list]}]");
    let cases = [
        // the same rights, written otherwise
        (
            "[{apiGroups: [''], resources: [pods], verbs: [list, get]}, {apiGroups: [''], resources: [secrets], verbs: [get, list]}]",
            "",
        ),
        // fewer
        ("[{apiGroups: [''], resources: [pods], verbs: [get]}]", ""),
        ("[{apiGroups: [''], resources: [secrets], resourceNames: [one], verbs: [get]}]", ""),
        // more
        (
            "[{apiGroups: [''], resources: [pods, secrets], verbs: [get, list, watch]}]",
            "may watch pods, secrets",
        ),
        ("[{apiGroups: ['', apps], resources: [pods], verbs: [get]}]", "may get pods.apps"),
        ("[{apiGroups: [''], resources: [pods], verbs: ['*']}]", "may * pods"),
        ("[{apiGroups: [''], resources: [pods, pods/log], verbs: [get]}]", "may get pods/log"),
        (
            "[{apiGroups: [x.io], resources: [a], resourceNames: [one], verbs: [get]}]",
            "may get a.x.io named one",
        ),
        ("[{nonResourceURLs: [/metrics], verbs: [get]}]", "may get /metrics"),
    ];
    for (rules, expected) in cases {
        let found = changed(&old, &role(rules)).join("");
        let expected =
            if expected.is_empty() { String::new() } else { format!("widens RBAC: {expected}") };
        assert_eq!(found, expected, "{rules}");
    }
    // a wildcard covers all that comes later
    let all = role("[{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]");
    assert!(changed(&all, &old).is_empty());

    let binding = |subjects: &str| {
        object(
            RBAC,
            "ClusterRoleBinding",
            &format!("roleRef: {{kind: ClusterRole, name: admin}}\nsubjects: {subjects}"),
        )
    };
    let one = binding("[{kind: ServiceAccount, namespace: s, name: a}]");
    let two = binding(
        "[{kind: ServiceAccount, namespace: s, name: b}, {kind: ServiceAccount, namespace: s, name: a}]",
    );
    assert_eq!(changed(&one, &two), ["widens RBAC: gives ClusterRole admin to ServiceAccount s/b"]);
    assert!(changed(&two, &one).is_empty());
    assert_eq!(
        effects(None, Some(&one)),
        ["widens RBAC: gives ClusterRole admin to ServiceAccount s/a"]
    );
    assert!(effects(Some(&one), None).is_empty());
    let aggregated = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: x, labels: {rbac.authorization.k8s.io/aggregate-to-view: 'true'}}\nrules: []\n";
    assert_eq!(
        effects(None, Some(aggregated)),
        ["widens RBAC: its rules become part of the ClusterRole view"]
    );
}

#[test]
fn what_goes_with_an_object_is_said() {
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: sample}\n";
    assert_eq!(
        effects(Some(namespace), None),
        ["takes others along: deleting it deletes everything in it"]
    );
    let remote = "apiVersion: v1\nkind: Secret\nmetadata: {name: istio-remote-secret-c3, namespace: s, labels: {istio/multiCluster: 'true'}, annotations: {networking.istio.io/cluster: c3}}\n";
    assert_eq!(
        effects(Some(remote), None),
        ["disconnects a cluster: these clusters no longer see the endpoints of c3"]
    );
}

#[test]
fn nothing_follows_from_fields_that_are_handed_over() {
    let tree = |policy: &str, image: &str| {
        let spec = format!("spec: {{template: {{policy: {policy}, image: {image}}}}}");
        Tree::new(&["c1"])
            .object("c1/30-x/x.yaml", &object("apps/v1", "Deployment", &spec))
            .row(|row| row.handover = vec!["/spec/template/policy".to_owned()])
    };
    let kept = changes(&tree("a", "x"), &tree("b", "x"));
    assert!(kept.entries[0].fields[0].handed_over);
    assert!(kept.entries[0].consequences.is_empty());
    let sent = changes(&tree("a", "x"), &tree("a", "y"));
    assert_eq!(sent.entries[0].consequences.len(), 1);
    let hooks = |policy: &str| {
        object("x.io/v1", "Hook", &format!("webhooks: [{{name: a, failurePolicy: {policy}}}]"))
    };
    let tree = |policy| {
        Tree::new(&["c1"])
            .object("c1/30-x/x.yaml", &hooks(policy))
            .row(|row| row.handover = vec!["/webhooks/*/failurePolicy".to_owned()])
    };
    let found = super::tree::details(&tree("Fail"), &tree("Ignore"));
    assert!(
        found.ends_with(
            "webhooks[a].failurePolicy: Fail → Ignore  (handed over: sent at creation alone)"
        ),
        "{found}"
    );
}

#[test]
fn objects_that_come_are_shown_whole_and_those_that_go_in_a_line() {
    let config = object("v1", "ConfigMap", "data: {a: b}");
    let tree = Tree::new(&["c1"]).object("c1/30-x/x.yaml", &config);
    let none = Tree::new(&["c1"]);
    assert_eq!(
        super::tree::details(&none, &tree),
        "\
+ ConfigMap/s/x  (c1; 30-x)
      + apiVersion: v1
      + kind: ConfigMap
      + metadata:
      +   name: x
      +   namespace: s
      + data:
      +   a: b"
    );
    assert_eq!(super::tree::details(&tree, &none), "- ConfigMap/s/x  (c1; 30-x)");
    assert!(object_details(&config, &config).is_empty());
}
