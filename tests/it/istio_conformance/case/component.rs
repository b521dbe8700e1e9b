//! Which components there are, in which namespaces, with which images.

use super::{Cases, NEWEST};

const SINGLE: [&str; 4] = ["base", "pilot", "cni", "ztunnel"];

/// What may stand as a component that is no list.
const SHAPES: [(&str, &str); 7] = [
    ("empty", "{}"),
    ("null", "null"),
    ("on", "{enabled: true}"),
    ("off", "{enabled: false}"),
    ("null enabled", "{enabled: null}"),
    ("k8s empty", "{enabled: true, k8s: {}}"),
    ("k8s null", "{enabled: true, k8s: null}"),
];

const LISTS: [(&str, &str); 8] = [
    ("empty", "[]"),
    ("null", "null"),
    ("empty item", "[{}]"),
    ("null item", "[null]"),
    ("off", "[{name: one, enabled: false}]"),
    ("nameless", "[{enabled: true}]"),
    ("two", "[{name: one}, {name: two, enabled: true}]"),
    ("twice", "[{name: one, label: {a: b}}, {name: one, label: {a: c}}]"),
];

pub fn add(cases: &mut Cases) {
    for component in SINGLE {
        for (name, shape) in SHAPES {
            let spec = format!("spec: {{components: {{{component}: {shape}}}}}\n");
            let name = format!("component/{component} {name}");
            if component == "base" {
                cases.full(&name, NEWEST, &[&spec], &[]);
            } else {
                cases.light(&name, NEWEST, &[&spec], &[]);
            }
        }
    }
    for gateway in ["ingress", "egress"] {
        for (name, shape) in LISTS {
            cases.specs(
                &format!("component/{gateway} {name}"),
                &format!("{{components: {{{gateway}Gateways: {shape}}}}}"),
            );
            for enabled in [true, false] {
                cases.spec(
                    &format!("component/{gateway} {name}, values {enabled}"),
                    &format!(
                        "{{components: {{{gateway}Gateways: {shape}}}, \
                         values: {{gateways: {{istio-{gateway}gateway: {{enabled: {enabled}}}}}}}}}"
                    ),
                );
            }
        }
    }
    namespaces(cases);
    images(cases);
    enablement(cases);
}

fn namespaces(cases: &mut Cases) {
    for (name, spec) in [
        ("spec", "{namespace: elsewhere}"),
        ("istioNamespace", "{values: {global: {istioNamespace: elsewhere}}}"),
        ("both", "{namespace: one, values: {global: {istioNamespace: two}}}"),
        ("empty istioNamespace", "{values: {global: {istioNamespace: \"\"}}}"),
        ("null istioNamespace", "{values: {global: {istioNamespace: null}}}"),
        (
            "each component",
            "{components: {pilot: {namespace: a}, cni: {enabled: true, namespace: b}, \
             ztunnel: {enabled: true, namespace: c}, ingressGateways: [{name: i, namespace: d}, {name: i, namespace: e}], \
             egressGateways: [{name: i, namespace: f, enabled: true}]}}",
        ),
        ("empty in a component", "{components: {pilot: {namespace: \"\"}}}"),
        (
            "component and istioNamespace",
            "{components: {pilot: {namespace: a}}, values: {global: {istioNamespace: b}}}",
        ),
    ] {
        cases.specs(&format!("namespace/{name}"), spec);
    }
    for (name, file) in [
        ("metadata", "metadata: {namespace: other, name: mine}\nspec: {}\n"),
        ("metadata null", "metadata: null\nspec: {}\n"),
        (
            "metadata and no istioNamespace",
            "metadata: {namespace: other}\nspec: {values: {global: {istioNamespace: \"\"}}}\n",
        ),
        (
            "metadata of many fields",
            "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nmetadata: {name: nn, namespace: o, \
             labels: {a: b}, annotations: {c: d}, generation: 3, creationTimestamp: null}\nspec: {}\n",
        ),
        (
            "base elsewhere",
            "spec: {components: {base: {enabled: true}}, values: {global: {istioNamespace: other}}}\n",
        ),
    ] {
        cases.light(&format!("namespace/{name}"), NEWEST, &[file], &[]);
    }
}

