//! Lays the picture of a mesh out.
//!
//! Clusters stand in boxes of their networks, and those in boxes of their regions, in columns that are
//! read from top to bottom. Two buses join them, and no line crosses another: what carries traffic
//! runs along the top and down the left of each column to the gateways; what carries discovery runs
//! along the bottom and up the right of each column to the clusters. So a picture grows with the
//! clusters, not with their pairs.

use super::glyph::symbol;
use super::judge;
use super::model::{Cluster, Page};
use super::picture::{Anchor, Picture, Shape, width};
use crate::verify::Status;

/// Above this many clusters each gets a line instead of a few.
const COMPACT: usize = 16;
/// Networks of more clusters than this may go on in the next column.
const WHOLE: usize = 6;
/// No column is wider.
const WIDEST: i32 = 440;
/// Room on the left of a column, for the bus of traffic.
const LEFT: i32 = 26;
/// Room on its right, for the bus of discovery.
const RIGHT: i32 = 24;
/// Between the edges of a region and what is in it.
const PAD: i32 = 10;
/// Between boxes.
const GAP: i32 = 10;
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
    let heights = |range: std::ops::Range<usize>| mesh.column(range, 0, wide).height;
    let ranges = spread(parts, usize::try_from(columns).unwrap_or(1), heights);
    let mut draft = Draft { top: if mesh.has_gateways { TRUNK } else { 0 }, ..Draft::default() };
    for (at, range) in ranges.iter().enumerate() {
        draft.place(mesh.column(range.clone(), as_i32(at) * wide, wide));
    }
    draft.finish(&mesh, as_i32(ranges.len()) * wide)
}

fn as_i32(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// Cuts parts into at most `columns` runs so that the highest is as low as can be.
fn spread(
    parts: usize,
    columns: usize,
    height: impl Fn(std::ops::Range<usize>) -> i32,
) -> Vec<std::ops::Range<usize>> {
    let fill = |limit: i32| {
        let mut runs = Vec::new();
        let mut begin = 0;
        for end in 1..=parts {
            if end > begin + 1 && height(begin..end) > limit {
                runs.push(begin..end - 1);
                begin = end - 1;
            }
        }
        runs.push(begin..parts);
        runs
    };
    let (mut low, mut high) = (0, height(0..parts));
    while low < high {
        let middle = i32::midpoint(low, high);
        if fill(middle).len() <= columns { high = middle } else { low = middle + 1 }
    }
    fill(high)
}

/// A network, or one of its clusters where it is large: what stays in one column.
struct Part<'a> {
    place: Option<String>,
    network: &'a str,
    clusters: Vec<&'a Cluster>,
    /// How many clusters the network has in all.
    of: usize,
}

/// The clusters of a page in the order in which they are drawn.
struct Order<'a> {
    page: &'a Page,
    parts: Vec<Part<'a>>,
    compact: bool,
    has_gateways: bool,
    has_peers: bool,
}

impl<'a> Order<'a> {
    fn of(page: &'a Page) -> Self {
        let networks = page.networks();
        let mut parts: Vec<Part<'a>> = Vec::new();
        let mut places: Vec<Option<String>> = Vec::new();
        for (network, clusters) in &networks {
            let place = place(clusters);
            places.push(place.clone());
            let of = clusters.len();
            let size = if of > WHOLE { 1 } else { of };
            for clusters in clusters.chunks(size) {
                let clusters = clusters.to_vec();
                parts.push(Part { place: place.clone(), network, clusters, of });
            }
        }
        // networks of one region together, those without one last
        let first = |part: &Part<'_>| places.iter().position(|place| *place == part.place);
        parts.sort_by_key(|part| (part.place.is_none(), first(part)));
        Self {
            page,
            parts,
            compact: page.clusters.len() > COMPACT,
            has_gateways: networks.len() > 1,
            has_peers: page.clusters.len() > 1,
        }
    }

    /// The parts of a range under each other, from the top.
    fn column(&self, range: std::ops::Range<usize>, x: i32, wide: i32) -> Column {
        let mut column = Column { x, width: wide, ..Column::default() };
        let inner = (x + LEFT, x + wide - RIGHT);
        let mut rest = &self.parts[range];
        while let Some(first) = rest.first() {
            let run = rest.iter().take_while(|part| part.place == first.place).count();
            let (place, after) = rest.split_at(run);
            column.place(self, place, inner);
            rest = after;
        }
        column.height = (column.height - GAP).max(0);
        column
    }
}

