//! The values of `--set`, `--set-string`, `--set-json`: `a.b=1,c[0].d={x,y}`.
//!
//! Source of the rules: Helm 4's package `strvals`.

use std::iter::Peekable;
use std::str::Chars;

use serde_json::{Map, Value};

use super::values::to_floats;

/// The largest index of a list, and the deepest nesting of names.
const MAX_INDEX: usize = 65_536;
const MAX_NESTING: usize = 30;

/// How the text after `=` is understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssignKind {
    /// `true`, `false`, `null` and whole numbers are what they look like.
    Typed,
    /// Everything is a string.
    Text,
    /// The text is JSON.
    Json,
}

/// Assigns values to the paths of a line.
///
/// # Errors
/// When the line is none, or a path goes through what is no map or list.
pub fn assign(values: &mut Map<String, Value>, line: &str, kind: AssignKind) -> Result<(), String> {
    let mut reader = Reader { chars: line.chars().peekable(), kind };
    while reader.chars.peek().is_some() {
        reader.key(values, 0)?;
    }
    Ok(())
}

/// Assigns a text, such as the content of a file for `--set-file`, to one path.
///
/// # Errors
/// As [`assign`].
pub fn assign_text(values: &mut Map<String, Value>, path: &str, text: &str) -> Result<(), String> {
    let escaped: String = text
        .chars()
        .flat_map(|c| matches!(c, '\\' | ',' | '{').then_some('\\').into_iter().chain([c]))
        .collect();
    assign(values, &format!("{path}={escaped}"), AssignKind::Text)
}

struct Reader<'a> {
    chars: Peekable<Chars<'a>>,
    kind: AssignKind,
}

impl Reader<'_> {
    /// Reads up to one of the stops, which it takes; a backslash takes the next character as it is.
    fn until(&mut self, stops: &[char]) -> (String, Option<char>) {
        let mut text = String::new();
        while let Some(c) = self.chars.next() {
            match c {
                '\\' => text.extend(self.chars.next()),
                c if stops.contains(&c) => return (text, Some(c)),
                c => text.push(c),
            }
        }
        (text, None)
    }

    fn key(&mut self, values: &mut Map<String, Value>, nesting: usize) -> Result<(), String> {
        if nesting > MAX_NESTING {
            return Err(format!("names nest deeper than {MAX_NESTING} levels"));
        }
        let (key, stop) = self.until(&['=', '[', ',', '.']);
        match stop {
            None if key.is_empty() => Ok(()),
            None | Some(',') => Err(format!("key {key:?} has no value")),
            Some('[') => {
                let index = self.index()?;
                let mut list = match values.get_mut(&key) {
                    None => Vec::new(),
                    Some(Value::Array(list)) => std::mem::take(list),
                    Some(_) => return Err(format!("{key:?} is no list")),
                };
                self.item(&mut list, index, nesting)?;
                set(values, key, Value::Array(list));
                Ok(())
            }
            Some('.') => {
                let mut inner = match values.get_mut(&key) {
                    None => Map::new(),
                    Some(Value::Object(inner)) => std::mem::take(inner),
                    Some(_) => return Err(format!("{key:?} is no map")),
                };
                self.key(&mut inner, nesting + 1)?;
                if inner.is_empty() {
                    return Err(format!("key map {key:?} has no value"));
                }
                set(values, key, Value::Object(inner));
                Ok(())
            }
            Some(_) => {
                let value = self.value()?;
                set(values, key, value);
                Ok(())
            }
        }
    }

    fn index(&mut self) -> Result<usize, String> {
        let (digits, _) = self.until(&[']']);
        let index: i64 = digits.parse().map_err(|_| format!("error parsing index: {digits:?}"))?;
        usize::try_from(index)
            .ok()
            .filter(|index| *index <= MAX_INDEX)
            .ok_or_else(|| format!("index {index} is not between 0 and {MAX_INDEX}"))
    }

    fn item(&mut self, list: &mut Vec<Value>, index: usize, nesting: usize) -> Result<(), String> {
        let (rest, stop) = self.until(&['[', '.', '=']);
        if !rest.is_empty() {
            return Err(format!("unexpected data at end of array index: {rest:?}"));
        }
        let old = list.get_mut(index).map(Value::take);
        let value = match stop {
            Some('=') => self.value()?,
            Some('[') => {
                let inner_index = self.index()?;
                let mut inner = match old {
                    None | Some(Value::Null) => Vec::new(),
                    Some(Value::Array(inner)) => inner,
                    Some(_) => return Err(format!("item {index} is no list")),
                };
                self.item(&mut inner, inner_index, nesting)?;
                Value::Array(inner)
            }
            Some('.') => {
                let mut inner =
                    if let Some(Value::Object(inner)) = old { inner } else { Map::new() };
                self.key(&mut inner, nesting + 1)?;
                Value::Object(inner)
            }
            _ => return Err("an index has no value".into()),
        };
        if list.len() <= index {
            list.resize(index + 1, Value::Null);
        }
        list[index] = value;
        Ok(())
    }

    fn value(&mut self) -> Result<Value, String> {
        if self.kind == AssignKind::Json {
            return self.json();
        }
        match self.chars.peek() {
            None => Ok(Value::String(String::new())),
            Some('{') => {
                self.chars.next();
                self.list()
            }
            Some(_) => {
                let (text, _) = self.until(&[',']);
                Ok(self.typed(text))
            }
        }
    }

    fn list(&mut self) -> Result<Value, String> {
        let mut items = Vec::new();
        loop {
            let (text, stop) = self.until(&[',', '}']);
            match stop {
                Some('}') => {
                    items.push(self.typed(text));
                    self.chars.next_if_eq(&',');
                    return Ok(Value::Array(items));
                }
                Some(_) => items.push(self.typed(text)),
                None => return Err("list must terminate with '}'".into()),
            }
        }
    }

    fn typed(&self, text: String) -> Value {
        if self.kind == AssignKind::Text {
            return Value::String(text);
        }
        match text.to_ascii_lowercase().as_str() {
            "true" => return Value::Bool(true),
            "false" => return Value::Bool(false),
            "null" => return Value::Null,
            "0" => return Value::from(0),
            _ => {}
        }
        match text.parse::<i64>() {
            Ok(number) if !text.starts_with('0') => Value::from(number),
            _ => Value::String(text),
        }
    }

    /// Reads a JSON value up to a comma; nothing is null.
    fn json(&mut self) -> Result<Value, String> {
        while self.chars.next_if(|c| c.is_whitespace()).is_some() {}
        if matches!(self.chars.peek(), None | Some(',')) {
            self.chars.next();
            return Ok(Value::Null);
        }
        let rest: String = self.chars.clone().collect();
        let mut stream = serde_json::Deserializer::from_str(&rest).into_iter::<Value>();
        let mut value =
            stream.next().unwrap_or(Ok(Value::Null)).map_err(|error| error.to_string())?;
        to_floats(&mut value);
        let taken = rest[..stream.byte_offset()].chars().count();
        for _ in 0..taken {
            self.chars.next();
        }
        while self.chars.next_if(|c| c.is_whitespace()).is_some() {}
        self.chars.next_if_eq(&',');
        Ok(value)
    }
}

fn set(values: &mut Map<String, Value>, key: String, value: Value) {
    if !key.is_empty() {
        values.insert(key, value);
    }
}
