//! From a [`Spec`] to a [`Mesh`]: every default filled in, every name chosen, every rule asked.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::cidr::{self, CidrError};
use super::name::suggest_label;
use super::{Cluster, ClusterName, Mesh, NameError, NetworkName, PkiPolicy, is_dns_label, rules};
use super::{region, version};
use crate::diag::{
    Diagnostic, Diagnostics, Rule, Span, cluster_rules, find_rule, input_rules, network_rules,
    render_rules,
};
use crate::spec::model::{Algorithm, Provider};
use crate::spec::{Spec, SpecCluster, closest};

/// Resolves a spec.
///
/// All problems are collected; the mesh is there as soon as every cluster can be understood, so
/// that rules about facts and keys can be asked as well, even where it breaks rules.
pub fn resolve(spec: &Spec, diagnostics: &mut Diagnostics) -> Option<Mesh> {
    if !is_dns_label(&spec.file.name) && !spec.is_poisoned("name") {
        let message = format!("`name` must be a DNS label, but it is `{}`", spec.file.name);
        let diagnostic =
            Diagnostic::new(&input_rules::BAD_VALUE, message).at_maybe(spec.place(&["name"]), "");
        diagnostics.push(with_suggestion(diagnostic, &spec.file.name));
    }
    let pki = pki_policy(spec, diagnostics);
    let several_networks = spec
        .clusters
        .iter()
        .filter(|cluster| cluster.entry.enabled.unwrap_or(true))
        .map(network_of)
        .collect::<std::collections::BTreeSet<_>>()
        .len()
        > 1;
    let clusters: Vec<Option<Cluster>> = spec
        .clusters
        .iter()
        .enumerate()
        .map(|(index, cluster)| {
            Resolver { spec, cluster, diagnostics: &mut *diagnostics, several_networks, pki: &pki }
                .cluster(index)
        })
        .collect();
    let mesh_id = spec.settings.istio.mesh_id.clone().unwrap_or_else(|| spec.file.name.clone());
    let complete = clusters.iter().all(Option::is_some);
    let clusters: Vec<Cluster> = clusters.into_iter().flatten().collect();
    let by_name = clusters.iter().enumerate().map(|(at, one)| (one.name.to_string(), at)).collect();
    let mesh = Mesh {
        name: spec.file.name.clone(),
        clusters,
        by_name,
        terraform: spec.terraform.clone(),
        kubernetes_version: spec.settings.kubernetes.version.clone(),
        istio_version: spec.settings.istio.version.clone(),
        mesh_id,
        pki,
        plaintext_secrets: spec.file.plaintext_secrets.clone(),
    };
    rules::check(spec, &mesh, diagnostics);
    complete.then_some(mesh)
}

/// Lowers the rules that `allow` in the mesh file names. Comes last.
///
/// `is_complete` says that every rule was asked, so that an `allow` which covers nothing is idle.
pub fn allow(spec: &Spec, is_complete: bool, diagnostics: &mut Diagnostics) {
    let mut remarks = Diagnostics::new();
    for (index, allow) in spec.file.allow.iter().enumerate() {
        let place = spec.allow_place(index);
        let Some(rule) = find_rule(&allow.code) else {
            let message = format!("there is no rule `{}`", allow.code);
            remarks.push(
                Diagnostic::new(&input_rules::BAD_ALLOW, message)
                    .at_maybe(place, "")
                    .hint("`meshgen explain` lists the rules"),
            );
            continue;
        };
        if !rule.lowerable {
            let message = format!("{} cannot be allowed: {}", rule.code, rule.title);
            remarks.push(Diagnostic::new(&input_rules::BAD_ALLOW, message).at_maybe(place, ""));
            continue;
        }
        if allow.reason.trim().is_empty() {
            let message = format!("the reason why {} is allowed is empty", rule.code);
            remarks.push(
                Diagnostic::new(&input_rules::BAD_ALLOW, message)
                    .at_maybe(place, "")
                    .hint("the next reader wants to know why"),
            );
            continue;
        }
        let covered = diagnostics.allow(rule.code, allow.cluster.as_deref(), &allow.reason);
        if covered == 0 && is_complete && rule.code != render_rules::UNUSED_SETTING.code {
            remarks.push(idle(rule, place));
        }
    }
    diagnostics.extend(remarks);
}

