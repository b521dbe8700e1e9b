//! Reading times and durations.

use super::time::{Civil, DAYS, MONTHS, Part, Time, days_from_civil, days_in, fraction_length};

/// Reads a time in a layout; a zone that is not given is UTC.
///
/// # Errors
/// When the text does not fit, or names a zone by letters that are not `UTC`.
pub fn parse(layout: &str, text: &str) -> Result<Time, String> {
    let mut reader = Reader {
        rest: text,
        civil: Civil { month: 1, day: 1, ..Civil::default() },
        offset: 0,
        pm: None,
        year_day: None,
    };
    let mut rest = layout;
    loop {
        let (before, part, after) = Part::find(rest);
        reader.literal(before)?;
        let Some(part) = part else { break };
        reader.part(part.0, after)?;
        rest = after;
    }
    if !reader.rest.is_empty() {
        return Err(format!("extra text: {:?}", reader.rest));
    }
    reader.finish()
}

struct Reader<'a> {
    rest: &'a str,
    civil: Civil,
    offset: i32,
    pm: Option<bool>,
    year_day: Option<u32>,
}

impl Reader<'_> {
    fn literal(&mut self, text: &str) -> Result<(), String> {
        for c in text.chars() {
            if c == ' ' {
                self.rest = self.rest.trim_start_matches(' ');
                continue;
            }
            self.rest = self
                .rest
                .strip_prefix(c)
                .ok_or_else(|| format!("cannot parse {:?} as {text:?}", self.rest))?;
        }
        Ok(())
    }

    fn digits(&mut self, least: usize, most: usize) -> Result<u32, String> {
        let count = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if count < least {
            return Err(format!("cannot parse {:?} as a number", self.rest));
        }
        let (digits, rest) = self.rest.split_at(count);
        self.rest = rest;
        digits.parse().map_err(|_| "a number is out of range".into())
    }

    fn name(&mut self, names: &[&str], length: Option<usize>) -> Result<usize, String> {
        for (index, name) in names.iter().enumerate() {
            let name = &name[..length.unwrap_or(name.len())];
            if self.rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)) {
                self.rest = &self.rest[name.len()..];
                return Ok(index);
            }
        }
        Err(format!("cannot parse {:?} as a name", self.rest))
    }

    fn part(&mut self, part: &str, after: &str) -> Result<(), String> {
        match part {
            "2006" => self.civil.year = i64::from(self.digits(4, 4)?),
            "06" => {
                let year = self.digits(2, 2)?;
                self.civil.year = i64::from(if year >= 69 { 1900 + year } else { 2000 + year });
            }
            "January" => {
                self.civil.month = u32::try_from(self.name(&MONTHS, None)?).unwrap_or(0) + 1;
            }
            "Jan" => {
                self.civil.month = u32::try_from(self.name(&MONTHS, Some(3))?).unwrap_or(0) + 1;
            }
            "01" => self.civil.month = self.digits(2, 2)?,
            "1" => self.civil.month = self.digits(1, 2)?,
            "Monday" => drop(self.name(&DAYS, None)?),
            "Mon" => drop(self.name(&DAYS, Some(3))?),
            "2" => self.civil.day = self.digits(1, 2)?,
            "_2" => {
                self.rest = self.rest.strip_prefix(' ').unwrap_or(self.rest);
                self.civil.day = self.digits(1, 2)?;
            }
            "02" => self.civil.day = self.digits(2, 2)?,
            "002" => self.year_day = Some(self.digits(3, 3)?),
            "__2" => {
                self.rest = self.rest.trim_start_matches(' ');
                self.year_day = Some(self.digits(1, 3)?);
            }
            "15" | "03" => self.civil.hour = self.digits(2, 2)?,
            "3" => self.civil.hour = self.digits(1, 2)?,
            "4" => self.civil.minute = self.digits(1, 2)?,
            "04" => self.civil.minute = self.digits(2, 2)?,
            "5" => self.seconds(1, after)?,
            "05" => self.seconds(2, after)?,
            "PM" | "pm" => self.pm = Some(self.name(&["AM", "PM"], None)? == 1),
            "MST" => {
                self.rest =
                    self.rest.strip_prefix("UTC").ok_or("only the zone UTC is known by name")?;
            }
            zone if zone.starts_with('Z') && self.rest.starts_with('Z') => {
                self.rest = &self.rest[1..];
            }
            zone if zone.starts_with(['Z', '-']) => self.zone(zone)?,
            _ => self.fraction(part.len() - 1, part.ends_with('9'))?,
        }
        Ok(())
    }

    fn seconds(&mut self, least: usize, after: &str) -> Result<(), String> {
        self.civil.second = self.digits(least, 2)?;
        // A fraction may follow the seconds although the layout has none.
        let layout_has_one = fraction_length(after).is_some();
        let digits = self.rest.strip_prefix(['.', ',']).unwrap_or_default();
        if !layout_has_one && digits.starts_with(|c: char| c.is_ascii_digit()) {
            let count = digits.bytes().take_while(u8::is_ascii_digit).count();
            self.fraction(count, false)?;
        }
        Ok(())
    }

    fn fraction(&mut self, count: usize, is_optional: bool) -> Result<(), String> {
        let Some(digits) = self.rest.strip_prefix(['.', ',']) else {
            return if is_optional { Ok(()) } else { Err("a fraction is missing".into()) };
        };
        let found = digits.bytes().take_while(u8::is_ascii_digit).count();
        let count = if is_optional { found } else { count };
        if found < count || count == 0 {
            return Err("a fraction is missing".into());
        }
        let padded = format!("{:0<9}", &digits[..count]);
        self.civil.nanos = padded[..9].parse().map_err(|_| "a fraction is no number")?;
        self.rest = &digits[count..];
        Ok(())
    }

    fn zone(&mut self, style: &str) -> Result<(), String> {
        let sign = match self.rest.chars().next() {
            Some('+') => 1,
            Some('-') => -1,
            _ => return Err(format!("cannot parse {:?} as a zone", self.rest)),
        };
        self.rest = &self.rest[1..];
        let parts = style.bytes().filter(u8::is_ascii_digit).count() / 2;
        let mut offset = 0;
        for (index, unit) in [3600, 60, 1].into_iter().take(parts).enumerate() {
            if index > 0 && style.contains(':') {
                self.literal(":")?;
            }
            offset += i32::try_from(self.digits(2, 2)?).unwrap_or(0) * unit;
        }
        self.offset = sign * offset;
        Ok(())
    }

    fn finish(mut self) -> Result<Time, String> {
        if let Some(pm) = self.pm {
            self.civil.hour = self.civil.hour % 12 + if pm { 12 } else { 0 };
        }
        let Civil { year, month, day, hour, minute, second, nanos } = self.civil;
        let in_range = (1..=12).contains(&month) && day >= 1 && day <= days_in(year, month);
        if !in_range || hour > 23 || minute > 59 || second > 59 {
            return Err("a part of the time is out of range".into());
        }
        let mut days = days_from_civil(year, month, day);
        if let Some(year_day) = self.year_day {
            days = days_from_civil(year, 1, 1) + i64::from(year_day) - 1;
        }
        let clock = i64::from(hour * 3600 + minute * 60 + second);
        Ok(Time {
            seconds: days * 86_400 + clock - i64::from(self.offset),
            nanos,
            offset: self.offset,
        })
    }
}

/// Reads a duration such as `1h30m`, in nanoseconds; `None` when it is none.
pub fn parse_duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut total: i128 = 0;
    while !rest.is_empty() || total == 0 {
        let whole = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, mut after) = rest.split_at(whole);
        let mut fraction = "";
        if let Some(tail) = after.strip_prefix('.') {
            let count = tail.bytes().take_while(u8::is_ascii_digit).count();
            (fraction, after) = tail.split_at(count);
        }
        if digits.is_empty() && fraction.is_empty() {
            return None;
        }
        let length = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
        let unit: i128 = match &after[..length] {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let digits = if digits.is_empty() { "0" } else { digits };
        total += digits.parse::<i64>().map(i128::from).ok()? * unit;
        if !fraction.is_empty() {
            let fraction = &fraction[..fraction.len().min(18)];
            total += fraction.parse::<i128>().ok()? * unit
                / 10i128.pow(u32::try_from(fraction.len()).ok()?);
        }
        rest = &after[length..];
        if rest.is_empty() {
            break;
        }
    }
    i64::try_from(if negative { -total } else { total }).ok()
}
