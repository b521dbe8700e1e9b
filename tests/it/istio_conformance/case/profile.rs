//! Profiles, platforms, compatibility versions, revisions.

use super::{Cases, NEWEST, RELEASES};

const PROFILES: [&str; 11] = [
    "default",
    "demo",
    "minimal",
    "empty",
    "ambient",
    "openshift",
    "openshift-ambient",
    "preview",
    "stable",
    "remote",
    "external",
];

/// Profiles of the charts, which `values.profile` names; the last is none.
const CHART_PROFILES: [&str; 6] = ["ambient", "demo", "preview", "remote", "stable", "nothing"];

const PLATFORMS: [&str; 8] =
    ["gke", "k3d", "k3s", "microk8s", "minikube", "openshift", "nowhere", ""];

const COMPATIBILITY: [&str; 12] =
    ["1.20", "1.21", "1.22", "1.23", "1.24", "1.25", "1.26", "1.27", "1.28", "1.29", "1.30", "2.0"];

const REVISIONS: [&str; 13] = [
    "canary",
    "1-27-0",
    "default",
    "\"\"",
    "\"123\"",
    "\"1e3\"",
    "\"true\"",
    "\"007\"",
    "Upper",
    "dot.ted",
    "-dash",
    "under_score",
    "long-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789",
];

pub fn add(cases: &mut Cases) {
    for charts in RELEASES {
        for profile in PROFILES {
            let spec = format!("spec: {{profile: {profile}}}\n");
            cases.full(&format!("profile/{profile}/{charts}"), charts, &[&spec], &[]);
        }
        for profile in CHART_PROFILES {
            let spec = format!("spec: {{values: {{profile: {profile}}}}}\n");
            cases.light(&format!("profile/chart {profile}/{charts}"), charts, &[&spec], &[]);
        }
        for version in COMPATIBILITY {
            let spec = format!("spec: {{compatibilityVersion: \"{version}\"}}\n");
            cases.light(&format!("compatibility/{version}/{charts}"), charts, &[&spec], &[]);
        }
        for platform in PLATFORMS {
            let spec = format!(
                "spec: {{profile: ambient, values: {{global: {{platform: \"{platform}\"}}}}}}\n"
            );
            cases.light(&format!("platform/{platform}/{charts}"), charts, &[&spec], &[]);
        }
        for revision in REVISIONS {
            let spec = format!("spec: {{revision: {revision}}}\n");
            let name = revision.trim_matches('"');
            cases.light(&format!("revision/spec {name}/{charts}"), charts, &[&spec], &[]);
        }
    }
    mixtures(cases);
    for revision in ["canary", "default", "", "123", "1.5", "Upper", "a=b"] {
        for flag in ["--revision", "-r"] {
            let flags = [flag, revision, "--set=components.pilot.k8s.replicaCount=3"];
            cases.flags(&format!("revision/{flag} {revision}"), &flags);
        }
        let set = format!("--set=revision={revision}");
        cases.flags(&format!("revision/--set {revision}"), &[&set]);
        let set = format!("--set=values.revision={revision}");
        cases.flags(&format!("revision/--set values {revision}"), &[&set]);
    }
}

/// What these do to each other, and the ways to write them.
fn mixtures(cases: &mut Cases) {
    for profile in ["ambient", "demo", "openshift", "openshift-ambient", "remote"] {
        for (name, spec) in [
            (
                "revision",
                "revision: canary, values: {defaultRevision: canary, revisionTags: [prod, next]}",
            ),
            ("compatibility", "compatibilityVersion: \"1.26\""),
            ("old", "compatibilityVersion: 1.26"),
            ("platform", "values: {global: {platform: gke}, platform: k3s}"),
            (
                "everything on",
                "components: {pilot: {enabled: true}, cni: {enabled: true}, ztunnel: {enabled: true}, \
                ingressGateways: [{name: in, enabled: true}], egressGateways: [{name: out, enabled: true}]}",
            ),
            ("namespace", "values: {global: {istioNamespace: other}}"),
            (
                "mesh",
                "meshConfig: {trustDomain: td, defaultConfig: {proxyMetadata: {A: b}}, accessLogFile: /dev/stdout}",
            ),
        ] {
            cases.specs(
                &format!("profile/{profile} and {name}"),
                &format!("{{profile: {profile}, {spec}}}"),
            );
        }
    }
    for (name, spec) in [
        ("both profiles", "{values: {profile: demo, global: {profile: ambient}}}"),
        ("global profile", "{values: {global: {profile: ambient}}}"),
        ("number as profile", "{profile: 5}"),
        ("null as profile", "{profile: null}"),
        ("empty profile", "{profile: \"\"}"),
        ("list as profile", "{profile: [demo]}"),
        ("path as profile", "{profile: ../profiles/demo}"),
        ("file as profile", "{profile: demo.yaml}"),
        ("absolute profile", "{profile: /profiles/demo}"),
        ("no profile", "{profile: none-such}"),
        (
            "versions of both",
            "{compatibilityVersion: \"1.27\", values: {compatibilityVersion: \"1.28\"}}",
        ),
        ("version of values", "{values: {compatibilityVersion: \"1.28\"}}"),
        ("empty version", "{compatibilityVersion: \"\"}"),
        ("null version", "{compatibilityVersion: null}"),
    ] {
        cases.specs(&format!("profile/{name}"), spec);
    }
    for (name, flags) in [
        ("by set", &["--set=profile=demo"][..]),
        ("set twice", &["--set=profile=demo", "--set=profile=minimal"]),
        ("set to none", &["--set=profile=none-such"]),
        ("set to nothing", &["--set=profile="]),
        ("installPackagePath", &["--set=installPackagePath={manifests}"]),
        ("--charts", &["--charts={manifests}"]),
        ("-d twice", &["-d", "/nowhere", "-d", "{manifests}"]),
        ("-d nowhere", &["--manifests=/nowhere", "--set=hub={manifests}"]),
        ("-d over installPackagePath", &["--set=installPackagePath=/nowhere", "-d", "{manifests}"]),
    ] {
        cases.light(&format!("profile/{name}"), NEWEST, &["spec: {}\n"], flags);
    }
}
