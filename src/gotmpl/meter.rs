//! What an execution may spend.

use std::cell::Cell;

use super::function::Failure;

/// The limits that keep a hostile template from hanging or filling the memory.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Steps: statements, commands, iterations, items walked by functions.
    pub steps: u64,
    /// Bytes of output, and of any one string.
    pub output: usize,
    /// Bytes that all values together may take, counted when they are made.
    pub memory: u64,
    /// Templates that call templates.
    pub calls: usize,
    /// Values in values, beyond which a walk ends with an error; a map that holds itself ends here.
    pub nesting: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 50_000_000, output: 64 << 20, memory: 1 << 30, calls: 1_000, nesting: 2_000 }
    }
}

/// Counts what is spent.
#[derive(Debug)]
pub struct Meter {
    limits: Limits,
    steps: Cell<u64>,
    memory: Cell<u64>,
}

impl Meter {
    /// Starts at nothing spent.
    pub fn new(limits: Limits) -> Self {
        Self { limits, steps: Cell::new(0), memory: Cell::new(0) }
    }

    /// Returns the limits.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Counts steps.
    ///
    /// # Errors
    /// When there are none left.
    pub fn step(&self, count: usize) -> Result<(), Failure> {
        let steps = self.steps.get().saturating_add(count as u64);
        self.steps.set(steps);
        if steps > self.limits.steps {
            return Err(Failure::Limit(format!(
                "the templates take more than {} steps",
                self.limits.steps
            )));
        }
        Ok(())
    }

    /// Counts a string before it is made.
    ///
    /// # Errors
    /// When it, or all together, would be too large.
    pub fn string(&self, bytes: usize) -> Result<(), Failure> {
        if bytes > self.limits.output {
            return Err(Failure::Limit(format!(
                "a string of {bytes} bytes; the limit is {}",
                self.limits.output
            )));
        }
        self.memory(bytes)
    }

    /// Counts items of lists or maps before they are made.
    ///
    /// # Errors
    /// When all values together would be too large.
    pub fn items(&self, count: usize) -> Result<(), Failure> {
        self.step(count)?;
        self.memory(count.saturating_mul(64).saturating_add(64))
    }

    fn memory(&self, bytes: usize) -> Result<(), Failure> {
        let memory = self.memory.get().saturating_add(bytes as u64);
        self.memory.set(memory);
        if memory > self.limits.memory {
            return Err(Failure::Limit(format!(
                "the templates make more than {} bytes of values",
                self.limits.memory
            )));
        }
        Ok(())
    }

    /// Checks how deep a walk through a value has come.
    ///
    /// # Errors
    /// When it is too deep, which a value that holds itself always becomes.
    pub fn nesting(&self, depth: usize) -> Result<(), Failure> {
        if depth > self.limits.nesting {
            return Err(Failure::Limit(format!(
                "a value nests deeper than {} levels, or holds itself",
                self.limits.nesting
            )));
        }
        self.step(1)
    }
}
