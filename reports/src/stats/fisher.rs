//! Two shares of few: whether something happens more often on one side than on the other.
//!
//! Fisher's exact test, one-sided: the tail of the hypergeometric distribution, which holds how
//! often it happened at all (Fisher 1935, The Logic of Inductive Inference, Journal of the Royal
//! Statistical Society 98).

/// How often something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Cases in which it did.
    pub with: u32,
    /// All cases.
    pub of: u32,
}

/// How likely it is that at least as many of the cases in which it happened are of the test, if it
/// happens as often on both sides. `None` where a side has no case, or fewer than it happened in.
pub fn p_more_often(base: Share, test: Share) -> Option<f64> {
    let bad = |share: Share| share.of == 0 || share.with > share.of;
    if bad(base) || bad(test) {
        return None;
    }
    let [base_all, test_all] = [base.of, test.of].map(u64::from);
    let with = u64::from(base.with) + u64::from(test.with);
    let (least, most) = (with.saturating_sub(base_all), with.min(test_all));
    // Each number of cases on the side of the test is as many times as likely as the one before it;
    // logarithms, because the ways to choose soon outgrow any number.
    let mut logs = vec![0.0];
    let mut last = 0.0;
    for at in least..most {
        let ways = (with - at) * (test_all - at);
        let ways_before = (at + 1) * (base_all + at + 1 - with);
        last += (ways as f64 / ways_before as f64).ln();
        logs.push(last);
    }
    let largest = logs.iter().copied().fold(0.0, f64::max);
    let shares: Vec<f64> = logs.iter().map(|log| (log - largest).exp()).collect();
    let first = usize::try_from(u64::from(test.with) - least).ok()?;
    let tail: f64 = shares.iter().skip(first).sum();
    Some((tail / shares.iter().sum::<f64>()).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(base: (u32, u32), test: (u32, u32)) -> Option<f64> {
        let share = |(with, of)| Share { with, of };
        p_more_often(share(base), share(test))
    }

    #[test]
    fn tails_are_those_that_one_counts_by_hand() {
        for (base, test, ways) in [
            ((1, 8), (8, 8), 8.0 / 11_440.0),
            ((1, 4), (4, 4), 4.0 / 56.0),
            ((0, 1), (1, 1), 1.0 / 2.0),
            ((2, 2), (0, 3), 1.0),
            ((0, 5), (0, 5), 1.0),
        ] {
            let found = p(base, test).expect("there are cases");
            assert!((found - ways).abs() < 1e-12, "{base:?} {test:?}: {found}");
        }
    }

    #[test]
    fn a_side_without_cases_or_with_too_few_has_no_p() {
        assert_eq!([p((0, 0), (1, 1)), p((0, 1), (0, 0)), p((2, 1), (1, 1))], [None; 3]);
    }
}
