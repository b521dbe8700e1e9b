//! `values`, `meshConfig`, `unvalidatedValues`: what a user may put into the charts.

use super::{Cases, RELEASES};

/// Values, mostly one chart setting a row, taken by the charts of every release.
const VALUES: [(&str, &str); 46] = [
    ("nulls", "{global: {proxy: null, meshID: null}, pilot: {env: null, resources: null}}"),
    ("null global", "{global: null}"),
    ("null pilot", "{pilot: null}"),
    ("null gateways", "{gateways: null}"),
    ("null gateway", "{gateways: {istio-ingressgateway: null}}"),
    ("null mesh", "{meshConfig: null}"),
    ("null default", "{global: {proxy: {resources: null, image: null}}}"),
    ("null item", "{global: {imagePullSecrets: [null, a]}}"),
    ("empty", "{global: {}, pilot: {}, gateways: {}, meshConfig: {}}"),
    (
        "everything null",
        "{global: null, pilot: null, gateways: null, meshConfig: null, cni: null, ztunnel: null, base: null}",
    ),
    (
        "proxy",
        "{global: {proxy: {logLevel: debug, statusPort: 15999, includeIPRanges: \"10.0.0.0/8,11.0.0.0/8\", excludeInboundPorts: \"1,2\", privileged: true, readinessPeriodSeconds: 9}}}",
    ),
    (
        "resources",
        "{global: {proxy: {resources: {limits: {cpu: 100m, memory: null}, requests: {cpu: null}}}}}",
    ),
    (
        "networks",
        "{global: {meshID: m, network: nn, multiCluster: {enabled: true, clusterName: c}, meshNetworks: {n1: {endpoints: [{fromRegistry: c}], gateways: [{address: 1.1.1.1, port: 443}]}}}}",
    ),
    (
        "certificates",
        "{global: {pilotCertProvider: kubernetes, caAddress: \"ca:443\", caName: x, certSigners: [a/b], mountMtlsCerts: true, trustBundleName: t}}",
    ),
    ("logging", "{global: {logAsJson: true, logging: {level: \"all:debug\"}}}"),
    (
        "nodes",
        "{global: {defaultNodeSelector: {a: b}, defaultTolerations: [{key: t, operator: Exists}], arch: {amd64: 3, arm64: 1}, priorityClassName: high}}",
    ),
    (
        "pilot",
        "{pilot: {traceSampling: 0.1, autoscaleMin: 2, autoscaleMax: 2, cpu: {targetAverageUtilization: 50}, memory: {targetAverageUtilization: 70}, keepaliveMaxServerConnectionAge: 1h, podLabels: {a: b}, deploymentLabels: {c: d}}}",
    ),
    ("sampling", "{pilot: {traceSampling: 100}}"),
    ("small sampling", "{pilot: {traceSampling: 0.000001}}"),
    (
        "rolling",
        "{pilot: {rollingMaxSurge: 1, rollingMaxUnavailable: 10%, replicaCount: 3, autoscaleEnabled: false}}",
    ),
    (
        "pilot env",
        "{pilot: {env: {A: 1, B: 1.5, C: true, D: \"on\", E: 1000000, F: 12345678, G: 1e21, H: \"x\\ny\"}}}",
    ),
    (
        "volumes",
        "{pilot: {volumes: [{name: v, emptyDir: {sizeLimit: 1Gi}}], volumeMounts: [{name: v, mountPath: /v}]}}",
    ),
    (
        "spread",
        "{pilot: {topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway}], affinity: {nodeAffinity: {}}}}",
    ),
    (
        "families",
        "{pilot: {ipFamilies: [IPv4, IPv6], ipFamilyPolicy: PreferDualStack}, gateways: {istio-ingressgateway: {ipFamilyPolicy: SingleStack, ipFamilies: [IPv6]}}}",
    ),
    (
        "seccomp",
        "{pilot: {seccompProfile: {type: RuntimeDefault}}, global: {proxy: {seccompProfile: {type: RuntimeDefault}}}}",
    ),
    ("taint", "{pilot: {taint: {enabled: true, namespace: x}, trustedZtunnelNamespace: z}}"),
    (
        "jwks",
        "{pilot: {jwksResolverExtraRootCA: \"-----BEGIN CERTIFICATE-----\\nabc\\n-----END CERTIFICATE-----\\n\"}}",
    ),
    (
        "injector",
        "{sidecarInjectorWebhook: {rewriteAppHTTPProbe: false, enableNamespacesByDefault: true, reinvocationPolicy: IfNeeded, injectedAnnotations: {a: b, \"c/d\": \"e\"}, defaultTemplates: [sidecar, mine], templates: {mine: \"spec: {}\"}, neverInjectSelector: [{matchLabels: {a: b}}]}}",
    ),
    (
        "injection URL",
        "{sidecarInjectorWebhook: {injectionURL: \"https://x/inject\"}, istiodRemote: {injectionURL: \"https://y/inject\", injectionPath: /z}}",
    ),
    ("tags", "{revisionTags: [prod, stage], revision: canary}"),
    ("tags without revision", "{revisionTags: [prod]}"),
    ("owner", "{ownerName: me}"),
    (
        "ingress",
        "{gateways: {istio-ingressgateway: {type: NodePort, loadBalancerIP: 1.2.3.4, externalTrafficPolicy: Local, serviceAnnotations: {a: b, n: \"1\"}, env: {A: b, N: 5}, labels: {own: label}, name: named, podAnnotations: {p: q}, secretVolumes: [{name: s, secretName: t, mountPath: /u}]}}}",
    ),
    (
        "ingress ports",
        "{gateways: {istio-ingressgateway: {ports: [{name: a, port: 8080, targetPort: 8081, nodePort: 30000}], ingressPorts: [{name: b, port: 9090}]}}}",
    ),
    (
        "ingress spread",
        "{gateways: {istio-ingressgateway: {podAntiAffinityLabelSelector: [{key: security, operator: In, values: \"S1,S2\", topologyKey: host}], podAntiAffinityTermLabelSelector: [{key: security, operator: In, values: S1, topologyKey: zone}], nodeSelector: {a: b}}}}",
    ),
    (
        "ingress more",
        "{gateways: {istio-ingressgateway: {additionalContainers: [{name: c, image: i}], configVolumes: [{name: v, mountPath: /w, configMapName: m}], runAsRoot: true, customService: true, serviceAccount: {annotations: {a: b}}}}}",
    ),
    (
        "ingress scale",
        "{gateways: {istio-ingressgateway: {autoscaleEnabled: true, autoscaleMin: 2, autoscaleMax: 2, cpu: {targetAverageUtilization: 1}, memory: {targetAverageUtilization: 2}, rollingMaxSurge: 3}}}",
    ),
    ("ingress template", "{gateways: {istio-ingressgateway: {injectionTemplate: gateway}}}"),
    (
        "gateway security",
        "{gateways: {securityContext: {runAsUser: 5}, seccompProfile: {type: Unconfined}}}",
    ),
    (
        "mesh",
        "{meshConfig: {trustDomain: td, enablePrometheusMerge: false, rootNamespace: rn, defaultConfig: {discoveryAddress: \"a:1\", tracing: {zipkin: {address: \"z:2\"}}}}}",
    ),
    (
        "cni",
        "{cni: {cniBinDir: /b, cniConfDir: /c, logging: {level: debug}, excludeNamespaces: [a, b], repair: {enabled: false}, chained: false, resourceQuotas: {enabled: true, pods: 100}, ambient: {enabled: true, ipv6: false}, rollingMaxUnavailable: 2}, pilot: {cni: {enabled: true, provider: multus}}}",
    ),
    (
        "ztunnel",
        "{ztunnel: {resourceName: z, env: {A: b}, logLevel: debug, caAddress: \"ca:1\", resources: {requests: {cpu: 1}, limits: {cpu: 3}}, meshConfig: {defaultConfig: {proxyMetadata: {M: nn}}}, terminationGracePeriodSeconds: 1, network: nn, multiCluster: {clusterName: c}}}",
    ),
    (
        "ztunnel beside globals",
        "{global: {network: gn, multiCluster: {clusterName: gc}, hub: g/h}, ztunnel: {podLabels: {a: b}, annotations: {c: d}}}",
    ),
    (
        "waypoint",
        "{global: {waypoint: {resources: {requests: {cpu: 1}}, affinity: {nodeAffinity: {}}}}}",
    ),
    ("classes", "{gatewayClasses: {istio: {service: {spec: {type: ClusterIP}}}}}"),
    (
        "base",
        "{base: {excludedCRDs: [wasmplugins.extensions.istio.io], validationURL: \"https://v\", enableIstioConfigCRDs: false}, defaultRevision: canary}",
    ),
];

