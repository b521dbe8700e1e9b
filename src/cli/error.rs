//! What a command ends with: an exit code, or the one error type of the command line.

use std::process::ExitCode;

use crate::bundle::BundleError;
use crate::bundle::registry::RemoteError;
use crate::diag::{Diagnostics, Sources};
use crate::diff::DiffError;
use crate::file::FileError;
use crate::store::StoreError;
use crate::tree::KeepError;
use crate::tree::source::SourceError;
use crate::tree::view::ViewError;

/// How a command ended without an error (product.md, "Exit codes").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: done, nothing differs.
    Done,
    /// 1: there are differences, or a verification said no.
    Different,
    /// 2: the request was wrong, an input is invalid or a guard stopped it; nothing was changed.
    Refused,
    /// 3: an outside effect failed part-way, or could not look.
    Partial,
}

impl Exit {
    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Different => 1,
            Exit::Refused => 2,
            Exit::Partial => 3,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

/// Why a command failed, and what to do.
#[derive(Debug)]
pub struct CommandError {
    /// Decides the exit code: [`Exit::Refused`] or [`Exit::Partial`].
    pub exit: Exit,
    /// What is wrong, in lower case, without a full stop.
    pub message: String,
    /// What to do.
    pub hints: Vec<String>,
    /// Problems of the inputs, drawn before the message.
    pub report: Option<Box<(Diagnostics, Sources)>>,
}

impl CommandError {
    /// The request was wrong, an input is invalid, or a guard stopped it: exit 2.
    pub fn refused(message: impl Into<String>) -> Self {
        Self { exit: Exit::Refused, message: message.into(), hints: Vec::new(), report: None }
    }

    /// An outside effect failed part-way: exit 3.
    pub fn partial(message: impl Into<String>) -> Self {
        Self { exit: Exit::Partial, ..Self::refused(message) }
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The inputs are invalid; all problems are drawn.
    pub fn invalid(diagnostics: Diagnostics, sources: Sources) -> Self {
        let errors = diagnostics.count(crate::diag::Severity::Error);
        let problems = if errors == 1 { "1 problem" } else { &format!("{errors} problems") };
        Self {
            report: Some(Box::new((diagnostics, sources))),
            ..Self::refused(format!("{problems} in the inputs; nothing was changed"))
        }
    }
}

impl Exit {
    /// Help and version end with 0, a wrong request with 2.
    pub(super) fn from_clap(error: &clap::Error) -> Self {
        if error.exit_code() == 0 { Exit::Done } else { Exit::Refused }
    }
}

impl From<FileError> for CommandError {
    fn from(error: FileError) -> Self {
        let refused = Self::refused(error.to_string());
        if error.is_full() {
            return refused.hint("free some space and run it again; nothing was changed");
        }
        refused
    }
}

impl From<ViewError> for CommandError {
    fn from(error: ViewError) -> Self {
        Self { hints: error.hint().into_iter().collect(), ..Self::refused(error.to_string()) }
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        Self { hints: error.hint().into_iter().collect(), ..Self::refused(error.to_string()) }
    }
}

impl From<SourceError> for CommandError {
    fn from(error: SourceError) -> Self {
        let exit = if error.is_outside() { Exit::Partial } else { Exit::Refused };
        let refused = Self::refused(error.to_string());
        Self { exit, hints: error.hint().into_iter().collect(), ..refused }
    }
}

impl From<RemoteError> for CommandError {
    fn from(error: RemoteError) -> Self {
        let exit = if error.is_outside() { Exit::Partial } else { Exit::Refused };
        let refused = Self::refused(error.to_string());
        Self { exit, hints: error.hint().into_iter().collect(), ..refused }
    }
}

impl From<BundleError> for CommandError {
    fn from(error: BundleError) -> Self {
        let exit = if error.is_outside() { Exit::Partial } else { Exit::Refused };
        let refused = Self::refused(error.to_string());
        Self { exit, hints: error.hint().into_iter().collect(), ..refused }
    }
}

impl From<KeepError> for CommandError {
    fn from(error: KeepError) -> Self {
        Self { hints: error.hint().into_iter().collect(), ..Self::refused(error.to_string()) }
    }
}

impl From<DiffError> for CommandError {
    fn from(error: DiffError) -> Self {
        let source = match &error {
            DiffError::Read { source, .. } => source.downcast_ref::<SourceError>(),
            DiffError::Damaged { .. } => None,
        };
        let is_outside = source.is_some_and(SourceError::is_outside);
        let exit = if is_outside { Exit::Partial } else { Exit::Refused };
        let hints = source.and_then(SourceError::hint).into_iter().collect();
        Self { exit, hints, ..Self::refused(error.to_string()) }
    }
}
