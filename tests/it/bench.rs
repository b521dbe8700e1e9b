//! `just bench-istio`: what a control plane costs, beside istioctl and helm in the same run.
//!
//! No test: it asserts nothing and runs only when it is asked for. A figure is the median of the
//! runs, with the least in parentheses; both sides of a pair are run in turn. istioctl and helm are
//! the real ones, with the same charts and the same input.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use meshgen::helm::{self, Chart, File};
use meshgen::istio::{Component, Document, Package, Request, generate, print, sort};
use walkdir::WalkDir;

use crate::tool;

const MESHGEN: &str = env!("CARGO_BIN_EXE_meshgen");
const RUNS: usize = 11;
/// The newest charts that are served.
const RELEASE: &str = "1.30";

#[test]
#[ignore = "a benchmark; `just bench-istio` asks for it"]
fn control_planes_beside_the_real_tools() {
    let module = tool::istio_module(RELEASE).expect("the charts can be downloaded");
    let manifests = module.join("manifests");
    let operator = tool::root().join("out/c1/istio-operator.yaml");

    println!("\nistio {RELEASE} charts, the reference job's c1; {RUNS} runs, median (least)\n");
    let istioctl = tool::path("istioctl").expect("istioctl can be built");
    let mut theirs = Command::new(istioctl);
    theirs.args(["manifest", "generate", "-f"]).arg(&operator).arg("-d").arg(&manifests);
    let mut ours = Command::new(MESHGEN);
    ours.args(["istio", "generate", "-f"]).arg(&operator).arg("-d").arg(&manifests);
    pair("one cluster", "istioctl manifest generate", &mut theirs, &mut ours);

    let chart = manifests.join("charts/istio-control/istio-discovery");
    let mut theirs = Command::new(tool::path("helm").expect("helm can be built"));
    theirs.arg("template").arg("istio").arg(&chart).args(["-n", "istio-system"]);
    let mut ours = Command::new(MESHGEN);
    ours.args(["chart", "render"]).arg(&chart).args(["--name", "istio", "-n", "istio-system"]);
    pair("istiod's chart", "helm template", &mut theirs, &mut ours);

    one_cluster(&manifests, &operator);
    many_clusters(&manifests);
}

/// Times two commands in turn.
fn pair(what: &str, name: &str, theirs: &mut Command, ours: &mut Command) {
    let (mut them, mut us) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        them.push(time(theirs));
        us.push(time(ours));
    }
    let ratio = median(&them).as_secs_f64() / median(&us).as_secs_f64();
    println!(
        "{what:16} {name} {} ms, meshgen {} ms: {ratio:.1} times faster",
        shown(&them),
        shown(&us)
    );
}

fn time(command: &mut Command) -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begun = Instant::now();
    let status = command.status().expect("it starts");
    let took = begun.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    took
}

/// Where the time of one cold cluster goes, step by step in one process.
fn one_cluster(manifests: &Path, operator: &Path) {
    let text = fs::read_to_string(operator).expect("the committed tree");
    let mut steps: BTreeMap<usize, (&str, Vec<Duration>)> = BTreeMap::new();
    let mut note = |at: usize, name: &'static str, took: Duration| {
        steps.entry(at).or_insert_with(|| (name, Vec::new())).1.push(took);
    };
    for _ in 0..RUNS {
        note(
            0,
            "process start (`meshgen --version`)",
            time(Command::new(MESHGEN).arg("--version")),
        );
        let begun = Instant::now();
        let files = files(manifests);
        note(1, "reading the charts' files", begun.elapsed());
        let begun = Instant::now();
        for component in Component::ALL {
            parse(&files, component);
        }
        note(2, "parsing the charts (again in the next)", begun.elapsed());
        let package = Package::new(files);
        let request =
            Request { documents: vec![Document::text("c1", text.as_str())], ..Request::default() };
        let begun = Instant::now();
        let mut generated = generate(&package, &request).expect("it renders");
        note(3, "first cluster: parse, merge, execute, read, CRDs", begun.elapsed());
        let begun = Instant::now();
        generate(&package, &request).expect("it renders");
        note(4, "next cluster: merge, execute, read", begun.elapsed());
        let begun = Instant::now();
        sort(&mut generated.objects);
        let text = print(&generated.objects).expect("it prints");
        note(5, "sorting and printing", begun.elapsed());
        assert!(!text.is_empty());
    }
    println!("\nwhere the time of one cold cluster goes");
    for (name, times) in steps.values() {
        println!("  {name:52} {:>16} ms", shown(times));
    }
}