/// `unvalidatedValues`, which nobody checks: any name, any type.
const UNVALIDATED: [(&str, &str); 20] = [
    ("new names", "{anything: {goes: [1, two, {three: null}]}}"),
    (
        "numbers",
        "{pilot: {env: {A: 1, B: -1, C: 1.0, D: 1.5, E: 1000000, F: 999999, G: 12345678, H: 123456789012345678, I: 1e20, J: 1e21, K: 1e-7, L: 0.1, M: 9007199254740993, N: 18446744073709551615, O: 1e400, P: 0x1F, Q: 0o17, R: 017, S: 1_000, T: .5}}}",
    ),
    ("special numbers", "{pilot: {env: {A: -0.0, B: -0, C: 1e6, D: 2e-5}}}"),
    (
        "words",
        "{pilot: {env: {A: yes, B: no, C: on, D: off, E: yy, F: nn, G: ~, H: Null, I: True, J: 'yes', K: \"null\"}}}",
    ),
    ("dates", "{pilot: {env: {A: 2024-01-02, B: 2024-01-02T03:04:05Z, C: 12:30:45, D: 1:2}}}"),
    ("keys", "{pilot: {env: {1: a, 1.5: b, true: c, null: d, on: e, 0x10: f}}}"),
    (
        "texts",
        "{pilot: {env: {A: \"\", B: \" \", C: \"a: b\", D: \"#x\", E: \"a #b\", F: \"- x\", G: \"{\", H: \"*x\", I: \"&x\", J: \"!x\", K: \"|\", L: \"%x\", M: \"@x\", N: \"`x\", O: \"'\", P: '\"', Q: \"a\\tb\", R: \"a\\\\b\", S: \"0\", T: \"1e3\", U: \"=\"}}}",
    ),
    (
        "lines",
        "{pilot: {podAnnotations: {A: \"a\\nb\", B: \"a\\n\", C: \"\\na\", D: \"a\\n\\nb\\n\\n\", E: \" a\\nb\", F: \"a \\nb\", G: \"\\n\", H: \"a\\r\\nb\"}}}",
    ),
    (
        "long text",
        "{pilot: {podAnnotations: {A: \"word word word word word word word word word word word word word word word word word word word word word word\", B: \"wordwordwordwordwordwordwordwordwordwordwordwordwordwordwordwordwordwordwordwordwordwordwordword\"}}}",
    ),
    (
        "unicode",
        "{pilot: {podAnnotations: {A: \"ä ö ü\", B: \"日本\", C: \"😀\", D: \"\\u00a0\", E: \"\\u2028\", F: \"\\u0085\", G: \"\\ufeff\"}}}",
    ),
    ("control", "{pilot: {podAnnotations: {A: \"\\x07\"}}}"),
    ("delete control", "{pilot: {podAnnotations: {A: \"\\x7f\"}}}"),
    ("HTML", "{pilot: {podAnnotations: {A: \"<a href='x'>&amp;</a>\"}}}"),
    ("nulls", "{pilot: {env: null, new: null}, global: {proxy: null}}"),
    ("over values", "{global: {meshID: unvalidated}}"),
    ("text", "text"),
    ("list", "[1]"),
    ("null", "null"),
    ("defaults", "{defaults: {a: b}}"),
    ("internal", "{_internal_defaults_do_not_set: {pilot: {env: {A: b}}}}"),
];

