//! `print`, `printf`, `println` and what an action prints.

use super::duration::display_duration;
use super::float::display_float;
use super::function::Failure;
use super::list::List;
use super::map::Map;
use super::meter::Meter;
use super::pad::{Integer, Writer};
use super::text::Text;
use super::value::{Int, Value};

/// Writes values by verbs.
pub struct Printer<'a> {
    pub writer: Writer<'a>,
}

/// Writes a value as an action or `%v` does.
///
/// # Errors
/// When the text is too large or the value holds itself.
pub fn display(meter: &Meter, value: &Value) -> Result<Text, Failure> {
    if let Value::Str(text) = value {
        return Ok(text.clone());
    }
    let mut printer = Printer::new(meter);
    printer.arg(value, 'v')?;
    Ok(printer.finish())
}

/// Writes values as `print` does: a blank between two that are both no strings.
///
/// # Errors
/// When the text is too large or a value holds itself.
pub fn sprint(meter: &Meter, values: &[Value]) -> Result<Text, Failure> {
    let mut printer = Printer::new(meter);
    let mut after_string = true;
    for (index, value) in values.iter().enumerate() {
        let is_string = matches!(value, Value::Str(_));
        if index > 0 && !is_string && !after_string {
            printer.writer.raw(" ")?;
        }
        printer.arg(value, 'v')?;
        after_string = is_string;
    }
    Ok(printer.finish())
}

/// Writes values as `println` does: a blank between any two, and a line end.
///
/// # Errors
/// When the text is too large or a value holds itself.
pub fn sprintln(meter: &Meter, values: &[Value]) -> Result<Text, Failure> {
    let mut printer = Printer::new(meter);
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            printer.writer.raw(" ")?;
        }
        printer.arg(value, 'v')?;
    }
    printer.writer.raw("\n")?;
    Ok(printer.finish())
}

impl<'a> Printer<'a> {
    pub fn new(meter: &'a Meter) -> Self {
        Self { writer: Writer::new(meter) }
    }

    pub fn finish(self) -> Text {
        Text::from_bytes(self.writer.out)
    }

    /// Writes an argument by a verb.
    pub fn arg(&mut self, value: &Value, verb: char) -> Result<(), Failure> {
        match (value, verb) {
            (Value::Nil | Value::Missing, 'v' | 'T') => self.writer.pad(b"<nil>"),
            // Only `Errorf` knows `%w`.
            (_, 'w') => self.bad_verb(value, verb),
            (_, 'T') => self.writer.string(value.type_name().as_bytes()),
            (Value::List(_) | Value::Map(_) | Value::Bytes(_) | Value::Object(_), 'p') => {
                Err("%p prints an address, which is another one on every run".into())
            }
            _ => self.value(value, verb, 0),
        }
    }

    #[expect(clippy::match_same_arms, reason = "the order of the arms counts")]
    fn value(&mut self, value: &Value, verb: char, depth: usize) -> Result<(), Failure> {
        match value {
            Value::Nil | Value::Missing if depth > 0 => self.writer.raw("<nil>"),
            Value::Nil | Value::Missing => self.bad_verb(value, verb),
            Value::Bool(flag) if matches!(verb, 't' | 'v') => {
                self.writer.pad(if *flag { b"true" } else { b"false" })
            }
            Value::Bool(_) => self.bad_verb(value, verb),
            Value::Int(nanoseconds, Int::Duration)
                if is_string_verb(verb) && !self.writer.flags.go_syntax =>
            {
                self.text(value, display_duration(*nanoseconds).as_bytes(), verb)
            }
            Value::Int(number, _) => {
                let number = Integer { magnitude: number.unsigned_abs(), negative: *number < 0 };
                self.integer(value, number, verb, false)
            }
            Value::Uint(number, _) => {
                self.integer(value, Integer { magnitude: *number, negative: false }, verb, true)
            }
            Value::Float(number) => self.float(value, *number, verb),
            Value::Str(text) => self.text(value, text.as_bytes(), verb),
            Value::Bytes(bytes) => self.bytes(value, bytes, verb, depth),
            Value::List(list) => self.list(list, verb, depth),
            Value::Map(map) => self.map(map, verb, depth),
            Value::Object(object) => self.text(value, object.formatted().as_bytes(), verb),
        }
    }

    fn bad_verb(&mut self, value: &Value, verb: char) -> Result<(), Failure> {
        self.writer.raw(format!("%!{verb}("))?;
        if value.is_nil() {
            self.writer.raw("<nil>")?;
        } else {
            self.writer.raw(value.type_name())?;
            self.writer.raw("=")?;
            self.arg(value, 'v')?;
        }
        self.writer.raw(")")
    }

