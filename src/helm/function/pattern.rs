//! Regular expressions.

use super::regex::{compile, expand, quote_meta};
use crate::gotmpl::{Elem, Exec, Failure, Function, List, Text, Type, Value};
use crate::helm::arg::{int, text};

type Outcome = Result<Value, Failure>;

const STR: &[Type] = &[Type::Str];
const STR2: &[Type] = &[Type::Str, Type::Str];
const STR3: &[Type] = &[Type::Str, Type::Str, Type::Str];
const COUNTED: &[Type] = &[Type::Str, Type::Str, Type::Int];

pub const FUNCTIONS: &[Function] = &[
    // Go's answer to a pattern that is none is "no match". Here it is an error, so that no mistake hides.
    Function::new("regexMatch", STR2, matches),
    Function::new("mustRegexMatch", STR2, matches),
    Function::new("regexFind", STR2, find),
    Function::new("mustRegexFind", STR2, find),
    Function::new("regexFindAll", COUNTED, find_all),
    Function::new("mustRegexFindAll", COUNTED, find_all),
    Function::new("regexReplaceAll", STR3, |exec, args| replace(exec, args, true)),
    Function::new("mustRegexReplaceAll", STR3, |exec, args| replace(exec, args, true)),
    Function::new("regexReplaceAllLiteral", STR3, |exec, args| replace(exec, args, false)),
    Function::new("mustRegexReplaceAllLiteral", STR3, |exec, args| replace(exec, args, false)),
    Function::new("regexSplit", COUNTED, split),
    Function::new("mustRegexSplit", COUNTED, split),
    Function::new("regexQuoteMeta", STR, |_, args| {
        Ok(Value::str(quote_meta(&text(args, 0)?.to_str())))
    }),
];

fn prepared(exec: &Exec<'_>, args: &[Value]) -> Result<(regex::bytes::Regex, Text), Failure> {
    let whole = text(args, 1)?.clone();
    exec.meter().step(whole.len() / 16 + 10)?;
    Ok((compile(&text(args, 0)?.to_str(), whole.as_bytes())?, whole))
}

/// Reports whether a match is one of Go's: an empty one inside of a character is none.
fn is_whole(bytes: &[u8], at: usize) -> bool {
    !bytes.get(at).is_some_and(|byte| (0x80..0xc0).contains(byte))
}

fn matches(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let (pattern, whole) = prepared(exec, args)?;
    Ok(Value::Bool(pattern.is_match(whole.as_bytes())))
}

fn find(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let (pattern, whole) = prepared(exec, args)?;
    let found = pattern.find(whole.as_bytes()).map(|found| whole.slice(found.start(), found.end()));
    Ok(Value::Str(found.unwrap_or_else(|| "".into())))
}

fn find_all(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let (pattern, whole) = prepared(exec, args)?;
    let limit = usize::try_from(int(args, 2)?).unwrap_or(usize::MAX);
    let mut found = Vec::new();
    for part in pattern
        .find_iter(whole.as_bytes())
        .filter(|part| is_whole(whole.as_bytes(), part.start()))
        .take(limit)
    {
        exec.meter().items(1)?;
        found.push(Value::Str(whole.slice(part.start(), part.end())));
    }
    // Go gives nil where nothing is found.
    Ok(Value::List(if found.is_empty() {
        List::nil(Elem::Str)
    } else {
        List::new(Elem::Str, found)
    }))
}

fn replace(exec: &mut Exec<'_>, args: &[Value], expands: bool) -> Outcome {
    let (pattern, whole) = prepared(exec, args)?;
    let new = text(args, 2)?.as_bytes();
    let bytes = whole.as_bytes();
    let (mut out, mut end) = (Vec::with_capacity(bytes.len()), 0);
    for groups in pattern.captures_iter(bytes) {
        let Some(found) = groups.get(0).filter(|found| is_whole(bytes, found.start())) else {
            continue;
        };
        out.extend_from_slice(&bytes[end..found.start()]);
        let start = out.len();
        if expands {
            expand(new, &groups, &mut out);
        } else {
            out.extend_from_slice(new);
        }
        exec.meter().string(out.len() - start)?;
        end = found.end();
        if out.len() > exec.meter().limits().output {
            return Err(Failure::Limit("a string that is too large".into()));
        }
    }
    out.extend_from_slice(&bytes[end..]);
    exec.meter().string(out.len())?;
    Ok(Value::str(out))
}

fn split(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let (pattern, whole) = prepared(exec, args)?;
    let limit = int(args, 2)?;
    if limit == 0 {
        return Ok(Value::List(List::nil(Elem::Str)));
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if !pattern.as_str().is_empty() && whole.is_empty() {
        return Ok(Value::strings([""]));
    }
    let (mut parts, mut start, mut end) = (Vec::new(), 0, 0);
    for found in pattern
        .find_iter(whole.as_bytes())
        .filter(|found| is_whole(whole.as_bytes(), found.start()))
    {
        if parts.len() + 1 >= limit {
            break;
        }
        end = found.start();
        if found.end() != 0 {
            exec.meter().items(1)?;
            parts.push(whole.slice(start, end));
        }
        start = found.end();
    }
    if end != whole.len() {
        parts.push(whole.slice(start, whole.len()));
    }
    Ok(Value::strings(parts))
}
