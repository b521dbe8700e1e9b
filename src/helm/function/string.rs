//! Strings.

use super::case::{camel, is_space, split_case, swap, title, to_lower, to_upper, untitle};
use crate::gotmpl::{Exec, Failure, Function, Map, MapKind, Text, Type, Value, display, quote};
use crate::helm::arg::{any, int, string, text};
use crate::helm::cast::{to_int, to_text, to_texts};

type Outcome = Result<Value, Failure>;

const STR: &[Type] = &[Type::Str];
const STR2: &[Type] = &[Type::Str, Type::Str];
const STR3: &[Type] = &[Type::Str, Type::Str, Type::Str];
const ANY: &[Type] = &[Type::Any];
const INT_STR: &[Type] = &[Type::Int, Type::Str];

pub const FUNCTIONS: &[Function] = &[
    Function::new("hello", &[], |_, _| Ok(Value::str("Hello!"))),
    Function::new("upper", STR, |exec, args| mapped(exec, args, to_upper)),
    Function::new("lower", STR, |exec, args| mapped(exec, args, to_lower)),
    Function::new("title", STR, |exec, args| mapped(exec, args, title)),
    Function::new("untitle", STR, |exec, args| mapped(exec, args, untitle)),
    Function::new("swapcase", STR, |exec, args| mapped(exec, args, swap)),
    Function::new("camelcase", STR, |exec, args| mapped(exec, args, camel)),
    Function::new("snakecase", STR, |exec, args| mapped(exec, args, |text| split_case(text, '_'))),
    Function::new("kebabcase", STR, |exec, args| mapped(exec, args, |text| split_case(text, '-'))),
    Function::new("trim", STR, |_, args| trimmed(args, 0, |text| text.trim_matches(is_space))),
    Function::new("trimAll", STR2, trim_all),
    Function::new("trimall", STR2, trim_all),
    Function::new("trimPrefix", STR2, |_, args| {
        let (prefix, whole) = (text(args, 0)?, text(args, 1)?);
        let start = if whole.as_bytes().starts_with(prefix.as_bytes()) { prefix.len() } else { 0 };
        Ok(Value::Str(whole.slice(start, whole.len())))
    }),
    Function::new("trimSuffix", STR2, |_, args| {
        let (suffix, whole) = (text(args, 0)?, text(args, 1)?);
        let cut = if whole.as_bytes().ends_with(suffix.as_bytes()) { suffix.len() } else { 0 };
        Ok(Value::Str(whole.slice(0, whole.len() - cut)))
    }),
    Function::new("nospace", STR, |exec, args| {
        let text = text(args, 0)?.as_bytes();
        exec.meter().string(text.len().saturating_mul(2))?;
        // The library that sprig uses takes bytes for characters.
        Ok(Value::str(
            text.iter().map(|byte| char::from(*byte)).filter(|c| !is_space(*c)).collect::<String>(),
        ))
    }),
    Function::new("initials", STR, initials),
    Function::new("contains", STR2, |_, args| {
        let (part, whole) = (text(args, 0)?.as_bytes(), text(args, 1)?.as_bytes());
        Ok(Value::Bool(find(whole, part).is_some()))
    }),
    Function::new("hasPrefix", STR2, |_, args| {
        Ok(Value::Bool(text(args, 1)?.as_bytes().starts_with(text(args, 0)?.as_bytes())))
    }),
    Function::new("hasSuffix", STR2, |_, args| {
        Ok(Value::Bool(text(args, 1)?.as_bytes().ends_with(text(args, 0)?.as_bytes())))
    }),
    Function::variadic("quote", ANY, |exec, args| {
        quoted(exec, args, |exec, value| Ok(quote(to_text(exec.meter(), value)?.as_bytes(), false)))
    }),
    Function::variadic("squote", ANY, |exec, args| {
        quoted(exec, args, |exec, value| Ok(format!("'{}'", display(exec.meter(), value)?)))
    }),
    Function::variadic("cat", ANY, cat),
    Function::new("indent", INT_STR, |exec, args| Ok(Value::str(indent(exec, args, "")?))),
    Function::new("nindent", INT_STR, |exec, args| Ok(Value::str(indent(exec, args, "\n")?))),
    Function::new("replace", STR3, replace),
    Function::new("plural", &[Type::Str, Type::Str, Type::Int], |_, args| {
        Ok(args[usize::from(int(args, 2)? != 1)].clone())
    }),
    Function::new("repeat", INT_STR, repeat),
    Function::new("trunc", INT_STR, trunc),
    Function::new("substr", &[Type::Int, Type::Int, Type::Str], substr),
    Function::new("abbrev", INT_STR, |_, args| {
        let whole = text(args, 1)?;
        let width = int(args, 0)?;
        if width < 4 {
            return Ok(args[1].clone());
        }
        Ok(Value::str(abbreviate(whole.as_bytes(), 0, width)))
    }),
    Function::new("abbrevboth", &[Type::Int, Type::Int, Type::Str], |_, args| {
        let (left, right) = (int(args, 0)?, int(args, 1)?);
        if right < 4 || (left > 0 && right < 7) {
            return Ok(args[2].clone());
        }
        Ok(Value::str(abbreviate(text(args, 2)?.as_bytes(), left, right)))
    }),
    Function::new("wrap", INT_STR, |exec, args| {
        wrap(exec, text(args, 1)?, int(args, 0)?, b"\n", false)
    }),
    Function::new("wrapWith", &[Type::Int, Type::Str, Type::Str], |exec, args| {
        wrap(exec, text(args, 2)?, int(args, 0)?, text(args, 1)?.as_bytes(), true)
    }),
    Function::new("toString", ANY, |exec, args| {
        Ok(Value::Str(to_text(exec.meter(), any(args, 0)?)?))
    }),
    Function::new("toStrings", ANY, |exec, args| {
        Ok(Value::strings(to_texts(exec.meter(), any(args, 0)?)?))
    }),
    Function::new("join", &[Type::Str, Type::Any], join),
    Function::new("split", STR2, |exec, args| numbered(exec, args, 0, 1, -1)),
    Function::new("splitn", &[Type::Str, Type::Int, Type::Str], |exec, args| {
        numbered(exec, args, 0, 2, int(args, 1)?)
    }),
    Function::new("splitList", STR2, |exec, args| {
        Ok(Value::strings(pieces(exec, text(args, 0)?, text(args, 1)?, -1)?))
    }),
    Function::new("atoi", STR, |_, args| {
        let text = string(args, 0)?;
        let digits = text.strip_prefix(['+', '-']).unwrap_or(&text);
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        // Out of range gives the nearest, because the error is dropped.
        let number = text
            .trim_start_matches('+')
            .parse::<i128>()
            .unwrap_or(if text.starts_with('-') { i128::MIN } else { i128::MAX });
        let clamped = number.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        Ok(Value::int(if is_number { i64::try_from(clamped).unwrap_or(0) } else { 0 }))
    }),
    Function::new("int", ANY, |_, args| Ok(Value::int(to_int(any(args, 0)?)))),
    Function::new("int64", ANY, |_, args| Ok(Value::int64(to_int(any(args, 0)?)))),
];