/// The region of a network's clusters: all that they stand in, if it is known of each.
fn place(clusters: &[&Cluster]) -> Option<String> {
    let mut regions: Vec<&str> = Vec::new();
    for cluster in clusters {
        let region = cluster.region.as_deref()?;
        if !regions.contains(&region) {
            regions.push(region);
        }
    }
    Some(regions.join(", "))
}

/// What stands in a column, from its top.
#[derive(Default)]
struct Column {
    x: i32,
    width: i32,
    height: i32,
    shapes: Vec<Shape>,
    /// Where gateways touch the bus of traffic: the box's left edge, and how high.
    gateways: Vec<(i32, i32)>,
    /// Where clusters touch that of discovery: the box's right edge, how high, whether all peers
    /// read it.
    readers: Vec<(i32, i32, bool)>,
}

impl Column {
    fn place(&mut self, order: &Order<'_>, parts: &[Part<'_>], (left, right): (i32, i32)) {
        let Some(place) = parts.first().and_then(|part| part.place.as_deref()) else {
            self.networks(order, parts, (left, right));
            return;
        };
        let top = self.height;
        let at = self.shapes.len();
        let room = right - left - 2 * PAD;
        self.shapes.push(Shape::text(
            "place",
            (left + PAD, top + 19),
            Anchor::Start,
            place,
            (12, room),
        ));
        self.height += 28;
        self.networks(order, parts, (left + PAD, right - PAD));
        // the gap after the last network is the region's padding
        let height = self.height - top;
        let (x, width) = (left, right - left);
        self.shapes.insert(at, Shape::Box { class: "region", x, y: top, width, height, radius: 8 });
        self.height += GAP + 2;
    }

    fn networks(&mut self, order: &Order<'_>, parts: &[Part<'_>], edges: (i32, i32)) {
        let mut rest = parts;
        while let Some(first) = rest.first() {
            let run = rest.iter().take_while(|part| part.network == first.network).count();
            let (network, after) = rest.split_at(run);
            let clusters: Vec<&Cluster> =
                network.iter().flat_map(|part| part.clusters.iter().copied()).collect();
            self.network(order, first, &clusters, edges);
            self.height += GAP;
            rest = after;
        }
    }

    fn network(
        &mut self,
        order: &Order<'_>,
        part: &Part<'_>,
        clusters: &[&Cluster],
        (left, right): (i32, i32),
    ) {
        let (top, at) = (self.height, self.shapes.len());
        let pad = if order.compact { 5 } else { 8 };
        self.height += pad;
        let own: Vec<&Cluster> =
            order.page.clusters.iter().filter(|one| one.network == part.network).collect();
        let gateway = Gateway::of(order, &own);
        if part.of > 1 {
            let y = self.height;
            let label = format!("network {}", part.network);
            let begins = own.first().is_some_and(|first| clusters.first() == Some(first));
            let label = if begins { label } else { format!("{label}, continued") };
            let room = right - left - 36;
            let words = gateway.as_ref().filter(|_| begins).map_or("", |gateway| &gateway.words);
            let (label_room, room) = share(&label, words, room);
            self.shapes.push(Shape::text(
                "soft",
                (left + 14, y + 13),
                Anchor::Start,
                &label,
                (12, label_room),
            ));
            if begins {
                self.gateway(&gateway, (left, y + 9), (right, Anchor::End), room);
            }
            self.height += 20;
        }
        for cluster in clusters {
            self.cluster(order, cluster, (left, right));
            if part.of == 1 && !order.compact {
                let y = self.height;
                let network = format!("network {}", cluster.network);
                let room = right - left - 56;
                if let Some(Gateway { words, .. }) = &gateway {
                    let (own, others) = share(words, &network, room);
                    self.gateway(&gateway, (left, y + 9), (left + 34, Anchor::Start), own);
                    self.shapes.push(Shape::text(
                        "soft",
                        (right - 14, y + 13),
                        Anchor::End,
                        &network,
                        (12, others),
                    ));
                } else {
                    self.shapes.push(Shape::text(
                        "soft",
                        (left + 34, y + 13),
                        Anchor::Start,
                        &network,
                        (12, room),
                    ));
                }
                self.height += 18;
            } else if part.of == 1 && gateway.as_ref().is_some_and(|gateway| gateway.stands) {
                self.gateways.push((left, self.height - 12));
            }
        }
        self.height += pad;
        let (width, height) = (right - left, self.height - top);
        let r#box = Shape::Box { class: "network", x: left, y: top, width, height, radius: 6 };
        self.shapes.insert(at, r#box);
    }

    /// The words about a network's gateway, and the place where the bus meets it.
    fn gateway(
        &mut self,
        gateway: &Option<Gateway>,
        (left, y): (i32, i32),
        (x, anchor): (i32, Anchor),
        room: i32,
    ) {
        let Some(gateway) = gateway else { return };
        if gateway.stands {
            self.gateways.push((left, y));
        }
        let class = if gateway.stands { "address" } else { "soft" };
        let x = if anchor == Anchor::End { x - 14 } else { x };
        self.shapes.push(Shape::text(class, (x, y + 4), anchor, &gateway.words, (12, room)));
    }

    fn cluster(&mut self, order: &Order<'_>, cluster: &Cluster, (left, right): (i32, i32)) {
        let y = self.height;
        let standing = judge::cluster(order.page, cluster);
        let words = match (&standing.status, order.compact) {
            (Status::Passed, true) => "",
            _ => standing.words.as_str(),
        };
        let room = right - left - 48;
        let (_, said) = share(&"m".repeat(cluster.name.len() + 1), words, room - 8);
        let status = symbol(standing.status);
        self.shapes.push(Shape::Glyph {
            class: status.1,
            symbol: status.0,
            x: left + 14,
            y: y + 2,
            size: 14,
        });
        let name = (14, room - said - 8);
        self.shapes.push(Shape::text(
            "name",
            (left + 34, y + 14),
            Anchor::Start,
            &cluster.name,
            name,
        ));
        let class = status.2;
        self.shapes.push(Shape::text(
            class,
            (right - 14, y + 14),
            Anchor::End,
            words,
            (12, said + 1),
        ));
        if order.has_peers {
            let name = &cluster.name;
            let is_read =
                order.page.clusters.iter().filter(|other| other.name != *name).all(|other| {
                    other.reads.iter().any(|read| read.cluster == *name && read.needs.is_empty())
                });
            self.readers.push((right, y + 9, is_read));
        }
        self.height += if order.compact { 20 } else { 22 };
        if !order.compact {
            let y = self.height;
            self.shapes.push(Shape::text(
                "facts",
                (left + 34, y + 11),
                Anchor::Start,
                &facts(order.page, cluster, room),
                (12, room),
            ));
            self.height += 18;
        }
    }
}

