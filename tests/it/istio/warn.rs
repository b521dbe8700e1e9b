//! Mistakes that istioctl does not mention.

use super::{run, warnings};

#[test]
fn silent_mistakes_are_warnings() {
    let cases: [(&str, &[&str], &str); 9] = [
        ("namespace: elsewhere", &[], "spec.namespace is not used"),
        (
            "components: {pilot: {k8s: {volumes: [{name: v}]}}}",
            &[],
            "components.pilot.k8s.volumes is not used",
        ),
        (
            "components: {base: {k8s: {replicaCount: 2}}}",
            &[],
            "components.base.k8s.replicaCount is not used",
        ),
        (
            "components: {pilot: {k8s: {hpaSpec: {maxReplicas: 5}}}}",
            &[],
            "components.pilot.k8s.hpaSpec does nothing: the component has no HorizontalPodAutoscaler `istiod`",
        ),
        (
            "components: {pilot: {k8s: {overlays: [{kind: Service, name: other}]}}}",
            &[],
            "components.pilot.k8s.overlays[0]: the component has no Service `other`",
        ),
        ("{}", &["values.global.network"], "`--set values.global.network` has no `=`"),
        (
            "values: {telemetry: null}",
            &["values.telemetry.enabled=true"],
            "is lost: a null stands on its path",
        ),
        ("values: {pilot: {enabled: false}}", &[], "values.pilot.enabled is overridden"),
        (
            "values: {pilot: {autoscaleEnabled: true}}\ncomponents: {pilot: {k8s: {replicaCount: 3}}}",
            &[],
            "components.pilot.k8s.replicaCount should not be set",
        ),
    ];
    for (spec, sets, expected) in cases {
        let said = warnings(spec, sets);
        assert!(said.iter().any(|line| line.contains(expected)), "{spec}: {said:?}");
    }
}

#[test]
fn charts_warn_in_their_notes() {
    assert_eq!(warnings("{}", &[]), ["the chart warns: this is old"]);
}

#[test]
fn force_makes_warnings_of_faults() {
    let mut request = super::request("unknown: 1\n", &[]);
    request.force = true;
    let generated = meshgen::istio::generate(&super::package::package(), &request).unwrap();
    let said: Vec<String> = generated.warnings.iter().map(ToString::to_string).collect();
    assert!(
        said.iter().any(|line| line.starts_with("let pass by --force: spec.unknown")),
        "{said:?}"
    );
    assert!(run("unknown: 1\n", &[]).is_err());
}