/// As [`allow`], for what is found when the control plane renders.
pub fn allow_rendered(spec: &Spec, warnings: &mut Diagnostics) {
    let rule = &render_rules::UNUSED_SETTING;
    let mut remarks = Diagnostics::new();
    for (index, allow) in spec.file.allow.iter().enumerate() {
        let is_it = allow.code.eq_ignore_ascii_case(rule.code) && !allow.reason.trim().is_empty();
        if is_it && warnings.allow(rule.code, allow.cluster.as_deref(), &allow.reason) == 0 {
            remarks.push(idle(rule, spec.allow_place(index)));
        }
    }
    warnings.extend(remarks);
}

fn idle(rule: &Rule, place: Option<Span>) -> Diagnostic {
    let message = format!("nothing breaks {} any more: {}", rule.code, rule.title);
    Diagnostic::new(&input_rules::IDLE_ALLOW, message)
        .at_maybe(place, "")
        .hint("take the entry away")
}

fn network_of(cluster: &SpecCluster) -> &str {
    cluster.entry.network.as_deref().unwrap_or(&cluster.name)
}

fn pki_policy(spec: &Spec, diagnostics: &mut Diagnostics) -> PkiPolicy {
    const YEARS_10: u32 = 3650;
    let recipients = spec.pki.recipients.clone().unwrap_or_default();
    let root_recipients = spec.pki.root.recipients.clone().unwrap_or_else(|| recipients.clone());
    for (days, path) in
        [(spec.pki.days, &["pki", "days"][..]), (spec.pki.root.days, &["pki", "root", "days"])]
    {
        if days.is_some_and(|days| !(1..=36500).contains(&days)) {
            let message = format!("`{}` must lie between 1 and 36500", path.join("."));
            diagnostics.push(
                Diagnostic::new(&input_rules::BAD_VALUE, message).at_maybe(spec.place(path), ""),
            );
        }
    }
    PkiPolicy {
        recipients,
        root_recipients,
        algorithm: spec.pki.algorithm.unwrap_or(Algorithm::EcdsaP256),
        days: spec.pki.days.unwrap_or(YEARS_10),
        root_days: spec.pki.root.days.unwrap_or(YEARS_10),
    }
}

fn with_suggestion(diagnostic: Diagnostic, name: &str) -> Diagnostic {
    let rule = "lower case letters, digits and dashes, a letter or digit at both ends, 63 at most";
    match suggest_label(name) {
        Some(label) => diagnostic.hint(format!("`{label}` would do: {rule}")),
        None => diagnostic.hint(rule),
    }
}

/// One cluster on its way.
struct Resolver<'a> {
    spec: &'a Spec,
    cluster: &'a SpecCluster,
    diagnostics: &'a mut Diagnostics,
    several_networks: bool,
    pki: &'a PkiPolicy,
}

