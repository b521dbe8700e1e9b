//! The private key that signs, and its password: from a file, from cosign's variable, from the
//! terminal.

use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};

use rustix::termios::{self, LocalModes, OptionalActions, Termios};
use zeroize::Zeroizing;

use crate::bundle::sign::{SigningKey, SigningKeyError};
use crate::cli::{CommandError, Context};
use crate::pki::Secret;

/// More than any password.
const MAX: u64 = 64 << 10;
const VARIABLE: &str = "COSIGN_PASSWORD";

/// More than any key.
const MAX_KEY: u64 = 1 << 20;

/// The password of the private key.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct PasswordArgs {
    /// A file with the password of the private key, of which a line end at its end is no part; `-` is
    /// standard input. Without it `COSIGN_PASSWORD` is used, and then the terminal.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl PasswordArgs {
    /// Reads the private key in a file; the password is asked for only if it has one.
    pub fn key(&self, context: &Context, path: &Path) -> Result<SigningKey, CommandError> {
        let fault = |error: SigningKeyError| {
            let refused = CommandError::refused(format!("`{}`: {error}", path.display()));
            error.hint().into_iter().fold(refused, CommandError::hint)
        };
        let bytes = Secret::new(context.disk.read_limited(path, MAX_KEY)?);
        let text = str::from_utf8(bytes.expose()).map_err(|_| fault(SigningKeyError::None))?;
        let is_protected = SigningKey::is_protected(text).map_err(fault)?;
        let password = if is_protected { Some(self.password(context)?) } else { None };
        SigningKey::from_pem(text, password.as_ref()).map_err(fault)
    }

    /// An empty password is one too, as cosign has it.
    fn password(&self, context: &Context) -> Result<Secret<Vec<u8>>, CommandError> {
        if let Some(path) = &self.password_file {
            return from_file(context, path);
        }
        if let Some(password) = from_environment() {
            return Ok(Secret::new(password));
        }
        from_terminal()
    }
}

#[expect(clippy::disallowed_methods, reason = "cosign's own variable, which is no flag of ours")]
fn from_environment() -> Option<Vec<u8>> {
    use std::os::unix::ffi::OsStringExt;
    std::env::var_os(VARIABLE).map(OsStringExt::into_vec)
}

fn from_file(context: &Context, path: &Path) -> Result<Secret<Vec<u8>>, CommandError> {
    let mut bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().take(MAX).read_to_end(&mut bytes);
        read.map_err(|error| CommandError::refused(format!("reading standard input: {error}")))?;
        bytes
    } else {
        context.disk.read_limited(path, MAX)?
    };
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    Ok(Secret::new(bytes))
}

fn from_terminal() -> Result<Secret<Vec<u8>>, CommandError> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        let message =
            "the private key is protected by a password, and there is no terminal to ask at";
        let hint = format!("`--password-file FILE`, or {VARIABLE} in the environment");
        return Err(CommandError::refused(message).hint(hint));
    }
    let fault = |error: std::io::Error| CommandError::refused(format!("the terminal: {error}"));
    let mut out = std::io::stderr().lock();
    out.write_all(b"password of the private key: ").and_then(|()| out.flush()).map_err(fault)?;
    let silence = Silence::start().map_err(fault)?;
    let read = unless_interrupted(|| {
        let mut line = Zeroizing::new(Vec::with_capacity(1 << 10));
        std::io::stdin().lock().read_until(b'\n', &mut line).map(|_| line)
    });
    drop(silence);
    // the line end that was typed was not shown
    let _ = out.write_all(b"\n");
    let mut line = read.map_err(fault)?;
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    Ok(Secret::new(std::mem::take(&mut *line)))
}

/// Does what blocks, and gives up when the process is asked to end, as by Ctrl-C: it would leave the
/// terminal silent.
fn unless_interrupted<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let result = runtime.block_on(async {
        let work = tokio::task::spawn_blocking(work);
        tokio::select! {
            done = work => done.unwrap_or_else(|error| Err(std::io::Error::other(error))),
            () = asked_to_end() => Err(std::io::ErrorKind::Interrupted.into()),
        }
    });
    // what still waits for a line ends with the process
    runtime.shutdown_background();
    result
}

/// Waits for a signal that would end the process.
async fn asked_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    let wait = |kind: SignalKind| async move {
        match signal(kind) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = wait(SignalKind::interrupt()) => {}
        () = wait(SignalKind::terminate()) => {}
        () = wait(SignalKind::hangup()) => {}
        () = wait(SignalKind::quit()) => {}
    }
}

/// A terminal that does not show what is typed, until it is dropped.
struct Silence(Termios);

impl Silence {
    fn start() -> std::io::Result<Self> {
        let stdin = std::io::stdin();
        let before = termios::tcgetattr(&stdin)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        termios::tcsetattr(&stdin, OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // nothing more can be done about a terminal that has gone away
        let _ = termios::tcsetattr(std::io::stdin(), OptionalActions::Flush, &self.0);
    }
}
