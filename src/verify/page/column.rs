//! A column of a picture: regions, networks and clusters under each other.

use std::ops::Range;

use super::glyph::symbol;
use super::model::Cluster;
use super::order::{BELOW, GAP, Gateway, NETWORK, Order, PLACE, Part, facts};
use super::picture::{Anchor, Shape, width};
use crate::verify::Status;

/// Room on the left of a column, for the bus of traffic.
const LEFT: i32 = 26;
/// Room on its right, for the bus of discovery.
const RIGHT: i32 = 24;
/// Between the edges of a region and what is in it.
const PAD: i32 = 10;
/// From the edge of a network to its texts.
const INSET: i32 = 14;
/// From there to texts that stand behind a glyph.
const BEHIND: i32 = 20;
/// Size of texts, names apart.
const SMALL: i32 = 12;
/// Size of the names of clusters.
const NAME: i32 = 14;

/// What stands in a column, from its top.
#[derive(Default)]
pub struct Column {
    /// Its left edge.
    pub x: i32,
    /// Its width, room for the buses included.
    pub width: i32,
    /// Its height.
    pub height: i32,
    /// What is drawn.
    pub shapes: Vec<Shape>,
    /// Where gateways touch the bus of traffic: the box's left edge, and how high.
    pub gateways: Vec<(i32, i32)>,
    /// Where clusters touch that of discovery: the box's right edge, how high, whether all peers
    /// read it.
    pub readers: Vec<(i32, i32, bool)>,
}

impl Column {
    /// The parts of a range under each other, from the top.
    pub fn of(order: &Order<'_>, range: Range<usize>, x: i32, wide: i32) -> Self {
        let mut column = Self { x, width: wide, ..Self::default() };
        let left = if order.has_gateways { x + LEFT } else { x };
        let inner = (left, x + wide - if order.has_peers { RIGHT } else { 2 });
        let parts = &order.parts[range];
        for place in parts.chunk_by(|one, other| one.place == other.place) {
            column.place(order, place, inner);
        }
        column.height = (column.height - GAP).max(0);
        column
    }

