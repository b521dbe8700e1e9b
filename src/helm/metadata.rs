//! `Chart.yaml`.

use serde_json::{Map as JsonMap, Value as Json};

use super::error::ChartError;
use super::function::Version;
use crate::gotmpl::{Map, MapKind, Text, Value, is_print};

/// What `Chart.yaml` says.
#[derive(Clone, Debug, Default)]
pub struct Metadata {
    /// The name of the chart.
    pub name: String,
    /// The version of the chart.
    pub version: String,
    /// The kind: `application`, `library` or nothing.
    pub kind: String,
    /// `v1` or `v2`.
    pub api_version: String,
    /// The constraint on the version of Kubernetes.
    pub kube_version: String,
    /// The charts that this one depends on.
    pub dependencies: Vec<Dependency>,
    /// Everything else, as it stands in the file.
    rest: JsonMap<String, Json>,
}

/// A chart that another depends on.
#[derive(Clone, Debug, Default)]
pub struct Dependency {
    /// The name of the chart, or its alias after dependencies were processed.
    pub name: String,
    /// The constraint on its version.
    pub version: String,
    /// Where it comes from.
    pub repository: String,
    /// Paths of values that switch it, separated by commas.
    pub condition: String,
    /// Tags that switch it.
    pub tags: Vec<String>,
    /// Whether it is switched on.
    pub enabled: bool,
    /// Values that the parent takes over.
    pub import_values: Vec<Json>,
    /// The name it goes by here.
    pub alias: String,
}

impl Metadata {
    /// Reads `Chart.yaml`, or the dependencies in the `requirements.yaml` of old charts on top of it.
    ///
    /// # Errors
    /// When a field has the wrong type.
    pub fn read(&mut self, document: &Json) -> Result<(), ChartError> {
        let Json::Object(fields) = document else {
            return if document.is_null() {
                Ok(())
            } else {
                Err(ChartError::Metadata("it is no map".into()))
            };
        };
        for (key, value) in fields {
            self.rest.insert(key.clone(), value.clone());
        }
        let fields = &self.rest;
        self.name = string(fields, "name")?;
        self.version = string(fields, "version")?;
        self.kind = string(fields, "type")?;
        self.api_version = string(fields, "apiVersion")?;
        self.kube_version = string(fields, "kubeVersion")?;
        for key in ["home", "description", "icon", "condition", "tags", "appVersion"] {
            string(fields, key)?;
        }
        self.dependencies =
            list(fields, "dependencies")?.iter().map(Dependency::read).collect::<Result<_, _>>()?;
        if self.api_version.is_empty() {
            self.api_version = "v1".into();
        }
        Ok(())
    }

    /// Checks what Helm checks when it loads a chart.
    ///
    /// # Errors
    /// When the name or the version is missing or none, or two dependencies have one name.
    pub fn validate(&self) -> Result<(), ChartError> {
        let fault = |text: String| Err(ChartError::Metadata(text));
        if self.name.is_empty() {
            return fault("`name` is required".into());
        }
        if self.name.contains('/') || matches!(self.name.as_str(), "." | "..") {
            return fault(format!("the name {:?} is invalid", self.name));
        }
        if self.version.is_empty() {
            return fault("`version` is required".into());
        }
        if Version::parse(&self.version).is_none() {
            return fault(format!("the version {:?} is invalid", self.version));
        }
        if !matches!(self.kind.as_str(), "" | "application" | "library") {
            return fault("`type` must be `application` or `library`".into());
        }
        let mut names: Vec<&str> = Vec::new();
        for dependency in &self.dependencies {
            let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            if !dependency.alias.chars().all(is_word) {
                return fault(format!(
                    "the dependency {:?} has disallowed characters in its alias",
                    dependency.name
                ));
            }
            let name =
                if dependency.alias.is_empty() { &dependency.name } else { &dependency.alias };
            if names.contains(&name.as_str()) {
                return fault(format!("more than one dependency with the name or alias {name:?}"));
            }
            names.push(name);
        }
        Ok(())
    }

    /// Reports whether the chart only defines templates for others.
    pub fn is_library(&self) -> bool {
        self.kind.eq_ignore_ascii_case("library")
    }

