//! `--set` in every form, and the other flags.

use super::{Cases, NEWEST, RELEASES};

/// Values of `--set`, all at one path that takes any: what type they become shows in the `ConfigMap`
/// `values`.
const VALUES: [&str; 52] = [
    "1",
    "0",
    "-1",
    "+1",
    "007",
    "1_000",
    "0x10",
    "1.0",
    "1.50",
    ".5",
    "5.",
    "1e3",
    "1E-3",
    "1e400",
    "inf",
    "-Inf",
    "nan",
    "NaN",
    "0x1p-2",
    "1_0.5",
    "9223372036854775807",
    "9223372036854775808",
    "true",
    "TRUE",
    "True",
    "tRUE",
    "t",
    "T",
    "f",
    "F",
    "false",
    "yes",
    "no",
    "on",
    "null",
    "~",
    "",
    " spaced ",
    "a,b",
    "a\\,b",
    "{a,b}",
    "[a,b]",
    "{\"a\":1}",
    "a=b",
    "a==b",
    "=",
    "\"quoted\"",
    "'quoted'",
    "a: b",
    "two\nlines",
    "ä✓",
    "\\",
];

/// Paths of `--set`, with a value.
const PATHS: [&str; 50] = [
    "meshConfig.accessLogFile=/dev/stdout",
    "meshConfig.defaultConfig.proxyMetadata.A=1",
    "meshConfig.defaultConfig.proxyMetadata.B=true",
    "values.meshConfig.defaultConfig.proxyMetadata.A=1.50",
    "meshConfig.defaultConfig.concurrency=2",
    "tag=1.20",
    "tagged=1.20",
    "values.global.tag=1.20",
    "values.compatibilityVersion=1.28",
    "compatibilityVersion=1.28",
    "hub=localhost:5000",
    "components.pilot.tag=1.20",
    "components.pilot.hub=a/b",
    "components.pilot.k8s.replicaCount=3",
    "components.pilot.k8s.replicaCount=three",
    "components.pilot.k8s.env[0].name=A",
    "components.pilot.k8s.nodeSelector.kubernetes\\.io/os=linux",
    "components.pilot.k8s.podAnnotations.n=5",
    "components.pilot.enabled=false",
    "components.pilot.enabled=nope",
    "components.cni.enabled=true",
    "components.ingressGateways[0].name=mine",
    "components.ingressGateways.[0].name=mine",
    "components.ingressGateways[1].name=mine",
    "components.ingressGateways[-1].name=mine",
    "components.ingressGateways[name:istio-ingressgateway].enabled=false",
    "components.ingressGateways[name:nobody].enabled=false",
    "components.ingressGateways[x].enabled=false",
    "components.egressGateways[0].enabled=true",
    "components.ingressGateways[0]=5",
    "values.pilot.extraContainerArgs[0]=5",
    "values.global.imagePullSecrets[0]=one",
    "values.global.imagePullSecrets.[0]=one",
    "values.global.imagePullSecrets[5]=one",
    "values.global.imagePullSecrets[-1]=one",
    "values.global.imagePullSecrets=one",
    "values.pilot.env.DOTTED\\.NAME=x",
    "values.global.meshID..=x",
    ".values.global.meshID=x",
    "values..global.meshID=x",
    "values/../values.global.meshID=x",
    "values.global.meshID",
    "values",
    "",
    "=x",
    "spec.tag=x",
    "unknown=x",
    "values.global=x",
    "values.global.proxy.logLevel.deep=x",
    "values.sidecarInjectorWebhook.injectedAnnotations.container\\.apparmor\\.security\\.beta\\.kubernetes\\.io/istio-proxy=runtime/default",
];

pub fn add(cases: &mut Cases) {
    for value in VALUES {
        let set = format!("--set=unvalidatedValues.pilot.env.X={value}");
        cases.flags(&format!("set/value {}", value.escape_debug()), &[&set]);
        let set = format!("--set=values.global.meshID={value}");
        cases.flags(&format!("set/text {}", value.escape_debug()), &[&set]);
    }
    for (index, path) in PATHS.iter().enumerate() {
        cases.flags(&format!("set/path {index} {path}"), &[&format!("--set={path}")]);
    }
    sequences(cases);
    others(cases);
    istio(cases);
}

