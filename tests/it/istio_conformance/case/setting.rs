//! `components.<component>.k8s`: every field on every component with every release.

use super::Cases;

/// Where a component's settings stand, around `K8S`.
const COMPONENTS: [(&str, &str); 6] = [
    (
        "base",
        "{components: {base: {enabled: true, k8s: K8S}}, values: {base: {enableCRDTemplates: false}}}",
    ),
    ("pilot", "{components: {pilot: {k8s: K8S}}}"),
    ("ingress", "{components: {ingressGateways: [{name: in, enabled: true, k8s: K8S}]}}"),
    ("egress", "{components: {egressGateways: [{name: out, enabled: true, k8s: K8S}]}}"),
    ("cni", "{components: {cni: {enabled: true, k8s: K8S}}}"),
    ("ztunnel", "{components: {ztunnel: {enabled: true, k8s: K8S}}}"),
];

/// A value for each field, taken by every component.
const FIELDS: [(&str, &str); 18] = [
    (
        "affinity",
        "{nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: \
         [{matchExpressions: [{key: a, operator: In, values: [b, c]}]}]}}}",
    ),
    (
        "env",
        "[{name: FIRST, value: \"1\"}, {name: POD_NAME, value: mine}, {name: LAST, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]",
    ),
    (
        "hpaSpec",
        "{maxReplicas: 7, minReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: mine}, \
         metrics: [{type: Resource, resource: {name: memory, target: {type: Utilization, averageUtilization: 60}}}]}",
    ),
    ("imagePullPolicy", "Never"),
    ("nodeSelector", "{disk: ssd, \"kubernetes.io/os\": linux}"),
    ("podDisruptionBudget", "{maxUnavailable: 25%}"),
    ("podAnnotations", "{a: b, \"prometheus.io/scrape\": \"false\"}"),
    ("priorityClassName", "system-cluster-critical"),
    (
        "readinessProbe",
        "{initialDelaySeconds: 30, httpGet: {path: /other, port: 99}, timeoutSeconds: 5}",
    ),
    ("replicaCount", "4"),
    ("resources", "{limits: {cpu: 2000m, memory: 4Gi}, requests: {cpu: \"1.5\", memory: 1e9}}"),
    (
        "service",
        "{type: NodePort, externalTrafficPolicy: Local, loadBalancerSourceRanges: [10.0.0.0/8], ports: [{port: 8080, name: http, targetPort: 8081}]}",
    ),
    ("strategy", "{rollingUpdate: {maxSurge: 50%, maxUnavailable: 0}}"),
    ("tolerations", "[{key: dedicated, operator: Equal, value: mesh, effect: NoSchedule}]"),
    ("serviceAnnotations", "{a: b, c: \"true\"}"),
    (
        "securityContext",
        "{fsGroup: 7, runAsUser: 0, sysctls: [{name: net.ipv4.ip_unprivileged_port_start, value: \"0\"}]}",
    ),
    ("volumes", "[{name: extra, emptyDir: {}}]"),
    ("volumeMounts", "[{name: extra, mountPath: /extra}]"),
];

