//! The picture of a mesh: nothing lies on anything, nothing is cut off, and it grows with clusters.

use std::collections::BTreeSet;

use meshgen::verify::page::{Page, Picture, Shape, lay};

use super::sample;

const WIDTHS: [i32; 3] = [1104, 720, 344];

type Rectangle = (i32, i32, i32, i32);

fn boxes(picture: &Picture, look: &str) -> Vec<Rectangle> {
    let found = picture
        .shapes
        .iter()
        .filter(|shape| matches!(shape, Shape::Box { class, .. } if *class == look));
    found.filter_map(Shape::bounds).collect()
}

fn apart(a: Rectangle, b: Rectangle) -> bool {
    a.2 <= b.0 || b.2 <= a.0 || a.3 <= b.1 || b.3 <= a.1
}

fn meshes() -> impl Iterator<Item = (String, Page)> {
    let sizes = [1, 2, 3, 4, 5, 7, 12, 16, 17, 24, 25, 50, 120];
    sizes.into_iter().flat_map(|size| {
        let mut one = sample::healthy(size);
        for cluster in &mut one.clusters {
            "shared".clone_into(&mut cluster.network);
        }
        let mut long = sample::troubled(size);
        for (at, cluster) in long.clusters.iter_mut().enumerate() {
            cluster.name = format!("a-cluster-whose-name-is-as-long-as-dns-lets-a-label-be-{at}");
            cluster.network = format!("network-of-{}", cluster.name);
            cluster.region =
                (at % 4 != 0).then(|| format!("a-region-with-a-rather-long-name-{}", at / 3));
        }
        [
            (format!("healthy {size}"), sample::healthy(size)),
            (format!("troubled {size}"), sample::troubled(size)),
            (format!("offline {size}"), sample::offline(size)),
            (format!("one network {size}"), one),
            (format!("long names {size}"), long),
        ]
    })
}

#[test]
fn nothing_lies_on_anything_and_nothing_is_cut_off() {
    for (name, page) in meshes() {
        for width in WIDTHS {
            let picture = lay(&page, width);
            let name = format!("{name}, {width}");
            assert!(picture.width <= width, "{name}: {} wide", picture.width);
            for look in ["network", "region"] {
                let all = boxes(&picture, look);
                for (at, one) in all.iter().enumerate() {
                    let other = all[..at].iter().find(|other| !apart(*one, **other));
                    assert!(other.is_none(), "{name}: {one:?} and {other:?} are both {look}s");
                }
            }
            let texts: Vec<(&Shape, Rectangle)> = picture
                .shapes
                .iter()
                .filter(|shape| matches!(shape, Shape::Text { text, .. } if !text.is_empty()))
                .filter_map(|shape| Some((shape, shape.bounds()?)))
                .collect();
            for (at, (shape, bounds)) in texts.iter().enumerate() {
                let inside = bounds.0 >= 0
                    && bounds.1 >= 0
                    && bounds.2 <= picture.width + 1
                    && bounds.3 <= picture.height;
                assert!(inside, "{name}: {shape:?} is cut off: {bounds:?}");
                let other = texts[..at].iter().find(|(_, other)| !apart(*bounds, *other));
                assert!(other.is_none(), "{name}: {shape:?} and {other:?}");
            }
        }
    }
}

#[test]
fn every_cluster_stands_once_in_the_box_of_its_network() {
    for (name, page) in meshes().filter(|(name, _)| !name.starts_with("long")) {
        for width in WIDTHS {
            let picture = lay(&page, width);
            let names: Vec<(&str, Rectangle)> = picture
                .shapes
                .iter()
                .filter_map(|shape| match shape {
                    Shape::Text { class: "name", text, .. } => {
                        Some((text.as_str(), shape.bounds()?))
                    }
                    _ => None,
                })
                .collect();
            let set: BTreeSet<&str> = names.iter().map(|(name, _)| *name).collect();
            assert_eq!(
                (names.len(), set.len()),
                (page.clusters.len(), page.clusters.len()),
                "{name}"
            );
            let networks = boxes(&picture, "network");
            for (cluster, bounds) in &names {
                let around = networks.iter().filter(|network| !apart(*bounds, **network)).count();
                assert_eq!(around, 1, "{name}, {width}: {cluster}");
            }
            let count = |symbols: &[&str]| {
                let is = |shape: &&Shape| matches!(shape, Shape::Glyph { symbol, .. } if symbols.contains(symbol));
                picture.shapes.iter().filter(is).count()
            };
            let peers = if page.clusters.len() > 1 { page.clusters.len() } else { 0 };
            assert_eq!(
                count(&["g-read", "g-unread"]),
                peers,
                "{name}: each is on the bus of discovery"
            );
            let all = page.networks().len();
            let gateways = if all > 1 { all } else { 0 };
            assert_eq!(
                count(&["g-gateway"]),
                gateways,
                "{name}: each network is on the bus of traffic"
            );
        }
    }
}

#[test]
fn a_picture_grows_with_clusters_and_not_with_pairs() {
    for width in WIDTHS {
        let (some, many) = (lay(&sample::healthy(40), width), lay(&sample::healthy(160), width));
        assert!(many.shapes.len() <= some.shapes.len() * 4 + 40, "{width}");
        assert!(many.height <= some.height * 4 + 200, "{width}");
    }
    // what fits beside each other does: a wide screen is not left half empty
    let wide = lay(&sample::healthy(12), 1104);
    assert!(wide.width > 1000 && wide.height < 600, "{} x {}", wide.width, wide.height);
}

#[test]
fn a_cluster_that_is_not_read_by_all_is_drawn_otherwise() {
    let page = sample::troubled(3);
    let open = |picture: &Picture| {
        let is = |shape: &&Shape| matches!(shape, Shape::Glyph { symbol: "g-unread", .. });
        picture.shapes.iter().filter(is).count()
    };
    assert_eq!(open(&lay(&page, 720)), 1);
    assert_eq!(open(&lay(&sample::healthy(3), 720)), 0);
    let mut without = sample::healthy(3);
    without.clusters[1].has_gateway = false;
    let picture = lay(&without, 720);
    let says = |shape: &Shape| matches!(shape, Shape::Text { text, .. } if text == "no gateway");
    assert!(picture.shapes.iter().any(says));
}
