//! The real tools that judge us, and how a test gets at them.
//!
//! A Go tool is built by `go build` from the module under `tests/tools/<family>`, whose `go.mod`
//! and `go.sum` pin it, into `${XDG_CACHE_HOME:-~/.cache}/meshgen-testbed/<digest>/`. The digest is
//! that of the family's files, so a second run, or another clone, builds nothing.
//!
//! A tool that cannot be had makes its test print `not run: …`; with `MESHGEN_REQUIRE_TOOLS=1`, as
//! `.ci/run` sets it, the test fails instead.

use std::collections::BTreeSet;
use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;

use meshgen::store::Digest;

/// A Go tool: its name, its module under `tests/tools`, its package.
struct GoTool {
    name: &'static str,
    family: &'static str,
    package: &'static str,
}

/// What `just tools` builds. One module a family, because their dependencies do not agree.
const GO_TOOLS: [GoTool; 18] = [
    GoTool { name: "reader", family: "reader", package: "." },
    GoTool { name: "hcl", family: "hcl", package: "." },
    GoTool { name: "attestation", family: "attestation", package: "." },
    GoTool {
        name: "crane",
        family: "crane",
        package: "github.com/google/go-containerregistry/cmd/crane",
    },
    GoTool {
        name: "registry",
        family: "crane",
        package: "github.com/google/go-containerregistry/cmd/registry",
    },
    GoTool { name: "oras", family: "oras", package: "oras.land/oras/cmd/oras" },
    GoTool { name: "sops", family: "sops", package: "github.com/getsops/sops/v3/cmd/sops" },
    GoTool { name: "istioctl", family: "istio", package: "istio.io/istio/istioctl/cmd/istioctl" },
    GoTool { name: "remotesecret", family: "istio", package: "./remotesecret" },
    GoTool { name: "generate", family: "istio", package: "./generate" },
    GoTool { name: "helm", family: "helm", package: "helm.sh/helm/v4/cmd/helm" },
    GoTool { name: "schema", family: "istio", package: "./schema" },
    GoTool { name: "gotemplate", family: "template-oracle", package: "./plain" },
    GoTool { name: "helmlib", family: "template-oracle", package: "./helm" },
    GoTool { name: "etcd", family: "etcd", package: "go.etcd.io/etcd/server/v3" },
    GoTool {
        name: "kube-apiserver",
        family: "kubernetes",
        package: "k8s.io/kubernetes/cmd/kube-apiserver",
    },
    GoTool {
        name: "kube-controller-manager",
        family: "kubernetes",
        package: "k8s.io/kubernetes/cmd/kube-controller-manager",
    },
    GoTool { name: "kubectl", family: "kubernetes", package: "k8s.io/kubernetes/cmd/kubectl" },
];

/// OpenTofu stands in where there is no Terraform; `just tofu` builds it, nothing else does.
const TOFU: GoTool =
    GoTool { name: "tofu", family: "tofu", package: "github.com/opentofu/opentofu/cmd/tofu" };

/// cosign judges signatures where it was built: `just cosign` does, nothing else.
const COSIGN: GoTool = GoTool {
    name: "cosign",
    family: "cosign",
    package: "github.com/sigstore/cosign/v3/cmd/cosign",
};

/// Flux's two controllers; `just flux` builds them, nothing else does.
const FLUX: [GoTool; 2] = [
    GoTool {
        name: "source-controller",
        family: "flux-source",
        package: "github.com/fluxcd/source-controller",
    },
    GoTool {
        name: "kustomize-controller",
        family: "flux-kustomize",
        package: "github.com/fluxcd/kustomize-controller",
    },
];

/// Flux's controllers, each with the folder of its module, where its definitions are. Eight minutes of
/// compiling in a recipe of their own, so that they are not there unless `just flux` has built them.
pub fn flux() -> Option<[(PathBuf, PathBuf); 2]> {
    let mut found = Vec::new();
    for tool in &FLUX {
        let Some(path) = tool.cached().ok().filter(|path| path.exists()) else {
            not_run("flux", "a recipe of its own, `just flux`");
            return None;
        };
        announce(&format!("judge: flux: {}", path.display()));
        found.push((path, module(tool.family, tool.package)?));
    }
    found.try_into().ok()
}

/// The folder of a module that a family of `tests/tools` pins. Go downloads it once and checks it against
/// `go.sum`. `None` when it cannot be had, as with [`path`].
pub fn module(family: &str, module: &str) -> Option<PathBuf> {
    let found = match on_path("go") {
        Some(_) => download(family, module),
        None => Err("`go` is not on PATH: install Go 1.26 to download modules".to_owned()),
    };
    found
        .map_err(|reason| {
            let required = env::var_os("MESHGEN_REQUIRE_TOOLS").is_some();
            assert!(!required, "{module} is required: {reason}");
            not_run(module, &reason);
        })
        .ok()
}

