//! The formats of Go's package `fmt` for single values: flags, width, precision.

use super::float::format_float;
use super::function::Failure;
use super::meter::Meter;
use super::quote::{is_print, quote, quote_char};

/// The flags of a verb.
#[derive(Clone, Copy, Default)]
pub struct Flags {
    pub width: Option<usize>,
    pub precision: Option<usize>,
    pub minus: bool,
    pub plus: bool,
    pub sharp: bool,
    pub space: bool,
    pub zero: bool,
    /// `%#v`
    pub go_syntax: bool,
}

/// An integer as the verbs need it.
#[derive(Clone, Copy)]
pub struct Integer {
    pub magnitude: u64,
    pub negative: bool,
}

/// Writes formatted values, within the limits.
pub struct Writer<'a> {
    pub out: Vec<u8>,
    pub flags: Flags,
    meter: &'a Meter,
}

impl<'a> Writer<'a> {
    pub fn new(meter: &'a Meter) -> Self {
        Self { out: Vec::new(), flags: Flags::default(), meter }
    }

    pub fn meter(&self) -> &'a Meter {
        self.meter
    }

    /// Writes bytes as they are.
    pub fn raw(&mut self, bytes: impl AsRef<[u8]>) -> Result<(), Failure> {
        let bytes = bytes.as_ref();
        self.reserve(bytes.len())?;
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn reserve(&self, more: usize) -> Result<(), Failure> {
        let limit = self.meter.limits().output;
        if self.out.len() + more > limit {
            return Err(Failure::Limit(format!("a string of more than {limit} bytes")));
        }
        self.meter.string(more)
    }

    fn fill(&mut self, count: usize, zero: bool) -> Result<(), Failure> {
        self.reserve(count)?;
        let byte = if zero && !self.flags.minus { b'0' } else { b' ' };
        self.out.resize(self.out.len() + count, byte);
        Ok(())
    }

    /// Writes text, padded to the width.
    pub fn pad(&mut self, text: &[u8]) -> Result<(), Failure> {
        self.pad_with(text, self.flags.zero)
    }

    fn pad_with(&mut self, text: &[u8], zero: bool) -> Result<(), Failure> {
        let Some(width) = self.flags.width else {
            return self.raw(text);
        };
        let missing = width.saturating_sub(rune_count(text));
        if self.flags.minus {
            self.raw(text)?;
            return self.fill(missing, zero);
        }
        self.fill(missing, zero)?;
        self.raw(text)
    }

    /// `%s`
    pub fn string(&mut self, text: &[u8]) -> Result<(), Failure> {
        self.pad(self.truncated(text))
    }

    /// `%q` of a string
    pub fn quoted(&mut self, text: &[u8]) -> Result<(), Failure> {
        let text = self.truncated(text);
        if self.flags.sharp && can_backquote(text) {
            return self.pad(&[b"`", text, b"`"].concat());
        }
        self.meter.string(text.len())?;
        self.pad(quote(text, self.flags.plus).as_bytes())
    }

    fn truncated<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        match self.flags.precision {
            Some(precision) => &text[..rune_offset(text, precision)],
            None => text,
        }
    }

    /// `%x` and `%X` of a string
    pub fn hex(&mut self, text: &[u8], upper: bool) -> Result<(), Failure> {
        let text = &text[..self.flags.precision.unwrap_or(usize::MAX).min(text.len())];
        if text.is_empty() {
            return self.fill(self.flags.width.unwrap_or(0), self.flags.zero);
        }
        self.meter.string(text.len().saturating_mul(5))?;
        let prefix: &[u8] = if upper { b"0X" } else { b"0x" };
        let mut hex = Vec::with_capacity(text.len() * 2);
        for (index, byte) in text.iter().enumerate() {
            if index > 0 && self.flags.space {
                hex.push(b' ');
            }
            if self.flags.sharp && (index == 0 || self.flags.space) {
                hex.extend_from_slice(prefix);
            }
            let pair = if upper { format!("{byte:02X}") } else { format!("{byte:02x}") };
            hex.extend_from_slice(pair.as_bytes());
        }
        self.pad(&hex)
    }

    /// `%d`, `%b`, `%o`, `%O`, `%x`, `%X`
    pub fn integer(&mut self, value: Integer, verb: char) -> Result<(), Failure> {
        let Integer { magnitude, negative } = value;
        let signs = negative || self.flags.plus || self.flags.space;
        let digits = match self.flags.precision {
            Some(0) if magnitude == 0 => {
                let width = self.flags.width.unwrap_or(0);
                return self.fill(width, false);
            }
            Some(precision) => precision,
            None if self.flags.zero && !self.flags.minus => {
                self.flags.width.unwrap_or(0).saturating_sub(usize::from(signs))
            }
            None => 0,
        };
        self.meter.string(digits)?;
        let mut text = match verb {
            'b' => format!("{magnitude:b}"),
            'o' | 'O' => format!("{magnitude:o}"),
            'x' => format!("{magnitude:x}"),
            'X' => format!("{magnitude:X}"),
            _ => magnitude.to_string(),
        };
        zero_fill(&mut text, digits);
        let prefix = match verb {
            'b' if self.flags.sharp => "0b",
            'o' | 'O' if self.flags.sharp && !text.starts_with('0') => "0",
            'x' if self.flags.sharp => "0x",
            'X' if self.flags.sharp => "0X",
            _ => "",
        };
        text.insert_str(0, prefix);
        if verb == 'O' {
            text.insert_str(0, "0o");
        }
        if signs {
            text.insert(
                0,
                if negative {
                    '-'
                } else if self.flags.plus {
                    '+'
                } else {
                    ' '
                },
            );
        }
        self.pad_with(text.as_bytes(), false)
    }

    /// `%c`
    pub fn character(&mut self, value: Integer) -> Result<(), Failure> {
        let c = to_char(value);
        self.pad(c.encode_utf8(&mut [0; 4]).as_bytes())
    }

    /// `%q` of an integer
    pub fn quoted_character(&mut self, value: Integer) -> Result<(), Failure> {
        self.pad(quote_char(to_char(value), self.flags.plus).as_bytes())
    }

    /// `%U`
    pub fn unicode(&mut self, value: Integer) -> Result<(), Failure> {
        let code = if value.negative { value.magnitude.wrapping_neg() } else { value.magnitude };
        let digits = self.flags.precision.unwrap_or(4).max(4);
        self.meter.string(digits)?;
        let mut text = format!("{code:X}");
        zero_fill(&mut text, digits);
        text.insert_str(0, "U+");
        if self.flags.sharp {
            let c = u32::try_from(code).ok().and_then(char::from_u32).filter(|c| is_print(*c));
            text.extend(c.map(|c| format!(" '{c}'")));
        }
        self.pad_with(text.as_bytes(), false)
    }

    /// `%e`, `%f`, `%g` and the rest
    pub fn float(
        &mut self,
        value: f64,
        verb: char,
        precision: Option<usize>,
    ) -> Result<(), Failure> {
        let precision = self.flags.precision.or(precision);
        self.meter.string(precision.unwrap_or(0))?;
        let mut text = format_float(value, verb, precision);
        let sign = match text.as_bytes()[0] {
            b'-' => Some('-'),
            _ if self.flags.plus => Some('+'),
            _ if self.flags.space => Some(' '),
            _ => None,
        };
        let digits = text.trim_start_matches(['-', '+']).len();
        text.drain(..text.len() - digits);
        if !value.is_finite() {
            let sign = sign.filter(|_| value.is_infinite() || self.flags.plus || self.flags.space);
            let sign = sign.or(value.is_infinite().then_some('+'));
            let text = sign.into_iter().collect::<String>() + &text;
            return self.pad_with(text.as_bytes(), false);
        }
        if self.flags.sharp && verb != 'b' {
            text = with_point(&text, verb, precision);
        }
        let sign: String = sign.into_iter().collect();
        let width = self.flags.width.unwrap_or(0);
        if !sign.is_empty() && self.flags.zero && !self.flags.minus && width > text.len() + 1 {
            self.raw(&sign)?;
            self.fill(width - text.len() - 1, true)?;
            return self.raw(text);
        }
        self.pad((sign + &text).as_bytes())
    }
}

