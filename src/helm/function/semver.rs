//! Semantic versions and constraints on them.
//!
//! Source of the rules: the library `semver` 3 that Helm uses, which reads versions loosely (`v1.2`).

use std::cmp::Ordering;
use std::rc::Rc;

use crate::gotmpl::{Exec, Failure, Function, Object, Text, Type, Uint, Value, downcast};
use crate::helm::arg::string;

pub const FUNCTIONS: &[Function] = &[
    Function::new("semver", &[Type::Str], |_, args| {
        Ok(Value::Object(Rc::new(
            Version::parse(&string(args, 0)?).ok_or("invalid semantic version")?,
        )))
    }),
    Function::new("semverCompare", &[Type::Str, Type::Str], |_, args| {
        let (wanted, given) = (string(args, 0)?, string(args, 1)?);
        let constraint =
            Constraint::parse(&wanted).ok_or_else(|| format!("improper constraint: {wanted:?}"))?;
        let version = Version::parse(&given).ok_or("invalid semantic version")?;
        Ok(Value::Bool(constraint.allows(&version)))
    }),
];

/// A version.
#[derive(Clone, Debug)]
pub struct Version {
    numbers: [u64; 3],
    prerelease: String,
    metadata: String,
    original: String,
}

impl Version {
    /// Reads a version with one to three numbers, with or without a `v`; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 256 {
            return None;
        }
        let (rest, metadata) =
            text.split_once('+').map_or((text, ""), |(rest, metadata)| (rest, metadata));
        let has_metadata = rest.len() < text.len();
        let (core, prerelease) = rest.split_once('-').map_or((rest, ""), |(core, pre)| (core, pre));
        let has_prerelease = core.len() < rest.len();
        if (has_metadata && !is_dotted(metadata)) || (has_prerelease && !is_dotted(prerelease)) {
            return None;
        }
        let leads_with_zero =
            |part: &str| part.len() > 1 && part.starts_with('0') && is_number(part);
        if prerelease.split('.').any(leads_with_zero) {
            return None;
        }
        let mut numbers = [0; 3];
        for (index, part) in core.strip_prefix('v').unwrap_or(core).split('.').enumerate() {
            let number = numbers.get_mut(index)?;
            *number = is_number(part).then(|| part.parse().ok()).flatten()?;
        }
        Some(Self {
            numbers,
            prerelease: prerelease.into(),
            metadata: metadata.into(),
            original: text.into(),
        })
    }

    fn compare(&self, other: &Self) -> Ordering {
        self.numbers
            .cmp(&other.numbers)
            .then_with(|| compare_prerelease(&self.prerelease, &other.prerelease))
    }

    fn text(&self) -> String {
        let [major, minor, patch] = self.numbers;
        let mark = |sign: &str, text: &str| {
            if text.is_empty() { String::new() } else { format!("{sign}{text}") }
        };
        format!(
            "{major}.{minor}.{patch}{}{}",
            mark("-", &self.prerelease),
            mark("+", &self.metadata)
        )
    }

    fn next(&self, index: usize) -> Self {
        let mut numbers = self.numbers;
        if index < 2 || self.prerelease.is_empty() {
            numbers[index] += 1;
        }
        numbers[index + 1..].fill(0);
        let mut next = Self {
            numbers,
            prerelease: String::new(),
            metadata: String::new(),
            original: String::new(),
        };
        let prefix = if self.original.starts_with('v') { "v" } else { "" };
        next.original = format!("{prefix}{}", next.text());
        next
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_dotted(text: &str) -> bool {
    text.split('.').all(|part| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

fn compare_prerelease(left: &str, right: &str) -> Ordering {
    match (left.is_empty(), right.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let (mut left, mut right) = (left.split('.'), right.split('.'));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(left), Some(right)) => match (left.parse::<u64>(), right.parse::<u64>()) {
                (Ok(left), Ok(right)) => left.cmp(&right),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => left.cmp(right),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}

impl Object for Version {
    fn type_name(&self) -> &'static str {
        "*semver.Version"
    }

    fn kind_name(&self) -> &'static str {
        "ptr"
    }

    fn method(&self, name: &str) -> Option<&'static Function> {
        METHODS.iter().find(|method| method.name == name)
    }

    fn display(&self) -> Text {
        self.text().into()
    }

    fn data(&self) -> Value {
        Value::str(self.text())
    }
}

const VERSION: Type = Type::Host("*semver.Version");

const METHODS: &[Function] = &[
    Function::new("Major", &[], |_, args| {
        Ok(Value::Uint(receiver(args, 0)?.numbers[0], Uint::Uint64))
    }),
    Function::new("Minor", &[], |_, args| {
        Ok(Value::Uint(receiver(args, 0)?.numbers[1], Uint::Uint64))
    }),
    Function::new("Patch", &[], |_, args| {
        Ok(Value::Uint(receiver(args, 0)?.numbers[2], Uint::Uint64))
    }),
    Function::new("Prerelease", &[], |_, args| {
        Ok(Value::str(receiver(args, 0)?.prerelease.as_str()))
    }),
    Function::new("Metadata", &[], |_, args| Ok(Value::str(receiver(args, 0)?.metadata.as_str()))),
    Function::new("Original", &[], |_, args| Ok(Value::str(receiver(args, 0)?.original.as_str()))),
    Function::new("String", &[], |_, args| Ok(Value::str(receiver(args, 0)?.text()))),
    Function::new("IncMajor", &[], |exec, args| next(exec, args, 0)),
    Function::new("IncMinor", &[], |exec, args| next(exec, args, 1)),
    Function::new("IncPatch", &[], |exec, args| next(exec, args, 2)),
    Function::new("Compare", &[VERSION], |_, args| Ok(Value::int(order(args)? as i64))),
    Function::new("LessThan", &[VERSION], |_, args| Ok(Value::Bool(order(args)?.is_lt()))),
    Function::new("LessThanEqual", &[VERSION], |_, args| Ok(Value::Bool(order(args)?.is_le()))),
    Function::new("GreaterThan", &[VERSION], |_, args| Ok(Value::Bool(order(args)?.is_gt()))),
    Function::new("GreaterThanEqual", &[VERSION], |_, args| Ok(Value::Bool(order(args)?.is_ge()))),
    Function::new("Equal", &[VERSION], |_, args| Ok(Value::Bool(order(args)?.is_eq()))),
];

fn receiver(args: &[Value], index: usize) -> Result<&Version, Failure> {
    args.get(index).and_then(downcast).ok_or_else(|| "not a version".into())
}

fn order(args: &[Value]) -> Result<Ordering, Failure> {
    Ok(receiver(args, 0)?.compare(receiver(args, 1)?))
}

fn next(_: &mut Exec<'_>, args: &[Value], index: usize) -> Result<Value, Failure> {
    Ok(Value::Object(Rc::new(receiver(args, 0)?.next(index))))
}

/// A constraint such as `>=1.2 <2 || ~3.1`.
#[derive(Debug)]
pub struct Constraint(Vec<Vec<Bound>>);

#[derive(Debug)]
struct Bound {
    operator: &'static str,
    version: Version,
    /// How many of the three numbers are given.
    given: usize,
}

const OPERATORS: [&str; 11] = ["!=", ">=", "=>", "<=", "=<", "~>", "=", ">", "<", "~", "^"];

impl Constraint {
    /// Reads a constraint; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 512 {
            return None;
        }
        let any: Vec<&str> = text.split("||").collect();
        if any.len() > 32 {
            return None;
        }
        any.into_iter().map(parse_all).collect::<Option<Vec<_>>>().map(Self)
    }

    /// Reports whether a version fits. A prerelease fits only where the constraint names one.
    pub fn allows(&self, version: &Version) -> bool {
        self.0.iter().any(|all| {
            let names_prerelease = all.iter().any(|bound| !bound.version.prerelease.is_empty());
            (version.prerelease.is_empty() || names_prerelease)
                && all.iter().all(|bound| bound.allows(version))
        })
    }
}

