//! What a picture shows, in the order in which it is drawn, and how high each part is.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::judge::{self, Standing};
use super::model::{Cluster, Page};
use super::picture::width;

/// Above this many clusters each gets a line instead of a few.
const COMPACT: usize = 16;
/// Networks of more clusters than this may go on in the next column.
const WHOLE: usize = 6;
/// Between boxes.
pub const GAP: i32 = 10;
/// The line with the name of a region.
pub const PLACE: i32 = 28;
/// The line with the name of a network of several clusters.
pub const NETWORK: i32 = 20;
/// What follows the box of a region beside the gap of its last network.
pub const BELOW: i32 = GAP + 2;

/// Cuts parts into at most `columns` runs so that the highest is as low as can be.
pub fn spread(
    parts: usize,
    columns: usize,
    height: impl Fn(Range<usize>) -> i32,
) -> Vec<Range<usize>> {
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
pub struct Part<'a> {
    /// The region, or regions, if known.
    pub place: Option<String>,
    /// The network.
    pub network: &'a str,
    /// Its clusters, or one of them.
    pub clusters: Vec<&'a Cluster>,
    /// How many clusters the network has in all.
    pub of: usize,
    /// Whether it is the first of its network.
    pub begins: bool,
}

/// The clusters of a page in the order in which they are drawn.
pub struct Order<'a> {
    /// The page.
    pub page: &'a Page,
    /// What stays in one column, the first first.
    pub parts: Vec<Part<'a>>,
    /// Whether a cluster gets a line alone.
    pub compact: bool,
    /// Whether there are networks to go between.
    pub has_gateways: bool,
    /// Whether there are clusters to read.
    pub has_peers: bool,
    gateways: BTreeMap<&'a str, Gateway>,
    standings: BTreeMap<&'a str, Standing>,
    /// The clusters that every peer reads.
    read: BTreeSet<&'a str>,
}

impl<'a> Order<'a> {
    /// The order of a page's clusters: as in the tree, those of a network and of a region together.
    pub fn of(page: &'a Page) -> Self {
        let networks = page.networks();
        let mut parts: Vec<Part<'a>> = Vec::new();
        let mut places: Vec<Option<String>> = Vec::new();
        for (network, clusters) in &networks {
            let place = place(clusters);
            places.push(place.clone());
            let of = clusters.len();
            let size = if of > WHOLE { 1 } else { of };
            for (at, clusters) in clusters.chunks(size).enumerate() {
                let (place, clusters) = (place.clone(), clusters.to_vec());
                parts.push(Part { place, network, clusters, of, begins: at == 0 });
            }
        }
        // networks of one region together, those without one last
        let first = |part: &Part<'_>| places.iter().position(|place| *place == part.place);
        parts.sort_by_key(|part| (part.place.is_none(), first(part)));
        let compact = page.clusters.len() > COMPACT;
        let has_gateways = networks.len() > 1;
        let gateways = networks.iter().map(|(name, own)| (*name, Gateway::of(own, compact)));
        let standings =
            page.clusters.iter().map(|cluster| (&cluster.name[..], judge::cluster(page, cluster)));
        Self {
            page,
            parts,
            compact,
            has_gateways,
            has_peers: page.clusters.len() > 1,
            gateways: gateways.filter(|_| has_gateways).collect(),
            standings: standings.collect(),
            read: read_by_all(page),
        }
    }

    /// The gateway of a network that has others beside it.
    pub fn gateway(&self, network: &str) -> Option<&Gateway> {
        self.gateways.get(network)
    }

    /// How a cluster stands.
    pub fn standing(&self, cluster: &str) -> &Standing {
        &self.standings[cluster]
    }

    /// Whether every peer reads a cluster.
    pub fn is_read(&self, cluster: &str) -> bool {
        self.read.contains(cluster)
    }

    /// Between the edges of a network and what is in it.
    pub fn padding(&self) -> i32 {
        if self.compact { 5 } else { 8 }
    }

    /// The line with a cluster's name, and that with what is known of it.
    pub fn lines(&self) -> (i32, i32) {
        if self.compact { (20, 0) } else { (22, 18) }
    }

    /// How high a column of these parts is.
    pub fn height(&self, range: Range<usize>) -> i32 {
        let (name, facts) = self.lines();
        let mut height = 0;
        let mut before: Option<&Part<'_>> = None;
        for part in &self.parts[range] {
            let same_place = before.is_some_and(|before| before.place == part.place);
            if part.place.is_some() && !same_place {
                height += PLACE + BELOW;
            }
            if !(same_place && before.is_some_and(|before| before.network == part.network)) {
                let head = if part.of > 1 { NETWORK } else { facts };
                height += 2 * self.padding() + head + GAP;
            }
            height += i32::try_from(part.clusters.len()).unwrap_or(i32::MAX) * (name + facts);
            before = Some(part);
        }
        (height - GAP).max(0)
    }
}

/// The clusters that every other reads.
fn read_by_all(page: &Page) -> BTreeSet<&str> {
    let mut readers: BTreeMap<&str, usize> = BTreeMap::new();
    for cluster in &page.clusters {
        for read in cluster.reads.iter().filter(|read| read.needs.is_empty()) {
            *readers.entry(&read.cluster).or_default() += 1;
        }
    }
    let peers = page.clusters.len().saturating_sub(1);
    readers.into_iter().filter(|(_, count)| *count == peers).map(|(name, _)| name).collect()
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

/// What is known of a cluster, as much as has room.
pub fn facts(page: &Page, cluster: &Cluster, room: i32) -> String {
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
pub struct Gateway {
    /// What is known of it.
    pub words: String,
    /// Whether the tree opens one.
    pub stands: bool,
}

impl Gateway {
    fn of(own: &[&Cluster], compact: bool) -> Self {
        let at: Vec<&&Cluster> = own.iter().filter(|cluster| cluster.has_gateway).collect();
        if at.is_empty() {
            return Self { words: "no gateway".to_owned(), stands: false };
        }
        let addresses: Vec<&str> = at.iter().flat_map(|cluster| cluster.addresses()).collect();
        let seen: Vec<_> = at.iter().filter_map(|cluster| cluster.seen()).collect();
        let has_service = seen.iter().any(|state| !state.gateways.is_empty());
        let words = match addresses.as_slice() {
            [] if has_service => "gateway, no address".to_owned(),
            [] if own.len() > 1 => format!("gateway in {}", at[0].name),
            [] => "gateway".to_owned(),
            [one] if compact => (*one).to_owned(),
            [one] => format!("gateway {one}"),
            [first, rest @ ..] => format!("gateway {first}, {} more", rest.len()),
        };
        Self { words, stands: true }
    }
}
