//! Skew: numbers of which some come far more often than others.

use std::f64::consts::TAU;

use crate::plan::{Order, Zones};
use crate::rng::Rng;

/// Attempts of a rejection method. On average it takes less than two; this many in vain would be a
/// mistake in its constants, and not bad luck.
const ATTEMPTS_MAX: u32 = 64;

/// A distribution over the numbers from 0 to below its bound.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Skew {
    /// The k-th, from 1, comes in proportion to `1 / k^theta`.
    Zipf(Zipf),
    /// The share `h` of them gets the share `1 - h` of all draws, and so on within that share.
    Pareto { bound: f64, exponent: f64 },
    /// About the middle. What would lie outside comes in at the other end.
    Normal { bound: f64, deviation: f64 },
    /// Each zone by its share, evenly within it.
    Zoned { bound: u64, zones: Zones },
}

impl Skew {
    /// The distribution of an order over this many numbers; none if the order has no skew.
    pub(crate) fn of(order: Order, bound: u64) -> Option<Skew> {
        let numbers = bound.max(1) as f64;
        match order {
            Order::Sequential | Order::Step { .. } | Order::Random => None,
            Order::Zipf { theta } => Some(Skew::Zipf(Zipf::new(numbers, theta))),
            // The power under which the share `h` becomes `1 - h`. Source: Gray et al., "Quickly
            // Generating Billion-Record Synthetic Databases", SIGMOD 1994, self-similar; as in fio.
            Order::Pareto { h } => {
                Some(Skew::Pareto { bound: numbers, exponent: h.ln() / (1.0 - h).ln() })
            }
            Order::Normal { percent } => {
                Some(Skew::Normal { bound: numbers, deviation: numbers * percent / 100.0 })
            }
            Order::Zoned(zones) => Some(Skew::Zoned { bound: bound.max(1), zones }),
        }
    }

    /// Whether neighbours are drawn alike often, so that numbers are to be places as they are.
    pub(crate) fn is_of_places(&self) -> bool {
        matches!(self, Skew::Normal { .. } | Skew::Zoned { .. })
    }

    /// The next number.
    pub(crate) fn draw(&self, rng: &mut Rng) -> u64 {
        match *self {
            Skew::Zipf(zipf) => zipf.draw(rng),
            Skew::Pareto { bound, exponent } => {
                let number = bound * rng.unit().powf(exponent);
                number.min(bound - 1.0) as u64
            }
            Skew::Normal { bound, deviation } => {
                // Box and Muller, "A Note on the Generation of Random Normal Deviates", 1958.
                let radius = (-2.0 * rng.unit().ln()).sqrt();
                let normal = radius * (TAU * rng.unit()).cos();
                let number = (bound / 2.0 + normal * deviation).rem_euclid(bound);
                number.min(bound - 1.0) as u64
            }
            Skew::Zoned { bound, zones } => in_zone(zones, bound, rng),
        }
    }
}

/// A number below the bound in one of the zones. One that is smaller than a number has its first.
fn in_zone(zones: Zones, bound: u64, rng: &mut Rng) -> u64 {
    let mut ticket = rng.below(100);
    let mut start = 0;
    for (visits, of_file) in zones.shares() {
        if ticket < u64::from(visits) {
            let numbers = bound * u64::from(of_file) / 100;
            return (bound * start / 100 + rng.below(numbers.max(1))).min(bound - 1);
        }
        ticket -= u64::from(visits);
        start += u64::from(of_file);
    }
    0
}

/// Zipf's distribution by rejection-inversion, which takes neither a table nor a sum over all numbers.
/// Source: Hörmann and Derflinger, "Rejection-Inversion to Generate Variates from Monotone Discrete
/// Distributions", ACM TOMACS 6(3), 1996.
///
/// A real number is drawn under the hat `x^-theta` by inverting its integral, and rounded to the
/// nearest whole one, which is kept if the draw lies under the bar of its probability.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Zipf {
    numbers: f64,
    theta: f64,
    /// The integral of the hat up to the end of the last bar, and of what is drawn in the first.
    last: f64,
    first: f64,
    /// What is this close to the right of the number that it is rounded to lies under its bar.
    squeeze: f64,
}

impl Zipf {
    fn new(numbers: f64, theta: f64) -> Zipf {
        let squeeze = 2.0 - inverse(integral(2.5, theta) - 2f64.powf(-theta), theta);
        Zipf {
            numbers,
            theta,
            last: integral(numbers + 0.5, theta),
            first: integral(1.5, theta) - 1.0,
            squeeze,
        }
    }

