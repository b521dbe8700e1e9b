//! What people see while they wait.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on stderr. Hidden where stderr is no terminal, and gone when it is dropped.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Starts one. It is drawn a few times a second, so that short work shows nothing to speak of.
    pub fn new(what: &'static str) -> Self {
        let style = ProgressStyle::with_template("{msg} {pos} {spinner} {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(4));
        Self { bar: bar.with_style(style).with_message(what) }
    }

    /// One that is never seen.
    pub fn hidden() -> Self {
        Self { bar: ProgressBar::hidden() }
    }

    /// Says how far the work is.
    pub fn set(&self, done: usize) {
        self.bar.set_position(done as u64);
    }

    /// Takes it away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
