//! Objects are compared by field, lists by what identifies their items.

use super::tree::{Tree, details, object_details, text};

/// A Deployment with this pod specification.
fn deployment(pod: &str) -> String {
    let pod: String = pod.lines().map(|line| format!("      {line}\n")).collect();
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: d, namespace: s}}\nspec:\n  \
         template:\n    spec:\n{pod}"
    )
}

/// A `ConfigMap` with this body under `data`.
fn config(data: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m, namespace: s}}\ndata: {data}\n")
}

fn check_pod(old: &str, new: &str, expected: &str) {
    let found = object_details(&deployment(old), &deployment(new));
    let (title, body) = found.split_once('\n').unwrap_or((&found, ""));
    assert_eq!(title, "~ Deployment/s/d  (c1; 30-x)  restarts pods", "{old} → {new}");
    assert_eq!(body, expected.trim_matches('\n'), "{old} → {new}");
}

#[test]
fn a_scalar_is_one_line() {
    check_pod(
        "containers: [{name: a, image: x:1}, {name: b, image: y:1}]",
        "containers: [{name: a, image: x:1}, {name: b, image: y:2}]",
        "    spec.template.spec.containers[b].image: \"y:1\" → \"y:2\"",
    );
}

#[test]
fn items_are_matched_by_their_merge_key() {
    // an insert in front moves nothing
    check_pod(
        "containers: [{name: b, image: y}]",
        "containers: [{name: a, image: x}, {name: b, image: y}]",
        "
    spec.template.spec.containers[a]:
      + image: x
      + name: a",
    );
    check_pod(
        "containers: [{name: a, env: [{name: A, value: '1'}, {name: B, value: '2'}]}]",
        "containers: [{name: a, env: [{name: C, value: '3'}, {name: B, value: '4'}]}]",
        "
    spec.template.spec.containers[a].env[A]:
      - name: A
      - value: \"1\"
    spec.template.spec.containers[a].env[B].value: \"2\" → \"4\"
    spec.template.spec.containers[a].env[C]:
      + name: C
      + value: \"3\"",
    );
    check_pod(
        "containers: [{name: a, ports: [{containerPort: 80, name: h}, {containerPort: 53, protocol: UDP}]}]",
        "containers: [{name: a, ports: [{containerPort: 53, protocol: UDP}, {containerPort: 80, name: http, protocol: TCP}]}]",
        "
    spec.template.spec.containers[a].ports: the same items in another order
    spec.template.spec.containers[a].ports[80/TCP].name: h → http
    + spec.template.spec.containers[a].ports[80/TCP].protocol: TCP",
    );
    check_pod(
        "volumes: [{name: v, emptyDir: {}}]\ncontainers: [{name: a, volumeMounts: [{name: v, mountPath: /a}]}]",
        "volumes: [{name: v, emptyDir: {medium: Memory}}]\ncontainers: [{name: a, volumeMounts: [{name: v, mountPath: /a, readOnly: true}]}]",
        "
    + spec.template.spec.containers[a].volumeMounts[/a].readOnly: true
    + spec.template.spec.volumes[v].emptyDir.medium: Memory",
    );
    check_pod(
        "topologySpreadConstraints: [{topologyKey: zone, whenUnsatisfiable: DoNotSchedule, maxSkew: 1}]\nhostAliases: [{ip: 1.1.1.1, hostnames: [a]}]",
        "topologySpreadConstraints: [{topologyKey: zone, whenUnsatisfiable: DoNotSchedule, maxSkew: 2}]\nhostAliases: [{ip: 1.1.1.1, hostnames: [a, b]}]",
        "
    + spec.template.spec.hostAliases[1.1.1.1].hostnames[1]: b
    spec.template.spec.topologySpreadConstraints[zone/DoNotSchedule].maxSkew: 1 → 2",
    );
}

#[test]
fn another_order_of_keyed_items_is_one_line_and_no_change_of_them() {
    check_pod(
        "containers: [{name: a}, {name: b}, {name: c}]",
        "containers: [{name: c}, {name: a}, {name: b}]",
        "    spec.template.spec.containers: the same items in another order",
    );
    // the order of keys is nothing at all: only the bytes differ
    let found = object_details(&config("{a: x, b: y}"), &config("{b: y, a: x}"));
    assert_eq!(found, "~ ConfigMap/s/m  (c1; 30-x)\n    the same meaning, written otherwise");
}

#[test]
fn other_lists_are_aligned_so_that_an_insert_is_one_change() {
    check_pod(
        "containers: [{name: a, args: [discovery, --x=1, --y=2]}]",
        "containers: [{name: a, args: [discovery, --new, --x=1, --y=3]}]",
        "
    + spec.template.spec.containers[a].args[1]: \"--new\"
    spec.template.spec.containers[a].args[3]: \"--y=2\" → \"--y=3\"",
    );
    // two items of one key: the key identifies nothing
    check_pod(
        "containers: [{name: a, env: [{name: A, value: '1'}, {name: A, value: '2'}]}]",
        "containers: [{name: a, env: [{name: A, value: '1'}, {name: A, value: '3'}]}]",
        "    spec.template.spec.containers[a].env[1].value: \"2\" → \"3\"",
    );
}

