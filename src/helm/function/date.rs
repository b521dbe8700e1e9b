//! Dates. There is no time zone but UTC, and no time of day: a date must come from the values.

use super::time::{Time, ZERO, seconds_text, time};
use super::time_reader::{parse, parse_duration};
use crate::gotmpl::{Exec, Failure, Function, Int, Type, Value, downcast};
use crate::helm::arg::{any, string};

type Outcome = Result<Value, Failure>;

const ANY: &[Type] = &[Type::Any];
const TIME: Type = Type::Host("time.Time");
const STR_ANY: &[Type] = &[Type::Str, Type::Any];
const STR_TIME: &[Type] = &[Type::Str, TIME];
const IN_ZONE: &[Type] = &[Type::Str, Type::Any, Type::Str];

const HTML: &str = "2006-01-02";

pub const FUNCTIONS: &[Function] = &[
    Function::new("date", STR_ANY, |_, args| formatted(&string(args, 0)?, any(args, 1)?, "UTC")),
    Function::new("dateInZone", IN_ZONE, |_, args| {
        formatted(&string(args, 0)?, any(args, 1)?, &string(args, 2)?)
    }),
    Function::new("date_in_zone", IN_ZONE, |_, args| {
        formatted(&string(args, 0)?, any(args, 1)?, &string(args, 2)?)
    }),
    Function::new("htmlDate", ANY, |_, args| formatted(HTML, any(args, 0)?, "UTC")),
    Function::new("htmlDateInZone", &[Type::Any, Type::Str], |_, args| {
        formatted(HTML, any(args, 0)?, &string(args, 1)?)
    }),
    Function::new("dateModify", STR_TIME, |_, args| {
        let moved = parse_duration(&string(args, 0)?)
            .map(|duration| Ok(time(given(args, 1)?.plus(duration))));
        moved.unwrap_or_else(|| Ok(args[1].clone()))
    }),
    Function::new("date_modify", STR_TIME, |_, args| {
        let moved = parse_duration(&string(args, 0)?)
            .map(|duration| Ok(time(given(args, 1)?.plus(duration))));
        moved.unwrap_or_else(|| Ok(args[1].clone()))
    }),
    Function::new("mustDateModify", STR_TIME, must_modify),
    Function::new("must_date_modify", STR_TIME, must_modify),
    Function::new("toDate", &[Type::Str, Type::Str], |_, args| {
        Ok(time(parse(&string(args, 0)?, &string(args, 1)?).unwrap_or(ZERO)))
    }),
    Function::new("mustToDate", &[Type::Str, Type::Str], |_, args| {
        Ok(time(parse(&string(args, 0)?, &string(args, 1)?)?))
    }),
    Function::new("unixEpoch", &[TIME], |_, args| {
        Ok(Value::str(given(args, 0)?.seconds.to_string()))
    }),
    Function::new("duration", ANY, |_, args| {
        let seconds = match any(args, 0)? {
            Value::Str(text) => text.to_str().trim_start_matches('+').parse().unwrap_or(0),
            Value::Int(number, Int::Int64) => *number,
            _ => 0,
        };
        Ok(Value::str(seconds_text(seconds)))
    }),
    Function::new("durationRound", ANY, |_, args| {
        let nanoseconds = match any(args, 0)? {
            Value::Str(text) => parse_duration(&text.to_str()).unwrap_or(0),
            Value::Int(number, Int::Int64) => *number,
            Value::Object(_) => return Err(impure("durationRound")),
            _ => 0,
        };
        Ok(Value::str(rounded(nanoseconds)))
    }),
];

fn impure(name: &str) -> Failure {
    format!("`{name}` without a date reads the clock; rendering is pure, so give it a date or a number of seconds").into()
}

fn given(args: &[Value], index: usize) -> Result<Time, Failure> {
    args.get(index).and_then(downcast::<Time>).copied().ok_or_else(|| "not a time".into())
}

fn formatted(layout: &str, date: &Value, zone: &str) -> Outcome {
    if !matches!(zone, "" | "UTC" | "Local" | "Etc/UTC" | "GMT") {
        return Err(
            format!("the time zone {zone:?} is not known: dates are rendered in UTC").into()
        );
    }
    let date = match date {
        Value::Int(seconds, Int::Int | Int::Int32 | Int::Int64) => Time::unix(*seconds),
        other => *downcast::<Time>(other).ok_or_else(|| impure("date"))?,
    };
    Ok(Value::str(date.utc().format(layout)))
}

fn must_modify(_: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let text = string(args, 0)?;
    let duration =
        parse_duration(&text).ok_or_else(|| format!("time: invalid duration {text:?}"))?;
    Ok(time(given(args, 1)?.plus(duration)))
}

fn rounded(nanoseconds: i64) -> String {
    const SECOND: u64 = 1_000_000_000;
    const UNITS: [(u64, &str); 6] = [
        (SECOND * 3600 * 24 * 365, "y"),
        (SECOND * 3600 * 24 * 30, "mo"),
        (SECOND * 3600 * 24, "d"),
        (SECOND * 3600, "h"),
        (SECOND * 60, "m"),
        (SECOND, "s"),
    ];
    let total = nanoseconds.unsigned_abs();
    let unit = UNITS.iter().find(|(unit, _)| total > *unit);
    unit.map_or_else(|| "0s".into(), |(unit, name)| format!("{}{name}", total / unit))
}
