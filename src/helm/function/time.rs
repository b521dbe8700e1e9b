//! Points in time, and Go's layouts for them.

use crate::gotmpl::{
    Failure, Function, Int, Object, Text, Type, Value, display_duration, downcast,
};

/// A point in time, shown at an offset from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    /// Seconds since 1970.
    pub seconds: i64,
    /// Nanoseconds beyond them.
    pub nanos: u32,
    /// Seconds east of UTC.
    pub offset: i32,
}

/// A day and a time of day.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Civil {
    pub(super) year: i64,
    pub(super) month: u32,
    pub(super) day: u32,
    pub(super) hour: u32,
    pub(super) minute: u32,
    pub(super) second: u32,
    pub(super) nanos: u32,
}

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The layout that printing a time uses.
const STRING: &str = "2006-01-02 15:04:05.999999999 -0700 MST";

/// What Go's zero time is: the first of January of the year 1.
pub const ZERO: Time = Time { seconds: -62_135_596_800, nanos: 0, offset: 0 };

/// Days from 1970 to a date of the Gregorian calendar.
pub(super) fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((i64::from(month) + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    (year, u32::try_from(month).unwrap_or(1), u32::try_from(day).unwrap_or(1))
}

pub(super) fn days_in(year: i64, month: u32) -> u32 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    }
}

impl Time {
    /// Makes a time in UTC.
    pub const fn unix(seconds: i64) -> Self {
        Self { seconds, nanos: 0, offset: 0 }
    }

    /// Returns the same time in UTC.
    #[must_use]
    pub const fn utc(self) -> Self {
        Self { offset: 0, ..self }
    }

    /// Adds nanoseconds.
    #[must_use]
    pub fn plus(self, nanoseconds: i64) -> Self {
        let total = i128::from(self.seconds) * 1_000_000_000
            + i128::from(self.nanos)
            + i128::from(nanoseconds);
        let seconds = i64::try_from(total.div_euclid(1_000_000_000)).unwrap_or(self.seconds);
        Self {
            seconds,
            nanos: u32::try_from(total.rem_euclid(1_000_000_000)).unwrap_or(0),
            offset: self.offset,
        }
    }

    fn local(self) -> i64 {
        self.seconds.saturating_add(i64::from(self.offset))
    }

    fn civil(self) -> Civil {
        let (year, month, day) = civil_from_days(self.local().div_euclid(86_400));
        let clock = u32::try_from(self.local().rem_euclid(86_400)).unwrap_or(0);
        let (hour, minute, second) = (clock / 3_600, clock / 60 % 60, clock % 60);
        Civil { year, month, day, hour, minute, second, nanos: self.nanos }
    }

    fn weekday(self) -> usize {
        usize::try_from((self.local().div_euclid(86_400) + 4).rem_euclid(7)).unwrap_or(0)
    }

    fn year_day(self) -> i64 {
        let civil = self.civil();
        days_from_civil(civil.year, civil.month, civil.day) - days_from_civil(civil.year, 1, 1) + 1
    }

    /// Writes the time in a layout.
    pub fn format(self, layout: &str) -> String {
        let civil = self.civil();
        let mut out = String::new();
        let mut rest = layout;
        while !rest.is_empty() {
            let (before, part, after) = Part::find(rest);
            out.push_str(before);
            if let Some(part) = part {
                out.push_str(&self.part(part, &civil));
            }
            rest = after;
        }
        out
    }

    fn part(self, part: Part<'_>, civil: &Civil) -> String {
        let twelve = if civil.hour.is_multiple_of(12) { 12 } else { civil.hour % 12 };
        let month = MONTHS[civil.month as usize - 1];
        let day = DAYS[self.weekday()];
        match part.0 {
            "January" => month.into(),
            "Jan" => month[..3].into(),
            "1" => civil.month.to_string(),
            "01" => format!("{:02}", civil.month),
            "Monday" => day.into(),
            "Mon" => day[..3].into(),
            "2" => civil.day.to_string(),
            "_2" => format!("{:2}", civil.day),
            "02" => format!("{:02}", civil.day),
            "__2" => format!("{:3}", self.year_day()),
            "002" => format!("{:03}", self.year_day()),
            "15" => format!("{:02}", civil.hour),
            "3" => twelve.to_string(),
            "03" => format!("{twelve:02}"),
            "4" => civil.minute.to_string(),
            "04" => format!("{:02}", civil.minute),
            "5" => civil.second.to_string(),
            "05" => format!("{:02}", civil.second),
            "2006" if civil.year < 0 => format!("-{:04}", -civil.year),
            "2006" => format!("{:04}", civil.year),
            "06" => format!("{:02}", civil.year.rem_euclid(100)),
            "PM" => if civil.hour >= 12 { "PM" } else { "AM" }.into(),
            "pm" => if civil.hour >= 12 { "pm" } else { "am" }.into(),
            "MST" if self.offset == 0 => "UTC".into(),
            "MST" => self.zone("-07", self.offset % 3600 != 0),
            zone if zone.starts_with('Z') && self.offset == 0 => "Z".into(),
            zone if zone.starts_with(['Z', '-']) => self.zone(zone, false),
            fraction => fraction_text(fraction, civil.nanos),
        }
    }

