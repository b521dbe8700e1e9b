//! Asks istioctl and meshgen.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::{Value, json};

use super::case::{Case, RELEASES};
use super::verdict::Answer;
use crate::tool;

/// Both run so many cases at once: each takes a core while the other does.
const WORKERS: usize = 2;

/// The command that is judged.
pub const MESHGEN: &str = env!("CARGO_BIN_EXE_meshgen");

/// Where the cases lie, the charts that they are rendered with, and the judge.
pub struct Bench {
    folder: PathBuf,
    modules: BTreeMap<&'static str, PathBuf>,
    judge: PathBuf,
}

impl Bench {
    /// `None` when the judge or the charts cannot be had, which is then said.
    pub fn new(name: &str) -> Option<Self> {
        let judge = tool::path("generate")?;
        let mut modules = BTreeMap::new();
        for release in RELEASES {
            modules.insert(release, tool::istio_module(release)?);
        }
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("target/tmp can be written");
        Some(Self { folder, modules, judge })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn module(&self, release: &str) -> &Path {
        &self.modules[release]
    }

    fn manifests(&self, case: &Case) -> PathBuf {
        self.module(case.charts).join("manifests")
    }

    fn file(&self, case: &Case, index: usize) -> PathBuf {
        self.folder.join(format!("{}.{index}.yaml", case.slug()))
    }

    /// Writes the files of the cases.
    pub fn write(&self, cases: &[Case]) {
        for case in cases {
            for (index, text) in case.files.iter().enumerate() {
                let text = self.fill(case, text);
                fs::write(self.file(case, index), text).expect("target/tmp can be written");
            }
        }
    }

    fn fill(&self, case: &Case, text: &str) -> String {
        let mut text = text.replace("{manifests}", &self.manifests(case).to_string_lossy());
        for index in 0..case.files.len() {
            text = text.replace(&format!("{{{index}}}"), &self.file(case, index).to_string_lossy());
        }
        text
    }

    /// The flags of a case, as either command takes them. `-d` is not added to a case that names
    /// the charts itself.
    pub fn arguments(&self, case: &Case) -> Vec<String> {
        let mut arguments = Vec::new();
        if !case.texts().any(|text| text.contains("{manifests}")) {
            arguments.push(format!("--manifests={}", self.manifests(case).display()));
        }
        let named = case.flags.iter().any(|flag| flag.contains("{0}"));
        for index in (0..case.files.len()).filter(|_| !named) {
            arguments.push(format!("--filename={}", self.file(case, index).display()));
        }
        arguments.extend(case.flags.iter().map(|flag| self.fill(case, flag)));
        arguments
    }

    /// The case as somebody would type it, and its own input.
    pub fn describe(&self, case: &Case) -> String {
        let arguments: Vec<String> =
            self.arguments(case).iter().map(|argument| format!("'{argument}'")).collect();
        let input = case.files.last().map_or("", String::as_str);
        let input: Vec<&str> =
            input.lines().filter(|line| !line.starts_with('#')).take(60).collect();
        format!("{}\n{}\n{}\n", case.name, arguments.join(" "), input.join("\n"))
    }
}

/// istioctl's answers, in the order of the cases.
pub fn istioctl(bench: &Bench, cases: &[Case]) -> Vec<Answer> {
    let lines: String = cases
        .iter()
        .map(|case| format!("{}\n", json!({"name": case.name, "args": bench.arguments(case)})))
        .collect();
    let mut command = Command::new(&bench.judge);
    command.env("GOMAXPROCS", WORKERS.to_string()).env("GOGC", "400");
    let answers: Vec<Answer> = tool::run(&mut command, &lines)
        .lines()
        .zip(cases)
        .map(|(line, case)| answer(line, case))
        .collect();
    assert_eq!(answers.len(), cases.len(), "the judge answers all cases");
    answers
}

fn answer(line: &str, case: &Case) -> Answer {
    let json: Value = serde_json::from_str(line).expect("the judge prints JSON");
    assert_eq!(json["name"], case.name.as_str(), "the judge answers in order");
    match json["error"].as_str() {
        Some(error) => Answer::Refusal(error.to_owned()),
        None => Answer::Text(json["text"].as_str().expect("text").to_owned()),
    }
}

/// meshgen's answers, in the order of the cases.
pub fn meshgen(bench: &Bench, cases: &[Case]) -> Vec<Answer> {
    let answers = Mutex::new(vec![None; cases.len()]);
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(index) else { return };
                    let given =
                        run(MESHGEN.as_ref(), &["istio", "generate"], &bench.arguments(case), "");
                    answers.lock().expect("no thread panics here")[index] = Some(given);
                }
            });
        }
    });
    let answers = answers.into_inner().expect("no thread panics here");
    answers.into_iter().map(|answer| answer.expect("each case is run")).collect()
}

/// What a command answers. A crash is no refusal, unless the command is written in Go, whose
/// programs end with 2 and a trace then.
pub fn run<A: AsRef<OsStr> + Debug>(
    program: &Path,
    command: &[&str],
    arguments: &[A],
    input: &str,
) -> Answer {
    let output = tool::output(Command::new(program).args(command).args(arguments), input);
    if output.status.success() {
        return Answer::Text(String::from_utf8(output.stdout).expect("manifests are UTF-8"));
    }
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let crashed = output.status.code().is_none() || errors.contains("panicked at");
    assert!(!crashed, "{arguments:?} ends with {}:\n{errors}", output.status);
    Answer::Refusal(errors)
}
