//! Every image that a mesh will run, and where the tree names it.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde_json::Value;

use super::source::{Source, SourceError};
use super::{ArtifactRow, TreePath};
use crate::yaml::{self, Schema};

/// An image.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Image {
    /// Its reference, as the tree has it: `docker.io/istio/pilot:1.30.0`.
    pub reference: String,
    /// Where the tree names it, by path.
    pub uses: Vec<Use>,
}

/// A place that names an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Use {
    /// The file.
    pub path: TreePath,
    /// What in it: a JSON pointer; for the injector, the value or template that it stands in.
    pub field: String,
    /// The clusters that get the file.
    pub clusters: Vec<String>,
}

/// Lists the images of a tree: of containers, of the annotation `sidecar.istio.io/proxyImage`, and
/// those that istiod puts into pods, which only the injector's values and templates name. Of a
/// cluster whose control plane is left to istioctl, those that its `IstioOperator` stands for.
///
/// Sorted by reference. What waits for facts is not looked at.
pub fn images(source: &Source) -> Result<Vec<Image>, SourceError> {
    let rows = &source.index.artifacts;
    let rendered: BTreeSet<&str> = rows
        .iter()
        .filter(|row| row.stage.as_deref() == Some("30-istiod"))
        .map(|row| row.path.first())
        .collect();
    let look = |row: &ArtifactRow| {
        let cluster = row.path.first();
        let is_operator = row.path.as_str() == format!("{cluster}/istio-operator.yaml");
        if row.object.is_none() && (!is_operator || rendered.contains(cluster)) {
            return Ok(Vec::new());
        }
        let object = read(source, &row.path)?;
        let mut found = Found::default();
        if is_operator {
            found.operator(&object);
        } else {
            found.object(&object, "");
            found.injector(source, row, &object)?;
        }
        let clusters = match &row.targets {
            Some(targets) => {
                let all = source.index.clusters.iter().map(|cluster| &cluster.name);
                all.filter(|name| targets.contains(name)).cloned().collect()
            }
            None => vec![cluster.to_owned()],
        };
        let place = |(reference, field)| {
            (reference, Use { path: row.path.clone(), field, clusters: clusters.clone() })
        };
        Ok(found.0.into_iter().map(place).collect())
    };
    let found: Result<Vec<Vec<(String, Use)>>, SourceError> = rows.par_iter().map(look).collect();
    let mut images: BTreeMap<String, Vec<Use>> = BTreeMap::new();
    for (reference, place) in found?.into_iter().flatten() {
        images.entry(reference).or_default().push(place);
    }
    let image = |(reference, mut uses): (String, Vec<Use>)| {
        uses.sort();
        uses.dedup();
        Image { reference, uses }
    };
    Ok(images.into_iter().map(image).collect())
}

/// The object of a file. One that is no YAML names no image: it is not ours, and `check` says so.
fn read(source: &Source, path: &TreePath) -> Result<Value, SourceError> {
    let bytes = source.read(path)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(yaml::document(&text, Schema::Strict).unwrap_or_default())
}

/// Images, each with its field.
#[derive(Default)]
struct Found(Vec<(String, String)>);

impl Found {
    fn add(&mut self, reference: &str, field: impl Into<String>) {
        // `auto` stands for the proxy, which istiod puts in
        if !reference.is_empty() && reference != "auto" {
            self.0.push((reference.to_owned(), field.into()));
        }
    }

