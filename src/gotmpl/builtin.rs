//! Go's own functions.

use super::compare::{equal, is_true, less};
use super::escape;
use super::exec::Exec;
use super::function::{Call, Failure, Function, Type};
use super::list::List;
use super::print::{sprint, sprintln};
use super::printf::sprintf;
use super::text::Text;
use super::value::{Uint, Value};

type Outcome = Result<Value, Failure>;

const RAW: &[Type] = &[Type::Raw];
const RAW2: &[Type] = &[Type::Raw, Type::Raw];
const ANY: &[Type] = &[Type::Any];

/// The functions that every template has.
pub(super) const FUNCTIONS: &[Function] = &[
    logic("and", false),
    logic("or", true),
    Function::new("not", RAW, |_, args| Ok(Value::Bool(!is_true(&args[0])))),
    Function::variadic("call", RAW2, call),
    Function::variadic("index", RAW2, index),
    Function::variadic("slice", RAW2, slice),
    Function::new("len", RAW, |_, args| length(&args[0])),
    Function::variadic("print", ANY, |exec, args| Ok(Value::Str(sprint(exec.meter(), args)?))),
    Function::variadic("println", ANY, |exec, args| Ok(Value::Str(sprintln(exec.meter(), args)?))),
    Function::variadic("printf", &[Type::Str, Type::Any], printf),
    Function::variadic("html", ANY, html),
    Function::variadic("js", ANY, js),
    Function::variadic("urlquery", ANY, url_query),
    Function::variadic("eq", RAW2, eq),
    Function::new("ne", RAW2, |_, args| Ok(Value::Bool(!equal(&args[0], &args[1])?))),
    Function::new("lt", RAW2, |_, args| Ok(Value::Bool(less(&args[0], &args[1])?))),
    Function::new("le", RAW2, |_, args| Ok(Value::Bool(less_or_equal(args)?))),
    Function::new("gt", RAW2, |_, args| Ok(Value::Bool(!less_or_equal(args)?))),
    Function::new("ge", RAW2, |_, args| Ok(Value::Bool(!less(&args[0], &args[1])?))),
];

const fn logic(name: &'static str, stops_at: bool) -> Function {
    const NEVER: Call = |_, _| Err(Failure::Message("evaluated by the engine".into()));
    Function { name, params: RAW2, variadic: true, call: NEVER, stops_at: Some(stops_at) }
}

fn less_or_equal(args: &[Value]) -> Result<bool, Failure> {
    Ok(less(&args[0], &args[1])? || equal(&args[0], &args[1])?)
}

