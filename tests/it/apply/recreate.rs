//! Fields that cannot change: deleted and created, where that is allowed.

use serde_json::{Value, json};

use super::handmade::Handmade;
use super::rare::furnished;
use super::{Bed, writes};
use crate::testbed::{Client, shared};

const BINDING: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/sample/rolebindings/extra";
const SERVICE: &str = "/api/v1/namespaces/sample/services/extra";
const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/sample/deployments/extra";
const MAP: &str = "/api/v1/namespaces/sample/configmaps/extra";

/// What the project has in the place of the sample `sleep`.
fn template(role: &str, service: &str, selector: &str, data: &str) -> String {
    format!(
        r#"apiVersion: v1
kind: ServiceAccount
metadata: {{name: sleep, namespace: sample}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: first, namespace: sample}}
rules: [{{apiGroups: [""], resources: [pods], verbs: [get]}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: second, namespace: sample}}
rules: [{{apiGroups: [""], resources: [pods], verbs: [list]}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: extra, namespace: sample}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: {role}}}
subjects: [{{kind: ServiceAccount, name: sleep, namespace: sample}}]
---
apiVersion: v1
kind: Service
metadata: {{name: extra, namespace: sample}}
spec: {{{service}ports: [{{name: http, port: 80}}]}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: extra, namespace: sample}}
immutable: true
data: {{value: "{data}"}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: extra, namespace: sample}}
spec:
  selector: {{matchLabels: {{app: "{selector}"}}}}
  template:
    metadata: {{labels: {{app: "{selector}"}}}}
    spec: {{containers: [{{name: main, image: main}}]}}
"#
    )
}

fn uid(client: &Client, path: &str) -> String {
    client.get(path).unwrap()["metadata"]["uid"].as_str().unwrap().to_owned()
}

/// The UID that the inventory has of an object.
fn recorded(client: &Client, kind: &str) -> Value {
    let path = "/api/v1/namespaces/istio-system/configmaps/meshgen-inventory";
    let map = client.get(path).unwrap();
    let rows = map["data"]["objects"].as_str().unwrap().lines().map(|line| {
        let row: Value = serde_json::from_str(line).unwrap();
        row
    });
    let mut found = rows.filter(|row| row["kind"] == kind && row["name"] == "extra");
    found.next().expect("it is in the inventory")["uid"].clone()
}

#[test]
fn a_field_that_cannot_change_is_recreated_on_demand() {
    let Some(planes) = shared(1) else { return };
    let _kubelets = furnished(&planes);
    let bed = Bed::light(&planes, "");
    let client = planes[0].client();
    let render = |role: &str, service: &str, selector: &str, data: &str| {
        let text = template(role, service, selector, data);
        bed.project.write("templates/samples/sleep.yaml", &text);
        bed.expect(0, &["render", "-q"]);
    };
    render("first", "", "a", "a");
    bed.expect(0, &["apply", "--yes", "--pin"]);

    // a RoleBinding needs no flag, but a yes
    render("second", "", "a", "a");
    let plan = bed.expect(1, &["plan"]);
    plan.must_have("1 to recreate").must_have("RoleBinding/sample/extra").must_have("roleRef");
    bed.forget_audits();
    let said = bed.expect(2, &["apply"]);
    said.must_have("this needs a yes").must_have("recreate 1 objects in `c1`");
    bed.wrote_nothing();
    let before = uid(&client, BINDING);
    bed.expect(0, &["apply", "--yes"]);
    assert_ne!(uid(&client, BINDING), before);
    assert_eq!(recorded(&client, "RoleBinding"), uid(&client, BINDING));
    assert_eq!(client.get(BINDING).unwrap()["roleRef"]["name"], "second");
    let (objects, _) = writes(&planes[0]);
    let verbs: Vec<&str> = objects.iter().map(|write| write.verb.as_str()).collect();
    assert_eq!(verbs, ["delete", "patch"], "{objects:#?}");
    bed.expect(0, &["plan"]);

    // all else is refused, with the field and with what would be lost
    render("second", "clusterIP: None, ", "b", "b");
    bed.forget_audits();
    for command in [&["plan"][..], &["apply", "--yes"]] {
        let said = bed.expect(2, command);
        said.must_have("Service/sample/extra: `spec.clusterIP").must_have("loses its cluster IP");
        said.must_have("--recreate Service/sample/extra");
        said.must_have("Deployment/sample/extra: `spec.selector` cannot change");
        said.must_have("all its pods end at once");
        said.must_have("ConfigMap/sample/extra: `data` cannot change");
    }
    bed.wrote_nothing();
    let before: Vec<String> =
        [SERVICE, DEPLOYMENT, MAP].iter().map(|path| uid(&client, path)).collect();
    let two = ["--recreate", "Service/sample/extra", "--recreate", "Deployment/sample/extra"];
    let said = bed.expect(2, &[&["apply", "--yes"][..], &two].concat());
    said.must_have("ConfigMap/sample/extra").must_not_have("Service/sample/extra: ");
    let all = [&two[..], &["--recreate", "ConfigMap/sample/extra"]].concat();
    bed.expect(2, &[&["apply"][..], &all].concat()).must_have("recreate 3 objects in `c1`");
    bed.wrote_nothing();
    bed.expect(0, &[&["apply", "--yes"][..], &all].concat());
    for (path, before) in [SERVICE, DEPLOYMENT, MAP].iter().zip(before) {
        assert_ne!(uid(&client, path), before, "{path}");
    }
    for (kind, path) in [("Service", SERVICE), ("Deployment", DEPLOYMENT), ("ConfigMap", MAP)] {
        assert_eq!(recorded(&client, kind), uid(&client, path));
    }
    assert_eq!(client.get(SERVICE).unwrap()["spec"]["clusterIP"], "None");
    bed.expect(0, &["plan"]);

    a_definition_is_never_recreated(&bed, &client);
}

fn a_definition_is_never_recreated(bed: &Bed<'_>, client: &Client) {
    let tree = Handmade::of(bed);
    let with = |scope: &str| {
        let version = json!({
            "name": "v1", "served": true, "storage": true,
            "schema": {"openAPIV3Schema": {"type": "object"}},
        });
        let definition = json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "things.example.com"},
            "spec": {
                "group": "example.com", "scope": scope, "versions": [version],
                "names": {"kind": "Thing", "plural": "things", "singular": "thing",
                    "listKind": "ThingList"},
            },
        });
        tree.put("c1", "20-base", &definition);
    };
    with("Cluster");
    bed.expect(0, &["apply", tree.name(), "--yes"]);
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.example.com";
    let before = uid(client, path);
    with("Namespaced");
    bed.forget_audits();
    let name = "CustomResourceDefinition/things.example.com";
    let said = bed.expect(2, &["apply", tree.name(), "--yes", "--recreate", name]);
    said.must_have("it is never deleted").must_have("spec.scope").must_have(name);
    bed.wrote_nothing();
    assert_eq!(uid(client, path), before);
    client.delete(path);
}
