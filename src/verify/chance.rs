//! What chance explains: the binomial distribution.

/// How likely a whole run may fail by chance alone: one in ten thousand.
pub const ALPHA: f64 = 1e-4;

/// The least and the most successes among `count` tries of probability `share` that chance explains,
/// but for a probability of `alpha`, half of it on each side.
pub fn interval(count: u32, share: f64, alpha: f64) -> (u32, u32) {
    if share <= 0.0 {
        return (0, 0);
    }
    if share >= 1.0 {
        return (count, count);
    }
    let half = alpha / 2.0;
    let (n, odds) = (f64::from(count), share.ln() - (1.0 - share).ln());
    // logarithms: the ends of a long row are smaller than the smallest number
    let mut row = Vec::with_capacity(count as usize + 1);
    let mut mass = n * (1.0 - share).ln();
    for successes in 0..=count {
        row.push(mass);
        mass += (f64::from(count - successes) / f64::from(successes + 1)).ln() + odds;
    }
    let least = beyond(row.iter(), half);
    let most = count - beyond(row.iter().rev(), half);
    (least, most)
}

/// How many masses together stay within a probability.
fn beyond<'a>(masses: impl Iterator<Item = &'a f64>, half: f64) -> u32 {
    let mut sum = 0.0;
    let within = masses.take_while(|mass| {
        sum += mass.exp();
        sum <= half
    });
    u32::try_from(within.count()).expect("a row is as long as its number of tries")
}

/// How many tries it takes until something of this probability was seen at least once, but for a
/// probability of `alpha`.
pub fn enough(share: f64, alpha: f64) -> u32 {
    if share <= 0.0 || share >= 1.0 {
        return 1;
    }
    let tries = (alpha.ln() / (1.0 - share).ln()).ceil();
    // far below 2^32 for every share of an endpoint that can be listed
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded above")]
    let tries = tries.clamp(1.0, 1e9) as u32;
    tries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_tables() {
        assert_eq!(interval(100, 0.5, 1e-4), (31, 69));
        assert_eq!(interval(100, 1.0, 1e-4), (100, 100));
        assert_eq!(interval(100, 0.0, 1e-4), (0, 0));
        // what is never seen in a hundred tries may be there once in fifty
        assert_eq!(interval(100, 0.02, 1e-4).0, 0);
        assert_eq!(interval(1000, 0.25, 0.05), (223, 277));
        assert_eq!(interval(0, 0.5, 1e-4), (0, 0));
        let (least, most) = interval(100_000, 0.5, 1e-4);
        assert!((49_000..50_000).contains(&least) && (50_000..51_000).contains(&most));
    }

    #[test]
    fn enough_tries_see_everything() {
        assert_eq!(enough(0.5, 1e-4), 14);
        assert_eq!(enough(0.02, 1e-4 / 2500.0), 844);
        assert_eq!(enough(1.0, 1e-4), 1);
    }
}