/// Reads bounds that must all hold, separated by blanks or a comma; `1.2 - 3.4` is a range.
fn parse_all(text: &str) -> Option<Vec<Bound>> {
    let mut bounds: Vec<Bound> = Vec::new();
    let mut rest = text.trim_start();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (bound, after) = Bound::parse(rest)?;
        rest = after;
        let trimmed = rest.trim_start();
        if let Some(high) = trimmed.strip_prefix('-').filter(|high| {
            bound.operator.is_empty()
                && trimmed.len() < rest.len()
                && high.starts_with(char::is_whitespace)
        }) {
            let (high, after) = Bound::parse(high.trim_start())?;
            if !high.operator.is_empty() {
                return None;
            }
            bounds.push(Bound { operator: ">=", ..bound });
            bounds.push(Bound { operator: "<=", ..high });
            rest = after;
        } else {
            bounds.push(bound);
        }
        let next = rest.trim_start();
        let separated = next.len() < rest.len();
        rest = match next.strip_prefix(',') {
            Some(next) => {
                let next = next.trim_start();
                if next.is_empty() {
                    return None;
                }
                next
            }
            None if separated || next.is_empty() => next,
            None => return None,
        };
    }
    Some(bounds)
}

impl Bound {
    fn parse(text: &str) -> Option<(Self, &str)> {
        let operator =
            OPERATORS.iter().copied().find(|operator| text.starts_with(operator)).unwrap_or("");
        let rest = text[operator.len()..].trim_start();
        let body = rest.strip_prefix('v').unwrap_or(rest);
        let end = body
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, 'x' | 'X' | '*' | '.')))
            .unwrap_or(body.len());
        let (core, tail) = body.split_at(end);
        let end = tail
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.')))
            .unwrap_or(tail.len());
        let (extra, after) = tail.split_at(end);
        if !(extra.is_empty() || extra.starts_with(['-', '+'])) {
            return None;
        }
        let parts: Vec<&str> = core.split('.').collect();
        if parts.len() > 3 || parts.iter().any(|part| part.is_empty()) {
            return None;
        }
        let given =
            parts.iter().position(|part| matches!(*part, "x" | "X" | "*")).unwrap_or(parts.len());
        let mut numbers: Vec<&str> = parts[..given].to_vec();
        numbers.resize(3, "0");
        let version = Version::parse(&format!("{}{extra}", numbers.join(".")))?;
        Some((Self { operator, version, given }, after))
    }

    /// Reports whether a number is left open.
    fn is_partial(&self) -> bool {
        self.given < 3
    }

    /// Reports whether only the major number is given. A bare `*` does not count.
    fn opens_minor(&self) -> bool {
        self.given == 1
    }

    /// Reports whether only major and minor number are given.
    fn opens_patch(&self) -> bool {
        self.given == 2
    }

    fn allows(&self, version: &Version) -> bool {
        let order = version.compare(&self.version);
        match self.operator {
            "" | "=" if !self.is_partial() => order.is_eq(),
            "" | "=" | "~" | "~>" => order.is_ge() && self.tilde(version),
            "!=" => self.differs(version),
            ">" => self.is_below(version),
            "<" => order.is_lt(),
            ">=" | "=>" => order.is_ge(),
            "<=" | "=<" => self.is_at_least(version),
            "^" => order.is_ge() && self.caret(version),
            _ => false,
        }
    }

    fn differs(&self, version: &Version) -> bool {
        let ([major, minor, patch], [own_major, own_minor, own_patch]) =
            (version.numbers, self.version.numbers);
        if !self.is_partial() {
            return version.compare(&self.version).is_ne();
        }
        if major != own_major || (minor != own_minor && !self.opens_minor()) {
            return true;
        }
        if self.opens_minor() {
            return false;
        }
        if self.opens_patch() {
            return compare_prerelease(&version.prerelease, &self.version.prerelease).is_ne();
        }
        patch != own_patch || version.compare(&self.version).is_ne()
    }

    fn is_below(&self, version: &Version) -> bool {
        let ([major, minor, _], [own_major, own_minor, _]) =
            (version.numbers, self.version.numbers);
        match major.cmp(&own_major) {
            Ordering::Greater if self.is_partial() => true,
            Ordering::Less if self.is_partial() => false,
            _ if self.opens_minor() => false,
            _ if self.opens_patch() => minor > own_minor,
            _ => version.compare(&self.version).is_gt(),
        }
    }

    fn is_at_least(&self, version: &Version) -> bool {
        if !self.is_partial() {
            return version.compare(&self.version).is_le();
        }
        let ([major, minor, _], [own_major, own_minor, _]) =
            (version.numbers, self.version.numbers);
        major <= own_major && !(major == own_major && minor > own_minor && !self.opens_minor())
    }

    fn tilde(&self, version: &Version) -> bool {
        // `*` and `0.0.0` take everything.
        if self.version.numbers == [0, 0, 0] && !self.opens_minor() && !self.opens_patch() {
            return true;
        }
        version.numbers[0] == self.version.numbers[0]
            && (version.numbers[1] == self.version.numbers[1] || self.opens_minor())
    }

    fn caret(&self, version: &Version) -> bool {
        let ([major, minor, patch], [own_major, own_minor, own_patch]) =
            (version.numbers, self.version.numbers);
        if own_major > 0 || self.opens_minor() {
            return major == own_major;
        }
        if major > 0 {
            return false;
        }
        if own_minor > 0 || self.opens_patch() {
            return minor == own_minor;
        }
        minor == 0 && patch == own_patch
    }
}