    /// Returns `.Chart` as Helm 4 gives it to templates: a map with Go's names of the fields.
    pub fn to_value(&self, is_root: bool) -> Value {
        let text = |key: &str| Value::str(string(&self.rest, key).unwrap_or_default());
        let texts =
            |key: &str| Value::list(strings(&self.rest, key).into_iter().map(Value::str).collect());
        let annotations = match self.rest.get("annotations") {
            Some(Json::Object(map)) => Map::new(
                MapKind::Str,
                map.iter()
                    .map(|(key, value)| (Text::from(key.as_str()), json_text(value)))
                    .collect(),
            ),
            _ => Map::nil(MapKind::Str),
        };
        let empty = Vec::new();
        let maintainers = list(&self.rest, "maintainers").unwrap_or(&empty);
        let maintainer = |json: &Json| {
            let field = |key: &str| json.get(key).map_or_else(|| Value::str(""), json_text);
            Value::map([
                ("Name".into(), field("name")),
                ("Email".into(), field("email")),
                ("URL".into(), field("url")),
            ])
        };
        let fields = [
            ("Name", Value::str(self.name.as_str())),
            ("Home", text("home")),
            ("Sources", texts("sources")),
            ("Version", Value::str(self.version.as_str())),
            ("Description", text("description")),
            ("Keywords", texts("keywords")),
            ("Maintainers", Value::list(maintainers.iter().map(maintainer).collect())),
            ("Icon", text("icon")),
            ("APIVersion", Value::str(self.api_version.as_str())),
            ("Condition", text("condition")),
            ("Tags", text("tags")),
            ("AppVersion", text("appVersion")),
            ("Deprecated", Value::Bool(self.rest.get("deprecated") == Some(&Json::Bool(true)))),
            ("Annotations", Value::Map(annotations)),
            ("KubeVersion", Value::str(self.kube_version.as_str())),
            (
                "Dependencies",
                Value::list(self.dependencies.iter().map(Dependency::to_value).collect()),
            ),
            ("Type", Value::str(self.kind.as_str())),
            ("IsRoot", Value::Bool(is_root)),
        ];
        Value::map(fields.map(|(key, value)| (key.into(), value)))
    }
}

impl Dependency {
    fn read(document: &Json) -> Result<Self, ChartError> {
        let Json::Object(fields) = document else {
            return Err(ChartError::Metadata(
                "dependencies must not contain empty or null nodes".into(),
            ));
        };
        Ok(Self {
            name: string(fields, "name")?,
            version: string(fields, "version")?,
            repository: string(fields, "repository")?,
            condition: string(fields, "condition")?,
            tags: strings(fields, "tags"),
            enabled: false,
            import_values: list(fields, "import-values")?.clone(),
            alias: string(fields, "alias")?,
        })
    }

    fn to_value(&self) -> Value {
        let import = |json: &Json| match json {
            Json::Object(map) => Value::Map(Map::new(
                MapKind::Str,
                map.iter()
                    .map(|(key, value)| (Text::from(key.as_str()), json_text(value)))
                    .collect(),
            )),
            other => Value::from_json(other),
        };
        let fields = [
            ("Name", Value::str(self.name.as_str())),
            ("Version", Value::str(self.version.as_str())),
            ("Repository", Value::str(self.repository.as_str())),
            ("Condition", Value::str(self.condition.as_str())),
            ("Tags", Value::list(self.tags.iter().map(|tag| Value::str(tag.as_str())).collect())),
            ("Enabled", Value::Bool(self.enabled)),
            ("ImportValues", Value::list(self.import_values.iter().map(import).collect())),
            ("Alias", Value::str(self.alias.as_str())),
        ];
        Value::map(fields.map(|(key, value)| (key.into(), value)))
    }
}

fn json_text(value: &Json) -> Value {
    match value {
        Json::String(text) => Value::str(text.as_str()),
        Json::Null => Value::str(""),
        other => Value::str(other.to_string()),
    }
}

fn string(fields: &JsonMap<String, Json>, key: &str) -> Result<String, ChartError> {
    match fields.get(key) {
        None | Some(Json::Null) => Ok(String::new()),
        Some(Json::String(text)) => Ok(printable(text)),
        Some(other) => {
            Err(ChartError::Metadata(format!("`{key}` must be a string, and is {other}")))
        }
    }
}

/// Takes out what Helm takes out of these texts: what cannot be printed; white space becomes blanks.
fn printable(text: &str) -> String {
    let keep = |c: char| match c {
        _ if c.is_whitespace() => Some(' '),
        _ if is_print(c) => Some(c),
        _ => None,
    };
    text.chars().filter_map(keep).collect()
}

fn strings(fields: &JsonMap<String, Json>, key: &str) -> Vec<String> {
    let items = fields.get(key).and_then(Json::as_array);
    items.into_iter().flatten().filter_map(Json::as_str).map(printable).collect()
}

fn list<'a>(fields: &'a JsonMap<String, Json>, key: &str) -> Result<&'a Vec<Json>, ChartError> {
    const EMPTY: &Vec<Json> = &Vec::new();
    match fields.get(key) {
        None | Some(Json::Null) => Ok(EMPTY),
        Some(Json::Array(items)) => Ok(items),
        Some(other) => Err(ChartError::Metadata(format!("`{key}` must be a list, and is {other}"))),
    }
}
