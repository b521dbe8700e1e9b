//! Renders meshes of 1, 10, 100 and 1,000 clusters and prints what that costs, beside `cp -r` of the
//! result followed by `sync -f` in the same run.
//!
//! `cargo run --release --example bench -- [--clusters 1,10,100,1000] [--runs 5] [FOLDER…]`
//!
//! Each FOLDER is measured; by default /dev/shm (a tmpfs) and the folder for temporary files. A
//! figure is the median of the runs, with the least in parentheses. `cp out` copies all that a cold
//! render writes, its store too, `cp view` only the files that git sees; `/out` and `/view` are cold
//! divided by those. Files and KiB are those of out/ with its store. Nothing is asserted.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark has a clock, files and a terminal"
)]

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use meshgen::file::Disk;
use meshgen::inputs::{self, NoMemory};
use meshgen::{diag, pki};
use serde_json::json;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let asked = Asked::read()?;
    let meshgen = executable()?;
    for folder in &asked.folders {
        println!("\n{} on {}", folder.display(), file_system(folder));
        println!(
            "{:>8} {:>6} {:>8} {:>17} {:>15} {:>15} {:>17} {:>17} {:>17} {:>6} {:>6} {:>8}",
            "clusters",
            "files",
            "KiB",
            "cold ms",
            "warm ms",
            "one line ms",
            "--check ms",
            "cp out ms",
            "cp view ms",
            "/out",
            "/view",
            "peak MiB",
        );
        for &clusters in &asked.clusters {
            let project = tempfile::Builder::new().prefix("meshgen-bench").tempdir_in(folder)?;
            generate(project.path(), clusters)?;
            println!("{}", measure(&meshgen, project.path(), clusters, asked.runs)?);
        }
    }
    println!(
        "\naims: 1,000 clusters cold under 3,000 ms on tmpfs, at most 1.5 times cp and sync on disk;"
    );
    println!(
        "      a one-line change under 150 ms; peak under 300 MiB; files and KiB linear in clusters"
    );
    Ok(())
}

/// The arguments.
struct Asked {
    clusters: Vec<usize>,
    runs: usize,
    folders: Vec<PathBuf>,
}

impl Asked {
    fn read() -> Result<Self> {
        let mut asked = Self { clusters: vec![1, 10, 100, 1000], runs: 5, folders: Vec::new() };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or("a value is missing");
            match argument.as_str() {
                "--clusters" => {
                    let counts = value()?;
                    asked.clusters =
                        counts.split(',').map(str::parse).collect::<std::result::Result<_, _>>()?;
                }
                "--runs" => asked.runs = value()?.parse::<usize>()?.max(1),
                folder => asked.folders.push(folder.into()),
            }
        }
        if asked.folders.is_empty() {
            asked.folders = vec!["/dev/shm".into(), std::env::temp_dir()];
        }
        asked.folders.retain(|folder| folder.is_dir());
        Ok(asked)
    }
}

/// meshgen itself, in release: this program's neighbour, built if need be.
fn executable() -> Result<PathBuf> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["build", "--release", "--quiet", "--bin", "meshgen"]);
    if !command.current_dir(env!("CARGO_MANIFEST_DIR")).status()?.success() {
        return Err("meshgen does not build".into());
    }
    let own = std::env::current_exe()?;
    let folder = own.parent().and_then(Path::parent).ok_or("no target folder")?;
    Ok(folder.join("meshgen"))
}

fn file_system(folder: &Path) -> String {
    let output = Command::new("stat").args(["-f", "-c", "%T"]).arg(folder).output();
    output
        .map_or_else(|_| "?".into(), |output| String::from_utf8_lossy(&output.stdout).trim().into())
}

/// Writes a project: OKE clusters on a network each, with facts and keyring.
fn generate(project: &Path, clusters: usize) -> Result<()> {
    let (_, recipient) = pki::new_identity();
    let mut mesh = format!(
        "apiVersion: meshgen.dev/v1alpha1\nkind: Mesh\nname: bench\nprofile: oke-multi-primary\n\
         peered: false\npki: {{recipients: [{}]}}\nkubernetes: {{version: v1.28.2}}\n\
         istio: {{version: 1.20.2}}\nclusters:\n",
        recipient.as_str()
    );
    fs::create_dir_all(project.join("facts"))?;
    fs::create_dir_all(project.join("pki"))?;
    let example: serde_json::Value = serde_json::from_str(include_str!("../facts/c1.json"))?;
    for index in 0..clusters {
        let (high, low) = (index / 16, index % 16 * 16);
        let pods = high + 64;
        let services = high + 128;
        writeln!(
            mesh,
            "  c{index}:\n    region: sydney\n    vcn: 10.{high}.{low}.0/20\n    pods: 10.{pods}.{low}.0/20\n    \
             services: 10.{services}.{low}.0/20\n    samples: {{version: v1}}"
        )?;
        let group = |which: &str| {
            json!({
                "networkSecurityGroup": format!("ocid1.networksecuritygroup.oc1.ap-sydney-1.{which}c{index}"),
                "subnet": format!("ocid1.subnet.oc1.ap-sydney-1.{which}c{index}"),
            })
        };
        let facts = json!({
            "apiVersion": "meshgen.dev/v1alpha1", "kind": "Facts",
            "facts": {
                "server": format!("https://10.{high}.{}.5:6443", low),
                "certificateAuthority": example["facts"]["certificateAuthority"],
                "clusterId": format!("ocid1.cluster.oc1.ap-sydney-1.c{index}"),
                "publicLoadBalancer": group("public"),
                "internalLoadBalancer": group("internal"),
            },
        });
        fs::write(project.join(format!("facts/c{index}.json")), facts.to_string())?;
    }
    fs::write(project.join("mesh.yaml"), mesh)?;
    let prepared = meshgen::prepare(&Disk::new(), project, &NoMemory, "bench");
    let Some(read) = prepared.project else {
        return Err(diag::draw(&prepared.diagnostics, &prepared.sources, false).into());
    };
    let policy = inputs::policy(&read.inputs.mesh);
    let (empty, nobody) = (pki::Keyring::default(), pki::Identities::default());
    let changes = pki::init(&empty, &policy, time::OffsetDateTime::now_utc(), &nobody);
    for file in changes.map_err(|errors| format!("{errors:?}"))?.files {
        fs::write(project.join(&file.path), &file.text)?;
    }
    Ok(())
}