const MESHES: [(&str, &str); 22] = [
    ("empty", "{}"),
    ("null", "null"),
    (
        "texts",
        "{accessLogFile: /dev/stdout, accessLogFormat: \"[%START_TIME%] %REQ(X)%: \\\"a\\\"\\n\", trustDomain: td, rootNamespace: r}",
    ),
    (
        "numbers",
        "{connectTimeout: 10s, protocolDetectionTimeout: 0s, defaultConfig: {concurrency: 0, statusPort: 15020, drainDuration: 45s}}",
    ),
    ("aliases", "{trustDomainAliases: [a, b], outboundTrafficPolicy: {mode: REGISTRY_ONLY}}"),
    (
        "providers",
        "{extensionProviders: [{name: otel, opentelemetry: {service: otel.svc, port: 4317}}, {name: authz, envoyExtAuthzGrpc: {service: a, port: 9000, includeRequestBodyInCheck: {maxRequestBytes: 1000000, allowPartialMessage: true}}}], defaultProviders: {tracing: [otel]}}",
    ),
    (
        "metadata",
        "{defaultConfig: {proxyMetadata: {A: \"true\", B: \"1\", C: \"\"}, holdApplicationUntilProxyStarts: true}}",
    ),
    ("metadata of other types", "{defaultConfig: {proxyMetadata: {A: true, B: 1}}}"),
    (
        "tracing",
        "{enableTracing: true, defaultConfig: {tracing: {sampling: 12.5, zipkin: {address: \"z:9411\"}, custom_tags: {a: {literal: {value: b}}}}}}",
    ),
    ("tracing empty", "{defaultConfig: {tracing: {}}}"),
    (
        "selectors",
        "{discoverySelectors: [{matchLabels: {a: b}}, {matchExpressions: [{key: c, operator: In, values: [d]}]}]}",
    ),
    (
        "service settings",
        "{serviceSettings: [{settings: {clusterLocal: true}, hosts: [\"*.a\", b]}]}",
    ),
    ("certificates", "{caCertificates: [{pem: \"x\\ny\\n\", certSigners: [s]}], certificates: []}"),
    (
        "large numbers",
        "{defaultConfig: {proxyStatsMatcher: {inclusionPrefixes: [a]}, concurrency: 1000000}}",
    ),
    ("snake case", "{default_config: {discovery_address: \"a:1\"}}"),
    ("merge", "{enablePrometheusMerge: null, defaultConfig: null}"),
    (
        "probes",
        "{defaultConfig: {readinessProbe: {httpGet: {path: /x, port: 5}}, gatewayTopology: {numTrustedProxies: 2}}}",
    ),
    (
        "modes",
        "{meshMTLS: {minProtocolVersion: TLSV1_3}, tlsDefaults: {ecdhCurves: [P-256]}, h2UpgradePolicy: UPGRADE, pathNormalization: {normalization: MERGE_SLASHES}}",
    ),
    ("number as mode", "{outboundTrafficPolicy: {mode: 1}}"),
    ("text as number", "{defaultConfig: {concurrency: \"2\"}}"),
    ("bad duration", "{connectTimeout: soon}"),
    ("bad value", "{connectTimeout: -5s, trustDomain: \"\"}"),
];

