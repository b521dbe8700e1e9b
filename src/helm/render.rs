//! Renders a chart: Helm's engine.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::{Map as JsonMap, Value as Json};

use super::capabilities::Capabilities;
use super::chart::Chart;
use super::dependency;
use super::error::ChartError;
use super::function::encode::to_yaml;
use super::function::{Constraint, Version, functions};
use super::schema;
use super::values;
use crate::gotmpl::{
    Failure, Function, Limits, Map, MapKind, MissingKey, NamedMap, Options, Session, TemplateSet,
    Text, Type, Value, on_stack,
};

/// The release that a chart is rendered for.
#[derive(Clone, Debug)]
pub struct Release {
    /// `.Release.Name`
    pub name: String,
    /// `.Release.Namespace`
    pub namespace: String,
    /// `.Release.Revision`
    pub revision: i64,
    /// `.Release.IsInstall`
    pub is_install: bool,
    /// `.Release.IsUpgrade`
    pub is_upgrade: bool,
}

/// What a chart is rendered with.
#[derive(Clone, Debug)]
pub struct Request {
    /// The user's values.
    pub values: JsonMap<String, Json>,
    /// Whether a number that JSON holds as an integer is Go's `int64`, as `--set` makes it. Otherwise all numbers are
    /// `float64`. What [`super::read_values`] reads from files holds floats only, so both can be merged.
    pub integers: bool,
    /// The release.
    pub release: Release,
    /// The cluster.
    pub capabilities: Capabilities,
    /// Whether `values.schema.json` is not looked at.
    pub skip_schema: bool,
    /// A value that is not there is an error (`--strict`).
    pub strict: bool,
    /// What the templates may spend.
    pub limits: Limits,
}

/// What a chart gives.
#[derive(Clone, Debug, Default)]
pub struct Rendered {
    /// The output of every template that is rendered, by path (`<chart>/templates/…`).
    pub files: BTreeMap<String, Vec<u8>>,
    /// The files in `crds/`, which are no templates, of the chart and the subcharts that take part.
    pub crds: Vec<(String, Arc<[u8]>)>,
}

/// Renders a chart.
///
/// The same input gives the same output; the chart is parsed once and may be rendered on many threads.
///
/// # Errors
/// When the values do not fit the chart, or a template is wrong or fails.
pub fn render(chart: &Chart, request: &Request) -> Result<Rendered, ChartError> {
    let chart = dependency::process(chart, &request.values)?;
    let values = values::coalesce(&chart, &request.values, false)?;
    if !request.skip_schema {
        schema::validate(&chart, &values)?;
    }
    let run = on_stack(|| Run::new(&chart, request)?.run(&values));
    let files = run.map_err(ChartError::Thread)??;
    Ok(Rendered { files, crds: chart.crds() })
}

/// Checks a chart as `helm template` does before it renders: its dependencies are there, and it takes this Kubernetes.
///
/// # Errors
/// When one of them is not so.
pub fn check(chart: &Chart, capabilities: &Capabilities) -> Result<(), ChartError> {
    dependency::check(chart)?;
    let wanted = &chart.metadata.kube_version;
    if wanted.is_empty() {
        return Ok(());
    }
    let given = capabilities.kube_version.normalized();
    let fits = Constraint::parse(wanted)
        .zip(Version::parse(&given))
        .is_some_and(|(wanted, given)| wanted.allows(&given));
    if fits { Ok(()) } else { Err(ChartError::KubeVersion { wanted: wanted.clone(), given }) }
}

/// A template of a chart in its tree.
struct Source<'a> {
    path: String,
    text: &'a Arc<str>,
    /// The index of its chart, and where the templates of that lie.
    scope: usize,
}

struct Run<'a> {
    chart: &'a Chart,
    request: &'a Request,
    set: TemplateSet,
    sources: Vec<Source<'a>>,
    charts: Vec<(&'a Chart, String)>,
}

impl<'a> Run<'a> {
    fn new(chart: &'a Chart, request: &'a Request) -> Result<Self, ChartError> {
        let mut charts = Vec::new();
        let mut sources = Vec::new();
        collect(chart, &chart.metadata.name, &mut charts, &mut sources);
        sources.sort_by(|a, b| {
            let depth = |source: &Source<'_>| source.path.matches('/').count();
            depth(b).cmp(&depth(a)).then_with(|| b.path.cmp(&a.path))
        });
        let set = template_set(chart, &sources)?;
        Ok(Self { chart, request, set, sources, charts })
    }

    fn run(&self, values: &JsonMap<String, Json>) -> Result<BTreeMap<String, Vec<u8>>, ChartError> {
        let missing_key = if self.request.strict { MissingKey::Error } else { MissingKey::Zero };
        let mut session = Session::new(Options { missing_key, limits: self.request.limits });
        let mut scopes = Vec::new();
        let values = named(from_json_map(values, self.request.integers));
        self.scope(self.chart, &values, true, &mut scopes);
        let mut rendered = BTreeMap::new();
        for source in &self.sources {
            // Partials only define templates for others.
            if source.path.rsplit('/').next().is_some_and(|name| name.starts_with('_')) {
                continue;
            }
            let scope = &scopes[source.scope];
            let base = format!("{}/templates", self.charts[source.scope].1);
            let about = BTreeMap::from([
                ("Name".into(), Value::str(source.path.as_str())),
                ("BasePath".into(), Value::str(base)),
            ]);
            scope
                .set("Template", Value::Map(Map::new(VALUES, about)))
                .expect("the scope is no nil map");
            let out = session.execute(&self.set, &source.path, Value::Map(scope.clone()))?;
            let out = super::function::without_no_value(Text::from_bytes(out));
            rendered.insert(source.path.clone(), out.as_bytes().to_vec());
        }
        Ok(rendered)
    }

