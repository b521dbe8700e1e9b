//! Go's `time.Duration`.

use std::fmt::Write;

use super::function::{Failure, Function};
use super::value::Value;

/// Writes nanoseconds as Go's `time.Duration` prints them.
pub fn display_duration(nanoseconds: i64) -> String {
    if nanoseconds == 0 {
        return "0s".into();
    }
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let total = nanoseconds.unsigned_abs();
    if total < 1_000_000_000 {
        let (unit, name) = match total {
            0..1_000 => return format!("{sign}{total}ns"),
            1_000..1_000_000 => (1_000, "µs"),
            _ => (1_000_000, "ms"),
        };
        return format!("{sign}{}{}{name}", total / unit, fraction(total % unit, unit));
    }
    let seconds = total / 1_000_000_000;
    let rest = fraction(total % 1_000_000_000, 1_000_000_000);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let mut text = sign.to_owned();
    if hours > 0 {
        let _ = write!(text, "{hours}h");
    }
    if seconds >= 60 {
        let _ = write!(text, "{minutes}m");
    }
    let _ = write!(text, "{}{rest}s", seconds % 60);
    text
}

fn fraction(part: u64, unit: u64) -> String {
    let width = unit.ilog10() as usize;
    let digits = format!("{part:0width$}");
    let digits = digits.trim_end_matches('0');
    if digits.is_empty() { String::new() } else { format!(".{digits}") }
}

/// Finds a method of durations.
pub(super) fn method(name: &str) -> Option<&'static Function> {
    METHODS.iter().find(|method| method.name == name)
}

const METHODS: &[Function] = &[
    Function::new("Hours", &[], |_, args| Ok(Value::Float(in_unit(args, 3_600_000_000_000)?))),
    Function::new("Minutes", &[], |_, args| Ok(Value::Float(in_unit(args, 60_000_000_000)?))),
    Function::new("Seconds", &[], |_, args| Ok(Value::Float(in_unit(args, 1_000_000_000)?))),
    Function::new("Milliseconds", &[], |_, args| Ok(Value::int64(nanoseconds(args)? / 1_000_000))),
    Function::new("Microseconds", &[], |_, args| Ok(Value::int64(nanoseconds(args)? / 1_000))),
    Function::new("Nanoseconds", &[], |_, args| Ok(Value::int64(nanoseconds(args)?))),
    Function::new("String", &[], |_, args| Ok(Value::str(display_duration(nanoseconds(args)?)))),
];

fn nanoseconds(args: &[Value]) -> Result<i64, Failure> {
    match args.first() {
        Some(Value::Int(nanoseconds, _)) => Ok(*nanoseconds),
        _ => Err("not a duration".into()),
    }
}

/// Divides as Go does: whole units and the rest apart, so that less precision is lost.
#[expect(clippy::cast_precision_loss, reason = "Go loses it too")]
fn in_unit(args: &[Value], unit: i64) -> Result<f64, Failure> {
    let nanoseconds = nanoseconds(args)?;
    Ok((nanoseconds / unit) as f64 + (nanoseconds % unit) as f64 / unit as f64)
}
