//! Slash-separated paths.

use crate::gotmpl::{Exec, Failure, Function, Type, Value};
use crate::helm::arg::string;

type Outcome = Result<Value, Failure>;

const STR: &[Type] = &[Type::Str];

pub const FUNCTIONS: &[Function] = &[
    Function::new("base", STR, |_, args| Ok(Value::str(base(&string(args, 0)?)))),
    Function::new("osBase", STR, |_, args| Ok(Value::str(base(&string(args, 0)?)))),
    Function::new("dir", STR, dir),
    Function::new("osDir", STR, dir),
    Function::new("clean", STR, |_, args| Ok(Value::str(clean(&string(args, 0)?)))),
    Function::new("osClean", STR, |_, args| Ok(Value::str(clean(&string(args, 0)?)))),
    Function::new("ext", STR, ext),
    Function::new("osExt", STR, ext),
    Function::new("isAbs", STR, |_, args| Ok(Value::Bool(string(args, 0)?.starts_with('/')))),
    Function::new("osIsAbs", STR, |_, args| Ok(Value::Bool(string(args, 0)?.starts_with('/')))),
];

/// Returns the last element of a path.
pub fn base(path: &str) -> String {
    if path.is_empty() {
        return ".".into();
    }
    let path = path.trim_end_matches('/');
    match path.rsplit('/').next() {
        Some("") | None => "/".into(),
        Some(name) => name.into(),
    }
}

fn dir(_: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let path = string(args, 0)?;
    let end = path.rfind('/').map_or(0, |slash| slash + 1);
    Ok(Value::str(clean(&path[..end])))
}

fn ext(_: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let path = string(args, 0)?;
    let name = path.rsplit('/').next().unwrap_or_default();
    Ok(Value::str(name.rfind('.').map_or("", |dot| &name[dot..])))
}

/// Returns the shortest path that means the same.
pub fn clean(path: &str) -> String {
    let is_rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if is_rooted => {}
            _ => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (is_rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".into(),
        (false, false) => joined,
    }
}
