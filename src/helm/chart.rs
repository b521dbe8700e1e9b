//! Charts, as they are loaded.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde_json::{Map as JsonMap, Value as Json};

use super::archive;
use super::error::ChartError;
use super::files::Files;
use super::ignore::Ignore;
use super::metadata::Metadata;
use super::values;
use crate::gotmpl::TemplateSet;
use crate::yaml;

/// The largest file of a chart that Helm takes.
const MAX_FILE: usize = 5 << 20;
/// Charts in charts.
const MAX_DEPTH: usize = 32;

/// A file of a chart: its path in the chart, with `/`, and its bytes.
#[derive(Clone, Debug)]
pub struct File {
    /// The path.
    pub path: String,
    /// The content.
    pub data: Vec<u8>,
}

/// A chart with the charts that it holds. A clone is cheap, and shares what was parsed.
#[derive(Clone)]
pub struct Chart {
    /// What `Chart.yaml` says.
    pub metadata: Metadata,
    /// The templates by path (`templates/…`), as text.
    pub templates: Arc<BTreeMap<Arc<str>, Arc<str>>>,
    /// All files that are neither templates nor values.
    pub files: Files,
    /// The defaults in `values.yaml`.
    pub values: Arc<JsonMap<String, Json>>,
    /// The text of `values.schema.json`.
    pub schema: Option<Arc<[u8]>>,
    /// The charts in `charts/`, by name.
    pub dependencies: Vec<Chart>,
    /// The parsed templates of a chart without dependencies, whose set is the same for all values.
    pub(super) parsed: Arc<OnceLock<TemplateSet>>,
}

impl Chart {
    /// Loads a chart from the files of a folder. `.helmignore` among them is honoured.
    ///
    /// # Errors
    /// When a file cannot be read, or the chart breaks one of Helm's rules.
    pub fn from_folder(files: Vec<File>) -> Result<Self, ChartError> {
        let rules = files.iter().find(|file| file.path == ".helmignore");
        let rules =
            rules.map(|file| String::from_utf8_lossy(&file.data).into_owned()).unwrap_or_default();
        let ignore = Ignore::parse(&rules)?;
        let kept = files.into_iter().filter(|file| !ignore.leaves_out(&file.path));
        Self::from_files(kept.collect(), 0)
    }

    /// Loads a chart from a `.tgz`.
    ///
    /// # Errors
    /// When it is no archive of a chart, when it holds hostile paths, or is too large.
    pub fn from_archive(bytes: &[u8]) -> Result<Self, ChartError> {
        Self::from_files(archive::files(bytes)?, 0)
    }

    fn from_files(files: Vec<File>, depth: usize) -> Result<Self, ChartError> {
        if depth > MAX_DEPTH {
            return Err(ChartError::Archive(format!("charts nest deeper than {MAX_DEPTH} levels")));
        }
        let mut loader = Loader::default();
        for file in files {
            loader.add(file)?;
        }
        loader.finish(depth)
    }

    /// The chart with other templates of its own: what the function gives for each, by its path and its text.
    #[must_use]
    pub fn with_templates(&self, change: impl Fn(&str, &Arc<str>) -> Option<Arc<str>>) -> Self {
        let changed = self
            .templates
            .iter()
            .filter_map(|(name, text)| Some((name.clone(), change(name, text)?)));
        let templates = changed.collect();
        Self { templates: Arc::new(templates), parsed: Arc::default(), ..self.clone() }
    }

    /// Returns the path of the files in `crds/`, its own and those of its dependencies, with the chart's path before
    /// them, and their bytes.
    pub(super) fn crds(&self) -> Vec<(String, Arc<[u8]>)> {
        let mut crds = Vec::new();
        self.collect_crds(&self.metadata.name, &mut crds);
        crds
    }

    fn collect_crds(&self, path: &str, crds: &mut Vec<(String, Arc<[u8]>)>) {
        let is_manifest =
            |name: &str| [".yaml", ".yml", ".json"].iter().any(|end| name.ends_with(end));
        for (name, data) in self.files.0.iter() {
            if name.starts_with("crds/") && is_manifest(name) {
                crds.push((format!("{path}/{name}"), data.clone()));
            }
        }
        for dependency in &self.dependencies {
            dependency.collect_crds(&format!("{path}/charts/{}", dependency.metadata.name), crds);
        }
    }
}