#[test]
fn rules_of_a_virtual_service_keep_their_places() {
    let routes = |list: &str| {
        format!(
            "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: v, namespace: s}}\nspec: {{http: {list}}}\n"
        )
    };
    let old = routes("[{name: a, timeout: 1s}, {name: b, timeout: 2s}]");
    let new = routes("[{name: b, timeout: 2s}, {name: a, timeout: 1s}]");
    // the order of routes decides: moving one is a change
    let found = object_details(&old, &new);
    assert!(found.contains("- name: b") && found.contains("+ name: b"), "{found}");
}

#[test]
fn webhooks_and_gateways_are_matched_by_name() {
    let hooks = |list: &str| {
        format!(
            "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {{name: v}}\nwebhooks: {list}\n"
        )
    };
    let old = hooks("[{name: a.x, failurePolicy: Ignore}, {name: b.x, failurePolicy: Ignore}]");
    let new = hooks("[{name: b.x, failurePolicy: Fail}, {name: a.x, failurePolicy: Ignore}]");
    assert_eq!(
        object_details(&old, &new),
        "\
~ ValidatingWebhookConfiguration/v  (c1; 30-x)
    webhooks: the same items in another order
    webhooks[b.x].failurePolicy: Ignore → Fail"
    );
    let operator = |ports: &str| {
        let text = format!(
            "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec:\n  components:\n    ingressGateways:\n    - name: istio-eastwestgateway\n      k8s:\n        service: {{ports: {ports}}}\n"
        );
        Tree::new(&["c1"]).file("c1/istio-operator.yaml", &text)
    };
    let old = operator("[{name: tls, port: 15443, targetPort: 15443}]");
    let new =
        operator("[{name: status-port, port: 15021}, {name: tls, port: 15443, targetPort: 15444}]");
    assert_eq!(
        details(&old, &new),
        "\
~ c1/istio-operator.yaml
    spec.components.ingressGateways[istio-eastwestgateway].k8s.service.ports[15443/TCP].targetPort:
      - 15443
      + 15444
    spec.components.ingressGateways[istio-eastwestgateway].k8s.service.ports[15021/TCP]:
      + name: status-port
      + port: 15021"
    );
}

#[test]
fn a_text_in_a_field_is_shown_by_lines() {
    let old = config("{mesh: \"a\\nb\\nc\\nd\\ne\\nf\\ng\\nold word\\n\"}");
    let new = config("{mesh: \"a\\nb\\nc\\nd\\ne\\nf\\ng\\nnew word\\n\"}");
    assert_eq!(
        object_details(&old, &new),
        "\
~ ConfigMap/s/m  (c1; 30-x)
    data.mesh:
      ! line 5
        e
        f
        g
      - old word
      + new word"
    );
    let found = object_details(&config("{k: \"a\\nb\\n\"}"), &config("{k: \"a\\nb\"}"));
    assert!(found.contains("the last line end is gone"), "{found}");
}

#[test]
fn types_and_nothing_are_told_apart() {
    let found = object_details(
        &config("{a: '1', b: x, c: ~, d: {}}"),
        &config("{a: 1, b: ~, c: '', d: []}"),
    );
    assert_eq!(
        found,
        "\
~ ConfigMap/s/m  (c1; 30-x)
    data.a: \"1\" → 1
    data.b: x → null
    data.c: null → \"\"
    data.d: {} → []"
    );
}

#[test]
fn keys_with_points_are_quoted() {
    let found = object_details(&config("{a.b/c: v1}"), &config("{a.b/c: v2}"));
    assert!(found.ends_with("    data[\"a.b/c\"]: v1 → v2"), "{found}");
}

#[test]
fn characters_that_deceive_are_escaped() {
    let found = object_details(
        &config("{a: \"x\"}"),
        &config("{a: \"\\e[31mred\\u202Eesrever\\u200B\", \"k\\e]0;t\\a\": \"l1\\n\\e[2J\\n\"}"),
    );
    assert!(!found.contains(['\u{1b}', '\u{202e}', '\u{200b}', '\u{7}']), "{found:?}");
    assert!(found.contains("[31mred") && found.to_lowercase().contains("202e"), "{found}");
}

#[test]
fn other_files_are_compared_by_lines() {
    let old = Tree::new(&["c1"]).file("terraform/terraform.tfvars", "a = 1\nb = 2\n");
    let new = Tree::new(&["c1"]).file("terraform/terraform.tfvars", "a = 1\nb = 3\n");
    assert_eq!(
        text(&old, &new),
        "
                           added  changed  removed
  files that are not sent      -        1        -

~ terraform/terraform.tfvars
        a = 1
      - b = 2
      + b = 3

"
    );
}

#[test]
fn equal_trees_differ_in_nothing() {
    let tree = Tree::new(&["c1"]).object("c1/30-x/x.yaml", &config("{}"));
    assert_eq!(text(&tree, &tree), "no differences\n");
}
