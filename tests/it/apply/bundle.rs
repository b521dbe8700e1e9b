//! A bundle is applied to the byte, by somebody who has nothing else.

use std::fs;

use super::{Bed, installed, live};
use crate::testbed::{Kubelet, shared};

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