fn eq(_: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let (first, others) = args.split_first().ok_or("missing argument for comparison")?;
    if others.is_empty() {
        return Err("missing argument for comparison".into());
    }
    for other in others {
        if equal(first, other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn printf(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let Some((Value::Str(format), values)) = args.split_first() else {
        return Err("expected a format".into());
    };
    Ok(Value::Str(sprintf(exec.meter(), format.as_bytes(), values)?))
}

/// No value of a template is a function, so there is nothing to call.
fn call(_: &mut Exec<'_>, args: &[Value]) -> Outcome {
    Err(match &args[0] {
        Value::Missing | Value::Nil => "call of nil".into(),
        other => format!("non-function of type {}", other.type_name()).into(),
    })
}

fn html(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let text = joined(exec, args, 6)?;
    Ok(Value::str(escape::html(text.as_bytes())))
}

fn js(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let text = joined(exec, args, 6)?;
    Ok(Value::str(escape::js(&text.to_str())))
}

fn url_query(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let text = joined(exec, args, 3)?;
    Ok(Value::str(escape::url_query(text.as_bytes())))
}

/// Prints arguments to one text that may grow by a factor; nil prints as an action prints it.
fn joined(exec: &Exec<'_>, args: &[Value], factor: usize) -> Result<Text, Failure> {
    let args: Vec<Value> = args
        .iter()
        .map(|arg| if arg.is_nil() { Value::str("<no value>") } else { arg.clone() })
        .collect();
    let text = sprint(exec.meter(), &args)?;
    exec.meter().string(text.len().saturating_mul(factor))?;
    Ok(text)
}

fn length(item: &Value) -> Outcome {
    let length = match item {
        Value::Str(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        Value::Nil => return Err("len of nil pointer".into()),
        Value::Missing => return Err("len of no value".into()),
        Value::Object(object) => match object.entries() {
            Some(entries) => entries.len(),
            None => return Err(format!("len of type {}", item.type_name()).into()),
        },
        _ => return Err(format!("len of type {}", item.type_name()).into()),
    };
    Ok(Value::int(i64::try_from(length).unwrap_or(i64::MAX)))
}

fn index(_: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let (item, keys) = args.split_first().ok_or("missing argument")?;
    if item.is_nil() {
        return Err("index of untyped nil".into());
    }
    let mut item = item.clone();
    for key in keys {
        item = index_one(&item, key)?;
    }
    Ok(item)
}

fn index_one(item: &Value, key: &Value) -> Outcome {
    match item {
        Value::Missing | Value::Nil => Err("index of nil pointer".into()),
        Value::Str(text) => byte_at(text.as_bytes(), key),
        Value::Bytes(bytes) => byte_at(bytes, key),
        Value::List(list) => {
            let index = index_arg(key, list.len())?;
            list.items().get(index).cloned().ok_or_else(|| out_of_range(index, list.len()))
        }
        Value::Map(map) => match key {
            Value::Str(key) => Ok(map.get(key).unwrap_or_else(|| map.kind().zero())),
            Value::Missing | Value::Nil => Err("value is nil; should be of type string".into()),
            _ => Err(format!("value has type {}; should be string", key.type_name()).into()),
        },
        Value::Object(object) => match (object.entries(), key) {
            (Some(entries), Value::Int(..)) => {
                let index = index_arg(key, entries.len())?;
                entries
                    .get(index)
                    .map(|(_, value)| value.clone())
                    .ok_or_else(|| out_of_range(index, entries.len()))
            }
            (Some(_), Value::Str(key)) => Ok(object.field(&key.to_str()).unwrap_or(Value::Nil)),
            _ => Err(format!("can't index item of type {}", item.type_name()).into()),
        },
        _ => Err(format!("can't index item of type {}", item.type_name()).into()),
    }
}

fn byte_at(bytes: &[u8], key: &Value) -> Outcome {
    let index = index_arg(key, bytes.len())?;
    let byte = bytes.get(index).ok_or_else(|| out_of_range(index, bytes.len()))?;
    Ok(Value::Uint(u64::from(*byte), Uint::Uint8))
}

fn out_of_range(index: usize, length: usize) -> Failure {
    format!("index out of range: {index} of {length}").into()
}

/// Reads an index of a list; one past the end is allowed, for slices.
fn index_arg(key: &Value, length: usize) -> Result<usize, Failure> {
    let index = match key {
        Value::Int(index, _) => i128::from(*index),
        Value::Uint(index, _) => i128::from(*index),
        Value::Missing | Value::Nil => return Err("cannot index slice/array with nil".into()),
        _ => return Err(format!("cannot index slice/array with type {}", key.type_name()).into()),
    };
    usize::try_from(index)
        .ok()
        .filter(|index| *index <= length)
        .ok_or_else(|| format!("index out of range: {index}").into())
}

fn slice(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let (item, keys) = args.split_first().ok_or("missing argument")?;
    let length = match item {
        Value::Missing | Value::Nil => return Err("slice of untyped nil".into()),
        Value::Str(_) if keys.len() == 3 => return Err("cannot 3-index slice a string".into()),
        Value::Str(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list) => list.len(),
        _ => return Err(format!("can't slice item of type {}", item.type_name()).into()),
    };
    if keys.len() > 3 {
        return Err(format!("too many slice indexes: {}", keys.len()).into());
    }
    let mut bounds = [0, length, length];
    for (bound, key) in bounds.iter_mut().zip(keys) {
        *bound = index_arg(key, length)?;
    }
    let [start, end, capacity] = bounds;
    if start > end {
        return Err(format!("invalid slice index: {start} > {end}").into());
    }
    if end > capacity {
        return Err(format!("invalid slice index: {end} > {capacity}").into());
    }
    Ok(match item {
        Value::Str(text) => {
            exec.meter().string(end - start)?;
            Value::Str(text.slice(start, end))
        }
        Value::Bytes(bytes) => {
            exec.meter().string(end - start)?;
            Value::Bytes(bytes[start..end].into())
        }
        Value::List(list) => {
            exec.meter().items(end - start)?;
            Value::List(List::new(list.elem(), list.items()[start..end].to_vec()))
        }
        _ => return Err("can't slice".into()),
    })
}
