//! A bundle is applied to the byte, by somebody who has nothing else.

use std::fs;

use super::{Bed, installed, live};
use crate::testbed::{Kubelet, in_namespace, shared};
use crate::tool;

#[test]
fn a_site_that_has_a_bundle_alone_applies_it() {
    let Some(planes) = shared(2) else { return };
    let bed = Bed::light(&planes, "");
    let _kubelets: Vec<Kubelet> = planes.iter().map(Kubelet::start).collect();
    planes.iter().for_each(installed);
    let (bundle, plan) = (bed.file("light.tar"), bed.file("plan.json"));
    bed.expect(0, &["bundle", "create", "--complete", "--out", &bundle]);
    // of the project nothing stays: no mesh, no facts, no keyring, no tree
    let project = bed.project.path();
    let kept = bed.folder.path().join("kept");
    fs::create_dir(&kept).unwrap();
    for entry in fs::read_dir(project).unwrap() {
        let entry = entry.unwrap();
        fs::rename(entry.path(), kept.join(entry.file_name())).unwrap();
    }
    bed.forget_audits();
    for arguments in
        [&["plan", &bundle][..], &["apply", &bundle, "--yes"], &["diff", "--live", &bundle]]
    {
        bed.expect(2, arguments).must_have("it is not signed");
    }
    let good = fs::read(&bundle).unwrap();
    let mut bad = good.clone();
    let middle = bad.len() / 2;
    bad[middle] ^= 1;
    fs::write(&bundle, &bad).unwrap();
    bed.expect(2, &["apply", &bundle, "--yes", "--allow-unsigned"]).must_have("at byte");
    fs::write(&bundle, good).unwrap();
    bed.wrote_nothing();

    bed.expect(1, &["plan", &bundle, "--allow-unsigned"]).must_have("first contact");
    bed.expect(0, &["apply", &bundle, "--yes", "--allow-unsigned"]);
    bed.forget_audits();
    bed.expect(0, &["apply", &bundle, "--yes", "--allow-unsigned"]);
    bed.expect(0, &["diff", "--live", &bundle, "--allow-unsigned"]);
    bed.wrote_nothing();

    // a saved plan keeps the tree of a bundle that is gone since
    planes[0].client().delete("/apis/apps/v1/namespaces/sample/deployments/sleep");
    bed.expect(1, &["plan", &bundle, "--allow-unsigned", "--out", &plan]);
    fs::remove_file(&bundle).unwrap();
    bed.expect(0, &["apply", "--plan", &plan, "--yes"]);

    // what is there is what was rendered
    fs::remove_dir_all(project.join("out")).unwrap();
    for entry in fs::read_dir(&kept).unwrap() {
        let entry = entry.unwrap();
        fs::rename(entry.path(), project.join(entry.file_name())).unwrap();
    }
    for plane in planes.iter() {
        live::equals_tree(&bed, plane);
    }
    bed.expect(0, &["plan"]);
    bed.keeps_secrets();
}

/// No route leads out of this namespace: what a site without a network has is its clusters, a bundle,
/// and the public key of whom it trusts.
#[test]
fn a_site_without_a_network_verifies_and_applies() {
    if !in_namespace("apply::bundle::a_site_without_a_network_verifies_and_applies") {
        return;
    }
    let Some(planes) = shared(2) else { return };
    // no wire leads out: there is no interface but this machine's own
    let interfaces = fs::read_to_string("/proc/self/net/dev").expect("Linux");
    let names = interfaces.lines().filter_map(|line| Some(line.split_once(':')?.0.trim()));
    assert_eq!(names.collect::<Vec<_>>(), ["lo"], "{interfaces}");
    let bed = Bed::light(&planes, "");
    let _kubelets: Vec<Kubelet> = planes.iter().map(Kubelet::start).collect();
    planes.iter().for_each(installed);
    // where there is a network: two trees, one after the other, each signed
    let data = tool::root().join("tests/data/sign");
    let (key, public) = (data.join("cosign.key"), data.join("cosign.pub"));
    let public = public.to_str().expect("a path").to_owned();
    fs::write(bed.file("password"), "no secret: a test's").unwrap();
    let (first, second) = (bed.file("first.tar"), bed.file("second.tar"));
    for (at, bundle) in [&first, &second].into_iter().enumerate() {
        if at == 1 {
            bed.edit("name: light", "name: light\nsamples: {enabled: false}");
        }
        bed.expect(0, &["bundle", "create", "--complete", "--out", bundle]);
        let key = key.to_str().expect("a path");
        let password = bed.file("password");
        bed.expect(0, &["bundle", "sign", "--key", key, "--password-file", &password, bundle]);
    }
    for entry in fs::read_dir(bed.project.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
    }

    let trusted = ["--key", &public];
    let with = |words: &[&'static str], bundle: &str, code: i32| {
        let mut all: Vec<&str> = words.to_vec();
        all.extend([bundle, trusted[0], trusted[1]]);
        bed.expect(code, &all)
    };
    bed.forget_audits();
    with(&["bundle", "verify"], &first, 0);
    with(&["plan"], &first, 1).must_have("first contact");
    bed.wrote_nothing();
    with(&["apply", "--yes"], &first, 0);
    with(&["diff", "--live"], &first, 0);
    // the second: whole, by whom, and what it will change here
    with(&["bundle", "verify"], &second, 0);
    bed.expect(1, &["diff", &first, &second, "--key", &public]).must_have("sleep");
    with(&["diff", "--live"], &second, 1).must_have("sleep");
    let applied = with(&["apply", "--yes", "--allow-prune"], &second, 0);
    applied.must_have("done");
    with(&["diff", "--live"], &second, 0);
    with(&["plan"], &second, 0);
    with(&["bundle", "verify"], &second, 0);
    for plane in planes.iter() {
        let gone = plane.client().get("/apis/apps/v1/namespaces/sample/deployments/sleep");
        assert!(gone.is_none(), "the sample is still there");
    }
}
