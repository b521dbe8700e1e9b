//! Random combinations of what the other families take one by one.

use std::env;

use super::{Cases, RELEASES};

/// Without `MESHGEN_CASES`.
const COUNT: usize = 120;
/// Without `MESHGEN_SEED`.
const SEED: u64 = 0x6d65_7368;

/// A small generator of numbers, the same on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).expect("below a usize")
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    /// Some of the items, joined as a YAML map or list has them.
    fn some(&mut self, items: &[&str], most: usize) -> String {
        let mut left: Vec<&str> = items.to_vec();
        let mut chosen = Vec::new();
        for _ in 0..=self.below(most) {
            if !left.is_empty() {
                chosen.push(left.swap_remove(self.below(left.len())));
            }
        }
        chosen.join(", ")
    }
}

/// Whether more cases than usual are asked for.
pub fn asked() -> bool {
    env::var_os("MESHGEN_CASES").is_some()
}

fn number<T: std::str::FromStr>(name: &str, otherwise: T) -> T {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

pub fn add(cases: &mut Cases) {
    let seed = number("MESHGEN_SEED", SEED);
    let mut random = Random(seed | 1);
    for index in 0..number("MESHGEN_CASES", COUNT) {
        let charts = random.pick(&RELEASES);
        let files: Vec<String> = (0..=random.below(2)).map(|_| operator(&mut random)).collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let flags: Vec<String> = (0..random.below(4)).map(|_| flag(&mut random)).collect();
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        cases.light(&format!("random/{seed:x} {index}/{charts}"), charts, &files, &flags);
    }
}

fn operator(random: &mut Random) -> String {
    let mut spec = Vec::new();
    if random.below(2) == 0 {
        let profiles =
            ["default", "demo", "minimal", "ambient", "openshift", "preview", "stable", "remote"];
        spec.push(format!("profile: {}", random.pick(&profiles)));
    }
    let top = random.some(TOP, 3);
    spec.push(top);
    spec.push(format!("components: {{{}}}", components(random)));
    spec.push(format!("values: {{{}}}", values(random)));
    if random.below(3) == 0 {
        spec.push(format!(
            "unvalidatedValues: {{pilot: {{env: {{{}}}}}}}",
            random.some(SCALARS, 4)
        ));
    }
    format!("spec: {{{}}}\n", spec.join(", "))
}

const TOP: &[&str] = &[
    "hub: example.org/istio",
    "tag: 1.2.3",
    "revision: canary",
    "meshConfig: {trustDomain: td, trustDomainAliases: [a], defaultConfig: {concurrency: 2, proxyMetadata: {X: yy}}}",
    "namespace: ignored",
    "compatibilityVersion: \"1.25\"",
];

const SCALARS: &[&str] = &[
    "A: 1",
    "B: 1.5",
    "C: true",
    "D: \"on\"",
    "E: 1000000",
    "F: text",
    "G: \"a: b\"",
    "H: null",
    "I: 1e21",
    "J: \"\"",
];

const SETTINGS: &[&str] = &[
    "replicaCount: 2",
    "replicaCount: 0",
    "env: [{name: B, value: x}, {name: POD_NAME, value: yy}, {name: A, value: z}]",
    "env: [{name: POD_NAMESPACE, value: yy, valueFrom: null}]",
    "nodeSelector: {a: b}",
    "nodeSelector: null",
    "tolerations: [{key: k, operator: Exists}]",
    "affinity: {podAffinity: {}}",
    "hpaSpec: {minReplicas: 2, maxReplicas: 6}",
    "hpaSpec: {metrics: []}",
    "podDisruptionBudget: {maxUnavailable: 1}",
    "podDisruptionBudget: {minAvailable: 2}",
    "podAnnotations: {a: \"1\"}",
    "priorityClassName: p",
    "resources: {requests: {cpu: 1, memory: 1Gi}}",
    "resources: {limits: {cpu: 250m}}",
    "strategy: {type: Recreate}",
    "serviceAnnotations: {s: t}",
    "service: {type: ClusterIP}",
    "service: {ports: [{name: p, port: 2000, targetPort: 2001}, {name: q, port: 15012}]}",
    "securityContext: {runAsUser: 1, fsGroup: 2}",
    "readinessProbe: {periodSeconds: 7}",
    "imagePullPolicy: Always",
    "volumes: [{name: v, emptyDir: {}}]",
];

const PATCHES: &[&str] = &[
    "{path: spec.replicas, value: 3}",
    "{path: spec.template.metadata.annotations.x, value: yy}",
    "{path: 'spec.template.spec.containers.[0].args.[-1]', value: --more}",
    "{path: 'spec.template.spec.containers.[0].args.[0]'}",
    "{path: 'spec.template.spec.volumes.[0]'}",
    "{path: spec.template.spec.nodeName, value: \"a: b\"}",
    "{path: spec.new.deep, value: {a: [1]}}",
    "{path: 'spec.template.spec.containers.[name:none].x', value: 1}",
    "{path: 'spec.template.spec.containers.[0].env.[name:POD_NAME].value', value: v}",
    "{path: spec.strategy}",
];

fn settings(random: &mut Random, object: &str) -> String {
    // a field stands once in a map
    let mut seen: Vec<&str> = Vec::new();
    let mut chosen: Vec<String> = Vec::new();
    for _ in 0..random.below(5) {
        let setting = random.pick(SETTINGS);
        let field = setting.split(':').next().expect("a field");
        if !seen.contains(&field) {
            seen.push(field);
            chosen.push(setting.to_owned());
        }
    }
    if random.below(2) == 0 {
        let patches = random.some(PATCHES, 4);
        chosen.push(format!("overlays: [{{{object}, patches: [{patches}]}}]"));
    }
    format!("k8s: {{{}}}", chosen.join(", "))
}

fn components(random: &mut Random) -> String {
    let mut all = Vec::new();
    if random.below(4) != 0 {
        let revised = random.pick(&["istiod", "istiod-canary"]);
        let settings = settings(random, &format!("kind: Deployment, name: {revised}"));
        let images = random.pick(&["", "tag: 1.20, ", "hub: p/q, ", "namespace: other, "]);
        all.push(format!("pilot: {{{images}{settings}}}"));
    }
    for gateway in ["ingress", "egress"] {
        let count = random.below(4);
        let mut list = Vec::new();
        for index in 0..count {
            let settings = settings(random, &format!("kind: Deployment, name: g{index}"));
            let rest = random.pick(&[
                "",
                "enabled: true, ",
                "enabled: false, ",
                "label: {l: m}, ",
                "namespace: nn, ",
                "tag: 5, ",
            ]);
            list.push(format!("{{name: g{index}, {rest}{settings}}}"));
        }
        if count > 0 {
            all.push(format!("{gateway}Gateways: [{}]", list.join(", ")));
        }
    }
    for (daemon, name) in [("cni", "istio-cni-node"), ("ztunnel", "ztunnel")] {
        if random.below(3) == 0 {
            let settings = settings(random, &format!("kind: DaemonSet, name: {name}"));
            let enabled = random.pick(&[
                "",
                "enabled: true, ",
                "enabled: false, ",
                "namespace: kube-system, ",
            ]);
            all.push(format!("{daemon}: {{{enabled}{settings}}}"));
        }
    }
    all.join(", ")
}

fn values(random: &mut Random) -> String {
    let global = random.some(
        &[
            "meshID: m",
            "network: n",
            "multiCluster: {clusterName: c}",
            "proxy: {logLevel: info}",
            "logAsJson: true",
            "imagePullSecrets: [s]",
            "istioNamespace: istio-elsewhere",
            "variant: distroless",
            "defaultPodDisruptionBudget: {enabled: false}",
            "platform: gke",
        ],
        4,
    );
    let pilot = random.some(
        &[
            "autoscaleEnabled: false",
            "autoscaleMin: 2",
            "traceSampling: 0.5",
            "podLabels: {p: q}",
            "resources: null",
            "cni: {enabled: true}",
            "nodeSelector: {n: o}",
        ],
        3,
    );
    let gateway = random.some(
        &[
            "type: NodePort",
            "autoscaleEnabled: false",
            "labels: {v: w}",
            "injectionTemplate: gateway",
            "env: {E: f}",
            "runAsRoot: true",
        ],
        3,
    );
    let rest = random.pick(&[
        "",
        ", revisionTags: [t]",
        ", profile: ambient",
        ", ztunnel: {logLevel: debug}",
        ", meshConfig: {rootNamespace: r}",
    ]);
    format!(
        "global: {{{global}}}, pilot: {{{pilot}, env: {{{}}}}}, gateways: {{istio-ingressgateway: {{{gateway}}}}}{rest}",
        random.some(SCALARS, 3),
    )
}

fn flag(random: &mut Random) -> String {
    random
        .pick(&[
            "--set=tag=9.9",
            "--set=values.global.meshID=flagged",
            "--set=values.pilot.env.FLAG=1e3",
            "--set=components.pilot.k8s.replicaCount=5",
            "--set=components.ingressGateways[0].name=flagged",
            "--set=components.ingressGateways[9].name=appended",
            "--set=meshConfig.defaultConfig.proxyMetadata.FLAG=1",
            "--set=values.global.imagePullSecrets[0]=flagged",
            "--set=profile=demo",
            "--revision=flagged",
            "--set=components.cni.enabled=true",
            "--force",
        ])
        .to_owned()
}
