//! Lists.

use super::logic::deep_equal;
use crate::gotmpl::{Elem, Exec, Failure, Function, List, Text, Type, Value, is_true};
use crate::helm::arg::{any, int, items};
use crate::helm::cast::{to_int, to_text, to_texts};

type Outcome = Result<Value, Failure>;

const ANY: &[Type] = &[Type::Any];
const ANY2: &[Type] = &[Type::Any, Type::Any];
const CHUNK: &[Type] = &[Type::Int, Type::Any];

pub const FUNCTIONS: &[Function] = &[
    Function::variadic("list", ANY, make),
    Function::variadic("tuple", ANY, make),
    Function::new("first", ANY, first),
    Function::new("mustFirst", ANY, first),
    Function::new("last", ANY, last),
    Function::new("mustLast", ANY, last),
    Function::new("rest", ANY, rest),
    Function::new("mustRest", ANY, rest),
    Function::new("initial", ANY, initial),
    Function::new("mustInitial", ANY, initial),
    Function::new("append", ANY2, push),
    Function::new("mustAppend", ANY2, push),
    Function::new("push", ANY2, push),
    Function::new("mustPush", ANY2, push),
    Function::new("prepend", ANY2, prepend),
    Function::new("mustPrepend", ANY2, prepend),
    Function::variadic("concat", ANY, concat),
    Function::new("reverse", ANY, reverse),
    Function::new("mustReverse", ANY, reverse),
    Function::new("uniq", ANY, uniq),
    Function::new("mustUniq", ANY, uniq),
    Function::new("compact", ANY, compact),
    Function::new("mustCompact", ANY, compact),
    Function::variadic("without", ANY2, without),
    Function::variadic("mustWithout", ANY2, without),
    Function::new("has", ANY2, has),
    Function::new("mustHas", ANY2, has),
    Function::variadic("slice", ANY2, slice),
    Function::variadic("mustSlice", ANY2, slice),
    Function::new("chunk", CHUNK, chunk),
    Function::new("mustChunk", CHUNK, chunk),
    Function::new("sortAlpha", ANY, sort_alpha),
];

fn listed(exec: &Exec<'_>, value: &Value, action: &str) -> Result<Vec<Value>, Failure> {
    let items = items(value, action)?;
    exec.meter().items(items.len())?;
    Ok(items)
}

fn make(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    exec.meter().items(args.len())?;
    Ok(Value::list(args.to_vec()))
}

fn first(_: &mut Exec<'_>, args: &[Value]) -> Outcome {
    match any(args, 0)? {
        Value::List(list) => Ok(list.items().first().cloned().unwrap_or(Value::Nil)),
        other => Ok(items(other, "find first on")?.into_iter().next().unwrap_or(Value::Nil)),
    }
}

fn last(_: &mut Exec<'_>, args: &[Value]) -> Outcome {
    match any(args, 0)? {
        Value::List(list) => Ok(list.items().last().cloned().unwrap_or(Value::Nil)),
        other => Ok(items(other, "find last on")?.pop().unwrap_or(Value::Nil)),
    }
}

fn nil_list() -> Value {
    Value::List(List::nil(Elem::Any))
}

fn rest(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let mut items = listed(exec, any(args, 0)?, "find rest on")?;
    if items.is_empty() {
        return Ok(nil_list());
    }
    items.remove(0);
    Ok(Value::list(items))
}

fn initial(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let mut items = listed(exec, any(args, 0)?, "find initial on")?;
    if items.pop().is_none() {
        return Ok(nil_list());
    }
    Ok(Value::list(items))
}

fn push(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let mut items = listed(exec, any(args, 0)?, "push on")?;
    items.push(any(args, 1)?.clone());
    Ok(Value::list(items))
}

fn prepend(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let items = listed(exec, any(args, 0)?, "prepend on")?;
    Ok(Value::list(std::iter::once(any(args, 1)?.clone()).chain(items).collect()))
}

fn concat(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let mut all = Vec::new();
    for arg in args {
        all.extend(listed(exec, arg, "concat")?);
    }
    if all.is_empty() {
        return Ok(nil_list());
    }
    Ok(Value::list(all))
}

fn reverse(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let mut items = listed(exec, any(args, 0)?, "find reverse on")?;
    items.reverse();
    Ok(Value::list(items))
}

fn contains(exec: &Exec<'_>, items: &[Value], wanted: &Value) -> Result<bool, Failure> {
    for item in items {
        if deep_equal(exec.meter(), wanted, item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn uniq(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let mut unique = Vec::new();
    for item in listed(exec, any(args, 0)?, "find uniq on")? {
        if !contains(exec, &unique, &item)? {
            unique.push(item);
        }
    }
    Ok(Value::list(unique))
}

fn compact(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let mut items = listed(exec, any(args, 0)?, "compact")?;
    items.retain(is_true);
    Ok(Value::list(items))
}

fn without(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let mut kept = Vec::new();
    for item in listed(exec, any(args, 0)?, "find without on")? {
        if !contains(exec, &args[1..], &item)? {
            kept.push(item);
        }
    }
    Ok(Value::list(kept))
}

fn has(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let (needle, haystack) = (any(args, 0)?, any(args, 1)?);
    if haystack.is_nil() {
        return Ok(Value::Bool(false));
    }
    let items = match haystack {
        Value::List(list) => list.items().to_vec(),
        other => items(other, "find has on")?,
    };
    Ok(Value::Bool(contains(exec, &items, needle)?))
}

fn slice(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let value = any(args, 0)?;
    let all = listed(exec, value, "slice")?;
    if all.is_empty() {
        return Ok(Value::Nil);
    }
    let bound = |index: usize, default: i64| args.get(index).map_or(default, to_int);
    let (start, end) = (bound(1, 0), bound(2, i64::try_from(all.len()).unwrap_or(i64::MAX)));
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    let Some(part) = range.and_then(|(start, end)| all.get(start..end)) else {
        return Err(format!("slice index out of bounds [{start}:{end}]").into());
    };
    Ok(match (value, range) {
        (Value::Bytes(bytes), Some((start, end))) => Value::Bytes(bytes[start..end].into()),
        (Value::List(list), _) => Value::List(List::new(list.elem(), part.to_vec())),
        _ => Value::list(part.to_vec()),
    })
}

fn chunk(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let items = listed(exec, any(args, 1)?, "chunk")?;
    let chunks = match usize::try_from(int(args, 0)?) {
        Ok(0) => return Err("chunk wants a size above 0".into()),
        Ok(size) => items.chunks(size).map(|chunk| Value::list(chunk.to_vec())).collect(),
        // Go counts the chunks of a negative size: there are none, unless it counts fewer than none and fails.
        Err(_)
            if int(args, 0)?.unsigned_abs() >= items.len().saturating_sub(1) as u64
                && items.len() > 1 =>
        {
            Vec::new()
        }
        Err(_) => return Err("chunk wants a size above 0".into()),
    };
    Ok(Value::List(List::new(Elem::List, chunks)))
}

fn sort_alpha(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let mut texts: Vec<Text> = match any(args, 0)? {
        list @ (Value::List(_) | Value::Bytes(_)) => to_texts(exec.meter(), list)?,
        other => vec![to_text(exec.meter(), other)?],
    };
    texts.sort();
    Ok(Value::strings(texts))
}
