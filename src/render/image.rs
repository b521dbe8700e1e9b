//! Image prefixes of an air-gapped site (`images` in mesh.yaml).

use std::collections::BTreeMap;

use serde_json::Value;

/// Replaces the longest prefix of an image reference, or of a hub, that the map has.
///
/// A prefix ends at `/`, `:`, `@` or the end. A reference without a registry is one of Docker Hub
/// (`curlimages/curl` is `docker.io/curlimages/curl`, `busybox` is `docker.io/library/busybox`), as
/// container runtimes read it; it stays as it was written where no prefix fits.
pub fn rewrite(reference: &str, images: &BTreeMap<String, Option<String>>) -> String {
    let full = with_registry(reference);
    let fitting = images
        .iter()
        .filter_map(|(from, to)| Some((from.as_str(), to.as_deref()?)))
        .filter_map(|(from, to)| Some((from.len(), to, rest_after(&full, from)?)))
        .max_by_key(|(length, ..)| *length);
    match fitting {
        Some((_, to, rest)) => format!("{to}{rest}"),
        None => reference.to_owned(),
    }
}

fn rest_after<'a>(reference: &'a str, prefix: &str) -> Option<&'a str> {
    let rest = reference.strip_prefix(prefix)?;
    (rest.is_empty() || rest.starts_with(['/', ':', '@'])).then_some(rest)
}

fn with_registry(reference: &str) -> String {
    match reference.split_once('/') {
        None => format!("docker.io/library/{reference}"),
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => {
            reference.to_owned()
        }
        Some(_) => format!("docker.io/{reference}"),
    }
}

/// Rewrites every container image of an object: `image` in the lists `containers`,
/// `initContainers` and `ephemeralContainers`, wherever they stand.
pub fn rewrite_containers(value: &mut Value, images: &BTreeMap<String, Option<String>>) {
    if !images.is_empty() {
        each_container(value, &|image| rewrite(image, images));
    }
}

/// As [`rewrite_containers`], for objects whose charts were given rewritten hubs: what lies behind a
/// new prefix is taken for what it was before, so that it is not rewritten twice, and the longest
/// prefix wins although the hub came first.
pub fn rewrite_rest(value: &mut Value, images: &BTreeMap<String, Option<String>>) {
    let before = |image: &str| {
        let behind = images.iter().filter_map(|(from, to)| {
            let to = to.as_deref()?;
            Some((to.len(), format!("{from}{}", rest_after(image, to)?)))
        });
        behind.max_by_key(|(length, _)| *length).map(|(_, before)| before)
    };
    let one = |image: &str| rewrite(before(image).as_deref().unwrap_or(image), images);
    if !images.is_empty() {
        each_container(value, &one);
    }
}

fn each_container(value: &mut Value, change: &dyn Fn(&str) -> String) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if matches!(key.as_str(), "containers" | "initContainers" | "ephemeralContainers") {
                    for container in value.as_array_mut().into_iter().flatten() {
                        change_image(container, change);
                    }
                }
                each_container(value, change);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| each_container(item, change)),
        _ => {}
    }
}

/// Rewrites the images that a template of the injector names by itself: a line `image: busybox:1.28` in
/// its `ConfigMap`. The proxies come from hub and tag, which were rewritten before.
pub fn rewrite_injector(value: &mut Value, images: &BTreeMap<String, Option<String>>) {
    let Some(config) = value.pointer_mut("/data/config") else { return };
    let Some(text) = config.as_str() else { return };
    let line = |line: &str| {
        let start = line.find("image: ").map_or(0, |at| at + "image: ".len());
        let (before, rest) = line.split_at(start);
        let image = rest.trim_end();
        let bare = image.trim_matches('"');
        let is_key = before.trim_start().trim_start_matches("- ") == "image: ";
        if !is_key || bare.contains("{{") || !bare.contains([':', '/']) {
            return line.to_owned();
        }
        line.replacen(bare, &rewrite(bare, images), 1)
    };
    *config = text.split_inclusive('\n').map(line).collect::<String>().into();
}

/// Rewrites the hubs and whole image references of an `IstioOperator`: every `hub`, and every `image`
/// that names a path (a bare name is put behind a hub by the charts).
pub fn rewrite_operator(value: &mut Value, images: &BTreeMap<String, Option<String>>) {
    if images.is_empty() {
        return;
    }
    match value {
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                let text = value.as_str().map(str::to_owned);
                match text {
                    Some(text) if key == "hub" || (key == "image" && text.contains('/')) => {
                        *value = Value::String(rewrite(&text, images));
                    }
                    _ => rewrite_operator(value, images),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rewrite_operator(item, images)),
        _ => {}
    }
}

/// What a gateway's pod has for an image until istiod's webhook sets it.
const INJECTED: &str = "auto";

fn change_image(container: &mut Value, change: &dyn Fn(&str) -> String) {
    if let Some(field) = container.get_mut("image")
        && let Some(text) = field.as_str()
        && text != INJECTED
    {
        *field = Value::String(change(text));
    }
}