    fn draw(&self, rng: &mut Rng) -> u64 {
        for _ in 0..ATTEMPTS_MAX {
            let area = self.last + rng.unit() * (self.first - self.last);
            let exact = inverse(area, self.theta);
            let number = exact.round().clamp(1.0, self.numbers);
            let under = integral(number + 0.5, self.theta) - number.powf(-self.theta);
            if number - exact <= self.squeeze || under <= area {
                return number as u64 - 1;
            }
        }
        0
    }
}

/// The integral of `t^-theta` from 1 to x.
fn integral(x: f64, theta: f64) -> f64 {
    let log = x.ln();
    if theta == 1.0 { log } else { ((1.0 - theta) * log).exp_m1() / (1.0 - theta) }
}

/// The x of an integral.
fn inverse(integral: f64, theta: f64) -> f64 {
    if theta == 1.0 {
        return integral.exp();
    }
    // Rounding must not bring it out of where the logarithm exists.
    let part = (integral * (1.0 - theta)).max(-1.0);
    (part.ln_1p() / (1.0 - theta)).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: usize = 200_000;

    /// How often each number came, as a share.
    fn shares(order: Order, bound: u64) -> Vec<f64> {
        let skew = Skew::of(order, bound).expect("it has a skew");
        let mut rng = Rng::new(5);
        let mut shares = vec![0.0; bound as usize];
        for _ in 0..DRAWS {
            shares[skew.draw(&mut rng) as usize] += 1.0 / DRAWS as f64;
        }
        shares
    }

    #[test]
    fn zipf_has_the_shares_of_its_definition_on_both_sides_of_one() {
        for theta in [0.3, 0.99, 1.0, 1.2, 2.5] {
            let shares = shares(Order::Zipf { theta }, 1000);
            let all: f64 = (1..=1000).map(|k| f64::from(k).powf(-theta)).sum();
            for k in [1, 2, 3, 10, 100] {
                let wanted = f64::from(k).powf(-theta) / all;
                let found = shares[k as usize - 1];
                // Five standard deviations of a count.
                let margin = 5.0 * (wanted / DRAWS as f64).sqrt();
                assert!((found - wanted).abs() < margin, "{theta}, {k}: {found} of {wanted}");
            }
            let wanted_tail: f64 = (501..=1000).map(|k| f64::from(k).powf(-theta) / all).sum();
            let tail: f64 = shares[500..].iter().sum();
            assert!((tail - wanted_tail).abs() < 0.006, "{theta}: {tail} of {wanted_tail}");
        }
    }

    #[test]
    fn pareto_gives_a_fifth_of_the_numbers_four_fifths_of_the_draws() {
        for (h, first) in [(0.2, 200), (0.5, 500), (0.9, 900)] {
            let shares = shares(Order::Pareto { h }, 1000);
            let found: f64 = shares[..first].iter().sum();
            assert!((found - (1.0 - h)).abs() < 0.006, "{h}: {found}");
        }
    }

    #[test]
    fn normal_lies_about_the_middle_with_its_deviation() {
        let shares = shares(Order::Normal { percent: 10.0 }, 1000);
        let within: f64 = shares[400..600].iter().sum();
        assert!((within - 0.6827).abs() < 0.006, "{within} within one deviation");
        let mean: f64 = shares.iter().enumerate().map(|(at, share)| at as f64 * share).sum();
        assert!((mean - 499.5).abs() < 2.0, "{mean}");
    }

    #[test]
    fn zones_have_their_shares_and_are_even_within() {
        let order = "zoned:50/5:30/15:20/70".parse().expect("three zones");
        let shares = shares(order, 1000);
        for (zone, wanted) in [(0..50, 0.5), (50..200, 0.3), (200..900, 0.2), (900..1000, 0.0)] {
            let found: f64 = shares[zone.clone()].iter().sum();
            assert!((found - wanted).abs() < 0.006, "{zone:?}: {found}");
        }
        let half: f64 = shares[..25].iter().sum();
        assert!((half - 0.25).abs() < 0.006, "{half}");
    }

    #[test]
    fn any_number_of_numbers_is_kept_to_even_at_the_ends_of_what_is_allowed() {
        let orders = [
            Order::Zipf { theta: 0.01 },
            Order::Zipf { theta: 10.0 },
            Order::Pareto { h: 0.001 },
            Order::Pareto { h: 0.999 },
            Order::Normal { percent: 0.1 },
            Order::Normal { percent: 100.0 },
            "zoned:50/5:30/15:20/".parse().expect("three zones"),
        ];
        for order in orders {
            for bound in [1, 2, 3, 1 << 26] {
                let skew = Skew::of(order, bound).expect("it has a skew");
                let mut rng = Rng::new(bound);
                assert!((0..2000).all(|_| skew.draw(&mut rng) < bound), "{order} of {bound}");
            }
        }
    }
}