/// What one `--set` does to another, and to the file.
fn sequences(cases: &mut Cases) {
    let sequences: [&[&str]; 15] = [
        &["components.ingressGateways[0].name=a", "components.ingressGateways[1].name=b"],
        &[
            "components.ingressGateways[0].name=a",
            "components.ingressGateways[name:a].enabled=false",
        ],
        &[
            "components.ingressGateways[0].name=a",
            "components.ingressGateways[0].k8s.replicaCount=3",
        ],
        &[
            "components.ingressGateways[0].name=a",
            "components.ingressGateways[0].label.x=y",
            "components.ingressGateways[0].namespace=ns",
        ],
        &["components.pilot.k8s.env[0].name=A", "components.pilot.k8s.env[0].value=b"],
        &["components.pilot.k8s.env[0].name=A", "components.pilot.k8s.env[name:A].value=b"],
        &[
            "components.pilot.k8s.overlays[0].kind=Deployment",
            "components.pilot.k8s.overlays[0].name=istiod",
            "components.pilot.k8s.overlays[0].patches[0].path=spec.paused",
            "components.pilot.k8s.overlays[0].patches[0].value=true",
        ],
        &["values.pilot.env.A=1", "values.pilot.env.A=two"],
        &["values.pilot.env=5", "values.pilot.env.A=two"],
        &["tag=one", "values.global.tag=two", "tag=three"],
        &[
            "values.global.imagePullSecrets[0]=a",
            "values.global.imagePullSecrets[1]=b",
            "values.global.imagePullSecrets[0]=c",
        ],
        &["unvalidatedValues.a.b=1", "unvalidatedValues.pilot.more=2"],
        &["values.pilot.tolerations[0].key=a", "values.pilot.tolerations[0].operator=Exists"],
        &[
            "meshConfig.extensionProviders[0].name=p",
            "meshConfig.extensionProviders[0].envoyOtelAls.service=s",
            "meshConfig.extensionProviders[0].envoyOtelAls.port=4317",
        ],
        &["revision=", "values.revision=canary"],
    ];
    for (index, sets) in sequences.iter().enumerate() {
        let flags: Vec<String> = sets.iter().map(|set| format!("--set={set}")).collect();
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        cases.flags(&format!("set/sequence {index}"), &flags);
    }
    let file = "spec: {tag: one, values: {global: {meshID: m}, pilot: null}, components: {pilot: {k8s: {env: \
                [{name: A, value: b}, {name: C, value: d}], replicaCount: null}}, ingressGateways: [{name: a}, {name: b}]}}\n";
    for (name, set) in [
        ("over a file", "values.global.meshID=n"),
        ("below null", "values.pilot.env.A=b"),
        ("null replaced", "values.pilot=5"),
        ("list item", "components.pilot.k8s.env[name:C].value=e"),
        ("list index", "components.pilot.k8s.env[0].value=e"),
        ("list item missing", "components.pilot.k8s.env[name:Z].value=e"),
        ("list key missing", "components.pilot.k8s.env[x:Z].value=e"),
        ("list item replaced", "components.pilot.k8s.env[0]=e"),
        ("list appended", "components.ingressGateways[2].name=c"),
        ("selected", "components.ingressGateways[name:b].enabled=false"),
        ("scalar below", "tag.deep=e"),
        ("list below a scalar", "tag[0]=e"),
        ("null field", "components.pilot.k8s.replicaCount=2"),
    ] {
        cases.light(&format!("set/file {name}"), NEWEST, &[file], &[&format!("--set={set}")]);
    }
}