/// Sorts the files of a chart.
#[derive(Default)]
struct Loader {
    has_metadata: bool,
    metadata: Metadata,
    requirements: Option<Json>,
    templates: BTreeMap<Arc<str>, Arc<str>>,
    files: BTreeMap<Arc<str>, Arc<[u8]>>,
    values: JsonMap<String, Json>,
    schema: Option<Arc<[u8]>>,
    subcharts: BTreeMap<String, Vec<File>>,
}

impl Loader {
    fn add(&mut self, file: File) -> Result<(), ChartError> {
        const BOM: &[u8] = "\u{feff}".as_bytes();
        let File { path, data } = file;
        if data.len() > MAX_FILE {
            let reason = format!("it is larger than {MAX_FILE} bytes");
            return Err(ChartError::File { file: path, reason });
        }
        let data = data.strip_prefix(BOM).map(<[u8]>::to_vec).unwrap_or(data);
        match path.as_str() {
            "Chart.yaml" => {
                self.metadata.read(&document(&path, &data)?)?;
                self.has_metadata = true;
            }
            "Chart.lock" => drop(document(&path, &data)?),
            "values.yaml" => {
                self.values = values::read(&text(&path, data)?)
                    .map_err(|reason| ChartError::File { file: path, reason })?;
            }
            "values.schema.json" => self.schema = Some(data.into()),
            "requirements.yaml" => {
                self.requirements = Some(document(&path, &data)?);
                self.files.insert(path.into(), data.into());
            }
            _ if path.starts_with("templates/") => {
                let text = text(&path, data)?;
                self.templates.insert(path.into(), text.into());
            }
            _ if path.starts_with("charts/") && !path.ends_with(".prov") => {
                self.add_to_subchart(&path["charts/".len()..], data);
            }
            _ => drop(self.files.insert(path.into(), data.into())),
        }
        Ok(())
    }

    fn add_to_subchart(&mut self, path: &str, data: Vec<u8>) {
        let name = path.split('/').next().unwrap_or(path).to_owned();
        self.subcharts.entry(name).or_default().push(File { path: path.into(), data });
    }

    fn finish(mut self, depth: usize) -> Result<Chart, ChartError> {
        if let Some(requirements) = self.requirements.take() {
            self.metadata.read(&requirements)?;
            if self.metadata.api_version != "v1" {
                self.files.remove("requirements.yaml");
            }
        }
        if !self.has_metadata {
            return Err(ChartError::NoChartFile);
        }
        self.metadata.validate()?;
        let mut dependencies = Vec::new();
        for (name, files) in std::mem::take(&mut self.subcharts) {
            let loaded = subchart(&name, files, depth + 1);
            dependencies.extend(
                loaded.map_err(|source| ChartError::Subchart { name, source: Box::new(source) })?,
            );
        }
        Ok(Chart {
            metadata: self.metadata,
            templates: Arc::new(self.templates),
            files: Files(Arc::new(self.files)),
            values: Arc::new(self.values),
            schema: self.schema,
            dependencies,
            parsed: Arc::default(),
        })
    }
}

fn subchart(name: &str, files: Vec<File>, depth: usize) -> Result<Option<Chart>, ChartError> {
    if name.starts_with(['_', '.']) {
        return Ok(None);
    }
    let files = if name.ends_with(".tgz") {
        match files.into_iter().find(|file| file.path == name) {
            Some(file) => archive::files(&file.data)?,
            None => return Err(ChartError::Archive("a folder has the name of an archive".into())),
        }
    } else {
        // What lies in `charts/` itself and is no chart is left out.
        let inside = files.into_iter().filter_map(|file| {
            let path = file.path.split_once('/')?.1.to_owned();
            Some(File { path, data: file.data })
        });
        inside.collect()
    };
    Chart::from_files(files, depth).map(Some)
}

fn text(path: &str, data: Vec<u8>) -> Result<String, ChartError> {
    String::from_utf8(data)
        .map_err(|_| ChartError::File { file: path.into(), reason: "it is not UTF-8".into() })
}

fn document(path: &str, data: &[u8]) -> Result<Json, ChartError> {
    let text = String::from_utf8_lossy(data);
    yaml::go_document(&text)
        .map_err(|error| ChartError::File { file: path.into(), reason: error.with_position(&text) })
}
