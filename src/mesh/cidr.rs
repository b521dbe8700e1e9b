//! Address ranges: parsing, and finding overlaps without comparing every pair.

use ipnet::IpNet;

/// Why a text is no range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CidrError {
    /// No CIDR at all.
    NotACidr,
    /// Bits are set behind the prefix; the network address is given.
    HostBits(IpNet),
}

/// Reads a CIDR that is a network address.
pub(super) fn parse(text: &str) -> Result<IpNet, CidrError> {
    let net: IpNet = text.parse().map_err(|_| CidrError::NotACidr)?;
    // `010.0.0.0/8` is 10.0.0.0 to some readers and 8.0.0.0 to others; Go refuses it
    let (address, length) = text.split_once('/').ok_or(CidrError::NotACidr)?;
    if address.parse::<std::net::IpAddr>().is_err() || length != net.prefix_len().to_string() {
        return Err(CidrError::NotACidr);
    }
    if net.trunc() != net {
        return Err(CidrError::HostBits(net.trunc()));
    }
    Ok(net)
}

/// Whether two ranges share an address.
pub(super) fn overlap(a: &IpNet, b: &IpNet) -> bool {
    a.contains(b) || b.contains(a)
}

/// Finds overlaps among ranges: for each range, the nearest one around it that `counts`.
///
/// CIDRs either nest or are disjoint, so that one pass over the sorted ranges, with the ranges that
/// are still open on a stack, finds them without comparing every pair. Returns (outer, inner) as
/// indices, in the order of the inner ranges.
pub(super) fn nested(
    ranges: &[IpNet],
    counts: impl Fn(usize, usize) -> bool,
) -> Vec<(usize, usize)> {
    let mut order: Vec<usize> = (0..ranges.len()).collect();
    order.sort_by_key(|index| {
        let net = ranges[*index];
        (net.network(), net.prefix_len(), *index)
    });
    let mut found = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for inner in order {
        while open.last().is_some_and(|outer| !ranges[*outer].contains(&ranges[inner])) {
            open.pop();
        }
        if let Some(outer) = open.iter().rev().find(|outer| counts(**outer, inner)) {
            found.push((*outer, inner));
        }
        open.push(inner);
    }
    found.sort_by_key(|(_, inner)| *inner);
    found
}
