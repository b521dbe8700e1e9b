//! `printf`: the format string.

use super::function::Failure;
use super::meter::Meter;
use super::pad::Flags;
use super::print::Printer;
use super::text::Text;
use super::value::Value;

/// The largest width, precision or argument index that Go takes.
const TOO_LARGE: usize = 1_000_000;

/// Formats values as Go's `fmt.Sprintf` does, mistakes in the format included.
///
/// # Errors
/// When the text is too large, a value holds itself, or an address is asked for.
pub fn sprintf(meter: &Meter, format: &[u8], args: &[Value]) -> Result<Text, Failure> {
    let mut run = Run {
        format,
        pos: 0,
        args,
        next: 0,
        good_index: true,
        reordered: false,
        printer: Printer::new(meter),
    };
    while run.pos < format.len() {
        run.literal()?;
        if run.pos < format.len() {
            run.pos += 1;
            run.verb()?;
        }
    }
    run.extra()?;
    Ok(run.printer.finish())
}

struct Run<'a> {
    format: &'a [u8],
    pos: usize,
    args: &'a [Value],
    /// The index of the next argument.
    next: usize,
    good_index: bool,
    reordered: bool,
    printer: Printer<'a>,
}

impl Run<'_> {
    fn peek(&self) -> Option<u8> {
        self.format.get(self.pos).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.pos += usize::from(found);
        found
    }

    fn flags(&mut self) -> &mut Flags {
        &mut self.printer.writer.flags
    }

    fn literal(&mut self) -> Result<(), Failure> {
        let rest = &self.format[self.pos..];
        let length = rest.iter().position(|byte| *byte == b'%').unwrap_or(rest.len());
        self.pos += length;
        self.printer.writer.raw(&rest[..length])
    }

    /// Formats one argument; the percent sign is past.
    fn verb(&mut self) -> Result<(), Failure> {
        self.good_index = true;
        *self.flags() = Flags::default();
        while let Some(byte) = self.peek() {
            match byte {
                b'#' => self.flags().sharp = true,
                b'0' => self.flags().zero = true,
                b'+' => self.flags().plus = true,
                b'-' => self.flags().minus = true,
                b' ' => self.flags().space = true,
                _ => break,
            }
            self.pos += 1;
        }
        let after_index = self.index();
        let after_index = self.width(after_index)?;
        let after_index = self.precision(after_index)?;
        if !after_index {
            self.index();
        }
        match self.verb_char() {
            None => self.printer.writer.raw("%!(NOVERB)"),
            Some('%') => self.printer.writer.raw("%"),
            Some(verb) if !self.good_index => {
                self.printer.writer.raw(format!("%!{verb}(BADINDEX)"))
            }
            Some(verb) if self.next >= self.args.len() => {
                self.printer.writer.raw(format!("%!{verb}(MISSING)"))
            }
            Some(verb) => self.argument(verb),
        }
    }

    fn argument(&mut self, verb: char) -> Result<(), Failure> {
        if matches!(verb, 'v' | 'w') {
            let flags = self.flags();
            flags.go_syntax = std::mem::take(&mut flags.sharp);
            flags.plus = false;
        }
        let args = self.args;
        let arg = &args[self.next];
        self.next += 1;
        self.printer.arg(arg, verb)
    }

    fn verb_char(&mut self) -> Option<char> {
        let rest = &self.format[self.pos..];
        let chunk = rest.utf8_chunks().next()?;
        if let Some(verb) = chunk.valid().chars().next() {
            self.pos += verb.len_utf8();
            return Some(verb);
        }
        self.pos += 1;
        Some(char::REPLACEMENT_CHARACTER)
    }

    fn width(&mut self, after_index: bool) -> Result<bool, Failure> {
        if self.take(b'*') {
            match self.int_argument() {
                None => self.printer.writer.raw("%!(BADWIDTH)")?,
                Some(width) => {
                    if width < 0 {
                        self.flags().minus = true;
                        self.flags().zero = false;
                    }
                    self.flags().width = usize::try_from(width.unsigned_abs()).ok();
                }
            }
            return Ok(false);
        }
        let width = self.number();
        self.flags().width = width;
        if after_index && width.is_some() {
            self.good_index = false;
        }
        Ok(after_index)
    }

    fn precision(&mut self, after_index: bool) -> Result<bool, Failure> {
        // A point at the very end is taken for the verb, as in Go.
        if self.peek() != Some(b'.') || self.pos + 1 >= self.format.len() {
            return Ok(after_index);
        }
        self.pos += 1;
        if after_index {
            self.good_index = false;
        }
        let after_index = self.index();
        if self.take(b'*') {
            match self.int_argument().and_then(|precision| usize::try_from(precision).ok()) {
                None => self.printer.writer.raw("%!(BADPREC)")?,
                precision => self.flags().precision = precision,
            }
            return Ok(false);
        }
        self.flags().precision = Some(self.number().unwrap_or(0));
        Ok(after_index)
    }

    /// Reads a decimal number; one that is too large ends the format.
    fn number(&mut self) -> Option<usize> {
        let mut number = None;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            let value = number.unwrap_or(0);
            if value > TOO_LARGE {
                self.pos = self.format.len();
                return None;
            }
            number = Some(value * 10 + usize::from(digit - b'0'));
            self.pos += 1;
        }
        number
    }

    fn int_argument(&mut self) -> Option<i64> {
        let arg = self.args.get(self.next)?;
        self.next += 1;
        let number = match arg {
            Value::Int(number, _) => Some(*number),
            Value::Uint(number, _) => i64::try_from(*number).ok(),
            _ => None,
        };
        number.filter(|number| number.unsigned_abs() <= TOO_LARGE as u64)
    }

    /// Reads an index such as `[2]`; returns whether there was one.
    fn index(&mut self) -> bool {
        if self.peek() != Some(b'[') {
            return false;
        }
        self.reordered = true;
        let rest = &self.format[self.pos..];
        let Some(end) = rest.iter().position(|byte| *byte == b']').filter(|_| rest.len() >= 3)
        else {
            self.pos += 1;
            self.good_index = false;
            return false;
        };
        let digits = &rest[1..end];
        self.pos += end + 1;
        let number: Option<usize> = std::str::from_utf8(digits)
            .ok()
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|digits| digits.parse().ok())
            .filter(|number| *number <= TOO_LARGE * 10);
        match number.and_then(|number| number.checked_sub(1)) {
            Some(index) if index < self.args.len() => {
                self.next = index;
                true
            }
            _ => {
                self.good_index = false;
                number.is_some()
            }
        }
    }

    fn extra(&mut self) -> Result<(), Failure> {
        if self.reordered || self.next >= self.args.len() {
            return Ok(());
        }
        *self.flags() = Flags::default();
        self.printer.writer.raw("%!(EXTRA ")?;
        for (index, arg) in self.args[self.next..].iter().enumerate() {
            if index > 0 {
                self.printer.writer.raw(", ")?;
            }
            if arg.is_nil() {
                self.printer.writer.raw("<nil>")?;
            } else {
                self.printer.writer.raw(arg.type_name())?;
                self.printer.writer.raw("=")?;
                self.printer.arg(arg, 'v')?;
            }
        }
        self.printer.writer.raw(")")
    }
}
