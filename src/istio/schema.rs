//! The fields of Kubernetes' types, and of an `IstioOperator`: their types, and how patches merge them.
//!
//! The table is printed from the Go types by `tests/tools/istio/schema`: a struct a line, its fields as
//! `name:type~strategy@key`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    /// Anything.
    Any,
    /// A boolean.
    Bool,
    /// A string; also base64 and times, which are checked no further.
    Text,
    /// A whole number from one bound to the other.
    Integer(i64, i64),
    /// A number.
    Float,
    /// A quantity such as `500m`, as a string or a number.
    Quantity,
    /// A 32-bit number or a string.
    IntOrString,
    /// A list.
    List(&'static Type),
    /// A map from strings.
    Map(&'static Type),
    /// A struct, by its name.
    Struct(&'static str),
}

/// A field of a struct.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    /// Its name in JSON.
    pub(super) name: &'static str,
    /// Its type.
    pub(super) kind: Type,
    /// Whether a patch merges its list.
    pub(super) merges: bool,
    /// The field by which the maps in its list are told apart; empty for none.
    pub(super) merge_key: &'static str,
}

const TABLE: &str = include_str!("schema/kubernetes.txt");

static STRUCTS: LazyLock<BTreeMap<&'static str, Vec<Field>>> = LazyLock::new(|| {
    let line = |line: &'static str| {
        let (name, fields) = line.split_once(' ').unwrap_or((line, ""));
        (name, fields.split_whitespace().map(field).collect())
    };
    TABLE.lines().map(line).collect()
});

fn field(text: &'static str) -> Field {
    let (text, merge_key) = text.split_once('@').unwrap_or((text, ""));
    let (text, strategy) = text.split_once('~').unwrap_or((text, ""));
    let (name, kind) = text.split_once(':').expect("the table says name:type");
    let merges = strategy.split(',').any(|strategy| strategy == "merge");
    Field { name, kind: parse(kind), merges, merge_key }
}

fn parse(text: &'static str) -> Type {
    // the table is read once, so that what is leaked here is bounded
    if let Some(item) = text.strip_prefix("[]") {
        return Type::List(Box::leak(Box::new(parse(item))));
    }
    if let Some(item) = text.strip_prefix("{}") {
        return Type::Map(Box::leak(Box::new(parse(item))));
    }
    match text {
        "any" => Type::Any,
        "bool" => Type::Bool,
        "string" | "bytes" | "time" => Type::Text,
        "int32" => Type::Integer(i64::from(i32::MIN), i64::from(i32::MAX)),
        "int64" | "int" => Type::Integer(i64::MIN, i64::MAX),
        "uint32" => Type::Integer(0, i64::from(u32::MAX)),
        "float64" => Type::Float,
        "quantity" => Type::Quantity,
        "intOrString" => Type::IntOrString,
        name => Type::Struct(name),
    }
}

/// The fields of a struct; `None` where there is no such struct.
pub(super) fn fields(name: &str) -> Option<&'static [Field]> {
    STRUCTS.get(name).map(Vec::as_slice)
}

/// The field that Go's JSON takes for a key: the one of this name, or else one that differs in case alone.
pub(super) fn find(fields: &'static [Field], key: &str) -> Option<&'static Field> {
    let same = fields.iter().find(|field| field.name == key);
    same.or_else(|| fields.iter().find(|field| field.name.eq_ignore_ascii_case(key)))
}
