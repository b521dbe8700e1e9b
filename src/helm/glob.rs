//! The two kinds of patterns that Helm uses: those of `.Files.Glob` and those of `.helmignore`.

/// A pattern of `.Files.Glob`: `*` and `?` stop at `/`, `**` does not, `[a-z]`, `{a,b}`.
///
/// Source of the rules: the library `gobwas/glob` with the separator `/`.
#[derive(Debug)]
pub struct Glob(Vec<Part>);

#[derive(Debug)]
enum Part {
    Char(char),
    /// One character that is no separator.
    One,
    /// Any characters that are no separators.
    Star,
    /// Any characters.
    All,
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
    Either(Vec<Glob>),
}

impl Glob {
    /// Reads a pattern; `None` when it is none.
    pub fn new(pattern: &str) -> Option<Self> {
        let chars: Vec<char> = pattern.chars().collect();
        let mut reader = Reader { chars: &chars, pos: 0, depth: 0 };
        let parts = reader.parts()?;
        (reader.pos == chars.len()).then_some(Self(parts))
    }

    /// Reports whether the whole text matches.
    pub fn matches(&self, text: &str) -> bool {
        let chars: Vec<char> = text.chars().collect();
        // Positions that the parts so far can have come to: no pattern takes longer than its length times the text's.
        self.ends(&chars, &[0]).contains(&chars.len())
    }

    fn ends(&self, text: &[char], starts: &[usize]) -> Vec<usize> {
        let mut at = starts.to_vec();
        for part in &self.0 {
            at = part.ends(text, &at);
            at.sort_unstable();
            at.dedup();
        }
        at
    }
}

impl Part {
    fn ends(&self, text: &[char], starts: &[usize]) -> Vec<usize> {
        let one = |accept: &dyn Fn(char) -> bool| {
            starts
                .iter()
                .filter(|at| text.get(**at).is_some_and(|c| accept(*c)))
                .map(|at| at + 1)
                .collect()
        };
        match self {
            Self::Char(c) => one(&|found| found == *c),
            Self::One => one(&|found| found != '/'),
            Self::Class { negated, ranges } => one(&|found| {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&found)) != *negated
            }),
            Self::Star => {
                let run = |at: usize| text[at..].iter().take_while(|c| **c != '/').count();
                starts.iter().flat_map(|at| *at..=*at + run(*at)).collect()
            }
            Self::All => {
                starts.first().map_or_else(Vec::new, |first| (*first..=text.len()).collect())
            }
            Self::Either(globs) => globs.iter().flat_map(|glob| glob.ends(text, starts)).collect(),
        }
    }
}

struct Reader<'a> {
    chars: &'a [char],
    pos: usize,
    depth: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.chars.get(self.pos).copied();
        self.pos += usize::from(c.is_some());
        c
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.pos).copied()
    }

    fn parts(&mut self) -> Option<Vec<Part>> {
        let mut parts = Vec::new();
        while let Some(c) = self.peek() {
            if self.depth > 0 && matches!(c, ',' | '}') {
                break;
            }
            self.next();
            parts.push(match c {
                '*' if self.peek() == Some('*') => {
                    while self.peek() == Some('*') {
                        self.next();
                    }
                    Part::All
                }
                '*' => Part::Star,
                '?' => Part::One,
                '[' => self.class()?,
                '{' => self.either()?,
                '\\' => Part::Char(self.next()?),
                ']' | '}' if self.depth == 0 && c == ']' => return None,
                _ => Part::Char(c),
            });
        }
        Some(parts)
    }

    fn class(&mut self) -> Option<Part> {
        let negated = self.peek() == Some('!');
        if negated {
            self.next();
        }
        let mut ranges = Vec::new();
        loop {
            match self.next()? {
                ']' if !ranges.is_empty() => return Some(Part::Class { negated, ranges }),
                ']' => return None,
                c => {
                    let low = if c == '\\' { self.next()? } else { c };
                    let is_range =
                        self.peek() == Some('-') && self.chars.get(self.pos + 1) != Some(&']');
                    let high = if is_range {
                        self.next();
                        self.next()?
                    } else {
                        low
                    };
                    if high < low {
                        return None;
                    }
                    ranges.push((low, high));
                }
            }
        }
    }

    fn either(&mut self) -> Option<Part> {
        self.depth += 1;
        if self.depth > 16 {
            return None;
        }
        let mut globs = Vec::new();
        loop {
            globs.push(Glob(self.parts()?));
            if self.next()? != ',' {
                self.depth -= 1;
                return Some(Part::Either(globs));
            }
        }
    }
}

/// Matches a name against a pattern of `.helmignore`: `*` and `?` stop at `/`, `[^a-z]`, `\` escapes.
///
/// `None` when the pattern is none. Source of the rules: Go's `path/filepath.Match`.
pub fn match_path(pattern: &str, name: &str) -> Option<bool> {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let mut at = vec![0];
    let mut pos = 0;
    while let Some(c) = pattern.get(pos) {
        pos += 1;
        let part = match c {
            '*' => Part::Star,
            '?' => Part::One,
            '[' => path_class(&pattern, &mut pos)?,
            '\\' => {
                let c = pattern.get(pos)?;
                pos += 1;
                Part::Char(*c)
            }
            c => Part::Char(*c),
        };
        at = part.ends(&name, &at);
        at.sort_unstable();
        at.dedup();
    }
    Some(at.contains(&name.len()))
}

fn path_class(pattern: &[char], pos: &mut usize) -> Option<Part> {
    let negated = pattern.get(*pos) == Some(&'^');
    *pos += usize::from(negated);
    let mut ranges = Vec::new();
    loop {
        if pattern.get(*pos) == Some(&']') && !ranges.is_empty() {
            *pos += 1;
            return Some(Part::Class { negated, ranges });
        }
        let low = class_char(pattern, pos)?;
        let mut high = low;
        if pattern.get(*pos) == Some(&'-') {
            *pos += 1;
            high = class_char(pattern, pos)?;
        }
        ranges.push((low, high));
    }
}

fn class_char(pattern: &[char], pos: &mut usize) -> Option<char> {
    let mut c = *pattern.get(*pos)?;
    *pos += 1;
    match c {
        '-' | ']' => return None,
        '\\' => {
            c = *pattern.get(*pos)?;
            *pos += 1;
        }
        _ => {}
    }
    Some(c)
}