fn images(cases: &mut Cases) {
    for (name, spec) in [
        ("spec", "{hub: registry.example.org/istio, tag: 1.27.1}"),
        ("spec float", "{tag: 1.20}"),
        ("spec quoted float", "{tag: \"1.20\"}"),
        ("spec int", "{tag: 5}"),
        ("spec bool", "{tag: true}"),
        ("spec null", "{hub: null, tag: null}"),
        ("spec empty", "{hub: \"\", tag: \"\"}"),
        ("spec port", "{hub: \"localhost:5000/istio\"}"),
        ("values", "{values: {global: {hub: example.org/a, tag: b}}}"),
        ("values float", "{values: {global: {tag: 1.20}}}"),
        ("values null", "{values: {global: {hub: null, tag: null}}}"),
        ("spec and values", "{hub: one/x, tag: one, values: {global: {hub: two/x, tag: two}}}"),
        (
            "variant",
            "{values: {global: {variant: distroless, proxy: {image: proxyv2}}, pilot: {variant: debug}}}",
        ),
        (
            "image with a slash",
            "{values: {global: {proxy: {image: example.org/p:1}}, pilot: {image: example.org/d:2}}}",
        ),
        (
            "components",
            "{hub: h/x, tag: t, components: {pilot: {hub: p/x, tag: p}, cni: {enabled: true, hub: c/x, tag: c}, \
             ztunnel: {enabled: true, hub: z/x, tag: z}, ingressGateways: [{name: i, hub: i/x, tag: i}, {name: j, hub: j/x, tag: 2}], \
             egressGateways: [{name: e, enabled: true, hub: e/x, tag: e}]}}",
        ),
        ("component float", "{components: {pilot: {tag: 1.20}}}"),
        ("component quoted float", "{components: {pilot: {tag: \"1.20\"}}}"),
        (
            "component int",
            "{components: {pilot: {tag: 1000000}, ztunnel: {enabled: true, tag: 12345678}}}",
        ),
        ("component exponent", "{components: {pilot: {tag: \"1e3\"}}}"),
        ("component bool", "{components: {pilot: {tag: \"true\"}}}"),
        ("component null", "{components: {pilot: {hub: null, tag: null}}}"),
        ("component equals sign", "{components: {pilot: {hub: \"a=b\"}}}"),
        ("component comma", "{components: {pilot: {hub: 'a\\,b'}}}"),
        ("base", "{components: {base: {enabled: true}}, hub: x/y}"),
        ("ztunnel values", "{profile: ambient, values: {ztunnel: {hub: z/x, tag: 3, variant: v}}}"),
        ("pull", "{values: {global: {imagePullPolicy: Never, imagePullSecrets: [one, two]}}}"),
    ] {
        cases.specs(&format!("image/{name}"), spec);
    }
}

fn enablement(cases: &mut Cases) {
    for (name, spec) in [
        (
            "pilot by values",
            "{components: {pilot: {enabled: false}}, values: {pilot: {enabled: true}}}",
        ),
        ("pilot off by values", "{values: {pilot: {enabled: false}}}"),
        ("cni in values", "{values: {pilot: {cni: {enabled: true}}}}"),
        (
            "cni given twice",
            "{components: {cni: {enabled: true}}, values: {pilot: {cni: {enabled: false}}}}",
        ),
        ("cni present", "{components: {cni: {namespace: kube-system}}}"),
        ("gateways off", "{values: {gateways: {enabled: false}}}"),
        ("only cni", "{profile: empty, components: {cni: {enabled: true}}}"),
        ("only ztunnel", "{profile: empty, components: {ztunnel: {enabled: true}}}"),
        ("only egress", "{profile: empty, components: {egressGateways: [{name: e}]}}"),
        ("nothing", "{profile: empty}"),
        ("remote istiod", "{components: {istiodRemote: {enabled: true}}}"),
        ("remote istiod off", "{components: {istiodRemote: {enabled: false}}}"),
        ("components null", "{components: null}"),
        ("components empty", "{components: {}}"),
    ] {
        cases.specs(&format!("enablement/{name}"), spec);
    }
    cases.full("enablement/no file at all", NEWEST, &[], &[]);
    for (name, file) in [
        ("empty file", ""),
        ("comment", "# nothing\n"),
        ("null spec", "spec:\n"),
        ("marker", "---\nkind: IstioOperator\nspec: {tag: one}\n"),
        ("two markers", "---\n---\nkind: IstioOperator\nspec: {tag: one}\n"),
        ("end marker", "spec: {tag: one}\n...\n"),
        ("dashes in the text", "spec:\n  tag: one\n----\n"),
        ("other kind", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\nspec: {tag: one}\n"),
        ("no kind", "# none\nspec: {tag: one}\n"),
        (
            "JSON",
            "{\"kind\": \"IstioOperator\", \"spec\": {\"tag\": \"one\", \"values\": {\"global\": {\"meshID\": \"m\"}}}}\n",
        ),
    ] {
        cases.light(&format!("file text/{name}"), NEWEST, &[file], &[]);
    }
    let (one, two) = (
        "spec: {tag: one, hub: a/b}\n",
        "spec: {tag: two, components: {pilot: {k8s: {replicaCount: 2}}}}\n",
    );
    cases.light("file text/several", NEWEST, &[one, two], &[]);
    cases.light("file text/several, other order", NEWEST, &[two, one], &["--set=tag=three"]);
    let lists = "spec: {components: {ingressGateways: [{name: a}, {name: b}]}, values: {pilot: {env: {A: b}, extraContainerArgs: []}}}\n";
    let other =
        "spec: {components: {ingressGateways: [{name: c}]}, values: {pilot: {env: {C: d}}}}\n";
    cases.light("file text/lists are replaced", NEWEST, &[lists, other], &[]);
    cases.light(
        "file text/null over map",
        NEWEST,
        &[lists, "spec: {values: {pilot: null}}\n"],
        &[],
    );
    cases.light(
        "file text/map over null",
        NEWEST,
        &["spec: {values: {pilot: null}}\n", lists],
        &[],
    );
}
