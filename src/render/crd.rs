//! `crds/<pin>/<file>`: what the charts of a pin define, once for all clusters that have it alike.

use std::collections::BTreeMap;

use super::{Artifact, Builder, Delivery, Output, Scope, Stage};
use crate::derivation::{Recipe, RecipeBuilder};
use crate::diag::Diagnostics;
use crate::object::{Identity, Targets, canonical};

/// The builder.
pub(super) struct Crds;

/// The CRDs of a pin that clusters share: file name → clusters.
#[derive(Debug)]
pub struct Shared {
    /// The pin.
    pub pin: String,
    /// The clusters of each file, sorted.
    pub files: BTreeMap<String, Vec<String>>,
}

impl Shared {
    /// Groups paths of shared files, each with a cluster that gets it, by pin.
    pub fn group<'a>(all: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<Self> {
        let mut pins: BTreeMap<&str, BTreeMap<String, Vec<String>>> = BTreeMap::new();
        for (path, cluster) in all {
            let Some((pin, file)) = split(path) else {
                continue;
            };
            let files = pins.entry(pin).or_default();
            files.entry(file.to_owned()).or_default().push(cluster.to_owned());
        }
        let shared = |(pin, mut files): (&str, BTreeMap<String, Vec<String>>)| {
            for clusters in files.values_mut() {
                clusters.sort_unstable();
            }
            Self { pin: pin.to_owned(), files }
        };
        pins.into_iter().map(shared).collect()
    }
}

/// The folder of what clusters share of pins; no cluster can have this name.
pub const FOLDER: &str = "crds";

/// Pin and file of a path below the folder.
fn split(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix(FOLDER)?.strip_prefix('/')?.split_once('/')
}

/// Where a CRD of a pin stands.
pub(super) fn path(pin: &str, file: &str) -> String {
    format!("{FOLDER}/{pin}/{file}")
}

impl Builder for Crds {
    fn name(&self) -> &'static str {
        "crds"
    }

    fn settings(&self) -> &'static [&'static [&'static str]] {
        &[&["istio", "charts"]]
    }

    fn templates(&self) -> &'static [&'static str] {
        &[]
    }

    fn chart_file(&self, scope: &Scope<'_>, path: &str) -> Option<String> {
        let pin = &scope.shared().pin;
        let object = scope.pinned(pin).crds().get(path.rsplit('/').next()?)?;
        Some(format!("{} of the pin {pin}", object.template))
    }

    fn recipe(&self, scope: &Scope<'_>) -> Recipe {
        let shared = scope.shared();
        RecipeBuilder::new(self.name(), Some(&shared.pin), scope.build_id)
            .input(format!("pin {}", shared.pin), scope.pinned(&shared.pin).input().digest)
            .part("clusters", &shared.files)
            .finish()
    }

    fn build(&self, scope: &Scope<'_>) -> Result<Vec<Output>, Diagnostics> {
        let shared = scope.shared();
        let pinned = scope.pinned(&shared.pin);
        pinned.package()?;
        let artifact = |(file, clusters): (&String, &Vec<String>)| {
            let object = pinned.crds().get(file).expect("clusters share what the pin has");
            Output::Artifact(Artifact {
                path: path(&shared.pin, file),
                bytes: canonical(&object.value).into_bytes(),
                delivery: Some(Delivery {
                    stage: Stage::Base,
                    targets: Targets::Only(clusters.clone()),
                    object: Identity::of(&object.value).expect("its file is named after it"),
                    sealed: Vec::new(),
                    bindings: Vec::new(),
                    handover: Vec::new(),
                }),
            })
        };
        Ok(shared.files.iter().map(artifact).collect())
    }
}