/// Adds the point and the zeros that the flag `#` keeps.
fn with_point(text: &str, verb: char, precision: Option<usize>) -> String {
    let is_hex = matches!(verb, 'x' | 'X');
    let marks: &[char] = if is_hex { &['p', 'P'] } else { &['e', 'E'] };
    let (number, tail) = text.find(marks).map_or((text, ""), |at| text.split_at(at));
    let mut digits = match verb {
        'g' | 'G' | 'x' => precision.unwrap_or(6),
        _ => 0,
    };
    let significant = number.chars().filter(|c| *c != '.').skip_while(|c| *c == '0').count();
    digits = digits.saturating_sub(significant);
    let mut number = number.to_owned();
    if !number.contains('.') {
        if number == "0" {
            digits = digits.saturating_sub(1);
        }
        number.push('.');
    }
    number + &"0".repeat(digits) + tail
}

fn zero_fill(text: &mut String, digits: usize) {
    if text.len() < digits {
        text.insert_str(0, &"0".repeat(digits - text.len()));
    }
}

fn to_char(value: Integer) -> char {
    let code = if value.negative { None } else { u32::try_from(value.magnitude).ok() };
    code.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn can_backquote(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| {
        !text.chars().any(|c| (c < ' ' && c != '\t') || matches!(c, '`' | '\u{7f}' | '\u{feff}'))
    })
}

/// Counts characters as Go does: a byte that is no UTF-8 counts as one.
pub fn rune_count(text: &[u8]) -> usize {
    text.utf8_chunks().map(|chunk| chunk.valid().chars().count() + chunk.invalid().len()).sum()
}

/// Returns where the character with an index starts, or the end of the text.
pub fn rune_offset(text: &[u8], index: usize) -> usize {
    let mut left = index;
    let mut offset = 0;
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            if left == 0 {
                return offset;
            }
            left -= 1;
            offset += c.len_utf8();
        }
        let invalid = chunk.invalid().len();
        if left < invalid {
            return offset + left;
        }
        left -= invalid;
        offset += invalid;
    }
    offset
}
