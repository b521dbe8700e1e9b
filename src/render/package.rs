//! The charts that pins hold, read when a control plane is first built from them.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::diag::{Diagnostic, Diagnostics, render_rules};
use crate::inputs::{Inputs, PinInput};
use crate::istio::{self, Package, RenderedObject};
use crate::object::{Identity, file_name};

/// The charts of all pins that the mesh uses.
#[derive(Debug, Default)]
pub struct Packages(BTreeMap<String, Pinned>);

/// The charts of a pin.
#[derive(Debug)]
pub(super) struct Pinned {
    input: PinInput,
    package: OnceLock<Result<Package, Box<Diagnostic>>>,
    crds: OnceLock<Crds>,
}

/// CRDs by the names of their files.
pub(super) type Crds = BTreeMap<String, RenderedObject>;

impl Packages {
    /// The packages of the pins of a mesh; reads nothing yet.
    pub fn new(inputs: &Inputs) -> Self {
        let pinned = |pin: &PinInput| Pinned {
            input: pin.clone(),
            package: OnceLock::new(),
            crds: OnceLock::new(),
        };
        Self(inputs.pins.iter().map(|(name, pin)| (name.clone(), pinned(pin))).collect())
    }

    pub(super) fn get(&self, pin: &str) -> Option<&Pinned> {
        self.0.get(pin)
    }
}

impl Pinned {
    pub(super) fn input(&self) -> &PinInput {
        &self.input
    }

    /// Its charts; read once, and taken apart as they are asked for.
    pub(super) fn package(&self) -> Result<&Package, Diagnostics> {
        let read = || match self.input.load() {
            Ok(files) => {
                let needed = files.iter().filter(|(path, _)| Package::reads(path));
                Ok(Package::new(needed.map(|(path, data)| (path.clone(), data.clone())).collect()))
            }
            Err(fault) => {
                let message = format!("the pin `{}`: {fault}", self.input.name);
                Err(Box::new(Diagnostic::new(&render_rules::ENGINE, message).hint(fault.hint())))
            }
        };
        self.package
            .get_or_init(read)
            .as_ref()
            .map_err(|fault| super::artifact::fault(fault.clone()))
    }

    /// The CRDs that its charts give where nothing is asked of them: what clusters have in common.
    /// None where the charts fail; then clusters say why.
    pub(super) fn crds(&self) -> &Crds {
        if let Some(crds) = self.crds.get() {
            return crds;
        }
        // made outside of the lock: while this thread waits for others that help it, it takes up
        // another cluster, which asks for the same
        let made = self.make_crds();
        self.crds.get_or_init(|| made)
    }

    fn make_crds(&self) -> Crds {
        let Ok(package) = self.package() else { return Crds::new() };
        let request = istio::Request { force: true, ..istio::Request::default() };
        let Ok(generated) = istio::generate(package, &request) else { return Crds::new() };
        let crd = |object: RenderedObject| {
            let identity = Identity::of(&object.value).ok()?;
            is_crd(&identity).then(|| (file_name(&identity), object))
        };
        generated.objects.into_iter().filter_map(crd).collect()
    }
}

/// Whether an object defines a kind.
pub(super) fn is_crd(identity: &Identity) -> bool {
    identity.kind == "CustomResourceDefinition" && identity.group() == "apiextensions.k8s.io"
}