    fn zone(self, style: &str, with_minutes: bool) -> String {
        let sign = if self.offset < 0 { '-' } else { '+' };
        let offset = self.offset.unsigned_abs();
        let (hours, minutes, seconds) = (offset / 3600, offset / 60 % 60, offset % 60);
        let colon = if style.contains(':') { ":" } else { "" };
        let digits = style.bytes().filter(u8::is_ascii_digit).count();
        match digits {
            2 if with_minutes => format!("{sign}{hours:02}{minutes:02}"),
            2 => format!("{sign}{hours:02}"),
            4 => format!("{sign}{hours:02}{colon}{minutes:02}"),
            _ => format!("{sign}{hours:02}{colon}{minutes:02}{colon}{seconds:02}"),
        }
    }
}

fn fraction_text(style: &str, nanos: u32) -> String {
    let digits = &format!("{nanos:09}")[..(style.len() - 1).min(9)];
    let separator = &style[..1];
    if style.ends_with('9') {
        let digits = digits.trim_end_matches('0');
        return if digits.is_empty() { String::new() } else { format!("{separator}{digits}") };
    }
    format!("{separator}{digits}")
}

/// A part of a layout that stands for a part of the time.
#[derive(Clone, Copy)]
pub(super) struct Part<'a>(pub(super) &'a str);

/// The parts, in the order in which they are looked for.
const PARTS: [&str; 32] = [
    "January",
    "Jan",
    "Monday",
    "Mon",
    "MST",
    "01",
    "02",
    "03",
    "04",
    "05",
    "06",
    "002",
    "15",
    "1",
    "2006",
    "2",
    "_2006",
    "__2",
    "_2",
    "3",
    "4",
    "5",
    "PM",
    "pm",
    "-070000",
    "-07:00:00",
    "-0700",
    "-07:00",
    "-07",
    "Z070000",
    "Z07:00:00",
    "Z0700",
];

impl<'a> Part<'a> {
    /// Splits a layout at its first part.
    pub(super) fn find(layout: &'a str) -> (&'a str, Option<Self>, &'a str) {
        for (at, _) in layout.char_indices() {
            let rest = &layout[at..];
            if let Some(length) = part_length(rest) {
                // `_2006` is a blank line and a year.
                let (skip, length) = if rest.starts_with("_2006") { (1, 4) } else { (0, length) };
                let start = at + skip;
                return (
                    &layout[..start],
                    Some(Self(&layout[start..start + length])),
                    &layout[start + length..],
                );
            }
        }
        (layout, None, "")
    }
}

fn part_length(rest: &str) -> Option<usize> {
    let zones = ["Z07:00", "Z07"];
    let found = PARTS.iter().chain(&zones).find(|part| rest.starts_with(**part)).copied();
    match found {
        // `Janet` and `Monty` are words.
        Some("Jan" | "Mon") if rest[3..].starts_with(|c: char| c.is_ascii_lowercase()) => None,
        Some("_2006") => Some(5),
        Some(part) => Some(part.len()),
        None => fraction_length(rest),
    }
}

/// `.000` or `,999` after the seconds.
pub(super) fn fraction_length(rest: &str) -> Option<usize> {
    let digits = rest.strip_prefix(['.', ','])?;
    let digit = digits.chars().next().filter(|c| matches!(c, '0' | '9'))?;
    let count = digits.chars().take_while(|c| *c == digit).count();
    let after = digits[count..].chars().next();
    (!after.is_some_and(|c| c.is_ascii_digit())).then_some(count + 1)
}