/// The executable of a tool, built where need be; everything that is no Go tool is looked up on
/// `PATH`.
///
/// `None` when it cannot be had: the reason is then printed, and the test must return. Panics
/// instead when tools are required.
pub fn path(name: &str) -> Option<PathBuf> {
    let found = match GO_TOOLS.iter().find(|tool| tool.name == name) {
        Some(tool) => tool.executable(),
        None => on_path(name).ok_or_else(|| format!("`{name}` is not on PATH: install it")),
    };
    match found {
        Ok(path) => {
            announce(&format!("judge: {name}: {}", path.display()));
            Some(path)
        }
        Err(reason) => {
            assert!(env::var_os("MESHGEN_REQUIRE_TOOLS").is_none(), "{name} is required: {reason}");
            not_run(name, &reason);
            None
        }
    }
}

/// Terraform, or else OpenTofu. Optional even where tools are required, since neither is a package
/// of a plain machine; the Go tool `hcl` reads with Terraform's own library everywhere.
pub fn terraform() -> Option<PathBuf> {
    let found = on_path("terraform")
        .or_else(|| on_path("tofu"))
        .or_else(|| TOFU.cached().ok().filter(|path| path.exists()));
    match &found {
        Some(path) => announce(&format!("judge: terraform: {}", path.display())),
        None => not_run("terraform", "no `terraform` or `tofu` on PATH; `just tofu` builds one"),
    }
    found
}

/// cosign, if `just cosign` has built it on this machine. Optional even where tools are required, as
/// [`terraform`].
pub fn cosign() -> Option<PathBuf> {
    let found = COSIGN.cached().ok().filter(|path| path.exists());
    match &found {
        Some(path) => announce(&format!("judge: cosign: {}", path.display())),
        None => not_run("cosign", "it is not built; `just cosign` does, in five minutes"),
    }
    found
}

/// Istio's pilot-discovery: on `PATH`, or as the lab has built it. Optional everywhere, since it
/// takes minutes to build and a stand-in does for the rest.
pub fn pilot() -> Option<PathBuf> {
    let lab =
        cache().ok().and_then(|cache| Some(cache.parent()?.join("mesh-lab/bin/pilot-discovery")));
    let found = on_path("pilot-discovery").or_else(|| lab.filter(|path| path.is_file()));
    match &found {
        Some(path) => announce(&format!("judge: istiod: {}", path.display())),
        None => not_run("istiod", "no `pilot-discovery` on PATH, and the lab was not set up"),
    }
    found
}

/// The folder of the module of an Istio release, `1.24`, `1.26`, `1.30` or `1.31`; its charts and
/// profiles are in `manifests`. Go downloads it once and checks it against `go.sum`.
///
/// `None` when it cannot be had, as with [`path`].
pub fn istio_module(release: &str) -> Option<PathBuf> {
    // the newest is the one that istioctl is built from
    let (family, module) = match release {
        "1.31" => ("istio", "istio.io/istio".to_owned()),
        _ => ("istio-charts", format!("meshgen.dev/istio-{release}")),
    };
    let found = match on_path("go") {
        Some(_) => download(family, &module),
        None => Err("`go` is not on PATH: install Go 1.26 to download modules".to_owned()),
    };
    found
        .map_err(|reason| {
            let required = env::var_os("MESHGEN_REQUIRE_TOOLS").is_some();
            assert!(!required, "the charts of Istio {release} are required: {reason}");
            not_run(&format!("charts of Istio {release}"), &reason);
        })
        .ok()
}

fn download(family: &str, module: &str) -> Result<PathBuf, String> {
    let mut command = Command::new("go");
    let output =
        output(command.current_dir(folder(family)).args(["mod", "download", "-json", module]), "");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    json["Dir"].as_str().map(PathBuf::from).ok_or_else(|| {
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        json["Error"].as_str().map_or(errors, str::to_owned)
    })
}

/// Says that something was not tested, past the capture of test output.
pub fn not_run(what: &str, reason: &str) {
    announce(&format!("not run: {what}: {reason}"));
}