/// Other values of a field, for a Deployment (`pilot`, `ingress`) or a `DaemonSet` (`cni`).
const VARIANTS: [(&str, &str, &str); 64] = [
    ("affinity", "null", "null"),
    ("affinity", "empty", "{}"),
    (
        "affinity",
        "pods",
        "{podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, podAffinityTerm: {topologyKey: zone}}]}}",
    ),
    ("env", "empty", "[]"),
    ("env", "null", "null"),
    ("env", "value over a field", "[{name: POD_NAMESPACE, value: mine}]"),
    ("env", "null in an item", "[{name: POD_NAMESPACE, value: mine, valueFrom: null}]"),
    ("env", "delete", "[{name: POD_NAMESPACE, $patch: delete}]"),
    ("env", "replace", "[{$patch: replace}, {name: ONLY, value: one}]"),
    ("env", "twice", "[{name: A, value: one}, {name: A, value: two}]"),
    (
        "env",
        "order",
        "[{name: Z, value: z}, {name: POD_NAMESPACE, value: b}, {name: YY, value: yy}, {name: REVISION, value: a}, {name: CA_ADDR, value: c}]",
    ),
    ("env", "no value", "[{name: EMPTY}, {name: BLANK, value: \"\"}]"),
    ("env", "number", "[{name: A, value: 5}]"),
    ("env", "nameless", "[{value: x}]"),
    ("env", "secret", "[{name: A, valueFrom: {secretKeyRef: {name: s, key: k, optional: true}}}]"),
    ("hpaSpec", "min alone", "{minReplicas: 2}"),
    ("hpaSpec", "max alone", "{maxReplicas: 9}"),
    ("hpaSpec", "min one", "{minReplicas: 1, maxReplicas: 1}"),
    ("hpaSpec", "zero", "{minReplicas: 0, maxReplicas: 0}"),
    ("hpaSpec", "empty", "{}"),
    ("hpaSpec", "no metrics", "{metrics: []}"),
    (
        "hpaSpec",
        "behaviour",
        "{behavior: {scaleDown: {stabilizationWindowSeconds: 60, policies: [{type: Pods, value: 1, periodSeconds: 15}]}}}",
    ),
    ("hpaSpec", "fraction", "{minReplicas: 1.5}"),
    ("imagePullPolicy", "empty", "\"\""),
    ("imagePullPolicy", "null", "null"),
    ("nodeSelector", "empty", "{}"),
    ("nodeSelector", "number", "{a: 5}"),
    ("nodeSelector", "null in a map", "{a: null, b: c}"),
    ("podDisruptionBudget", "min", "{minAvailable: 2}"),
    ("podDisruptionBudget", "both", "{minAvailable: 2, maxUnavailable: 1}"),
    ("podDisruptionBudget", "null min", "{minAvailable: null, maxUnavailable: 1}"),
    (
        "podDisruptionBudget",
        "selector",
        "{selector: {matchLabels: {a: b}}, unhealthyPodEvictionPolicy: AlwaysAllow}",
    ),
    ("podDisruptionBudget", "empty", "{}"),
    ("podAnnotations", "null", "null"),
    (
        "podAnnotations",
        "awkward",
        "{a: \"on\", b: \"1\", c: \"\", d: \"x: y # z\", e: \"two\\nlines\"}",
    ),
    ("priorityClassName", "empty", "\"\""),
    ("readinessProbe", "command", "{exec: {command: [sh, -c, \"true\"]}, httpGet: null}"),
    ("readinessProbe", "socket", "{tcpSocket: {port: named}}"),
    ("replicaCount", "zero", "0"),
    ("replicaCount", "one", "1"),
    ("replicaCount", "null", "null"),
    ("replicaCount", "text", "\"2\""),
    ("replicaCount", "negative", "-1"),
    ("replicaCount", "fraction", "1.5"),
    ("replicaCount", "float", "2.0"),
    ("replicaCount", "large", "4294967295"),
    ("replicaCount", "too large", "4294967296"),
    ("resources", "empty", "{}"),
    ("resources", "zero", "{requests: {cpu: 0, memory: 0}}"),
    ("resources", "number", "{requests: {cpu: 1, memory: 128}, limits: {cpu: 0.5}}"),
    ("resources", "null limits", "{limits: null}"),
    ("resources", "claims", "{claims: [{name: gpu}]}"),
    (
        "resources",
        "exponent",
        "{requests: {cpu: \"1e-1\", memory: 123456789Ki}, limits: {cpu: 0.0005, memory: 1.5Gi}}",
    ),
    ("resources", "not a quantity", "{requests: {cpu: much}}"),
    ("strategy", "recreate", "{type: Recreate}"),
    ("strategy", "recreate alone", "{type: Recreate, rollingUpdate: null}"),
    ("strategy", "keys", "{type: Recreate, $retainKeys: [type]}"),
    ("tolerations", "empty", "[]"),
    (
        "tolerations",
        "seconds",
        "[{key: a, operator: Exists, effect: NoExecute, tolerationSeconds: 300}]",
    ),
    ("serviceAnnotations", "number", "{a: 5}"),
    ("serviceAnnotations", "empty", "{}"),
    ("securityContext", "null field", "{runAsUser: null, runAsNonRoot: false}"),
    ("securityContext", "replaced", "{$patch: replace, fsGroup: 1}"),
    ("volumes", "null", "null"),
];

/// Values for the Service of pilot, which is merged by port, and of a gateway, which is not.
const SERVICES: [(&str, &str); 12] = [
    ("empty", "{}"),
    ("null", "null"),
    ("type", "{type: ClusterIP}"),
    ("no ports", "{ports: []}"),
    ("null ports", "{ports: null}"),
    ("one port", "{ports: [{port: 15012, name: renamed}]}"),
    (
        "new port",
        "{ports: [{port: 9999, name: new, protocol: TCP}, {port: 15010, targetPort: 16010}]}",
    ),
    ("named target", "{ports: [{port: 443, name: https-webhook, targetPort: webhook}]}"),
    ("selector", "{selector: {extra: label}, sessionAffinity: ClientIP}"),
    (
        "addresses",
        "{loadBalancerIP: 10.0.0.1, externalIPs: [10.0.0.2], ipFamilies: [IPv6, IPv4], ipFamilyPolicy: PreferDualStack}",
    ),
    ("headless", "{clusterIP: None, publishNotReadyAddresses: true}"),
    ("zeros", "{healthCheckNodePort: 0, allocateLoadBalancerNodePorts: false}"),
];

fn case(cases: &mut Cases, name: &str, frame: &str, field: &str, value: &str, all: bool) {
    let spec = frame.replace("K8S", &format!("{{{field}: {value}}}"));
    if all {
        cases.every(name, &spec);
    } else {
        cases.spec(name, &spec);
    }
}