    /// Makes the root value of a chart and, before it, those of its subcharts; the order is that of [`collect`].
    fn scope(&self, chart: &Chart, values: &Value, is_root: bool, scopes: &mut Vec<Map>) -> Map {
        let release = &self.request.release;
        let release = Value::map([
            ("Name".into(), Value::str(release.name.as_str())),
            ("Namespace".into(), Value::str(release.namespace.as_str())),
            ("IsUpgrade".into(), Value::Bool(release.is_upgrade)),
            ("IsInstall".into(), Value::Bool(release.is_install)),
            ("Revision".into(), Value::int(release.revision)),
            ("Service".into(), Value::str("Helm")),
        ]);
        let scope = Map::new(VALUES, BTreeMap::new());
        scopes.push(scope.clone());
        let subcharts = Map::new(MapKind::Any, BTreeMap::new());
        let fields = [
            ("Chart", chart.metadata.to_value(is_root)),
            ("Files", Value::Object(Rc::new(chart.files.clone()))),
            ("Release", release),
            ("Capabilities", Value::Object(Rc::new(self.request.capabilities.clone()))),
            ("Values", values.clone()),
            ("Subcharts", Value::Map(subcharts.clone())),
        ];
        for (key, value) in fields {
            scope.set(key, value).expect("the scope is no nil map");
        }
        for dependency in &chart.dependencies {
            let name = dependency.metadata.name.as_str();
            let own = match values.as_map().and_then(|values| values.get(name)) {
                Some(Value::Map(own)) => Value::Map(own),
                _ => Value::Map(Map::new(VALUES, BTreeMap::new())),
            };
            let inner = self.scope(dependency, &own, false, scopes);
            subcharts.set(name, Value::Map(inner)).expect("the map is no nil map");
        }
        scope
    }
}

/// Lists the charts of a tree with their paths, and their templates.
fn collect<'a>(
    chart: &'a Chart,
    path: &str,
    charts: &mut Vec<(&'a Chart, String)>,
    sources: &mut Vec<Source<'a>>,
) {
    let scope = charts.len();
    charts.push((chart, path.to_owned()));
    for (name, text) in chart.templates.iter() {
        let is_partial = name.rsplit('/').next().is_some_and(|name| name.starts_with('_'));
        if chart.metadata.is_library() && !is_partial {
            continue;
        }
        sources.push(Source { path: format!("{path}/{name}"), text, scope });
    }
    for dependency in &chart.dependencies {
        collect(
            dependency,
            &format!("{path}/charts/{}", dependency.metadata.name),
            charts,
            sources,
        );
    }
}

fn template_set(chart: &Chart, sources: &[Source<'_>]) -> Result<TemplateSet, ChartError> {
    if let Some(set) = chart.parsed.get().filter(|_| chart.dependencies.is_empty()) {
        return Ok(set.clone());
    }
    let mut set = TemplateSet::new(functions());
    for source in sources {
        set.parse(&source.path, source.text.clone())?;
    }
    if chart.dependencies.is_empty() {
        return Ok(chart.parsed.get_or_init(|| set).clone());
    }
    Ok(set)
}

/// The type of `.Values`, `.Template` and the root: a map with methods.
const VALUES: MapKind = MapKind::Named(&NamedMap { name: "common.Values", method: values_method });

fn values_method(name: &str) -> Option<&'static Function> {
    VALUES_METHODS.iter().find(|method| method.name == name)
}

const VALUES_METHODS: &[Function] = &[
    Function::new("AsMap", &[], |_, args| Ok(args[0].clone())),
    Function::new("YAML", &[], |exec, args| {
        Ok(Value::str(to_yaml(exec.meter(), &args[0])? + "\n"))
    }),
    Function::new("Table", &[Type::Str], |_, args| {
        let path = args
            .get(1)
            .and_then(Value::as_text)
            .map(|text| text.to_str().into_owned())
            .unwrap_or_default();
        path.split('.').try_fold(args[0].clone(), |table, key| {
            match table.as_map().and_then(|map| map.get(key)) {
                Some(found @ Value::Map(_)) => Ok(found),
                _ => Err(Failure::from(format!("{key:?} is not a table"))),
            }
        })
    }),
    Function::new("PathValue", &[Type::Str], |_, args| {
        let path = args
            .get(1)
            .and_then(Value::as_text)
            .map(|text| text.to_str().into_owned())
            .unwrap_or_default();
        let found =
            path.split('.').try_fold(args[0].clone(), |table, key| table.as_map()?.get(key));
        match found {
            Some(value) if value.as_map().is_none() => Ok(value),
            _ => Err(format!("{path:?} is not a value").into()),
        }
    }),
];

fn from_json_map(values: &JsonMap<String, Json>, integers: bool) -> BTreeMap<Text, Value> {
    values.iter().map(|(key, value)| (key.as_str().into(), from_json(value, integers))).collect()
}

fn from_json(value: &Json, integers: bool) -> Value {
    match value {
        Json::Number(number) if integers && number.is_i64() => {
            Value::int64(number.as_i64().unwrap_or(0))
        }
        Json::Array(items) if integers => {
            Value::list(items.iter().map(|item| from_json(item, true)).collect())
        }
        Json::Object(entries) if integers => {
            Value::Map(Map::new(MapKind::Any, from_json_map(entries, true)))
        }
        other => Value::from_json(other),
    }
}

fn named(entries: BTreeMap<Text, Value>) -> Value {
    Value::Map(Map::new(VALUES, entries))
}
