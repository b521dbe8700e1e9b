//! Reading a revision out of git: blobs only, no checkout, one child process.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::SourceError;

/// A commit of the repository that holds the project.
pub(super) struct Repository {
    commit: String,
    prefix: String,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Repository {
    /// Finds the commit of a revision, and starts the child that reads its blobs.
    pub fn open(project: &Path, revision: &str) -> Result<Self, SourceError> {
        if revision.is_empty() || revision.contains(['\n', '\0']) {
            return Err(SourceError::Git(format!("{revision:?} is no revision")));
        }
        let commit = format!("{revision}^{{commit}}");
        let commit =
            run(project, &["rev-parse", "--verify", "--quiet", "--end-of-options", &commit])
                .map_err(|message| match message.as_str() {
                    "" => SourceError::Git(format!("there is no revision `{revision}`")),
                    _ => SourceError::Git(message),
                })?;
        // where the project lies in its repository: empty, or ends in a slash
        let prefix = run(project, &["rev-parse", "--show-prefix"]).map_err(SourceError::Git)?;
        let mut child = git(project)
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| SourceError::Git(error.to_string()))?;
        let input = child.stdin.take();
        let output = child.stdout.take().ok_or_else(|| broken("no output"))?;
        let output = BufReader::new(output);
        Ok(Self { commit, prefix, child, input, output })
    }

    /// The project's folder inside the repository: empty, or with a slash at its end.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The bytes of a file of the commit, given by its path in the repository; `None` if it is not
    /// there.
    pub fn read(&mut self, path: &str, max: u64) -> Result<Option<Vec<u8>>, SourceError> {
        if path.contains('\n') {
            return Err(SourceError::Git(format!("{path:?} holds a line end")));
        }
        let input = self.input.as_mut().ok_or_else(|| broken("no input"))?;
        writeln!(input, "{}:{path}", self.commit).map_err(broken)?;
        input.flush().map_err(broken)?;
        let mut header = String::new();
        self.output.read_line(&mut header).map_err(broken)?;
        let header = header.trim_end();
        if header.ends_with(" missing") {
            return Ok(None);
        }
        let mut fields = header.rsplit(' ');
        let size = fields.next().and_then(|size| size.parse::<u64>().ok());
        let (Some(size), Some(kind)) = (size, fields.next()) else {
            return Err(broken(if header.is_empty() { "it ended" } else { header }));
        };
        if kind != "blob" || size > max {
            // what follows is still in the pipe: this child is of no use any more
            self.input = None;
            let what = if kind == "blob" { "too big" } else { "no file" };
            return Err(SourceError::Git(format!("`{path}` is {what}")));
        }
        let mut bytes = vec![0; usize::try_from(size).map_err(broken)? + 1];
        self.output.read_exact(&mut bytes).map_err(broken)?;
        // a line end follows the content
        bytes.pop();
        Ok(Some(bytes))
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        // it ends when its input does; if it does not read, it is in the way of nobody
        drop(self.input.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "git reads git's own files best")]
fn git(project: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(project);
    command
}

/// Runs git and returns its one line, or what it said on standard error.
fn run(project: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = git(project)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("it could not be started: {error}"))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        return Err(text.trim().trim_start_matches("fatal: ").to_owned());
    }
    let text = String::from_utf8(output.stdout).map_err(|error| error.to_string())?;
    Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}

fn broken(error: impl std::fmt::Display) -> SourceError {
    SourceError::Git(format!("cat-file does not answer: {error}"))
}
