//! `10-cacerts`: istiod's plug-in CA, taken over from the keyring.

use super::artifact::{fault, identity};
use super::{Artifact, Builder, Delivery, Output, Scope, Stage, guard};
use crate::derivation::{Recipe, RecipeBuilder};
use crate::diag::{Diagnostic, Diagnostics, render_rules};
use crate::object::{Targets, canonical, file_name};
use crate::pki;

/// The one sealed value; the rest of the Secret is certificates.
const SEALED: &str = "/stringData/ca-key.pem";

/// The builder.
pub(super) struct Cacerts;

impl Builder for Cacerts {
    fn name(&self) -> &'static str {
        "cacerts"
    }

    fn settings(&self) -> &'static [&'static [&'static str]] {
        &[]
    }

    fn templates(&self) -> &'static [&'static str] {
        &[]
    }

    fn recipe(&self, scope: &Scope<'_>) -> Recipe {
        let cluster = scope.own().name.as_str();
        let mut recipe = RecipeBuilder::new(self.name(), Some(cluster), scope.build_id);
        for name in [pki::ROOT, cluster] {
            if let Some(digest) = scope.inputs.keyring.digest_of(name) {
                recipe = recipe.input(pki::path_of(name), digest);
            }
        }
        recipe.finish()
    }

    fn build(&self, scope: &Scope<'_>) -> Result<Vec<Output>, Diagnostics> {
        let cluster = scope.own().name.as_str();
        let keyring = scope.inputs.keyring.read(cluster);
        let parts =
            keyring.as_ref().and_then(|keyring| Some((keyring.root()?, keyring.entry(cluster)?)));
        let Some((root, entry)) = parts else {
            let message = format!("the keyring entry of `{cluster}` cannot be read any more");
            let diagnostic = Diagnostic::new(&render_rules::ENGINE, message)
                .in_file(pki::path_of(cluster))
                .hint("was it changed while meshgen ran? run it again");
            return Err(fault(Box::new(diagnostic)));
        };
        let secret = pki::cacerts(root, entry);
        let object = identity("cacerts", &secret).map_err(fault)?;
        let sealed = vec![SEALED.to_owned()];
        guard::check(&secret, &object, &sealed, &[], &[]).map_err(fault)?;
        Ok(vec![Output::Artifact(Artifact {
            path: format!("{cluster}/{}/{}", Stage::Cacerts.as_str(), file_name(&object)),
            bytes: canonical(&secret).into_bytes(),
            delivery: Some(Delivery {
                stage: Stage::Cacerts,
                targets: Targets::Only(vec![cluster.to_owned()]),
                object,
                sealed,
                bindings: Vec::new(),
                handover: Vec::new(),
            }),
        })])
    }
}