fn mapped(exec: &Exec<'_>, args: &[Value], change: impl Fn(&str) -> String) -> Outcome {
    let text = string(args, 0)?;
    exec.meter().string(text.len().saturating_mul(2))?;
    Ok(Value::str(change(&text)))
}

fn trimmed(args: &[Value], index: usize, trim: impl Fn(&str) -> &str) -> Outcome {
    match text(args, index)? {
        Text::Utf8(whole) => {
            let part = trim(whole);
            Ok(if part.len() == whole.len() { args[index].clone() } else { Value::str(part) })
        }
        raw @ Text::Raw(_) => Ok(Value::str(trim(&raw.to_str()))),
    }
}

fn trim_all(_: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let set = string(args, 0)?;
    trimmed(args, 1, |text| text.trim_matches(|c| set.contains(c)))
}

fn initials(_: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let mut out = String::new();
    let mut after_gap = true;
    // The library that sprig uses takes bytes for characters.
    for c in text(args, 0)?.as_bytes().iter().map(|byte| char::from(*byte)) {
        let is_gap = is_space(c);
        if !is_gap && after_gap {
            out.push(c);
        }
        after_gap = is_gap;
    }
    Ok(Value::str(out))
}

fn quoted(
    exec: &Exec<'_>,
    args: &[Value],
    one: impl Fn(&Exec<'_>, &Value) -> Result<String, Failure>,
) -> Outcome {
    let parts: Vec<String> = args
        .iter()
        .filter(|arg| !arg.is_nil())
        .map(|arg| one(exec, arg))
        .collect::<Result<_, _>>()?;
    exec.meter().string(parts.iter().map(String::len).sum())?;
    Ok(Value::str(parts.join(" ")))
}

fn cat(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let parts: Vec<Text> = args
        .iter()
        .filter(|arg| !arg.is_nil())
        .map(|arg| display(exec.meter(), arg))
        .collect::<Result<_, _>>()?;
    let parts: Vec<&[u8]> = parts.iter().map(Text::as_bytes).collect();
    Ok(Value::str(parts.join(&b' ')))
}

fn indent(exec: &Exec<'_>, args: &[Value], before: &str) -> Result<Vec<u8>, Failure> {
    let whole = text(args, 1)?.as_bytes();
    let spaces = usize::try_from(int(args, 0)?).map_err(|_| "strings: negative Repeat count")?;
    let lines = whole.split(|byte| *byte == b'\n').count();
    let size = spaces.saturating_mul(lines).saturating_add(whole.len() + 1);
    exec.meter().string(size)?;
    let pad = vec![b' '; spaces];
    let mut out = Vec::with_capacity(size);
    out.extend_from_slice(before.as_bytes());
    for (index, line) in whole.split(|byte| *byte == b'\n').enumerate() {
        if index > 0 {
            out.push(b'\n');
        }
        out.extend_from_slice(&pad);
        out.extend_from_slice(line);
    }
    Ok(out)
}

/// Returns where a part starts.
pub fn find(whole: &[u8], part: &[u8]) -> Option<usize> {
    match (std::str::from_utf8(whole), std::str::from_utf8(part)) {
        (Ok(whole), Ok(part)) => whole.find(part),
        _ if part.is_empty() => Some(0),
        _ => whole.windows(part.len()).position(|window| window == part),
    }
}

fn replace(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let (old, new, whole) = (text(args, 0)?, text(args, 1)?, text(args, 2)?);
    let parts = if old.is_empty() { whole.len() + 1 } else { whole.len() / old.len() };
    if new.len() > old.len() {
        exec.meter()
            .string(whole.len().saturating_add(parts.saturating_mul(new.len() - old.len())))?;
    } else {
        exec.meter().string(whole.len())?;
    }
    if let (Text::Utf8(old), Text::Utf8(new), Text::Utf8(whole)) = (old, new, whole) {
        return Ok(Value::str(whole.replace(&**old, new)));
    }
    let mut out = Vec::new();
    let mut rest = whole.as_bytes();
    while let Some(at) = find(rest, old.as_bytes()).filter(|_| !old.is_empty()) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(new.as_bytes());
        rest = &rest[at + old.len()..];
    }
    out.extend_from_slice(rest);
    Ok(Value::str(out))
}