    fn text(&mut self, value: &Value, text: &[u8], verb: char) -> Result<(), Failure> {
        match verb {
            'v' if self.writer.flags.go_syntax => self.writer.quoted(text),
            'v' | 's' => self.writer.string(text),
            'x' => self.writer.hex(text, false),
            'X' => self.writer.hex(text, true),
            'q' => self.writer.quoted(text),
            _ => self.bad_verb(value, verb),
        }
    }

    fn integer(
        &mut self,
        value: &Value,
        number: Integer,
        verb: char,
        unsigned: bool,
    ) -> Result<(), Failure> {
        match verb {
            'v' if self.writer.flags.go_syntax && unsigned => self.prefixed_hex(number),
            'v' | 'd' | 'b' | 'o' | 'O' | 'x' | 'X' => self.writer.integer(number, verb),
            'c' => self.writer.character(number),
            'q' => self.writer.quoted_character(number),
            'U' => self.writer.unicode(number),
            _ => self.bad_verb(value, verb),
        }
    }

    fn prefixed_hex(&mut self, number: Integer) -> Result<(), Failure> {
        let sharp = std::mem::replace(&mut self.writer.flags.sharp, true);
        let result = self.writer.integer(number, 'x');
        self.writer.flags.sharp = sharp;
        result
    }

    fn float(&mut self, value: &Value, number: f64, verb: char) -> Result<(), Failure> {
        let flags = self.writer.flags;
        match verb {
            'v' if flags.width.is_none()
                && flags.precision.is_none()
                && !flags.space
                && !flags.sharp
                && !flags.plus =>
            {
                self.writer.raw(display_float(number))
            }
            'v' => self.writer.float(number, 'g', None),
            'b' | 'g' | 'G' | 'x' | 'X' => self.writer.float(number, verb, None),
            'f' | 'e' | 'E' => self.writer.float(number, verb, Some(6)),
            'F' => self.writer.float(number, 'f', Some(6)),
            _ => self.bad_verb(value, verb),
        }
    }

    fn bytes(
        &mut self,
        value: &Value,
        bytes: &[u8],
        verb: char,
        depth: usize,
    ) -> Result<(), Failure> {
        let go_syntax = self.writer.flags.go_syntax;
        match verb {
            's' | 'x' | 'X' | 'q' => return self.text(value, bytes, verb),
            'v' | 'd' if go_syntax => {
                self.writer.raw(if depth == 0 { "[]byte{" } else { "[]uint8{" })?;
            }
            _ => self.writer.raw("[")?,
        }
        for (index, byte) in bytes.iter().enumerate() {
            if index > 0 {
                self.writer.raw(if go_syntax { ", " } else { " " })?;
            }
            let number = Integer { magnitude: u64::from(*byte), negative: false };
            let item = Value::Uint(number.magnitude, super::value::Uint::Uint8);
            match verb {
                'v' | 'd' if go_syntax => self.prefixed_hex(number)?,
                _ => self.integer(&item, number, verb, true)?,
            }
        }
        self.writer.raw(if go_syntax { "}" } else { "]" })
    }

    fn list(&mut self, list: &List, verb: char, depth: usize) -> Result<(), Failure> {
        self.writer.meter().nesting(depth)?;
        let go_syntax = self.writer.flags.go_syntax;
        if go_syntax {
            self.writer.raw(list.elem().list_name())?;
            if list.is_nil() {
                return self.writer.raw("(nil)");
            }
        }
        self.writer.raw(if go_syntax { "{" } else { "[" })?;
        for (index, item) in list.items().iter().enumerate() {
            if index > 0 {
                self.writer.raw(if go_syntax { ", " } else { " " })?;
            }
            self.item(item, verb, depth)?;
        }
        self.writer.raw(if go_syntax { "}" } else { "]" })
    }

    fn item(&mut self, item: &Value, verb: char, depth: usize) -> Result<(), Failure> {
        if item.is_nil() && self.writer.flags.go_syntax {
            return self.writer.raw("interface {}(nil)");
        }
        self.value(item, verb, depth + 1)
    }

    fn map(&mut self, map: &Map, verb: char, depth: usize) -> Result<(), Failure> {
        self.writer.meter().nesting(depth)?;
        let go_syntax = self.writer.flags.go_syntax;
        if go_syntax {
            self.writer.raw(map.kind().name())?;
            if map.is_nil() {
                return self.writer.raw("(nil)");
            }
        }
        self.writer.raw(if go_syntax { "{" } else { "map[" })?;
        for (index, (key, value)) in map.to_vec().iter().enumerate() {
            if index > 0 {
                self.writer.raw(if go_syntax { ", " } else { " " })?;
            }
            self.value(&Value::Str(key.clone()), verb, depth + 1)?;
            self.writer.raw(":")?;
            self.item(value, verb, depth)?;
        }
        self.writer.raw(if go_syntax { "}" } else { "]" })
    }
}

fn is_string_verb(verb: char) -> bool {
    matches!(verb, 'v' | 's' | 'x' | 'X' | 'q')
}