/// Times and peak of one mesh.
#[derive(Default)]
struct Times {
    cold: Vec<Duration>,
    warm: Vec<Duration>,
    line: Vec<Duration>,
    check: Vec<Duration>,
    copy: Vec<Duration>,
    view: Vec<Duration>,
    /// KiB.
    peak: u64,
}

/// What one mesh costs, as a line of the table.
fn measure(meshgen: &Path, project: &Path, clusters: usize, runs: usize) -> Result<String> {
    let out = project.join("out");
    let mesh = project.join("mesh.yaml");
    let text = fs::read_to_string(&mesh)?;
    // the last cluster's helloworld becomes another version: one line of mesh.yaml
    let line = "samples: {version: v1}";
    let at = text.rfind(line).ok_or("a cluster has this line")?;
    let mut times = Times::default();
    let mut written = Size::default();
    for number in 0..runs {
        remove(&out)?;
        sync(project)?;
        times.cold.push(render(meshgen, project, &[], &mut times.peak)?);
        times.warm.push(render(meshgen, project, &[], &mut times.peak)?);
        written = Size::of(&out)?;
        times.copy.push(copy(&out, &project.join("copy"))?);
        let other = format!("samples: {{version: v{}}}", number + 2);
        fs::write(&mesh, [&text[..at], &other, &text[at + line.len()..]].concat())?;
        times.line.push(render(meshgen, project, &[], &mut times.peak)?);
        times.check.push(render(meshgen, project, &["--check"], &mut times.peak)?);
        fs::write(&mesh, &text)?;
        remove(&out.join("store"))?;
        times.view.push(copy(&out, &project.join("copy"))?);
    }
    let ratio = |to: &[Duration]| median(&times.cold).as_secs_f64() / median(to).as_secs_f64();
    Ok(format!(
        "{clusters:>8} {:>6} {:>8} {:>17} {:>15} {:>15} {:>17} {:>17} {:>17} {:>6.2} {:>6.2} {:>8}",
        written.files,
        written.bytes / 1024,
        shown(&times.cold),
        shown(&times.warm),
        shown(&times.line),
        shown(&times.check),
        shown(&times.copy),
        shown(&times.view),
        ratio(&times.copy),
        ratio(&times.view),
        times.peak / 1024,
    ))
}

/// Renders and gives the time; raises `peak` to the KiB that the process had at most.
fn render(meshgen: &Path, project: &Path, more: &[&str], peak: &mut u64) -> Result<Duration> {
    let mut command = Command::new(meshgen);
    command.arg("-C").arg(project).args(["render", "-q"]).args(more);
    let begun = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let done = loop {
        if let Some(done) = child.try_wait()? {
            break done;
        }
        // the peak only grows, so that what is missed is the growth of the last two milliseconds
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().split(' ').next()?.parse().ok());
        *peak = (*peak).max(kib.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(2));
    };
    let took = begun.elapsed();
    if done.success() { Ok(took) } else { Err(format!("{command:?}: {done}").into()) }
}

/// `cp -r` and `sync -f`.
fn copy(from: &Path, to: &Path) -> Result<Duration> {
    remove(to)?;
    sync(from)?;
    let begun = Instant::now();
    succeed(Command::new("cp").arg("-r").arg(from).arg(to))?;
    sync(to)?;
    let took = begun.elapsed();
    remove(to)?;
    Ok(took)
}

fn sync(path: &Path) -> Result<()> {
    succeed(Command::new("sync").arg("-f").arg(path))
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(())
}

fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}

/// What is in a folder.
#[derive(Default)]
struct Size {
    files: usize,
    bytes: u64,
}

impl Size {
    fn of(folder: &Path) -> Result<Self> {
        let mut size = Self::default();
        for entry in walkdir::WalkDir::new(folder) {
            let entry = entry?;
            if entry.file_type().is_file() {
                size.files += 1;
                size.bytes += entry.metadata()?.len();
            }
        }
        Ok(size)
    }
}

fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort();
    sorted[sorted.len() / 2]
}

/// The median, and the least in parentheses, in milliseconds.
fn shown(times: &[Duration]) -> String {
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    let least = times.iter().min().copied().unwrap_or_default();
    format!("{:.0} ({:.0})", ms(median(times)), ms(least))
}
