//! Maps.

use crate::gotmpl::{Exec, Failure, Function, List, Map, MapKind, Meter, Text, Type, Value};
use crate::helm::arg::{any, map, text};
use crate::helm::cast::to_text;
use crate::helm::merge::merge;

type Outcome = Result<Value, Failure>;

const ANY: &[Type] = &[Type::Any];
const MAP: &[Type] = &[Type::Map];
const MAPS: &[Type] = &[Type::Map, Type::Map];
const MAP_STR: &[Type] = &[Type::Map, Type::Str];

pub const FUNCTIONS: &[Function] = &[
    Function::variadic("dict", ANY, dict),
    Function::new("get", MAP_STR, |_, args| {
        Ok(map(args, 0)?.get(text(args, 1)?).unwrap_or_else(|| Value::str("")))
    }),
    Function::new("set", &[Type::Map, Type::Str, Type::Any], |exec, args| {
        exec.meter().items(1)?;
        map(args, 0)?.set(text(args, 1)?.clone(), any(args, 2)?.clone())?;
        Ok(args[0].clone())
    }),
    Function::new("unset", MAP_STR, |_, args| {
        map(args, 0)?.remove(text(args, 1)?);
        Ok(args[0].clone())
    }),
    Function::new("hasKey", MAP_STR, |_, args| {
        Ok(Value::Bool(map(args, 0)?.contains(text(args, 1)?)))
    }),
    Function::variadic("pluck", &[Type::Str, Type::Map], |_, args| {
        let key = text(args, 0)?;
        Ok(Value::list(args[1..].iter().filter_map(|arg| arg.as_map()?.get(key)).collect()))
    }),
    Function::variadic("keys", MAP, |exec, args| {
        // Go gives them in a random order; here they are sorted.
        let keys: Vec<Text> = args
            .iter()
            .filter_map(Value::as_map)
            .flat_map(Map::to_vec)
            .map(|(key, _)| key)
            .collect();
        exec.meter().items(keys.len())?;
        Ok(Value::strings(keys))
    }),
    Function::new("values", MAP, |exec, args| {
        let entries = map(args, 0)?.to_vec();
        exec.meter().items(entries.len())?;
        Ok(Value::list(entries.into_iter().map(|(_, value)| value).collect()))
    }),
    Function::variadic("pick", MAP_STR, |exec, args| chosen(exec, args, true)),
    Function::variadic("omit", MAP_STR, |exec, args| chosen(exec, args, false)),
    Function::variadic("merge", MAPS, |exec, args| merged(exec, args, false)),
    Function::variadic("mustMerge", MAPS, |exec, args| merged(exec, args, false)),
    Function::variadic("mergeOverwrite", MAPS, |exec, args| merged(exec, args, true)),
    Function::variadic("mustMergeOverwrite", MAPS, |exec, args| merged(exec, args, true)),
    Function::new("deepCopy", ANY, copied),
    Function::new("mustDeepCopy", ANY, copied),
    Function::variadic("dig", ANY, dig),
];

fn dict(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    exec.meter().items(args.len())?;
    let dict = Map::new(MapKind::Any, std::collections::BTreeMap::new());
    for pair in args.chunks(2) {
        let key = to_text(exec.meter(), &pair[0])?;
        dict.set(key, pair.get(1).cloned().unwrap_or_else(|| Value::str("")))?;
    }
    Ok(Value::Map(dict))
}

fn chosen(exec: &Exec<'_>, args: &[Value], keeps: bool) -> Outcome {
    let from = map(args, 0)?;
    let keys: Vec<&Text> = args[1..].iter().filter_map(Value::as_text).collect();
    exec.meter().items(from.len())?;
    let entries = from.to_vec().into_iter().filter(|(key, _)| keys.contains(&key) == keeps);
    Ok(Value::map(entries))
}

fn merged(exec: &Exec<'_>, args: &[Value], overwrite: bool) -> Outcome {
    let mut into = map(args, 0)?.clone();
    if into.is_nil() && args[1..].iter().any(|arg| arg.as_map().is_some_and(|map| !map.is_nil())) {
        into = Map::new(MapKind::Any, std::collections::BTreeMap::new());
    }
    for from in args[1..].iter().filter_map(Value::as_map) {
        exec.meter().items(from.len())?;
        merge(exec.meter(), &into, from, overwrite)?;
    }
    Ok(Value::Map(into))
}

fn copied(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let value = any(args, 0)?;
    if value.is_nil() {
        return Err("nil cannot be copied".into());
    }
    deep_copy(exec.meter(), value, 0)
}

/// Copies a value with all that it holds.
///
/// # Errors
/// When it holds itself.
pub fn deep_copy(meter: &Meter, value: &Value, depth: usize) -> Outcome {
    match value {
        Value::List(list) => {
            meter.nesting(depth)?;
            meter.items(list.len())?;
            if list.is_nil() {
                return Ok(value.clone());
            }
            let items: Vec<Value> = list
                .items()
                .iter()
                .map(|item| deep_copy(meter, item, depth + 1))
                .collect::<Result<_, _>>()?;
            Ok(Value::List(List::new(list.elem(), items)))
        }
        Value::Map(map) => {
            meter.nesting(depth)?;
            meter.items(map.len())?;
            if map.is_nil() {
                return Ok(value.clone());
            }
            let copies = map
                .to_vec()
                .into_iter()
                .map(|(key, value)| Ok((key, deep_copy(meter, &value, depth + 1)?)));
            Ok(Value::Map(Map::new(map.kind(), copies.collect::<Result<_, Failure>>()?)))
        }
        other => Ok(other.clone()),
    }
}

fn dig(_: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let [path @ .., default, last] = args else {
        return Err("dig needs at least three arguments".into());
    };
    if path.is_empty() {
        return Err("dig needs at least three arguments".into());
    }
    let mut value = last.clone();
    for key in path {
        // A named type such as that of `.Values` does not do, as in Go.
        let inner = match &value {
            Value::Map(map) if matches!(map.kind(), MapKind::Any) => map,
            other => {
                return Err(format!(
                    "interface conversion: {} is not map[string]interface {{}}",
                    other.type_name()
                )
                .into());
            }
        };
        let Value::Str(key) = key else {
            return Err(format!("interface conversion: {} is not string", key.type_name()).into());
        };
        match inner.get(key) {
            Some(found) => value = found,
            None => return Ok(default.clone()),
        }
    }
    Ok(value)
}
