//! The cases: each family in a file.

mod component;
mod flag;
mod gateway;
mod given;
mod overlay;
mod profile;
mod random;
mod refusal;
mod setting;
mod value;

use std::collections::BTreeSet;

use super::judge::Bench;

/// The releases whose charts are rendered, all by one istioctl.
pub const RELEASES: [&str; 4] = ["1.24", "1.26", "1.30", NEWEST];
/// The release that istioctl is of.
pub const NEWEST: &str = "1.31";

/// One input, for both commands.
#[derive(Debug, Clone)]
pub struct Case {
    /// Unique. It ends with the release where a family runs with several.
    pub name: String,
    /// The release whose charts are rendered.
    pub charts: &'static str,
    /// The files of `-f`, in their order. `{manifests}`, here and in flags, is the folder of the
    /// charts, and then there is no `-d`.
    pub files: Vec<String>,
    /// Further flags. `{0}` is the name of the first file; where it stands no `-f` is added.
    pub flags: Vec<String>,
}

impl Case {
    /// The name for a file: `-f` takes commas for separators and trims spaces.
    pub fn slug(&self) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
        let spell = |c: char| match c {
            '/' | ' ' => "_".to_owned(),
            c if plain(c) => c.to_string(),
            c => format!("%{:x}", u32::from(c)),
        };
        self.name.chars().map(spell).collect()
    }

    /// What the user wrote: files and flags.
    pub fn texts(&self) -> impl Iterator<Item = &String> {
        self.files.iter().chain(&self.flags)
    }
}

/// The custom resource definitions are most of the output and the same every time: a case that is
/// not about them leaves them out, and takes a fifth of the time.
const WITHOUT_BASE: &str = "spec: {components: {base: {enabled: false}}}\n";

/// What a file begins with that is only a `spec`.
const HEAD: &str = "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\n";

/// Collects cases.
#[derive(Default)]
pub struct Cases(Vec<Case>);

impl Cases {
    /// A case with everything. A file that begins with `spec` or `metadata` gets its head.
    pub fn full(&mut self, name: &str, charts: &'static str, files: &[&str], flags: &[&str]) {
        let file = |text: &&str| {
            let headless = text.starts_with("spec:") || text.starts_with("metadata:");
            format!("{}{text}", if headless { HEAD } else { "" })
        };
        self.0.push(Case {
            name: name.to_owned(),
            charts,
            files: files.iter().map(file).collect(),
            flags: flags.iter().map(|&flag| flag.to_owned()).collect(),
        });
    }

    /// A case without the component `base`, which a file of its own switches off before the others.
    pub fn light(&mut self, name: &str, charts: &'static str, files: &[&str], flags: &[&str]) {
        self.full(name, charts, &[&[WITHOUT_BASE], files].concat(), flags);
    }

    /// A light case of this `spec` with the newest charts.
    pub fn spec(&mut self, name: &str, spec: &str) {
        self.light(name, NEWEST, &[&format!("spec: {spec}\n")], &[]);
    }

    /// A light case of this `spec` with the newest charts, and with those of one other release, each
    /// in its turn; of every release where more cases are asked for.
    pub fn specs(&mut self, name: &str, spec: &str) {
        let turn = self.0.len() / 2 % (RELEASES.len() - 1);
        for (index, charts) in RELEASES.into_iter().enumerate() {
            if charts == NEWEST || index == turn || random::asked() {
                self.light(&format!("{name}/{charts}"), charts, &[&format!("spec: {spec}\n")], &[]);
            }
        }
    }

    /// A light case of this `spec` with the charts of every release.
    pub fn every(&mut self, name: &str, spec: &str) {
        for charts in RELEASES {
            let name = format!("{name}/{charts}");
            self.light(&name, charts, &[&format!("spec: {spec}\n")], &[]);
        }
    }

    /// A light case of these flags with the newest charts.
    pub fn flags(&mut self, name: &str, flags: &[&str]) {
        self.light(name, NEWEST, &[], flags);
    }
}

/// All cases, in the same order every time.
pub fn all(bench: &Bench) -> Vec<Case> {
    let mut cases = Cases::default();
    given::add(&mut cases, bench);
    profile::add(&mut cases);
    component::add(&mut cases);
    setting::add(&mut cases);
    overlay::add(&mut cases);
    flag::add(&mut cases);
    value::add(&mut cases);
    gateway::add(&mut cases);
    refusal::add(&mut cases);
    random::add(&mut cases);
    let mut slugs = BTreeSet::new();
    for case in &cases.0 {
        assert!(slugs.insert(case.slug()), "two cases are named {}", case.name);
    }
    cases.0
}