fn files(manifests: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = WalkDir::new(manifests).into_iter().map(|entry| entry.expect("an entry"));
    let files = entries.filter(|entry| entry.file_type().is_file()).filter_map(|entry| {
        let path = entry.path().strip_prefix(manifests).expect("below").to_str()?.to_owned();
        Package::reads(&path).then(|| (path, fs::read(entry.path()).expect("reads")))
    });
    files.collect()
}

/// Loads a chart and parses its templates, by rendering nothing of it.
fn parse(files: &BTreeMap<String, Vec<u8>>, component: Component) {
    let prefix = format!("charts/{}/", component.chart());
    let own = files.iter().filter_map(|(path, data)| {
        let path = path.strip_prefix(&prefix)?.to_owned();
        Some(File { path, data: data.clone() })
    });
    let chart = Chart::from_folder(own.collect()).expect("a chart");
    // what fails at once has parsed every template
    let request = helm::Request {
        values: [("defaults".to_owned(), true.into())].into_iter().collect(),
        integers: false,
        release: helm::Release {
            name: "istio".to_owned(),
            namespace: "istio-system".to_owned(),
            revision: 0,
            is_install: false,
            is_upgrade: false,
        },
        capabilities: helm::Capabilities::default(),
        skip_schema: false,
        strict: false,
        limits: helm::Limits::default(),
    };
    let _ = helm::render(&chart, &request);
}

/// A hundred clusters with control planes, cold, on tmpfs.
fn many_clusters(manifests: &Path) {
    const CLUSTERS: usize = 100;
    let shm = Path::new("/dev/shm");
    let on = if shm.is_dir() { shm.to_owned() } else { std::env::temp_dir() };
    let folder = tempfile::Builder::new().prefix("meshgen-bench").tempdir_in(on).expect("a folder");
    project(folder.path(), CLUSTERS, manifests);
    let out = folder.path().join("out");
    let mut render = Command::new(MESHGEN);
    render.arg("-C").arg(folder.path()).args(["render", "-q"]);
    let (mut cold, mut warm, mut line) = (Vec::new(), Vec::new(), Vec::new());
    let mesh = folder.path().join("mesh.yaml");
    let text = fs::read_to_string(&mesh).expect("reads");
    for number in 0..5 {
        if out.exists() {
            fs::remove_dir_all(&out).expect("removed");
        }
        cold.push(time(&mut render));
        warm.push(time(&mut render));
        let other = format!("{text}  # one\n").replace(
            "c7: {",
            &format!("c7: {{istio: {{values: {{pilot: {{traceSampling: {number}}}}}}}, "),
        );
        fs::write(&mesh, other).expect("written");
        line.push(time(&mut render));
        fs::write(&mesh, &text).expect("written");
    }
    let each = median(&cold).as_secs_f64() * 1000.0 / 100.0;
    println!(
        "\n{CLUSTERS} clusters with control planes, everything else included, on {}\n  cold {} ms ({each:.1} ms a \
         cluster), warm {} ms, after a value of one cluster {} ms",
        out.parent().and_then(Path::parent).unwrap_or(shm).display(),
        shown(&cold),
        shown(&warm),
        shown(&line)
    );
    println!("\naims: 15 times istioctl, 5 times helm, 100 clusters cold under 1,000 ms");
}

fn project(folder: &Path, clusters: usize, manifests: &Path) {
    let mut mesh =
        "apiVersion: meshgen.dev/v1alpha1\nkind: Mesh\nname: bench\nprofile: kubernetes\n\
         peered: false\nkubernetes: {version: v1.33.1}\n\
         istio: {version: 1.30.0, charts: istio, hub: docker.io/istio, tag: 1.30.0}\n\
         pki: {recipients: [RECIPIENT]}\nclusters:\n"
            .replace("RECIPIENT", recipient().trim());
    for index in 0..clusters {
        let _ = writeln!(mesh, "  c{index}: {{network: n{index}}}");
    }
    fs::write(folder.join("mesh.yaml"), mesh).expect("written");
    let identity = tool::root().join("tests/example-identity.txt");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(MESHGEN);
        command.arg("-C").arg(folder).args(arguments).env("MESHGEN_IDENTITY", &identity);
        tool::run(&mut command, "");
    };
    run(&["lock", &format!("istio={}", manifests.display())]);
    run(&["pki", "init", "-q"]);
}

/// The public half of the example identity.
fn recipient() -> String {
    let path: PathBuf = tool::root().join("tests/example-identity.txt");
    let text = fs::read_to_string(path).expect("the example identity");
    let line = text.lines().find_map(|line| line.strip_prefix("# public key: "));
    line.expect("it names its public key").to_owned()
}

fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort();
    sorted[sorted.len() / 2]
}

fn shown(times: &[Duration]) -> String {
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    let least = times.iter().min().copied().unwrap_or_default();
    format!("{:.1} ({:.1})", ms(median(times)), ms(least))
}