fn repeat(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let count = usize::try_from(int(args, 0)?).map_err(|_| "strings: negative Repeat count")?;
    let part = text(args, 1)?;
    exec.meter().string(part.len().saturating_mul(count))?;
    if part.is_empty() {
        return Ok(Value::str(""));
    }
    Ok(Value::str(part.as_bytes().repeat(count)))
}

fn trunc(_: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let (count, whole) = (int(args, 0)?, text(args, 1)?);
    let size = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if size >= whole.len() {
        return Ok(args[1].clone());
    }
    let (start, end) = if count < 0 { (whole.len() - size, whole.len()) } else { (0, size) };
    Ok(Value::Str(whole.slice(start, end)))
}

fn substr(_: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let (start, end, whole) = (int(args, 0)?, int(args, 1)?, text(args, 2)?);
    let length = i64::try_from(whole.len()).unwrap_or(i64::MAX);
    let (start, end) = match (start, end) {
        (i64::MIN..0, end) => (0, end),
        (start, end) if end < 0 || end > length => (start, length),
        both => both,
    };
    match (usize::try_from(start), usize::try_from(end)) {
        (Ok(start), Ok(end)) if start <= end && end <= whole.len() => {
            Ok(Value::Str(whole.slice(start, end)))
        }
        _ => Err(format!("slice bounds out of range [{start}:{end}]").into()),
    }
}

