//! A kubeconfig: address and CA of an API server, and nothing else.

use serde_json::Value;

use super::import::{Found, Import, RANK_KUBECONFIG, Secrecy, listed};
use crate::diag::{Diagnostic, Diagnostics, Severity, Sources, facts_rules as rules};
use crate::spec::closest;
use crate::yaml::{self, Schema};

impl Import<'_> {
    /// Takes server and CA of contexts: pairs of a cluster and its context. Users, with their
    /// credentials, are not looked at.
    ///
    /// `read` reads a CA file that the kubeconfig names; a relative path is relative to it.
    pub fn kubeconfig(
        &mut self,
        name: &str,
        text: &str,
        contexts: &[(String, String)],
        read: &dyn Fn(&str) -> Result<Vec<u8>, String>,
    ) {
        let mut sources = Sources::new();
        let source = sources.add(name, text);
        let config = match yaml::parse(source, text, Schema::Go) {
            Ok(node) => node.to_value(),
            Err(error) => {
                // the parser's message may repeat a word of the text, and that may be a token
                let place = sources.position(error.span.source, error.span.start);
                let message = format!("line {} of the kubeconfig cannot be read", place.line);
                self.problem(Diagnostic::new(&rules::IMPORT, message).in_file(name));
                return;
            }
        };
        let mut seen = Vec::new();
        for (cluster, context) in contexts {
            let Some(index) = self.cluster(cluster, "--context") else { continue };
            if seen.contains(&index) {
                let message = format!("`--context` names `{cluster}` twice");
                self.problem(Diagnostic::new(&rules::IMPORT, message));
                continue;
            }
            seen.push(index);
            if let Some(entry) = self.entry(name, &config, context) {
                self.cluster_entry(index, context, entry, read);
            }
        }
    }

    fn entry<'c>(&mut self, file: &str, config: &'c Value, context: &str) -> Option<&'c Value> {
        let Some(found) = named(config, "contexts", context) else {
            let names = names(config, "contexts");
            let message = format!("there is no context `{context}`");
            let hint = match closest(context, &names) {
                Some(close) => format!("did you mean `{close}`?"),
                None => format!("there are {}", listed(&names)),
            };
            self.problem(Diagnostic::new(&rules::IMPORT, message).in_file(file).hint(hint));
            return None;
        };
        let cluster = found["context"]["cluster"].as_str().unwrap_or_default();
        let entry = named(config, "clusters", cluster).map(|entry| &entry["cluster"]);
        if entry.is_none() {
            let message = format!("the context `{context}` names no cluster of the kubeconfig");
            self.problem(Diagnostic::new(&rules::IMPORT, message).in_file(file));
        }
        entry
    }

    fn cluster_entry(
        &mut self,
        cluster: usize,
        context: &str,
        entry: &Value,
        read: &dyn Fn(&str) -> Result<Vec<u8>, String>,
    ) {
        let text = |key: &str| entry[key].as_str().filter(|text| !text.is_empty());
        let mut take = |fact: &str, text: String| {
            self.found.push(Found {
                cluster,
                fact: fact.to_owned(),
                rank: RANK_KUBECONFIG,
                from: format!("context {context}"),
                secrecy: Secrecy::Open,
                text,
            });
        };
        match text("server") {
            // without a scheme, kubectl speaks plain http
            Some(server) if !server.contains("://") => take("server", format!("http://{server}")),
            Some(server) => take("server", server.to_owned()),
            None => {}
        }
        let mut warnings = Diagnostics::new();
        match (text("certificate-authority-data"), text("certificate-authority")) {
            (Some(data), _) => take("certificateAuthority", data.to_owned()),
            (None, Some(path)) => match read(path) {
                Ok(bytes) => {
                    take("certificateAuthority", String::from_utf8_lossy(&bytes).into_owned());
                }
                Err(error) => {
                    warnings.push(Diagnostic::new(&rules::IMPORT, error));
                }
            },
            (None, None) => warnings.push(warning(
                format!("the context `{context}` names no CA"),
                "peers check the API server's certificate against it; take it from another source",
            )),
        }
        if text("tls-server-name").is_some() || text("proxy-url").is_some() {
            warnings.push(warning(
                format!("the context `{context}` goes through a proxy or asks for another name"),
                "peers dial the address directly: set the private endpoint with `--server`",
            ));
        }
        self.problems.extend(warnings);
    }
}

fn warning(message: String, hint: &str) -> Diagnostic {
    let mut warning = Diagnostic::new(&rules::IMPORT, message).hint(hint);
    warning.severity = Severity::Warning;
    warning
}

fn named<'c>(config: &'c Value, list: &str, name: &str) -> Option<&'c Value> {
    config[list].as_array()?.iter().find(|entry| entry["name"].as_str() == Some(name))
}

fn names<'c>(config: &'c Value, list: &str) -> Vec<&'c str> {
    let entries = config[list].as_array().map(Vec::as_slice).unwrap_or_default();
    entries.iter().filter_map(|entry| entry["name"].as_str()).collect()
}
