//! A tree in a folder that a test writes with its own hands: `apply FOLDER`.

use std::fs;

use meshgen::store::Digest;
use serde_json::{Value, json};

use super::Bed;

/// A copy of `out/`, whose index is kept right.
pub struct Handmade(tempfile::TempDir);

impl Handmade {
    /// As it is rendered now.
    pub fn of(bed: &Bed<'_>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let tree = bed.project.tree();
        fs::copy(tree.file("index.json"), folder.path().join("index.json")).unwrap();
        for row in tree.rows(|_| true) {
            let path = row["path"].as_str().unwrap();
            let to = folder.path().join(path);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(tree.file(path), to).unwrap();
        }
        Self(folder)
    }

    /// How meshgen is told of it.
    pub fn name(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    pub fn text(&self, path: &str) -> String {
        fs::read_to_string(self.0.path().join(path)).unwrap()
    }

    /// Changes the text of a file, and its digest in the index.
    pub fn replace(&self, path: &str, text: &str) {
        let mut index: Value = serde_json::from_str(&self.text("index.json")).unwrap();
        let rows = index["artifacts"].as_array_mut().unwrap();
        let row = rows.iter_mut().find(|row| row["path"] == path).expect("a row");
        row["digest"] = json!(Digest::of(text).to_string());
        fs::write(self.0.path().join(path), text).unwrap();
        fs::write(self.0.path().join("index.json"), index.to_string()).unwrap();
    }

    /// Takes rows out of the index.
    pub fn retain(&self, stays: impl Fn(&Value) -> bool) {
        let mut index: Value = serde_json::from_str(&self.text("index.json")).unwrap();
        index["artifacts"].as_array_mut().unwrap().retain(stays);
        fs::write(self.0.path().join("index.json"), index.to_string()).unwrap();
    }

    /// Adds an object of a cluster, or changes it.
    pub fn put(&self, cluster: &str, stage: &str, object: &Value) {
        let at = |key: &str| object["metadata"][key].as_str().unwrap_or_default();
        let kind = object["kind"].as_str().unwrap().to_lowercase();
        let path = format!("{cluster}/{stage}/{kind}_{}_{}.yaml", at("namespace"), at("name"));
        let text = object.to_string();
        let mut identity =
            json!({"apiVersion": object["apiVersion"], "kind": object["kind"], "name": at("name")});
        if !at("namespace").is_empty() {
            identity["namespace"] = json!(at("namespace"));
        }
        let row = json!({
            "path": path, "digest": Digest::of(&text).to_string(), "stage": stage,
            "targets": [cluster], "object": identity,
        });
        self.retain(|row| row["path"] != path.as_str());
        let file = self.0.path().join(&path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
        let mut index: Value = serde_json::from_str(&self.text("index.json")).unwrap();
        let rows = index["artifacts"].as_array_mut().unwrap();
        rows.push(row);
        rows.sort_by(|a, b| a["path"].as_str().cmp(&b["path"].as_str()));
        fs::write(self.0.path().join("index.json"), index.to_string()).unwrap();
    }
}

/// A Deployment of one container in istio-system.
pub fn deployment(name: &str, image: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": "istio-system", "labels": {"app": name}},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "main", "image": image}]},
            },
        },
    })
}