    fn object(&mut self, value: &Value, pointer: &str) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    let pointer =
                        format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                    match (key.as_str(), value) {
                        (
                            "containers" | "initContainers" | "ephemeralContainers",
                            Value::Array(containers),
                        ) => {
                            for (index, container) in containers.iter().enumerate() {
                                if let Some(image) = container.get("image").and_then(Value::as_str)
                                {
                                    self.add(image, format!("{pointer}/{index}/image"));
                                }
                            }
                        }
                        ("sidecar.istio.io/proxyImage", Value::String(image)) => {
                            self.add(image, pointer.as_str());
                        }
                        _ => {}
                    }
                    self.object(value, &pointer);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.object(item, &format!("{pointer}/{index}"));
                }
            }
            _ => {}
        }
    }

    /// What istiod puts into pods, from the injector's `ConfigMap` (pkg/kube/inject of Istio).
    fn injector(
        &mut self,
        source: &Source,
        row: &ArtifactRow,
        object: &Value,
    ) -> Result<(), SourceError> {
        const NAME: &str = "istio-sidecar-injector";
        let is_injector = row.object.as_ref().is_some_and(|identity| {
            identity.kind == "ConfigMap" && identity.name.starts_with(NAME)
        });
        if !is_injector {
            return Ok(());
        }
        let text = |key: &str| object.get("data").and_then(|data| data.get(key)?.as_str());
        // the mesh config of the same revision can ask for another type of image
        let mesh = row.path.as_str().replace(NAME, "istio").parse().ok();
        let mesh = mesh.filter(|path: &TreePath| source.index.row(path.as_str()).is_some());
        let mesh = mesh.map(|path| read(source, &path)).transpose()?;
        let asked = mesh.as_ref().and_then(|mesh| mesh.pointer("/data/mesh")?.as_str());
        let asked = asked.and_then(|text| yaml::document(text, Schema::Go).ok());
        let asked = asked
            .as_ref()
            .and_then(|mesh| mesh.pointer("/defaultConfig/image/imageType")?.as_str());

        let config = text("config").unwrap_or_default();
        if let Some(values) = text("values").and_then(|text| serde_json::from_str(text).ok()) {
            let release = Release::of(&values, asked);
            let name = |pointer: &str| {
                let name = values.pointer(pointer).and_then(Value::as_str);
                name.filter(|name| !name.is_empty()).unwrap_or("proxyv2")
            };
            let proxies = ["/global/proxy/image", "/global/proxy_init/image"];
            for pointer in proxies {
                let field = format!("/data/values: {}", pointer[1..].replace('/', "."));
                self.add(&release.image(name(pointer)), field);
            }
            if config.contains("{{ .AgentgatewayImage }}") {
                self.add(&release.image("agentgateway"), "/data/config: template agentgateway");
            }
        }
        for image in literal_images(config) {
            self.add(image, "/data/config: a template");
        }
        Ok(())
    }

    /// What `istioctl` will run for an `IstioOperator`, by the names that every release has.
    fn operator(&mut self, operator: &Value) {
        let spec = operator.get("spec").unwrap_or(&Value::Null);
        let values = spec.get("values").unwrap_or(&Value::Null);
        let mut global = values.clone();
        for key in ["hub", "tag"] {
            let given = global.pointer(&format!("/global/{key}")).is_some();
            if let (false, Some(value)) = (given, spec.get(key)) {
                global["global"][key] = value.clone();
            }
        }
        let release = Release::of(&global, None);
        let is_on = |key: &str| spec.pointer(&format!("/components/{key}/enabled"));
        let is_on = |key: &str| is_on(key) == Some(&Value::Bool(true));
        let named = |pointer: &str, name: &'static str| {
            let given = values.pointer(pointer).and_then(Value::as_str);
            given.filter(|name| !name.is_empty()).unwrap_or(name).to_owned()
        };
        let field = "/spec: left to istioctl";
        self.add(&release.image(&named("/pilot/image", "pilot")), field);
        self.add(&release.image(&named("/global/proxy/image", "proxyv2")), field);
        if is_on("cni") {
            self.add(&release.image(&named("/cni/image", "install-cni")), field);
        }
        if is_on("ztunnel") {
            self.add(&release.image(&named("/ztunnel/image", "ztunnel")), field);
        }
    }
}

/// Images that a template of the injector names by themselves: `image: busybox:1.28`.
fn literal_images(config: &str) -> impl Iterator<Item = &str> {
    config.lines().filter_map(|line| {
        let image = line.trim_start().trim_start_matches("- ").strip_prefix("image: ")?;
        let image = image.trim().trim_matches('"');
        (!image.contains("{{") && image.contains([':', '/'])).then_some(image)
    })
}

/// Hub, tag and type of a release's images.
struct Release<'a> {
    hub: &'a str,
    tag: String,
    variant: &'a str,
}

impl<'a> Release<'a> {
    fn of(values: &'a Value, asked: Option<&'a str>) -> Self {
        let global = |key: &str| values.get("global").and_then(|global| global.get(key));
        let text = |key: &str| global(key).and_then(Value::as_str).unwrap_or_default();
        let tag = match global("tag") {
            Some(Value::String(tag)) => tag.clone(),
            Some(Value::Number(tag)) => tag.to_string(),
            _ => String::new(),
        };
        let variant = asked.filter(|asked| !asked.is_empty()).unwrap_or(text("variant"));
        Self { hub: text("hub"), tag, variant }
    }

    /// The reference of a name; one with a path stands for itself.
    fn image(&self, name: &str) -> String {
        if name.contains('/') {
            return name.to_owned();
        }
        let Self { hub, tag, variant } = self;
        if variant.is_empty() {
            return format!("{hub}/{name}:{tag}");
        }
        let kinds = ["-distroless", "-debug"];
        let plain = kinds.iter().find_map(|kind| tag.strip_suffix(kind)).unwrap_or(tag);
        match *variant {
            "default" => format!("{hub}/{name}:{plain}"),
            variant => format!("{hub}/{name}:{plain}-{variant}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_type_of_an_image_is_part_of_its_tag() {
        let image =
            |global: Value, asked| Release::of(&json!({"global": global}), asked).image("p");
        let plain = json!({"hub": "h", "tag": "1.30.0"});
        assert_eq!(image(plain.clone(), None), "h/p:1.30.0");
        assert_eq!(image(plain, Some("distroless")), "h/p:1.30.0-distroless");
        let debug = json!({"hub": "h", "tag": "1.30.0-debug", "variant": "default"});
        assert_eq!(image(debug, None), "h/p:1.30.0");
        assert_eq!(image(json!({"hub": "h", "tag": 2}), None), "h/p:2");
    }

    #[test]
    fn templates_name_images_by_themselves() {
        let config = "a:\n  image: busybox:1.28\n  image: \"{{ .ProxyImage }}\"\n- image: \"x/y:1\"\nimage: auto";
        assert_eq!(literal_images(config).collect::<Vec<_>>(), ["busybox:1.28", "x/y:1"]);
    }
}