fn others(cases: &mut Cases) {
    let file = "spec: {values: {global: {badKey: 1}}}\n";
    for (name, flags) in [
        ("--force", &["--force"][..]),
        ("--force=false", &["--force=false"]),
        ("--force twice", &["--force", "--force=true"]),
        ("short set", &["--force", "-s", "tag=x"]),
        ("glued short set", &["--force", "-stag=x"]),
        ("--filter", &["--force", "--filter=Pilot"]),
        ("unknown flag", &["--force", "--nothing"]),
        ("positional", &["--force", "thing"]),
        ("file missing", &["--force", "-f", "/nowhere.yaml"]),
        ("file empty name", &["--force", "-f", ""]),
        ("no value", &["--force", "-s"]),
    ] {
        cases.light(&format!("flag/{name}"), NEWEST, &[file], flags);
    }
    let (one, two) = ("spec: {tag: one, hub: a/b}\n", "spec: {tag: two, revision: canary}\n");
    for (name, flags) in [
        ("one each", &["-f", "{0}", "-f", "{1}", "-f", "{2}"][..]),
        ("commas", &["-f", "{0},{2},{1}"]),
        ("spaces", &["-f", "{0} , {1}", "--filename= {2} "]),
        ("quotes", &["-f", "\"{0}\",{1}"]),
        ("glued", &["-f{0}", "-f={1}"]),
        ("twice the same", &["-f", "{1},{1},{0}"]),
        ("trailing comma", &["-f", "{0},"]),
    ] {
        cases.light(&format!("flag/files {name}"), NEWEST, &[one, two], flags);
    }
    for charts in RELEASES {
        for (name, spec) in [
            ("wrong type", "spec: {components: {pilot: {k8s: {replicaCount: \"2\"}}}}\n"),
            ("unknown field", "spec: {components: {pilot: {k8s: {replicas: 2}}}, nothing: 1}\n"),
            (
                "bad port",
                "spec: {components: {ingressGateways: [{name: a, k8s: {service: {ports: [{port: 80, name: a, targetPort: 80}]}}}]}}\n",
            ),
            ("bad revision", "spec: {revision: Not_Good}\n"),
            ("bad mesh", "spec: {meshConfig: {nothing: 5}}\n"),
            ("bad values", "spec: {values: {pilot: {replicaCount: many}}}\n"),
            ("bad hub", "spec: {hub: \"Bad Hub\"}\n"),
        ] {
            cases.light(&format!("flag/force {name}/{charts}"), charts, &[spec], &["--force"]);
        }
    }
}

/// Flags that Istio's own tests use.
fn istio(cases: &mut Cases) {
    for charts in RELEASES {
        for (name, sets) in [
            ("egress", &["values.gateways.istio-egressgateway.enabled=true"][..]),
            ("minimal", &["profile=minimal"]),
            ("hub and tag", &["hub=foo", "tag=bar"]),
            ("ingress", &["values.gateways.istio-ingressgateway.enabled=true"]),
            ("scope", &["values.global.resourceScope=namespace"]),
            ("cluster scope", &["values.global.resourceScope=cluster", "profile=ambient"]),
            (
                "no reader",
                &[
                    "values.global.resourceScope=all",
                    "values.global.enableReaderRBAC=false",
                    "revision=rev",
                ],
            ),
            (
                "reader",
                &[
                    "values.global.readerServiceAccount.name=r",
                    "values.global.readerServiceAccount.namespace=n",
                ],
            ),
            ("network policy", &["values.global.networkPolicy.enabled=true", "profile=ambient"]),
            ("nftables", &["values.global.nativeNftables=true", "profile=ambient"]),
            ("remote", &["values.global.remotePilotAddress=10.0.0.1", "profile=remote"]),
            (
                "remote by name",
                &[
                    "values.global.remotePilotAddress=istiod.example.org",
                    "profile=remote",
                    "values.global.configCluster=true",
                ],
            ),
            (
                "external",
                &[
                    "values.global.externalIstiod=true",
                    "values.global.configCluster=true",
                    "values.global.remotePilotAddress=::1",
                ],
            ),
            ("no config map", &["values.global.omitSidecarInjectorConfigMap=true"]),
            ("no validation", &["values.global.configValidation=false"]),
            ("managed webhooks", &["values.global.operatorManageWebhooks=true"]),
            ("no telemetry", &["values.telemetry.enabled=false"]),
            ("no config", &["values.pilot.configMap=false"]),
            ("analysis", &["values.global.istiod.enableAnalysis=true"]),
            (
                "CRDs by file",
                &["values.base.enableCRDTemplates=false", "components.base.enabled=true"],
            ),
            (
                "default revision",
                &[
                    "values.defaultRevision=default",
                    "components.base.enabled=true",
                    "values.base.enableCRDTemplates=false",
                ],
            ),
        ] {
            let flags: Vec<String> = sets.iter().map(|set| format!("--set={set}")).collect();
            let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
            cases.light(&format!("set/istio {name}/{charts}"), charts, &[], &flags);
        }
    }
}
