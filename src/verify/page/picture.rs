//! A picture as shapes with places: what the template draws as SVG.

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use crate::diff::visible;

/// A picture. Units are CSS pixels, the origin is at the top left.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Picture {
    /// Width.
    pub width: i32,
    /// Height.
    pub height: i32,
    /// What is drawn, the first below.
    pub shapes: Vec<Shape>,
}

/// Something in a picture. `class` names its look in the style sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "shape", rename_all = "camelCase")]
pub enum Shape {
    /// A rectangle with round corners.
    #[allow(missing_docs, reason = "they are what they are called")]
    Box { class: &'static str, x: i32, y: i32, width: i32, height: i32, radius: i32 },
    /// A line along points, its corners round.
    Line {
        /// Its look.
        class: &'static str,
        /// SVG path data.
        path: String,
    },
    /// One line of text.
    Text {
        /// Its look.
        class: &'static str,
        /// Where it is anchored.
        x: i32,
        /// Its base line.
        y: i32,
        /// `start`, `middle` or `end`.
        anchor: Anchor,
        /// What fits.
        text: String,
        /// All of it, where that is more.
        full: Option<String>,
    },
    /// One of the page's symbols: `g-passed`, `g-gateway`, …
    Glyph {
        /// Its look.
        class: &'static str,
        /// Which.
        symbol: &'static str,
        /// Left edge.
        x: i32,
        /// Upper edge.
        y: i32,
        /// Width and height.
        size: i32,
    },
}

/// The end of a text that stays where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Anchor {
    /// Its beginning.
    Start,
    /// Its end.
    End,
}

impl Shape {
    /// A text that keeps within `room` pixels, cut at its end if it is longer.
    pub fn text(
        class: &'static str,
        (x, y): (i32, i32),
        anchor: Anchor,
        text: &str,
        (size, room): (i32, i32),
    ) -> Self {
        let text = visible(text);
        let cut = fit(&text, size, room);
        let full = (cut != text).then_some(text);
        Shape::Text { class, x, y, anchor, text: cut, full }
    }

    /// A line along points, with corners of this radius where it turns.
    pub fn line(class: &'static str, points: &[(i32, i32)], radius: i32) -> Self {
        let mut path = String::new();
        for (at, &(x, y)) in points.iter().enumerate() {
            let before = at.checked_sub(1).map(|before| points[before]);
            match (before, points.get(at + 1)) {
                (None, _) => path.push_str(&format!("M{x} {y}")),
                (Some(_), None) => path.push_str(&format!("L{x} {y}")),
                (Some(before), Some(&after)) => {
                    let (ax, ay) = towards((x, y), before, radius);
                    let (bx, by) = towards((x, y), after, radius);
                    path.push_str(&format!("L{ax} {ay}Q{x} {y} {bx} {by}"));
                }
            }
        }
        Shape::Line { class, path }
    }

    /// The rectangle that it covers; of a line, nothing.
    pub fn bounds(&self) -> Option<(i32, i32, i32, i32)> {
        match self {
            Shape::Box { x, y, width, height, .. } => Some((*x, *y, x + width, y + height)),
            Shape::Glyph { x, y, size, .. } => Some((*x, *y, x + size, y + size)),
            Shape::Text { x, y, anchor, text, class, .. } => {
                let size = if class.starts_with("name") { 14 } else { 12 };
                let wide = width(text, size);
                let left = if *anchor == Anchor::Start { *x } else { x - wide };
                Some((left, y - size, left + wide, y + 3))
            }
            Shape::Line { .. } => None,
        }
    }
}

/// A point on the way from one to another, at most half of it away.
fn towards(from: (i32, i32), to: (i32, i32), radius: i32) -> (i32, i32) {
    let step = |from: i32, to: i32| {
        let way = to - from;
        from + way.signum() * radius.min(way.abs() / 2)
    };
    (step(from.0, to.0), step(from.1, to.1))
}

/// How wide a text is at most, in the fonts that systems bring: letters are taken for wider than
/// they mostly are, since nothing can be measured here.
pub fn width(text: &str, size: i32) -> i32 {
    let columns = i32::try_from(text.width()).unwrap_or(i32::MAX / 1000);
    columns * size * 58 / 100
}

/// The text, or as much of it as has room, with `…` at the end.
pub fn fit(text: &str, size: i32, room: i32) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let mut cut = String::new();
    for character in text.chars() {
        cut.push(character);
        if width(&cut, size) + size > room {
            cut.pop();
            break;
        }
    }
    format!("{}…", cut.trim_end())
}