/// Runs a command with this input and gives what it printed; panics with its errors if it fails.
pub fn run(command: &mut Command, input: &str) -> String {
    let output = output(command, input);
    assert!(
        output.status.success(),
        "{command:?} ends with {}:\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    String::from_utf8(output.stdout).expect("a tool prints UTF-8")
}

/// Runs a command with this input, whatever its exit code.
pub fn output(command: &mut Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().expect("stdin is a pipe");
    std::thread::scope(|scope| {
        // written beside the reading, or both sides would wait on full pipes
        scope.spawn(move || stdin.write_all(input.as_bytes()));
        child.wait_with_output().expect("the tool can be waited for")
    })
}

/// The repository's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

impl GoTool {
    /// The executable, built if it is not in the cache.
    fn executable(&self) -> Result<PathBuf, String> {
        let path = self.cached()?;
        if path.exists() {
            return Ok(path);
        }
        let folder = path.parent().expect("the cache has a folder a family");
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        fs::create_dir_all(folder).map_err(failed)?;
        let lock = File::create(folder.join(".lock")).map_err(failed)?;
        lock.lock().map_err(failed)?;
        if !path.exists() {
            self.build(&path)?;
        }
        Ok(path)
    }

    /// Where the executable is, or would be, in the cache.
    fn cached(&self) -> Result<PathBuf, String> {
        let digest = family_digest(self.family)?;
        Ok(cache()?.join(digest).join(self.name))
    }

    fn build(&self, path: &Path) -> Result<(), String> {
        if on_path("go").is_none() {
            return Err("`go` is not on PATH: install Go 1.26 to build the real tools".to_owned());
        }
        announce(&format!(
            "building {} from tests/tools/{}: once, for all clones",
            self.name, self.family
        ));
        let fresh = path.with_file_name(format!(".{}.{}", self.name, std::process::id()));
        let mut command = Command::new("go");
        command
            .current_dir(folder(self.family))
            .args(["build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-o"])
            .args([fresh.as_os_str(), self.package.as_ref()]);
        let output = output(&mut command, "");
        if !output.status.success() {
            return Err(format!("`go build` fails:\n{}", String::from_utf8_lossy(&output.stderr)));
        }
        fs::rename(&fresh, path).map_err(|error| format!("{}: {error}", path.display()))
    }
}

fn folder(family: &str) -> PathBuf {
    root().join("tests/tools").join(family)
}

/// The digest of every file of a family: pins and, for the programs of our own, sources.
fn family_digest(family: &str) -> Result<String, String> {
    let mut text = Vec::new();
    for entry in walkdir::WalkDir::new(folder(family)).sort_by_file_name() {
        let entry = entry.map_err(|error| error.to_string())?;
        let name = entry.file_name().to_string_lossy();
        if entry.file_type().is_file() && (name.ends_with(".go") || name.starts_with("go.")) {
            let bytes = fs::read(entry.path()).map_err(|error| error.to_string())?;
            text.extend_from_slice(format!("{name} {}\n", Digest::of(&bytes)).as_bytes());
        }
    }
    if text.is_empty() {
        return Err(format!("tests/tools/{family} holds no Go module"));
    }
    Ok(Digest::of(&text).hex())
}

fn cache() -> Result<PathBuf, String> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("XDG_CACHE_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".cache")))
        .map(|cache| cache.join("meshgen-testbed"))
        .ok_or_else(|| "neither XDG_CACHE_HOME nor HOME says where to keep it".to_owned())
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// One line on stderr, once, past the capture of test output: `.ci/run` reads it.
pub fn announce(line: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if SAID.lock().expect("no thread panics here").insert(line.to_owned()) {
        let _ = writeln!(std::io::stderr().lock(), "{line}");
    }
}

/// Builds every tool, so that `just tools` and the first step of `.ci/run` have them in one place.
#[test]
fn every_tool_can_be_had() {
    for tool in &GO_TOOLS {
        path(tool.name);
    }
    for name in ["openssl", "git"] {
        path(name);
    }
    terraform();
}

/// `just cosign`: before the tests that it judges.
#[test]
#[ignore = "five minutes of compiling; `just cosign` asks for it"]
fn cosign_can_be_had() {
    let path = COSIGN.executable().expect("cosign builds");
    announce(&format!("judge: cosign: {}", path.display()));
}

/// `just flux`: before the tests that need them.
#[test]
#[ignore = "eight minutes of compiling; `just flux` asks for it"]
fn flux_can_be_had() {
    for tool in &FLUX {
        let path = tool.executable().expect("Flux builds");
        announce(&format!("judge: flux: {}", path.display()));
    }
    // the test runs in a namespace without a network
    for tool in ["registry", "etcd", "kube-apiserver", "kube-controller-manager", "kubectl"] {
        path(tool);
    }
    istio_module("1.24");
}

/// `just tofu`: for machines without Terraform.
#[test]
#[ignore = "six minutes of compiling; `just tofu` asks for it"]
fn open_tofu_can_be_had() {
    let path = TOFU.executable().expect("OpenTofu builds");
    announce(&format!("judge: tofu: {}", path.display()));
}