pub fn add(cases: &mut Cases) {
    for (name, values) in VALUES {
        cases.specs(
            &format!("values/{name}"),
            &format!("{{components: {{cni: {{}}, ztunnel: {{}}}}, values: {values}}}"),
        );
    }
    for (name, values) in UNVALIDATED {
        cases.specs(&format!("unvalidated/{name}"), &format!("{{unvalidatedValues: {values}}}"));
    }
    for (name, mesh) in MESHES {
        cases.specs(&format!("mesh/{name}"), &format!("{{meshConfig: {mesh}}}"));
        let spec = format!(
            "spec: {{meshConfig: {{trustDomain: first, defaultConfig: {{concurrency: 7}}}}, values: {{meshConfig: {mesh}}}}}\n"
        );
        cases.light(&format!("mesh/values {name}"), RELEASES[3], &[&spec], &[]);
    }
    for (name, spec) in [
        (
            "both places",
            "{meshConfig: {trustDomain: a, accessLogFile: b}, values: {meshConfig: {trustDomain: c, rootNamespace: d}}}",
        ),
        (
            "list in both places",
            "{meshConfig: {trustDomainAliases: [a]}, values: {meshConfig: {trustDomainAliases: [b]}}}",
        ),
        ("values null", "{values: null}"),
        ("values empty", "{values: {}}"),
        ("meshConfig empty text", "{meshConfig: \"\"}"),
        (
            "values and unvalidated",
            "{values: {pilot: {env: {A: one, B: two}}}, unvalidatedValues: {pilot: {env: {A: three, C: 4}}}}",
        ),
        (
            "everything",
            "{profile: demo, hub: a/b, tag: c, revision: r, meshConfig: {trustDomain: t}, values: {global: {meshID: m}}, unvalidatedValues: {x: yy}, components: {pilot: {k8s: {replicaCount: 2}}}}",
        ),
    ] {
        cases.specs(&format!("values/{name}"), spec);
    }
}
