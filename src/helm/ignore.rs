//! `.helmignore`: which files of a chart folder are no part of the chart.

use super::error::ChartError;
use super::glob::match_path;

/// The rules of a `.helmignore`, with Helm's own that leaves out dot files in `templates/`.
pub struct Ignore(Vec<Rule>);

struct Rule {
    pattern: String,
    negated: bool,
    folders_only: bool,
    /// The pattern has a slash and is matched against the whole path.
    whole_path: bool,
}

impl Ignore {
    /// Reads the rules.
    ///
    /// # Errors
    /// On a pattern that is none, and on `**`, which Helm does not know.
    pub fn parse(text: &str) -> Result<Self, ChartError> {
        let mut rules = Vec::new();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for line in text.lines().chain(["templates/.?*"]) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if line.contains("**") {
                return Err(ChartError::Ignore {
                    rule: line.into(),
                    reason: "`**` is not supported",
                });
            }
            if match_path(line, "abc").is_none() {
                return Err(ChartError::Ignore { rule: line.into(), reason: "it is no pattern" });
            }
            rules.push(Rule::new(line));
        }
        Ok(Self(rules))
    }

    /// Reports whether a file is left out, by its own rules or by those for a folder it is in.
    pub fn leaves_out(&self, path: &str) -> bool {
        let folders = path.match_indices('/').map(|(end, _)| &path[..end]);
        folders.into_iter().any(|folder| self.matches(folder, true)) || self.matches(path, false)
    }

    fn matches(&self, path: &str, is_folder: bool) -> bool {
        for rule in &self.0 {
            if rule.negated {
                if (rule.folders_only && !is_folder) || !rule.matches(path) {
                    return true;
                }
            } else if (!rule.folders_only || is_folder) && rule.matches(path) {
                return true;
            }
        }
        false
    }
}

impl Rule {
    fn new(line: &str) -> Self {
        let (negated, pattern) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
        let (folders_only, pattern) =
            pattern.strip_suffix('/').map_or((false, pattern), |rest| (true, rest));
        let whole_path = pattern.contains('/');
        let pattern = pattern.strip_prefix('/').unwrap_or(pattern).to_owned();
        Self { pattern, negated, folders_only, whole_path }
    }

    fn matches(&self, path: &str) -> bool {
        let name = if self.whole_path { path } else { path.rsplit('/').next().unwrap_or(path) };
        match_path(&self.pattern, name).unwrap_or(false)
    }
}
