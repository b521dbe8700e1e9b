//! Lays the picture of a mesh out.
//!
//! Clusters stand in boxes of their networks, and those in boxes of their regions, in columns that are
//! read from top to bottom. Two buses join them, and no line crosses another: what carries traffic
//! runs along the top and down the left of each column to the gateways; what carries discovery runs
//! along the bottom and up the right of each column to the clusters. So a picture grows with the
//! clusters, not with their pairs.

use super::column::Column;
use super::model::Page;
use super::order::{Order, spread};
use super::picture::{Anchor, Picture, Shape};

/// No column is wider.
const WIDEST: i32 = 440;
/// The bus at the top with its words, and that at the bottom.
const TRUNK: i32 = 38;

/// Lays the picture out in at most `width` pixels.
pub fn lay(page: &Page, width: i32) -> Picture {
    let mesh = Order::of(page);
    let most = match page.clusters.len() {
        0..=24 => 3,
        _ => 4,
    };
    let columns = (width / 270).clamp(1, most).min(as_i32(mesh.parts.len()).max(1));
    let wide = (width / columns).min(WIDEST);
    let parts = mesh.parts.len();
    let ranges = spread(parts, usize::try_from(columns).unwrap_or(1), |range| mesh.height(range));
    let mut draft = Draft { top: if mesh.has_gateways { TRUNK } else { 0 }, ..Draft::default() };
    for (at, range) in ranges.iter().enumerate() {
        let column = Column::of(&mesh, range.clone(), as_i32(at) * wide, wide);
        debug_assert_eq!(column.height, mesh.height(range.clone()), "what was measured is drawn");
        draft.place(column);
    }
    draft.finish(&mesh, as_i32(ranges.len()) * wide)
}

fn as_i32(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// A picture while columns come into it.
#[derive(Default)]
struct Draft {
    top: i32,
    bottom: i32,
    shapes: Vec<Shape>,
    lines: Vec<Shape>,
    columns: Vec<Column>,
}

impl Draft {
    fn place(&mut self, mut column: Column) {
        self.bottom = self.bottom.max(self.top + column.height);
        for mut shape in column.shapes.drain(..) {
            match &mut shape {
                Shape::Box { y, .. } | Shape::Text { y, .. } | Shape::Glyph { y, .. } => {
                    *y += self.top;
                }
                Shape::Line { .. } => {}
            }
            self.shapes.push(shape);
        }
        self.columns.push(column);
    }

    fn finish(mut self, order: &Order<'_>, width: i32) -> Picture {
        let columns = std::mem::take(&mut self.columns);
        if order.has_gateways {
            self.traffic(&columns, width);
        }
        let mut height = self.bottom + 2;
        if order.has_peers {
            height = self.discovery(&columns, width);
        }
        self.lines.extend(self.shapes);
        Picture { width, height, shapes: self.lines }
    }

    /// The bus at the top, down the left of each column, to the gateways.
    fn traffic(&mut self, columns: &[Column], width: i32) {
        let high = TRUNK - 12;
        let first = columns.first().map_or(0, |column| column.x + 2);
        for column in columns {
            let x = column.x + 2;
            for (edge, y) in &column.gateways {
                let y = y + self.top;
                let points = [(first, high), (x, high), (x, y), (*edge, y)];
                let begin = usize::from(x == first);
                self.lines.push(Shape::line("traffic", &points[begin..], 8));
                let (symbol, x, y) = ("g-gateway", edge - 9, y - 9);
                self.shapes.push(Shape::Glyph { class: "traffic", symbol, x, y, size: 18 });
            }
        }
        let words = "traffic between networks: mutual TLS through gateways, port 15443";
        let words = if width < 420 { "traffic: mutual TLS through gateways" } else { words };
        let at = (first - 1, high - 12);
        self.shapes.push(Shape::text("bus traffic", at, Anchor::Start, words, (12, width - 20)));
    }

    /// The bus at the bottom, up the right of each column, to the clusters; the picture's height.
    fn discovery(&mut self, columns: &[Column], width: i32) -> i32 {
        let low = self.bottom + 14;
        let rail = |column: &Column| column.x + column.width - 3;
        let last = columns.last().map_or(width, rail);
        for column in columns {
            let x = rail(column);
            for (edge, y, is_read) in &column.readers {
                let y = y + self.top;
                let points = [(last, low), (x, low), (x, y), (*edge, y)];
                let begin = usize::from(x == last);
                let look = if *is_read { "discovery" } else { "discovery open" };
                self.lines.push(Shape::line(look, &points[begin..], 8));
                let symbol = if *is_read { "g-read" } else { "g-unread" };
                let (x, y) = (edge - 5, y - 5);
                self.shapes.push(Shape::Glyph { class: "discovery", symbol, x, y, size: 10 });
            }
        }
        let words = "discovery: istiods read each other's API servers, by remote secrets";
        let words = if width < 420 { "discovery: by remote secrets" } else { words };
        let at = (last + 1, low + 19);
        self.shapes.push(Shape::text("bus discovery", at, Anchor::End, words, (12, width - 20)));
        low + 26
    }
}