pub fn add(cases: &mut Cases) {
    for (component, frame) in COMPONENTS {
        for (field, value) in FIELDS {
            let name = format!("k8s/{component}/{field}");
            case(cases, &name, frame, field, value, true);
        }
        let every: Vec<String> =
            FIELDS.iter().map(|(field, value)| format!("{field}: {value}")).collect();
        let spec = frame.replace("K8S", &format!("{{{}}}", every.join(", ")));
        cases.specs(&format!("k8s/{component}/every field"), &spec);
        for (index, (field, variant, value)) in VARIANTS.into_iter().enumerate() {
            // each by pilot, and by one of two others
            let other = ["ingress", "cni"][index % 2];
            if component == "pilot" || component == other {
                let name = format!("k8s/{component}/{field} {variant}");
                case(cases, &name, frame, field, value, false);
            }
        }
        if ["pilot", "ingress", "egress"].contains(&component) {
            for (variant, value) in SERVICES {
                let name = format!("k8s/{component}/service {variant}");
                cases.specs(&name, &frame.replace("K8S", &format!("{{service: {value}}}")));
            }
        }
    }
    mixtures(cases);
}

/// Settings beside revisions, names, values and autoscaling.
fn mixtures(cases: &mut Cases) {
    for (name, spec) in [
        (
            "revision",
            "{revision: canary, components: {pilot: {k8s: {replicaCount: 3, env: [{name: A, value: b}], service: {type: NodePort}}}}}",
        ),
        ("default revision", "{revision: default, components: {pilot: {k8s: {replicaCount: 3}}}}"),
        ("number revision", "{revision: \"127\", components: {pilot: {k8s: {replicaCount: 3}}}}"),
        (
            "revision of values",
            "{values: {revision: canary}, components: {pilot: {k8s: {replicaCount: 3}}}}",
        ),
        (
            "nameless gateway",
            "{components: {ingressGateways: [{k8s: {replicaCount: 3, nodeSelector: {a: b}}}]}}",
        ),
        (
            "default name",
            "{components: {ingressGateways: [{name: istio-ingressgateway, k8s: {replicaCount: 3, nodeSelector: {a: b}}}]}}",
        ),
        (
            "autoscaling off",
            "{components: {pilot: {k8s: {replicaCount: 3}}}, values: {pilot: {autoscaleEnabled: false}}}",
        ),
        (
            "autoscaling on",
            "{components: {pilot: {k8s: {replicaCount: 3, hpaSpec: {minReplicas: 2, maxReplicas: 4}}}}, values: {pilot: {autoscaleEnabled: true, autoscaleMin: 3}}}",
        ),
        (
            "gateway autoscaling",
            "{components: {ingressGateways: [{name: a, k8s: {hpaSpec: {minReplicas: 2, maxReplicas: 4}}}, {name: b}]}}",
        ),
        (
            "no budgets",
            "{components: {pilot: {k8s: {podDisruptionBudget: {minAvailable: 2}}}}, values: {global: {defaultPodDisruptionBudget: {enabled: false}}}}",
        ),
        (
            "budget with replicas",
            "{components: {pilot: {k8s: {replicaCount: 2, podDisruptionBudget: {maxUnavailable: 1}, hpaSpec: {minReplicas: 2, maxReplicas: 3}}}}}",
        ),
        (
            "budget of values",
            "{values: {pilot: {autoscaleMin: 2}}, components: {pilot: {k8s: {podDisruptionBudget: {minAvailable: 75%}}}}}",
        ),
        (
            "pilot values",
            "{values: {pilot: {env: {A: b, N: 5, T: true}, nodeSelector: {x: yy}, tolerations: [{key: t, operator: Exists}], podAnnotations: {p: q}, resources: {requests: {cpu: 1}}}}, components: {pilot: {k8s: {env: [{name: A, value: z}], nodeSelector: {v: w}, resources: {limits: {cpu: 2}}}}}}",
        ),
        (
            "two gateways",
            "{components: {ingressGateways: [{name: a, k8s: {env: [{name: X, value: one}]}}, {name: b, k8s: {env: [{name: X, value: two}]}}]}}",
        ),
        (
            "injected gateway",
            "{values: {gateways: {istio-ingressgateway: {injectionTemplate: gateway}}}, components: {ingressGateways: [{name: a, enabled: true, k8s: {env: [{name: X, value: one}], resources: {requests: {cpu: 1}}}}]}}",
        ),
        (
            "ztunnel renamed",
            "{profile: ambient, values: {ztunnel: {resourceName: tunnel}}, components: {ztunnel: {enabled: true, k8s: {nodeSelector: {a: b}, resources: {limits: {cpu: 2}}}}}}",
        ),
        (
            "unset",
            "{components: {pilot: {k8s: {replicaCount: 3}}, cni: {enabled: true, k8s: {}}, ztunnel: {enabled: true, k8s: {overlays: []}}}}",
        ),
    ] {
        cases.specs(&format!("k8s/with {name}"), spec);
    }
}
