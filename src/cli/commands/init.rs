//! `meshgen init`.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::json;

use crate::cli::{CommandError, Context, Exit};
use crate::file::{Disk, FILE_MODE, FileError};
use crate::mesh;
use crate::spec::{self, Starter};

/// Start a project: write a commented mesh.yaml, and what git and editors need.
///
/// Writes `mesh.yaml` with two clusters to change; `mesh.schema.json`, by which editors complete and
/// check it; `.gitignore`, for the store under out/ and for stray identities; `.gitattributes`, so
/// that git changes no line end of rendered files. The folder is made if it is not there; its name
/// becomes the mesh's.
///
/// Never overwrites: a file that is there is left alone, and said to be. Where `.gitignore` or
/// `.gitattributes` are there without the lines that matter, the lines are printed for you to add.
///
/// The mesh.yaml passes `meshgen check` except for what only you can know: who can open the private
/// keys, and those keys. What to do next is printed.
///
/// With `-o json` prints an object with the lists `created` and `kept`, and `missingLines` by file.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// The folder of the project [default: the current one].
    #[arg(value_name = "DIR", default_value = ".", hide_default_value = true)]
    folder: PathBuf,

    /// The profile to start from.
    #[arg(long, value_name = "NAME", default_value = "oke-multi-primary")]
    profile: Profile,
}

const EXAMPLES: &str = "\
Examples:
  meshgen init                         an OKE mesh in this folder
  meshgen init --profile eks apac      a mesh called apac on EKS, in a new folder

Exit codes: 0; 2 if a file cannot be written, and then none was.";

/// The built-in profiles.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Profile {
    /// Oracle's OKE example: private clusters, VCNs peered, NSGs from Terraform.
    #[value(name = "oke-multi-primary", alias = "oke")]
    Oke,
    /// Amazon EKS, network load balancers.
    Eks,
    /// Google GKE, passthrough load balancers.
    Gke,
    /// Azure AKS, standard load balancers.
    Aks,
    /// Any Kubernetes; load balancers without annotations.
    Kubernetes,
}

impl Profile {
    fn starter(self) -> Starter {
        match self {
            Profile::Oke => Starter::Oke,
            Profile::Eks => Starter::Eks,
            Profile::Gke => Starter::Gke,
            Profile::Aks => Starter::Aks,
            Profile::Kubernetes => Starter::Kubernetes,
        }
    }
}

const GITIGNORE: &str = "\
# meshgen's cache and history; a clone does without
/out/store/
# age identities open the keyring. They belong outside of the project; this is only a net.
*.agekey
identity*.txt
keys.txt
";

const GITATTRIBUTES: &str = "\
# files with digests: git must not change their line ends
out/** -text
pki/** -text
";

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let folder = context.project.join(&args.folder);
    let mesh_file = args.profile.starter().mesh_file(&mesh_name(&folder));
    let files = [
        ("mesh.yaml", mesh_file),
        ("mesh.schema.json", spec::mesh_schema()),
        (".gitignore", GITIGNORE.to_owned()),
        (".gitattributes", GITATTRIBUTES.to_owned()),
    ];
    let mut made = Made { disk: &context.disk, files: Vec::new(), folders: Vec::new() };
    let written = made.write(&folder, &files);
    let created = match written {
        Ok(created) => created,
        Err(error) => {
            made.undo();
            return Err(error.into());
        }
    };
    report(context, &folder, &files, &created)?;
    Ok(Exit::Done)
}

/// What was made so far, to be taken away if the rest fails.
struct Made<'a> {
    disk: &'a Disk,
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Made<'_> {
    /// Writes the files that are not there, and returns their names.
    fn write<'f>(
        &mut self,
        folder: &Path,
        files: &'f [(&'f str, String)],
    ) -> Result<Vec<&'f str>, FileError> {
        self.folders = self.disk.create_dir_all(folder)?;
        let mut created = Vec::new();
        for (name, text) in files {
            let path = folder.join(name);
            match self.disk.create_new(&path, text.as_bytes(), FILE_MODE) {
                Ok(()) => {
                    self.files.push(path);
                    created.push(*name);
                }
                Err(error) if error.is_already_there() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(created)
    }

    fn undo(&self) {
        // the failure before is what the user wants to hear about
        for file in &self.files {
            let _ = self.disk.remove(file);
        }
        for folder in self.folders.iter().rev() {
            let _ = self.disk.remove_empty_folder(folder);
        }
    }
}

/// The folder's own name as a DNS label, or `mesh`.
fn mesh_name(folder: &Path) -> String {
    let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let name = whole.file_name().and_then(|name| name.to_str());
    name.and_then(mesh::suggest_label).unwrap_or_else(|| "mesh".to_owned())
}

fn report(
    context: &Context,
    folder: &Path,
    files: &[(&str, String)],
    created: &[&str],
) -> Result<(), CommandError> {
    let kept: Vec<&str> =
        files.iter().map(|(name, _)| *name).filter(|name| !created.contains(name)).collect();
    let mut missing = serde_json::Map::new();
    for name in &kept {
        context.note(&format!("left alone: {name} (it is there already)"));
        match *name {
            ".gitignore" | ".gitattributes" => {
                let wanted = if *name == ".gitignore" { GITIGNORE } else { GITATTRIBUTES };
                let lines = missing_lines(&context.disk, &folder.join(name), wanted)?;
                if !lines.is_empty() {
                    context
                        .note(&format!("  add these lines to it:\n    {}", lines.join("\n    ")));
                    missing.insert((*name).to_owned(), json!(lines));
                }
            }
            "mesh.schema.json"
                if context.disk.read(&folder.join(name))? != files[1].1.as_bytes() =>
            {
                context.note(
                    "  it is another meshgen's: `meshgen schema > mesh.schema.json` renews it",
                );
            }
            _ => {}
        }
    }
    for name in created {
        context.note(&format!("wrote {name}"));
    }
    if context.json() {
        context.print_json(&json!({"created": created, "kept": kept, "missingLines": missing}));
    }
    if created.contains(&"mesh.yaml") {
        context.note(NEXT);
    }
    Ok(())
}

const NEXT: &str = "\nNext:
  1. change mesh.yaml: your clusters, their regions and ranges
  2. meshgen pki init --new-identity FILE   makes an identity (FILE lies outside of the project);
     put the recipient that it prints under `pki.recipients`, then run `meshgen pki init`
  3. meshgen render
`meshgen check` complains about the keyring until 2 is done.";

/// Lines of ours that a file lacks. A leading or trailing slash makes no difference.
fn missing_lines<'a>(
    disk: &Disk,
    path: &Path,
    wanted: &'a str,
) -> Result<Vec<&'a str>, CommandError> {
    let bytes = disk.read(path)?;
    let text = String::from_utf8_lossy(&bytes);
    let plain = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let bare = |line: &str| plain(line).trim_matches('/').to_owned();
    let has = |line: &str| text.lines().any(|own| bare(own) == bare(line));
    Ok(wanted.lines().filter(|line| !line.starts_with('#') && !has(line)).collect())
}
