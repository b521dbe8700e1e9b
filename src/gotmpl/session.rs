//! A run over templates that share their limits.

use super::error::{Error, ErrorKind};
use super::exec::Exec;
use super::function::Failure;
use super::meter::{Limits, Meter};
use super::set::TemplateSet;
use super::value::Value;

/// What a key that is not in a map gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingKey {
    /// No value, which prints as `<no value>`.
    #[default]
    Default,
    /// The zero value of the map's elements.
    Zero,
    /// An error.
    Error,
}

/// How templates are executed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// What a key that is not in a map gives.
    pub missing_key: MissingKey,
    /// What the templates may spend together.
    pub limits: Limits,
}

/// Executes templates one after the other, counting what they spend together.
///
/// Values are not `Send`, so a session and its data live on one thread: the one of [`super::on_stack`].
pub struct Session {
    pub(super) options: Options,
    pub(super) meter: Meter,
    pub(super) out: Vec<u8>,
    /// Templates under way.
    pub(super) calls: usize,
    /// Levels of the machine's stack under way.
    pub(super) levels: usize,
}

impl Session {
    /// Starts with nothing spent.
    pub fn new(options: Options) -> Self {
        Self { options, meter: Meter::new(options.limits), out: Vec::new(), calls: 0, levels: 0 }
    }

    /// Returns the meter, for walks outside of templates.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Executes a template of a set and returns its output.
    ///
    /// Must be called from [`super::on_stack`], because templates may nest deeply.
    ///
    /// # Errors
    /// With the first error of the templates, its place and the calls that led there.
    pub fn execute(
        &mut self,
        set: &TemplateSet,
        name: &str,
        data: Value,
    ) -> Result<Vec<u8>, Error> {
        let Some(template) = set.get(name) else {
            return Err(Error::new(
                ErrorKind::UnknownTemplate,
                format!("no template {name:?}"),
                None,
            ));
        };
        self.out = Vec::new();
        (self.calls, self.levels) = (0, 0);
        Exec::new(set, self, template, data).run()?;
        Ok(std::mem::take(&mut self.out))
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let limit = self.meter.limits().output;
        if self.out.len() + bytes.len() > limit {
            return Err(Failure::Limit(format!("the output is larger than {limit} bytes")));
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }
}