fn abbreviate(whole: &[u8], offset: i64, width: i64) -> Vec<u8> {
    const MARK: &[u8] = b"...";
    let length = i64::try_from(whole.len()).unwrap_or(i64::MAX);
    if width < 4 {
        return Vec::new();
    }
    if length <= width {
        return whole.to_vec();
    }
    let at = |index: i64| usize::try_from(index.clamp(0, length)).unwrap_or(0);
    let mut offset = offset.min(length);
    if length - offset < width - 3 {
        offset = length - (width - 3);
    }
    if offset <= 4 {
        return [&whole[..at(width - 3)], MARK].concat();
    }
    if width < 7 {
        return Vec::new();
    }
    if offset + width - 3 < length {
        return [MARK, &abbreviate(&whole[at(offset)..], 0, width - 3)].concat();
    }
    [MARK, &whole[at(length - (width - 3))..]].concat()
}

fn wrap(exec: &Exec<'_>, whole: &Text, width: i64, line_end: &[u8], breaks_words: bool) -> Outcome {
    let line_end = if line_end.is_empty() { b"\n" } else { line_end };
    let width = usize::try_from(width.max(1)).unwrap_or(1);
    let bytes = whole.as_bytes();
    exec.meter().string(
        bytes.len().saturating_add((bytes.len() / width + 1).saturating_mul(line_end.len())),
    )?;
    let mut out = Vec::new();
    let mut offset = 0;
    while bytes.len() - offset > width {
        if bytes[offset] == b' ' {
            offset += 1;
            continue;
        }
        let last_space = bytes[offset..=offset + width].iter().rposition(|byte| *byte == b' ');
        let (end, next) = match last_space {
            Some(space) => (offset + space, offset + space + 1),
            None if breaks_words => (offset + width, offset + width),
            None => match bytes[offset + width..].iter().position(|byte| *byte == b' ') {
                Some(space) => (offset + width + space, offset + width + space + 1),
                None => break,
            },
        };
        out.extend_from_slice(&bytes[offset..end]);
        out.extend_from_slice(line_end);
        offset = next;
    }
    out.extend_from_slice(&bytes[offset..]);
    Ok(Value::str(out))
}

fn join(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let separator = text(args, 0)?;
    let parts = to_texts(exec.meter(), any(args, 1)?)?;
    let size = parts.iter().map(Text::len).sum::<usize>();
    exec.meter().string(size.saturating_add(separator.len().saturating_mul(parts.len())))?;
    let parts: Vec<&[u8]> = parts.iter().map(Text::as_bytes).collect();
    Ok(Value::str(parts.join(separator.as_bytes())))
}

/// Splits as Go's `strings.SplitN`: an empty separator splits into characters.
fn pieces(
    exec: &Exec<'_>,
    separator: &Text,
    whole: &Text,
    limit: i64,
) -> Result<Vec<Text>, Failure> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if limit == 0 {
        return Ok(Vec::new());
    }
    exec.meter().string(whole.len())?;
    let mut out = Vec::new();
    let bytes = whole.as_bytes();
    let mut start = 0;
    while out.len() + 1 < limit {
        let (end, next) = if separator.is_empty() {
            let step = crate::gotmpl::rune_offset(&bytes[start..], 1);
            if start + step >= bytes.len() {
                break;
            }
            (start + step, start + step)
        } else {
            let Some(at) = find(&bytes[start..], separator.as_bytes()) else { break };
            (start + at, start + at + separator.len())
        };
        out.push(whole.slice(start, end));
        start = next;
    }
    if !separator.is_empty() || !bytes.is_empty() {
        out.push(whole.slice(start, bytes.len()));
    }
    exec.meter().items(out.len())?;
    Ok(out)
}

/// Splits into a map with the keys `_0`, `_1`, ….
fn numbered(
    exec: &Exec<'_>,
    args: &[Value],
    separator: usize,
    whole: usize,
    limit: i64,
) -> Outcome {
    let parts = pieces(exec, text(args, separator)?, text(args, whole)?, limit)?;
    let entries = parts
        .into_iter()
        .enumerate()
        .map(|(index, part)| (format!("_{index}").into(), Value::Str(part)));
    Ok(Value::Map(Map::new(MapKind::Str, entries.collect())))
}