    /// A region, with the networks that stand in it.
    fn place(&mut self, order: &Order<'_>, parts: &[Part<'_>], (left, right): (i32, i32)) {
        let networks = parts.chunk_by(|one, other| one.network == other.network);
        let Some(place) = parts.first().and_then(|part| part.place.as_deref()) else {
            networks.for_each(|network| self.network(order, network, (left, right)));
            return;
        };
        let (top, at) = (self.height, self.shapes.len());
        let room = right - left - 2 * PAD;
        self.say("place", (left + PAD, top + 19), Anchor::Start, place, room);
        self.height += PLACE;
        networks.for_each(|network| self.network(order, network, (left + PAD, right - PAD)));
        // the gap after the last network is the region's padding
        let (x, width, height) = (left, right - left, self.height - top);
        self.shapes.insert(at, Shape::Box { class: "region", x, y: top, width, height, radius: 8 });
        self.height += BELOW;
    }

    /// A network, or as much of it as stands in this column.
    fn network(&mut self, order: &Order<'_>, parts: &[Part<'_>], (left, right): (i32, i32)) {
        let Some(first) = parts.first() else { return };
        let (top, at) = (self.height, self.shapes.len());
        self.height += order.padding();
        if first.of > 1 {
            self.head(order, first, (left, right));
        }
        for cluster in parts.iter().flat_map(|part| &part.clusters) {
            self.cluster(order, cluster, (left, right));
        }
        if first.of == 1 {
            self.foot(order, first, (left, right));
        }
        self.height += order.padding();
        let (width, height) = (right - left, self.height - top);
        let network = Shape::Box { class: "network", x: left, y: top, width, height, radius: 6 };
        self.shapes.insert(at, network);
        self.height += GAP;
    }

    /// The line above the clusters of a network that has several.
    fn head(&mut self, order: &Order<'_>, part: &Part<'_>, (left, right): (i32, i32)) {
        let y = self.height;
        let more = if part.begins { "" } else { ", continued" };
        let label = format!("network {}{more}", part.network);
        let gateway = order.gateway(part.network).filter(|_| part.begins);
        let words = gateway.map_or("", |gateway| &gateway.words);
        let (own, others) = share(&label, words, right - left - 2 * INSET - 8);
        self.say("soft", (left + INSET, y + 13), Anchor::Start, &label, own);
        self.gateway(gateway, (left, y + 9), (right - INSET, Anchor::End), others);
        self.height += NETWORK;
    }

    /// The line below the only cluster of a network. In a compact picture there is none.
    fn foot(&mut self, order: &Order<'_>, part: &Part<'_>, (left, right): (i32, i32)) {
        let gateway = order.gateway(part.network);
        let (_, line) = order.lines();
        let y = self.height;
        if line == 0 {
            let stands = gateway.is_some_and(|gateway| gateway.stands);
            self.gateways.extend(stands.then_some((left, y - 11)));
            return;
        }
        let label = format!("network {}", part.network);
        let begin = left + INSET + BEHIND;
        let words = gateway.map_or("", |gateway| &gateway.words);
        let (own, others) = share(words, &label, right - INSET - begin - 8);
        self.gateway(gateway, (left, y + 9), (begin, Anchor::Start), own);
        let (x, anchor) = match gateway {
            Some(_) => (right - INSET, Anchor::End),
            None => (begin, Anchor::Start),
        };
        self.say("soft", (x, y + 13), anchor, &label, others);
        self.height += line;
    }

    /// The words about a network's gateway, and the place where the bus meets it.
    fn gateway(
        &mut self,
        gateway: Option<&Gateway>,
        edge: (i32, i32),
        (x, anchor): (i32, Anchor),
        room: i32,
    ) {
        let Some(gateway) = gateway else { return };
        self.gateways.extend(gateway.stands.then_some(edge));
        let class = if gateway.stands { "address" } else { "soft" };
        self.say(class, (x, edge.1 + 4), anchor, &gateway.words, room);
    }

    /// A cluster: how it stands, its name, and what is known of it.
    fn cluster(&mut self, order: &Order<'_>, cluster: &Cluster, (left, right): (i32, i32)) {
        let y = self.height;
        let standing = order.standing(&cluster.name);
        let (symbol, class, words_class) = symbol(standing.status);
        let is_plain = order.compact && standing.status == Status::Passed;
        let words = if is_plain { "" } else { &standing.words };
        let begin = left + INSET + BEHIND;
        let room = right - INSET - begin;
        let (name, said) = share_sized((&cluster.name, NAME), (words, SMALL), room - 8);
        self.shapes.push(Shape::Glyph { class, symbol, x: left + INSET, y: y + 2, size: 14 });
        let at = (begin, y + 14);
        self.shapes.push(Shape::text("name", at, Anchor::Start, &cluster.name, (NAME, name)));
        self.say(words_class, (right - INSET, y + 14), Anchor::End, words, said);
        if order.has_peers {
            self.readers.push((right, y + 9, order.is_read(&cluster.name)));
        }
        let (line, more) = order.lines();
        self.height += line;
        if more > 0 {
            let text = facts(order.page, cluster, room);
            self.say("facts", (begin, self.height + 11), Anchor::Start, &text, room);
            self.height += more;
        }
    }

    fn say(&mut self, class: &'static str, at: (i32, i32), anchor: Anchor, text: &str, room: i32) {
        self.shapes.push(Shape::text(class, at, anchor, text, (SMALL, room)));
    }
}

/// The room of two texts on one line, see [`share_sized`].
fn share(one: &str, other: &str, room: i32) -> (i32, i32) {
    share_sized((one, SMALL), (other, SMALL), room)
}

/// The room of two texts on one line: each gets what it needs, and where that is too much, the one
/// that needs more than half gets what the other leaves, but not less than half.
fn share_sized(one: (&str, i32), other: (&str, i32), room: i32) -> (i32, i32) {
    let (one, other) = (width(one.0, one.1), width(other.0, other.1));
    if one + other <= room {
        return (one, other);
    }
    let half = room / 2;
    (one.min(half.max(room - other)), other.min(half.max(room - one)))
}
