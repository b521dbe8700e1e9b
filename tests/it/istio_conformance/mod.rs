//! `meshgen istio generate` against `istioctl manifest generate`: the same flags, the same files,
//! the same charts of four releases. istioctl is the judge.
//!
//! A case is an `IstioOperator` or several, with flags. What both print is compared as text; where
//! that differs, as objects, in which the strings of a `ConfigMap` are bytes. What istioctl refuses,
//! meshgen must refuse. A difference that is meant stands in [`difference`] with its reason.
//!
//! `MESHGEN_CASES=n` makes n random cases instead of a few, and takes every case with the charts of
//! every release; `MESHGEN_SEED=n` makes other random cases;
//! `MESHGEN_ISTIO=text` runs only cases whose name contains the text. The inputs of the last run
//! stay in `target/tmp/istio-conformance`, and with them `report.md`, each unequal case,
//! `refusals.txt`, what both say to what both refuse, and `cases.jsonl`, which the judge reads.

mod case;
mod difference;
mod judge;
mod verdict;

use std::fmt::Write;

use serde_json::json;

use case::Case;
use difference::Difference;
use judge::{Bench, istioctl, meshgen};
use verdict::{Answer, Verdict};

use crate::tool;

/// How many cases are in memory at once, with both answers, which can be a megabyte each.
const BATCH: usize = 96;

/// What came of all cases.
#[derive(Default)]
struct Count {
    equal: usize,
    bytes: usize,
    refused: usize,
    documented: usize,
    unequal: Vec<String>,
    /// What both say to what both refuse.
    refusals: Vec<String>,
    /// The rows of the table of differences that were met.
    met: std::collections::BTreeSet<&'static str>,
}

impl Count {
    fn add(&mut self, bench: &Bench, case: &Case, theirs: &Answer, ours: &Answer) {
        let documented = difference::of(case);
        match (Verdict::of(theirs, ours), documented) {
            (Verdict::Equal { bytes }, None) => {
                self.equal += 1;
                self.bytes += usize::from(bytes);
            }
            (Verdict::Refused, None) => {
                self.refused += 1;
                self.refusals.push(format!("{}\n{theirs}\n{ours}\n", case.name));
            }
            (Verdict::Unequal(_), Some(Difference { cases, .. })) => {
                self.documented += 1;
                self.met.insert(cases);
            }
            (_, Some(Difference { reason, .. })) => {
                self.unequal
                    .push(format!("{}: documented as different ({reason}), and equal", case.name));
            }
            (Verdict::Unequal(why), None) => {
                self.unequal.push(format!("{}\n{why}", bench.describe(case)));
            }
        }
    }
}

#[test]
fn meshgen_generates_what_istioctl_generates() {
    let Some(bench) = Bench::new("istio-conformance") else { return };
    let cases = case::all(&bench);
    let only = std::env::var("MESHGEN_ISTIO").unwrap_or_default();
    let cases: Vec<Case> = cases.into_iter().filter(|case| case.name.contains(&only)).collect();
    let mut count = Count::default();
    for batch in cases.chunks(BATCH) {
        bench.write(batch);
        let (theirs, ours) = std::thread::scope(|scope| {
            let theirs = scope.spawn(|| istioctl(&bench, batch));
            let ours = meshgen(&bench, batch);
            (theirs.join().expect("the judge answers"), ours)
        });
        for ((case, theirs), ours) in batch.iter().zip(&theirs).zip(&ours) {
            count.add(&bench, case, theirs, ours);
        }
    }
    report(&bench, &cases, count, only.is_empty());
}

fn report(bench: &Bench, cases: &[Case], mut count: Count, complete: bool) {
    if complete {
        for Difference { cases, reason } in difference::ALL {
            if !count.met.contains(cases) {
                count.unequal.push(format!("{cases}: documented ({reason}), and no case is so"));
            }
        }
    }
    tool::announce(&format!(
        "istio conformance: {} cases: {} equal ({} to the byte), {} both refuse, {} documented, {} unequal",
        cases.len(),
        count.equal,
        count.bytes,
        count.refused,
        count.documented,
        count.unequal.len(),
    ));
    let mut text = String::new();
    for unequal in &count.unequal {
        writeln!(text, "### {unequal}").expect("a string takes text");
    }
    std::fs::write(bench.folder().join("report.md"), &text).expect("the report can be written");
    std::fs::write(bench.folder().join("refusals.txt"), count.refusals.join("\n"))
        .expect("the report can be written");
    let lines: Vec<String> = cases
        .iter()
        .map(|case| json!({"name": case.name, "args": bench.arguments(case)}).to_string())
        .collect();
    std::fs::write(bench.folder().join("cases.jsonl"), lines.join("\n"))
        .expect("the report can be written");
    let few: Vec<&str> = count.unequal.iter().take(12).map(String::as_str).collect();
    assert!(
        few.is_empty(),
        "{} unequal, all of them in {}; the first:\n\n{}",
        count.unequal.len(),
        bench.folder().join("report.md").display(),
        few.join("\n\n"),
    );
    assert!(!complete || cases.len() >= 200, "the matrix has only {} cases", cases.len());
}

/// `-` is the standard input, and only the last file can be.
#[test]
fn the_last_file_can_be_standard_input() {
    let Some(bench) = Bench::new("istio-stdin") else { return };
    let Some(executable) = tool::path("istioctl") else { return };
    let manifests =
        format!("--manifests={}", bench.module(case::NEWEST).join("manifests").display());
    let input = "kind: IstioOperator\nspec: {profile: minimal, tag: read}\n";
    for (files, taken) in
        [(&["-f", "-"][..], true), (&["-f", "-", "-f", "-"], false), (&["-f", "-,x"], false)]
    {
        let arguments: Vec<&str> = [&[manifests.as_str()], files].concat();
        let theirs = judge::run(&executable, &["manifest", "generate"], &arguments, input);
        let ours = judge::run(judge::MESHGEN.as_ref(), &["istio", "generate"], &arguments, input);
        match Verdict::of(&theirs, &ours) {
            Verdict::Equal { bytes } => assert!(bytes && taken, "{files:?}"),
            Verdict::Refused => assert!(!taken, "{files:?}: {ours}"),
            Verdict::Unequal(why) => panic!("{files:?}: {why}"),
        }
    }
}

/// The judge of the matrix answers in one process; that it is istioctl is seen by asking the
/// executable the same.
#[test]
fn the_judge_is_istioctl() {
    let Some(bench) = Bench::new("istio-judge") else { return };
    let Some(executable) = tool::path("istioctl") else { return };
    let cases = case::all(&bench);
    let step = cases.len().div_ceil(24);
    let sample: Vec<Case> = cases.into_iter().step_by(step).collect();
    bench.write(&sample);
    let mut taken = 0;
    for (case, batch) in sample.iter().zip(istioctl(&bench, &sample)) {
        let alone = judge::run(&executable, &["manifest", "generate"], &bench.arguments(case), "");
        match Verdict::of(&alone, &batch) {
            Verdict::Unequal(why) => panic!("{}\n{why}", bench.describe(case)),
            Verdict::Equal { .. } => taken += 1,
            Verdict::Refused => {}
        }
    }
    assert!(taken >= 12, "the sample has only {taken} cases that istioctl takes");
    println!("{} cases answered alike by istioctl and the judge, {taken} taken", sample.len());
}