/// The room of two texts on one line: each gets what it needs, and where that is too much, the one
/// that needs more than half gets what the other leaves, but not less than half.
fn share(one: &str, other: &str, room: i32) -> (i32, i32) {
    let (one, other) = (width(one, 12), width(other, 12));
    if one + other <= room {
        return (one, other);
    }
    let half = room / 2;
    (one.min(half.max(room - other)), other.min(half.max(room - one)))
}

/// What is known of a cluster, as much as has room.
fn facts(page: &Page, cluster: &Cluster, room: i32) -> String {
    let mut all = Vec::new();
    all.extend(cluster.istio.as_ref().map(|version| format!("Istio {version}")));
    if let Some(state) = cluster.seen() {
        all.extend(state.generation.map(|number| format!("generation {number}")));
    }
    let own = page.certificates.iter().find(|row| row.of.is_empty() && row.name == cluster.name);
    all.extend(own.map(|row| match row.validity.as_str() {
        "valid" => format!("CA {}", judge::count_days(row.days_left)),
        other => format!("CA {other}"),
    }));
    if cluster.example {
        all.push("example facts".to_owned());
    }
    let mut text = String::new();
    for one in all {
        let longer = if text.is_empty() { one } else { format!("{text} · {one}") };
        if width(&longer, 12) > room && !text.is_empty() {
            break;
        }
        text = longer;
    }
    text
}

/// The gateway of a network that has others beside it.
struct Gateway {
    words: String,
    /// Whether the tree opens one.
    stands: bool,
}

impl Gateway {
    fn of(order: &Order<'_>, own: &[&Cluster]) -> Option<Self> {
        if !order.has_gateways {
            return None;
        }
        let at: Vec<&&Cluster> = own.iter().filter(|cluster| cluster.has_gateway).collect();
        if at.is_empty() {
            return Some(Self { words: "no gateway".to_owned(), stands: false });
        }
        let addresses: Vec<&str> = at.iter().flat_map(|cluster| cluster.addresses()).collect();
        let seen: Vec<_> = at.iter().filter_map(|cluster| cluster.seen()).collect();
        let has_service = seen.iter().any(|state| !state.gateways.is_empty());
        let words = match addresses.as_slice() {
            [] if has_service => "gateway, no address".to_owned(),
            [] if own.len() > 1 => format!("gateway in {}", at[0].name),
            [] => "gateway".to_owned(),
            [one] => format!("gateway {one}"),
            [first, rest @ ..] => format!("gateway {first}, {} more", rest.len()),
        };
        Some(Self { words, stands: true })
    }
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
                    *y += self.top
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
