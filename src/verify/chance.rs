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
    let mut below = 0.0;
    let mut least = 0;
    for successes in 0..=count {
        below += mass(count, successes, share);
        if below > half {
            least = successes;
            break;
        }
    }
    let mut above = 0.0;
    let mut most = count;
    for successes in (0..=count).rev() {
        above += mass(count, successes, share);
        if above > half {
            most = successes;
            break;
        }
    }
    (least, most)
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

/// The probability of just so many successes.
fn mass(count: u32, successes: u32, share: f64) -> f64 {
    let (n, k) = (f64::from(count), f64::from(successes));
    let ln = choose(count, successes) + k * share.ln() + (n - k) * (1.0 - share).ln();
    ln.exp()
}

/// The logarithm of a binomial coefficient.
fn choose(count: u32, of: u32) -> f64 {
    let of = of.min(count - of);
    (0..of).map(|at| (f64::from(count - at) / f64::from(at + 1)).ln()).sum()
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
    }

    #[test]
    fn enough_tries_see_everything() {
        assert_eq!(enough(0.5, 1e-4), 14);
        assert_eq!(enough(0.02, 1e-4 / 2500.0), 844);
        assert_eq!(enough(1.0, 1e-4), 1);
    }
}
