//! What every command gets: where the project is, and how to talk.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::CommandError;
use crate::diag::{self, Diagnostics, Sources};
use crate::file::Disk;
use crate::registry;
use crate::ui::Progress;

/// Why standard output took no more: a full disk, say. Half of a page or a manifest must not pass for
/// the whole.
static UNWRITTEN: OnceLock<String> = OnceLock::new();

/// How the output looks, where a command has more than one form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people, on a terminal.
    Text,
    /// For programs; the shape is documented and stable.
    Json,
    /// For a comment on a pull request.
    Markdown,
    /// One self-contained page.
    Html,
    /// JUnit's XML, for a CI server; `verify` alone has it.
    Junit,
}

/// The surroundings of a command.
#[derive(Debug, Clone)]
pub struct Context {
    /// All access to files.
    pub disk: Disk,
    /// The project folder (`-C`).
    pub project: PathBuf,
    /// The output format (`-o`).
    pub output: Format,
    /// Say nothing but errors and data.
    pub quiet: bool,
    /// Say more.
    pub verbose: bool,
    /// Use ANSI colours on stderr.
    pub colour: bool,
    /// Use ANSI colours on stdout.
    pub colour_out: bool,
}

impl Context {
    /// The text of a file of at most 16 MiB; of standard input where the path is `-`.
    pub fn text_of(&self, path: &Path) -> Result<String, CommandError> {
        const MAX: u64 = 16 << 20;
        let is_input = path == Path::new("-");
        let name = if is_input { "standard input".into() } else { path.to_string_lossy() };
        let mut bytes = Vec::new();
        if is_input {
            let mut input = std::io::stdin().lock().take(MAX + 1);
            input
                .read_to_end(&mut bytes)
                .map_err(|error| CommandError::refused(format!("reading {name}: {error}")))?;
            if bytes.len() as u64 > MAX {
                let message = format!("{name} is larger than {} MiB", MAX >> 20);
                return Err(CommandError::refused(message));
            }
        } else {
            bytes = self.disk.read_limited(path, MAX)?;
        }
        String::from_utf8(bytes).map_err(|_| {
            CommandError::refused(format!("{name} is no UTF-8 text"))
                .hint("PowerShell's `>` writes UTF-16; `| Out-File -Encoding utf8` does not")
        })
    }

    /// Refuses a file that a command would write where the project keeps its own: what was rendered,
    /// what is an input.
    pub fn refuse_inside(&self, path: &Path) -> Result<(), CommandError> {
        for name in ["out", "pki", "facts", "charts", "profiles", "templates"] {
            let folder = self.project.join(name);
            let is_it = || self.disk.absolute(path).ok() == self.disk.absolute(&folder).ok();
            if self.disk.is_folder(&folder)? && (is_it() || self.disk.lies_in(path, &folder)?) {
                let message = format!("`{}` lies in {name}/", path.display());
                return Err(CommandError::refused(message)
                    .hint(format!("{name}/ holds what is the project's: choose another place")));
            }
        }
        let name = path.file_name().and_then(std::ffi::OsStr::to_str).unwrap_or_default();
        let is_input = ["mesh.yaml", "meshgen.lock"].contains(&name);
        if is_input && self.disk.lies_in(path, &self.project)? {
            let message = format!("`{}` is an input of the project", path.display());
            return Err(CommandError::refused(message).hint("choose another place"));
        }
        Ok(())
    }

    /// Writes data to stdout. A reader that has gone away (`| head`) is no error.
    pub fn print(&self, text: &str) {
        self.print_bytes(text.as_bytes());
    }

    /// As [`Context::print`], for what may be no text.
    pub fn print_bytes(&self, bytes: &[u8]) {
        let mut out = std::io::stdout().lock();
        // a closed pipe means that the reader has seen enough
        if let Err(error) = out.write_all(bytes).and_then(|()| out.flush())
            && error.kind() != std::io::ErrorKind::BrokenPipe
        {
            let _ = UNWRITTEN.set(error.to_string());
        }
    }

    /// Why what was printed did not all get out, if it did not.
    pub fn unwritten() -> Option<&'static str> {
        UNWRITTEN.get().map(String::as_str)
    }

    /// Writes a JSON value to stdout, indented, with a line end.
    pub fn print_json(&self, value: &serde_json::Value) {
        self.print(&format!("{value:#}\n"));
    }

    /// Writes a remark to stderr, unless `-q`.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        }
    }

    /// Writes a remark to stderr with `-v`.
    pub fn detail(&self, text: &str) {
        if self.verbose {
            self.note(text);
        }
    }

    /// Draws problems: with `-o json` to stdout as data, else to stderr as pictures.
    pub fn report(&self, diagnostics: &Diagnostics, sources: &Sources) {
        if self.output == Format::Json {
            self.print_json(&diag::to_json(diagnostics, sources));
        } else if !diagnostics.is_empty() {
            let text = diag::draw(diagnostics, sources, self.colour);
            let _ = std::io::stderr().lock().write_all(text.as_bytes());
        }
    }

    /// Starts a progress bar on stderr: shown on a terminal, when the work takes longer than a moment.
    pub fn progress(&self, what: &'static str) -> Progress {
        if self.quiet { Progress::hidden() } else { Progress::new(what) }
    }

    /// Whether the format is JSON.
    pub fn json(&self) -> bool {
        self.output == Format::Json
    }
}

/// How to reach registries: docker's logins, and what the flag says.
#[expect(clippy::disallowed_methods, reason = "where docker keeps logins; no rendered byte knows")]
pub fn registry_options(plain_http: bool) -> registry::Options {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let docker_config = set("DOCKER_CONFIG")
        .map(PathBuf::from)
        .or_else(|| set("HOME").map(|home| PathBuf::from(home).join(".docker")));
    registry::Options { plain_http, docker_config }
}
