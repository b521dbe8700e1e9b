//! Templates that know each other.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ast::{Template, is_blank};
use super::error::{Error, Source};
use super::function::Functions;
use super::memory::Memory;
use super::parser;

/// Named templates and the functions they call.
///
/// A set is parsed once and executed any number of times, on many threads. A clone is cheap and shares the trees.
#[derive(Clone)]
pub struct TemplateSet {
    functions: Arc<Functions>,
    templates: BTreeMap<Arc<str>, Arc<Template>>,
    memory: Arc<Memory>,
}

impl TemplateSet {
    /// Makes an empty set.
    pub fn new(functions: Functions) -> Self {
        Self { functions: Arc::new(functions), templates: BTreeMap::new(), memory: Arc::default() }
    }

    /// Parses a text, and adds it and what it defines to the set.
    ///
    /// A template replaces an earlier one of its name, unless it is blank.
    ///
    /// # Errors
    /// With the first fault of the text; the set is then as before.
    pub fn parse(&mut self, name: &str, text: impl Into<Arc<str>>) -> Result<(), Error> {
        let source = Arc::new(Source { name: name.into(), text: text.into() });
        for template in parser::parse(&source, &self.functions)? {
            if self.templates.contains_key(&template.name) && is_blank(&template.body) {
                continue;
            }
            self.templates.insert(template.name.clone(), Arc::new(template));
        }
        Ok(())
    }

    /// Parses a text as [`TemplateSet::parse`] does, and takes it under its name even if it is blank.
    ///
    /// # Errors
    /// With the first fault of the text; the set is then as before.
    pub fn parse_main(&mut self, name: &str, text: impl Into<Arc<str>>) -> Result<(), Error> {
        let source = Arc::new(Source { name: name.into(), text: text.into() });
        for template in parser::parse(&source, &self.functions)? {
            let is_main = *template.name == *name;
            if !is_main && self.templates.contains_key(&template.name) && is_blank(&template.body) {
                continue;
            }
            self.templates.insert(template.name.clone(), Arc::new(template));
        }
        Ok(())
    }

    /// Reports whether a template of this name exists.
    pub fn contains(&self, name: &str) -> bool {
        self.templates.contains_key(name)
    }

    /// Returns the names of all templates, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.templates.keys().map(AsRef::as_ref)
    }

    /// Returns what functions remember; clones of a set share it.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Returns the functions.
    pub fn functions(&self) -> &Functions {
        &self.functions
    }

    pub(super) fn get(&self, name: &str) -> Option<&Template> {
        self.templates.get(name).map(AsRef::as_ref)
    }
}
