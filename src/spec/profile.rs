//! Profiles: their chains through `extends`, and the built-in ones.

use std::collections::BTreeMap;

use super::load::{parse, typed};
use super::model::ProfileFile;
use super::shape;
use crate::diag::{Diagnostic, Diagnostics, Sources, Span, input_rules as rules};
use crate::yaml::Node;

/// The profiles in the binary: name and text.
pub const BUILT_IN: [(&str, &str); 5] = [
    ("aks", include_str!("../../profiles/aks.yaml")),
    ("eks", include_str!("../../profiles/eks.yaml")),
    ("gke", include_str!("../../profiles/gke.yaml")),
    ("kubernetes", include_str!("../../profiles/kubernetes.yaml")),
    ("oke-multi-primary", include_str!("../../profiles/oke-multi-primary.yaml")),
];

/// The built-in profile of a name.
pub fn built_in(name: &str) -> Option<&'static str> {
    BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// Where a profile's text comes from: the project's folder, then the binary.
pub trait Profiles {
    /// The text of the project's own `profiles/<name>.yaml`, if there is one that can be read.
    fn own(&self, name: &str) -> Option<String>;
    /// The names of the project's own profiles.
    fn names(&self) -> Vec<String>;
}

/// A profile that was read.
#[derive(Debug)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// `profiles/<name>.yaml`, or `built-in profile <name>`.
    pub file: String,
    /// What stands in it.
    pub node: Node,
    /// Whether it came from the binary.
    pub built_in: bool,
    extends: Option<String>,
}

/// The chains of profiles, each file read once.
pub(super) struct Chains<'a> {
    origin: &'a dyn Profiles,
    sources: &'a mut Sources,
    pub(super) profiles: Vec<Profile>,
    known: BTreeMap<String, Vec<usize>>,
}

impl<'a> Chains<'a> {
    pub(super) fn new(origin: &'a dyn Profiles, sources: &'a mut Sources) -> Self {
        Self { origin, sources, profiles: Vec::new(), known: BTreeMap::new() }
    }

    /// The chain of a profile, itself first. Empty without a profile, and where one is not found.
    pub(super) fn of(
        &mut self,
        name: Option<&str>,
        asked: Option<&Node>,
        diagnostics: &mut Diagnostics,
    ) -> Vec<usize> {
        let Some(name) = name else { return Vec::new() };
        if let Some(chain) = self.known.get(name) {
            return chain.clone();
        }
        let mut chain: Vec<usize> = Vec::new();
        let mut next = Some((name.to_owned(), asked.map(|node| node.span)));
        while let Some((name, place)) = next {
            let extended_by_itself = chain.last().is_some_and(|last| {
                self.profiles[*last].name == name && !self.profiles[*last].built_in
            });
            let passed = chain.iter().any(|index| self.profiles[*index].name == name);
            if passed && !(extended_by_itself && built_in(&name).is_some()) {
                self.cycle(&chain, &name, place, diagnostics);
                break;
            }
            let Some(index) = self.read(&name, extended_by_itself, place, diagnostics) else {
                break;
            };
            chain.push(index);
            let profile = &self.profiles[index];
            let place = profile.node.get("extends").map(|node| node.span);
            next = profile.extends.clone().map(|name| (name, place));
        }
        self.known.insert(name.to_owned(), chain.clone());
        chain
    }

    fn cycle(
        &self,
        chain: &[usize],
        name: &str,
        place: Option<Span>,
        diagnostics: &mut Diagnostics,
    ) {
        let names: Vec<&str> =
            chain.iter().map(|index| self.profiles[*index].name.as_str()).collect();
        let message =
            format!("the profile `{name}` extends itself: {} → {name}", names.join(" → "));
        diagnostics.push(Diagnostic::new(&rules::PROFILE_CYCLE, message).at_maybe(place, ""));
    }

    fn read(
        &mut self,
        name: &str,
        only_built_in: bool,
        place: Option<Span>,
        diagnostics: &mut Diagnostics,
    ) -> Option<usize> {
        let own = if only_built_in { None } else { self.origin.own(name) };
        // a project's profile that equals the built-in one is the built-in one
        let own = own.filter(|text| Some(text.as_str()) != built_in(name));
        let is_built_in = own.is_none();
        let found = self
            .profiles
            .iter()
            .position(|profile| profile.name == name && profile.built_in == is_built_in);
        if found.is_some() {
            return found;
        }
        let (text, file) = if let Some(text) = own {
            (text, format!("profiles/{name}.yaml"))
        } else if let Some(text) = built_in(name) {
            (text.to_owned(), format!("<built-in>/profiles/{name}.yaml"))
        } else {
            self.unknown(name, place, diagnostics);
            return None;
        };
        let source = self.sources.add(file.as_str(), text.as_str());
        let mut node = parse(source, &text, diagnostics)?;
        let poisoned = shape::check(&shape::schema_of::<ProfileFile>(), &mut node, diagnostics);
        let typed: ProfileFile = typed(&node, &poisoned, source, diagnostics)?;
        let extends = typed.extends;
        self.profiles.push(Profile {
            name: name.to_owned(),
            file,
            node,
            built_in: is_built_in,
            extends,
        });
        Some(self.profiles.len() - 1)
    }

    fn unknown(&self, name: &str, place: Option<Span>, diagnostics: &mut Diagnostics) {
        let own = self.origin.names();
        let mut known: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
        known.extend(own.iter().map(String::as_str));
        let message = format!("there is no profile `{name}`");
        let diagnostic = Diagnostic::new(&rules::UNKNOWN_PROFILE, message).at_maybe(place, "");
        let hint = match shape::closest(name, &known) {
            Some(close) => format!("did you mean `{close}`?"),
            None => format!(
                "there are {}; a file profiles/{name}.yaml would be another",
                known.join(", ")
            ),
        };
        diagnostics.push(diagnostic.hint(hint));
    }
}
