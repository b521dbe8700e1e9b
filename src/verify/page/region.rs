//! What a tree says of its clusters beside the index: regions, versions of Istio.

use std::collections::BTreeMap;

use crate::cluster::Files;
use crate::tree::source::Source;

const TFVARS: &str = "terraform/terraform.tfvars";

/// The regions of clusters, as `terraform/terraform.tfvars` of the tree has them: those of OKE
/// clusters alone. Empty where the tree has no such file.
pub fn regions(source: &Source) -> BTreeMap<String, String> {
    let row = source.index.row(TFVARS);
    let bytes = row.and_then(|row| source.read(&row.path).ok()).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let known = |name: &str| source.index.clusters.iter().any(|row| row.name == name);
    text.lines().filter_map(region).filter(|(name, _)| known(name)).collect()
}

/// A line as the template `terraform/terraform.tfvars` writes it for a cluster. A project may have a
/// template of its own: what has another shape says nothing.
fn region(line: &str) -> Option<(String, String)> {
    let (name, rest) = line.strip_prefix("  ")?.split_once(" = { region = \"")?;
    let (region, rest) = rest.split_once('"')?;
    let plain = |text: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        !text.is_empty() && text.bytes().all(fits)
    };
    let name = name.trim_matches('"');
    let whole = rest.starts_with(", ") && rest.ends_with('}') && plain(name) && plain(region);
    whole.then(|| (name.to_owned(), region.to_owned()))
}

/// The Istio version of each cluster: `spec.tag` of its `istio-operator.yaml`, where it has one.
pub fn versions(source: &Source, files: &Files) -> BTreeMap<String, String> {
    let version = |name: &str| {
        let row = source.index.row(&format!("{name}/istio-operator.yaml"))?;
        let value = files.get(source, &row.path, row.digest).ok()?;
        value.pointer("/spec/tag")?.as_str().map(str::to_owned)
    };
    let clusters = source.index.clusters.iter();
    clusters.filter_map(|row| Some((row.name.clone(), version(&row.name)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::region;

    #[test]
    fn a_line_of_another_shape_says_nothing() {
        let line = "  c1 = { region = \"sydney\", vcn = \"10.1.0.0/16\", enabled = true }";
        assert_eq!(region(line), Some(("c1".into(), "sydney".into())));
        let line = "  \"on\" = { region = \"ap-tokyo-1\", vcn = \"10.3.0.0/16\" }";
        assert_eq!(region(line), Some(("on".into(), "ap-tokyo-1".into())));
        for line in [
            "c1 = { region = \"sydney\", vcn = 1 }",
            "  c1 = { region = \"${x}\", vcn = 1 }",
            "  c1 = { region = \"\", vcn = 1 }",
            "  c1 = { region = \"sydney\"",
            "  # c1 = { region = \"sydney\", vcn = 1 }",
            "  np1 = { shape = \"VM\", ocpus = 2 }",
        ] {
            assert_eq!(region(line), None, "{line}");
        }
    }
}