impl Resolver<'_> {
    fn cluster(&mut self, index: usize) -> Option<Cluster> {
        let settings = &self.cluster.settings;
        let entry = &self.cluster.entry;
        let provider = settings.provider.unwrap_or(Provider::Kubernetes);
        let name = self.name();
        let network = self.network();
        let istio = self.istio();
        self.kubernetes(provider);
        self.region(provider);
        let [vcn, pods, services] = [
            self.range("vcn", entry.vcn.as_deref(), provider),
            self.range("pods", entry.pods.as_deref(), provider),
            self.range("services", entry.services.as_deref(), provider),
        ];
        self.revision();
        self.samples();
        self.images();
        let mut recipients = self.pki.recipients.clone();
        recipients.extend(entry.pki.iter().flat_map(|pki| pki.recipients.iter().cloned()));
        recipients.dedup();
        Some(Cluster {
            index,
            name: name?,
            enabled: entry.enabled.unwrap_or(true),
            provider,
            region: entry.region.clone(),
            network: network?,
            vcn,
            pods,
            services,
            context: entry.context.clone().unwrap_or_else(|| self.cluster.name.clone()),
            has_east_west: settings.gateways.east_west.enabled.unwrap_or(self.several_networks),
            helloworld: settings
                .samples
                .version
                .clone()
                .unwrap_or_else(|| format!("v{}", index + 1)),
            recipients,
            istio: istio?,
            settings: std::sync::Arc::clone(settings),
        })
    }

    fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic.of_cluster(self.cluster.name.as_str()));
    }

    fn own_place(&self, key: &str) -> Option<Span> {
        self.spec.place(&["clusters", &self.cluster.name, key])
    }

    fn name(&mut self) -> Option<ClusterName> {
        let text = &self.cluster.name;
        // looked for only where it is shown: to look through all names for each would be quadratic
        let place = || self.spec.cluster_place(text);
        match ClusterName::parse(text) {
            Ok(name) => return Some(name),
            Err(NameError::NotALabel) => {
                let message = format!("the cluster name `{text}` is no DNS label");
                let diagnostic =
                    Diagnostic::new(&cluster_rules::NAME, message).at_maybe(place(), "");
                self.push(with_suggestion(diagnostic, text));
            }
            Err(NameError::Reserved) => {
                let message = format!("a cluster cannot be called `{text}`");
                self.push(
                    Diagnostic::new(&cluster_rules::RESERVED, message).at_maybe(
                        place(),
                        "a folder of out/, or the keyring's root, has this name",
                    ),
                );
            }
        }
        None
    }

    fn network(&mut self) -> Option<NetworkName> {
        let text = network_of(self.cluster);
        if let Ok(network) = NetworkName::parse(text) {
            return Some(network);
        }
        // a bad cluster name has been reported as such
        if self.cluster.entry.network.is_some() {
            let message = format!("the network name `{text}` is no label value");
            let place = self.own_place("network");
            self.push(
                Diagnostic::new(&network_rules::NETWORK_NAME, message).at_maybe(place, "").hint(
                    "at most 63 letters, digits, `-`, `_`, `.`, a letter or digit at both ends",
                ),
            );
        }
        None
    }

    fn istio(&mut self) -> Option<semver::Version> {
        let Some(text) = self.cluster.settings.istio.version.clone() else {
            if !self.spec.is_poisoned("istio.version") && !self.spec.is_poisoned("istio") {
                let message = format!("no Istio version is set for `{}`", self.cluster.name);
                let place = self.spec.cluster_place(&self.cluster.name);
                self.push(
                    Diagnostic::new(&input_rules::MISSING_KEY, message)
                        .at_maybe(place, "")
                        .hint("set `istio.version` for the mesh: `istio: {version: 1.27.0}`"),
                );
            }
            return None;
        };
        let version = version::parse_istio(&text);
        if version.is_none() {
            let message = format!("`{text}` is no Istio version");
            let place = self.spec.setting_place(self.cluster, &["istio", "version"]);
            self.push(
                Diagnostic::new(&input_rules::BAD_VALUE, message)
                    .at_maybe(place, "")
                    .hint("write it as `1.27.0`"),
            );
        }
        version
    }

    fn kubernetes(&mut self, provider: Provider) {
        let text = self.cluster.settings.kubernetes.version.clone();
        if text.is_some() && self.cluster.settings.kubernetes().is_none() {
            let message = format!("`{}` is no Kubernetes version", text.unwrap_or_default());
            let place = self.spec.setting_place(self.cluster, &["kubernetes", "version"]);
            let hint = if provider == Provider::Oke { "v1.28.2" } else { "1.28" };
            self.push(
                Diagnostic::new(&input_rules::BAD_VALUE, message)
                    .at_maybe(place, "")
                    .hint(format!("write it as `{hint}`")),
            );
        }
    }

    fn region(&mut self, provider: Provider) {
        let Some(text) = self.cluster.entry.region.clone() else {
            if provider == Provider::Oke && !self.is_poisoned("region") {
                self.missing("region", "an OKE cluster needs its region: `region: sydney`");
            }
            return;
        };
        if region::is_known(provider, &text) {
            return;
        }
        let message = format!("`{text}` is no region that this meshgen knows");
        let place = self.own_place("region");
        let diagnostic = Diagnostic::new(&cluster_rules::REGION, message).at_maybe(place, "");
        let diagnostic = match closest(&text.to_lowercase(), &region::all(provider)) {
            Some(close) => diagnostic.hint(format!("did you mean `{close}`?")),
            None => diagnostic.hint("if the region is new, allow MG0204"),
        };
        self.push(diagnostic);
    }

    fn range(&mut self, key: &str, text: Option<&str>, provider: Provider) -> Option<IpNet> {
        let Some(text) = text else {
            if provider == Provider::Oke && !self.is_poisoned(key) {
                let hint = format!("terraform.tfvars needs it: `{key}: 10.1.0.0/16`");
                self.missing(key, &hint);
            }
            return None;
        };
        match cidr::parse(text) {
            Ok(range) => Some(range),
            Err(CidrError::HostBits(network)) => {
                let message = format!("`{text}` is no network address");
                self.push(
                    Diagnostic::new(&network_rules::NOT_A_NETWORK, message)
                        .at_maybe(self.own_place(key), "bits are set behind the prefix")
                        .hint(format!("`{network}` is the network that it lies in")),
                );
                None
            }
            Err(CidrError::NotACidr) => {
                let message = format!("`{text}` is no CIDR");
                self.push(
                    Diagnostic::new(&input_rules::BAD_VALUE, message)
                        .at_maybe(self.own_place(key), "")
                        .hint("write it as `10.1.0.0/16`"),
                );
                None
            }
        }
    }

    fn missing(&mut self, key: &str, hint: &str) {
        let message = format!("the cluster `{}` has no `{key}`", self.cluster.name);
        let place = self.spec.cluster_place(&self.cluster.name);
        self.push(
            Diagnostic::new(&input_rules::MISSING_KEY, message).at_maybe(place, "").hint(hint),
        );
    }

    fn is_poisoned(&self, key: &str) -> bool {
        self.spec.is_poisoned(&format!("clusters.{}.{key}", self.cluster.name))
    }

    fn revision(&mut self) {
        let Some(name) = self.cluster.settings.istio.revision.clone() else {
            return;
        };
        if name.is_empty() || is_dns_label(&name) {
            return;
        }
        let message = format!("the revision `{name}` is no DNS label");
        let place = self.spec.setting_place(self.cluster, &["istio", "revision"]);
        let diagnostic = Diagnostic::new(&input_rules::BAD_VALUE, message).at_maybe(place, "");
        self.push(with_suggestion(diagnostic, &name));
    }

    /// Prefixes that no image has, or that make none: both would come out at the site only.
    fn images(&mut self) {
        let settings = std::sync::Arc::clone(&self.cluster.settings);
        for (from, to) in &settings.images {
            for text in [Some(from), to.as_ref()].into_iter().flatten() {
                if image_prefix(text) {
                    continue;
                }
                let message = format!("`{text}` is no prefix of an image's name");
                let place = self.spec.setting_place(self.cluster, &["images", from]);
                let diagnostic =
                    Diagnostic::new(&input_rules::BAD_VALUE, message).at_maybe(place, "");
                self.push(diagnostic.hint(
                    "write a registry and a path, without `https://` and without a `/` at the end: \
                     `site.example/istio`",
                ));
            }
        }
    }

    fn samples(&mut self) {
        let settings = &self.cluster.settings;
        let namespace = settings.sample_namespace().unwrap_or("sample").to_owned();
        if !is_dns_label(&namespace) {
            let message = format!("the namespace `{namespace}` is no DNS label");
            let place = self.spec.setting_place(self.cluster, &["samples", "namespace"]);
            self.push(Diagnostic::new(&input_rules::BAD_VALUE, message).at_maybe(place, ""));
        }
        let version = settings.samples.version.clone();
        let fits = |text: &str| {
            text.strip_prefix('v').is_some_and(|digits| {
                !digits.is_empty() && digits.len() < 8 && digits.bytes().all(|b| b.is_ascii_digit())
            })
        };
        if let Some(version) = version.filter(|text| !fits(text)) {
            let message = format!("`{version}` is no version of helloworld");
            let place = self.spec.setting_place(self.cluster, &["samples", "version"]);
            self.push(
                Diagnostic::new(&input_rules::BAD_VALUE, message)
                    .at_maybe(place, "")
                    .hint("write it as `v1`, `v2`, …"),
            );
        }
    }
}

/// Groups values by a key, keeping the order of first sight within a group.
pub(super) fn group_by<'a, T, K: Ord>(
    items: impl IntoIterator<Item = &'a T>,
    key: impl Fn(&'a T) -> K,
) -> BTreeMap<K, Vec<&'a T>> {
    let mut groups: BTreeMap<K, Vec<&'a T>> = BTreeMap::new();
    for item in items {
        groups.entry(key(item)).or_default().push(item);
    }
    groups
}

/// Whether images can begin with this: parts of a reference between single `/`, with a port, a tag or
/// a digest.
fn image_prefix(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:@[]".contains(&byte);
    let part = |part: &str| !part.is_empty() && part.bytes().all(fits);
    text.split('/').all(part)
}
