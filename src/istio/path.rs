//! Paths in istioctl's grammar: `a.b`, `a\.b`, `list[0]`, `list.[name:x]`.
//!
//! Source of the rules: `operator/pkg/values/map.go`, `operator/pkg/util/path.go`, and Go's `path/filepath.Clean`, which
//! istioctl sends every path through.

/// A segment of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// A key of a map.
    Key(&'a str),
    /// `[N]`
    Index(i64),
    /// `[key:value]`
    Item(&'a str, &'a str),
}

impl<'a> Step<'a> {
    /// Reads a segment as `--set` does.
    pub(super) fn of(segment: &'a str) -> Self {
        let Some(inner) = brackets(segment) else { return Self::Key(segment) };
        if let Some(index) = integer(inner) {
            return Self::Index(index);
        }
        match inner.split_once(':') {
            Some((key, value)) => Self::Item(key, value),
            None => Self::Key(segment),
        }
    }
}

/// What stands between `[` and `]`.
pub(super) fn brackets(segment: &str) -> Option<&str> {
    if segment.len() < 2 {
        return None;
    }
    segment.strip_prefix('[')?.strip_suffix(']')
}

/// Reads a number as Go's `Atoi` does.
pub(super) fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.strip_prefix('+').unwrap_or(text).parse().ok()
}

/// Splits a path into its segments; `node[expr]` gives two.
pub(super) fn split(path: &str) -> Vec<String> {
    let path = clean(path);
    let path = path.strip_prefix('.').unwrap_or(&path);
    let path = path.strip_suffix('.').unwrap_or(path);
    let mut segments = Vec::new();
    for part in split_escaped(path, '.').into_iter().filter(|part| !part.is_empty()) {
        let part = part.replace("\\.", ".");
        match part.find('[') {
            Some(at) if at > 0 => {
                segments.push(part[..at].to_owned());
                segments.push(part[at..].to_owned());
            }
            _ => segments.push(part),
        }
    }
    segments
}

/// Splits at a character that no backslash stands before.
pub(super) fn split_escaped(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut before) = (0, None);
    for (at, character) in text.char_indices() {
        if character == separator && before != Some('\\') {
            parts.push(&text[start..at]);
            start = at + separator.len_utf8();
        }
        before = Some(character);
    }
    if !text.is_empty() {
        parts.push(&text[start..]);
    }
    parts
}

/// The shortest path that is lexically the same: Go's `filepath.Clean` on Unix.
fn clean(path: &str) -> String {
    let is_rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            ".." if is_rooted => {}
            _ => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (is_rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::{clean, split};

    #[test]
    fn paths_are_cleaned_as_go_does() {
        let cases = [
            ("", "."),
            ("a//b", "a/b"),
            ("a/../b", "b"),
            ("../a", "../a"),
            ("/../a/", "/a"),
            ("a/..", "."),
            ("a/./b/", "a/b"),
        ];
        for (path, expected) in cases {
            assert_eq!(clean(path), expected, "{path:?}");
        }
    }

    #[test]
    fn segments_follow_dots_and_brackets() {
        let cases: [(&str, &[&str]); 6] = [
            ("a.b", &["a", "b"]),
            (".a..b.", &["a", "b"]),
            (r"a\.b.c", &["a.b", "c"]),
            ("list[0].x", &["list", "[0]", "x"]),
            ("list.[name:x]", &["list", "[name:x]"]),
            (r"a.io/b\.c", &["a", "io/b.c"]),
        ];
        for (path, expected) in cases {
            assert_eq!(split(path), expected, "{path:?}");
        }
    }
}
