//! Which cluster goes first.

use super::handmade::{Handmade, deployment};
use super::rare::furnished;
use super::{Bed, Said};
use crate::testbed::shared;

/// `(cluster, stage)` of everything that was written, in order, as stderr tells it.
fn written(said: &Said) -> Vec<(String, String)> {
    let line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_stage = words.len() >= 4 && words[1].as_bytes().get(2) == Some(&b'-');
        is_stage.then(|| (words[0].to_owned(), words[1].to_owned()))
    };
    said.err.lines().filter_map(line).collect()
}

/// Panics unless everything up to `55-tokens` of one cluster was before that of the other.
#[track_caller]
fn goes_before(said: &Said, first: &str, second: &str) {
    let rows = written(said);
    let is_early = |row: &(String, String), of: &str| row.0 == of && row.1.as_str() <= "55-tokens";
    let last = rows.iter().rposition(|row| is_early(row, first)).expect("it wrote something");
    let begin = rows.iter().position(|row| is_early(row, second)).expect("it wrote something");
    assert!(last < begin, "{first} before {second}: {rows:#?}");
}

#[test]
fn waves_go_one_after_the_other() {
    let Some(planes) = shared(3) else { return };
    let _kubelets = furnished(&planes);
    let bed = Bed::light(&planes, "");
    for (wave, why) in [("c4", "no cluster `c4`"), ("c1,c1", "twice"), ("", "no cluster ``")] {
        bed.expect(2, &["apply", "--yes", "--wave", wave]).must_have(why);
    }
    bed.expect(2, &["apply", "--yes", "--wave", "c1", "--parallel"]).must_have("--parallel");
    // one at a time: those that wait for others must not stand in their way
    let waves = ["apply", "--yes", "--wave", "c3", "--wave", "c1", "--concurrency", "1"];
    let said = bed.expect(0, &waves);
    goes_before(&said, "c3", "c1");
    goes_before(&said, "c1", "c2");
    for name in ["c1", "c2", "c3"] {
        for stage in ["60-remote-secrets", "70-samples"] {
            assert!(written(&said).contains(&(name.into(), stage.into())), "{name} {stage}");
        }
    }
    bed.expect(0, &["plan"]);

    // a wave that has nothing to do holds nobody up
    planes[0].client().delete("/api/v1/namespaces/sample/services/sleep");
    let said = bed.expect(0, &["apply", "--wave", "c3", "--wave", "c2"]);
    said.must_have("c1  done, 1 object written").must_have("c2  unchanged");
}

#[test]
fn a_wave_that_fails_stops_the_next() {
    let Some(planes) = shared(3) else { return };
    let kubelets = furnished(&planes);
    let bed = Bed::light(&planes, "");
    let tree = Handmade::of(&bed);
    for name in ["c1", "c2", "c3"] {
        tree.put(name, "40-gateways", &deployment("gateway", "proxy:1"));
    }
    kubelets[2].hold_pods(true);
    bed.forget_audits();
    let apply = ["apply", tree.name(), "--yes", "--wave", "c3,c1", "--timeout", "4s"];
    let said = bed.expect(3, &apply);
    said.must_have("Deployment/istio-system/gateway").must_have("c3  failed after ");
    said.must_have("c2  not begun: `c3` failed").must_have("c1  done");
    assert!(planes[1].writes().is_empty(), "{:#?}", planes[1].writes());
    assert!(planes[2].client().get("/api/v1/namespaces/sample/services/sleep").is_none());
    // c1 goes to its end, but for what would lead it to c3
    let secrets = "/api/v1/namespaces/istio-system/secrets";
    assert!(planes[0].client().get("/api/v1/namespaces/sample/services/sleep").is_some());
    let remote = |at: usize, of: &str| {
        planes[at].client().get(&format!("{secrets}/istio-remote-secret-{of}")).is_some()
    };
    assert!(!remote(0, "c3") && !remote(0, "c2"));

    kubelets[2].hold_pods(false);
    bed.expect(0, &["apply", tree.name(), "--yes", "--wave", "c3,c1"]);
    assert!(remote(0, "c3") && remote(0, "c2") && remote(1, "c3"));
    bed.expect(0, &["plan", tree.name()]);
}

#[test]
fn what_runs_is_changed_in_one_cluster_after_the_other() {
    let Some(planes) = shared(2) else { return };
    let kubelets = furnished(&planes);
    let bed = Bed::light(&planes, "");
    let tree = Handmade::of(&bed);
    let with = |image: &str| {
        for name in ["c1", "c2"] {
            tree.put(name, "40-gateways", &deployment("gateway", image));
        }
    };
    with("proxy:1");
    bed.expect(0, &["apply", tree.name(), "--yes"]);
    let image = |at: usize| {
        let path = "/apis/apps/v1/namespaces/istio-system/deployments/gateway";
        let found = planes[at].client().get(path).unwrap();
        found["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap().to_owned()
    };

    with("proxy:2");
    let said = bed.expect(0, &["apply", tree.name()]);
    goes_before(&said, "c1", "c2");

    // one that does not start stops there
    with("proxy:3");
    kubelets[0].hold_pods(true);
    bed.forget_audits();
    let said = bed.expect(3, &["apply", tree.name(), "--timeout", "4s"]);
    said.must_have("c2  not begun: `c1` failed").must_have("Deployment/istio-system/gateway");
    assert!(planes[1].writes().is_empty(), "{:#?}", planes[1].writes());
    assert_eq!((image(0), image(1)), ("proxy:3".to_owned(), "proxy:2".to_owned()));

    // unless that is asked for
    with("proxy:4");
    let said = bed.expect(3, &["apply", tree.name(), "--parallel", "--timeout", "4s"]);
    said.must_have("c2  done");
    assert_eq!((image(0), image(1)), ("proxy:4".to_owned(), "proxy:4".to_owned()));
    kubelets[0].hold_pods(false);
    bed.expect(0, &["apply", tree.name()]);
    bed.expect(0, &["plan", tree.name()]);
}