impl Object for Time {
    fn type_name(&self) -> &'static str {
        "time.Time"
    }

    fn method(&self, name: &str) -> Option<&'static Function> {
        METHODS.iter().find(|method| method.name == name)
    }

    fn display(&self) -> Text {
        self.format(STRING).into()
    }

    fn data(&self) -> Value {
        Value::str(self.format("2006-01-02T15:04:05.999999999Z07:00"))
    }
}

const TIME: Type = Type::Host("time.Time");

const METHODS: &[Function] = &[
    Function::new("Format", &[Type::Str], |_, args| {
        let layout = args
            .get(1)
            .and_then(Value::as_text)
            .map(|text| text.to_str().into_owned())
            .unwrap_or_default();
        Ok(Value::str(receiver(args, 0)?.format(&layout)))
    }),
    Function::new("String", &[], |_, args| Ok(Value::Str(receiver(args, 0)?.display()))),
    Function::new("Unix", &[], |_, args| Ok(Value::int64(receiver(args, 0)?.seconds))),
    Function::new("UnixMilli", &[], |_, args| {
        let time = receiver(args, 0)?;
        Ok(Value::int64(
            time.seconds.saturating_mul(1000).saturating_add(i64::from(time.nanos / 1_000_000)),
        ))
    }),
    Function::new("Year", &[], |_, args| Ok(Value::int(receiver(args, 0)?.civil().year))),
    Function::new("Month", &[], |_, args| {
        Ok(Value::str(MONTHS[receiver(args, 0)?.civil().month as usize - 1]))
    }),
    Function::new("Weekday", &[], |_, args| Ok(Value::str(DAYS[receiver(args, 0)?.weekday()]))),
    Function::new("Day", &[], |_, args| Ok(Value::int(i64::from(receiver(args, 0)?.civil().day)))),
    Function::new("Hour", &[], |_, args| {
        Ok(Value::int(i64::from(receiver(args, 0)?.civil().hour)))
    }),
    Function::new("Minute", &[], |_, args| {
        Ok(Value::int(i64::from(receiver(args, 0)?.civil().minute)))
    }),
    Function::new("Second", &[], |_, args| {
        Ok(Value::int(i64::from(receiver(args, 0)?.civil().second)))
    }),
    Function::new("Nanosecond", &[], |_, args| Ok(Value::int(i64::from(receiver(args, 0)?.nanos)))),
    Function::new("YearDay", &[], |_, args| Ok(Value::int(receiver(args, 0)?.year_day()))),
    Function::new("IsZero", &[], |_, args| Ok(Value::Bool(receiver(args, 0)?.utc() == ZERO))),
    Function::new("UTC", &[], |_, args| Ok(time(receiver(args, 0)?.utc()))),
    Function::new("Local", &[], |_, args| Ok(time(receiver(args, 0)?.utc()))),
    Function::new("Before", &[TIME], |_, args| Ok(Value::Bool(order(args)?.is_lt()))),
    Function::new("After", &[TIME], |_, args| Ok(Value::Bool(order(args)?.is_gt()))),
    Function::new("Equal", &[TIME], |_, args| Ok(Value::Bool(order(args)?.is_eq()))),
    Function::new("Sub", &[TIME], |_, args| {
        let (left, right) = (receiver(args, 0)?, receiver(args, 1)?);
        let seconds = i128::from(left.seconds) - i128::from(right.seconds);
        let nanos = seconds * 1_000_000_000 + i128::from(left.nanos) - i128::from(right.nanos);
        let nanos = nanos.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        Ok(Value::Int(i64::try_from(nanos).unwrap_or(0), Int::Duration))
    }),
];

/// Makes a value of a time.
pub fn time(time: Time) -> Value {
    Value::Object(std::rc::Rc::new(time))
}

fn receiver(args: &[Value], index: usize) -> Result<Time, Failure> {
    args.get(index).and_then(downcast::<Time>).copied().ok_or_else(|| "not a time".into())
}

fn order(args: &[Value]) -> Result<std::cmp::Ordering, Failure> {
    let (left, right) = (receiver(args, 0)?, receiver(args, 1)?);
    Ok((left.seconds, left.nanos).cmp(&(right.seconds, right.nanos)))
}

/// Writes seconds as `duration` does.
pub fn seconds_text(seconds: i64) -> String {
    display_duration(seconds.wrapping_mul(1_000_000_000))
}
