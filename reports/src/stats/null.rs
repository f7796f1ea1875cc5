//! Null distributions by counting: how likely each value of a statistic is if nothing differs.
//!
//! All three are sums over ranks in which each step is independent, so they are built rank by rank
//! (Mann & Whitney 1947, Annals of Mathematical Statistics 18; for midranks Streitberg & Röhmel
//! 1986, Statistical Software Newsletter 12).

/// Of the sum of ranks whose effect is positive: every sign is as likely as the other.
pub(crate) fn of_signs(ranks: &[usize]) -> Vec<f64> {
    let mut shares = vec![0.0; ranks.iter().sum::<usize>() + 1];
    shares[0] = 1.0;
    for &rank in ranks {
        for sum in (0..shares.len()).rev() {
            let with = if sum >= rank { shares[sum - rank] } else { 0.0 };
            shares[sum] = (shares[sum] + with) / 2.0;
        }
    }
    shares
}

/// Of the sum of `chosen` of the ranks: every choice is as likely as any other.
pub(crate) fn of_choices(ranks: &[usize], chosen: usize) -> Vec<f64> {
    let sums = ranks.iter().sum::<usize>() + 1;
    let mut ways = vec![vec![0.0; sums]; chosen + 1];
    ways[0][0] = 1.0;
    let mut reached = 0;
    for &rank in ranks {
        reached += rank;
        for size in (1..=chosen).rev() {
            for sum in rank..=reached {
                // The smaller size has not seen this rank yet.
                ways[size][sum] += ways[size - 1][sum - rank];
            }
        }
    }
    let mut shares = ways.swap_remove(chosen);
    let all: f64 = shares.iter().sum();
    shares.iter_mut().for_each(|share| *share /= all);
    shares
}

/// Of the number of pairs out of order among `n` values: every order is as likely as any other.
pub(crate) fn of_orders(n: usize) -> Vec<f64> {
    let mut shares = vec![1.0];
    for place in 2..=n {
        // The next value stands behind 0 to place - 1 of those before it.
        let mut next = vec![0.0; shares.len() + place - 1];
        for (pairs, share) in shares.iter().enumerate() {
            next[pairs..pairs + place].iter_mut().for_each(|one| *one += share / place as f64);
        }
        shares = next;
    }
    shares
}

/// How many of the smallest values together are no more likely than `tail`.
pub(crate) fn values_in_tail(shares: &[f64], tail: f64) -> usize {
    let mut sum = 0.0;
    let fits = |share: &&f64| {
        sum += **share;
        sum <= tail
    };
    shares.iter().take_while(fits).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_distributions_are_those_that_one_counts_by_hand() {
        assert_eq!(of_signs(&[1, 2, 3]), [1, 1, 1, 2, 1, 1, 1].map(|ways| f64::from(ways) / 8.0));
        let sums: [f64; 8] = [0, 0, 0, 1, 1, 2, 1, 1].map(|ways| f64::from(ways) / 6.0);
        assert_eq!(of_choices(&[1, 2, 3, 4], 2)[..8], sums);
        for (share, ways) in of_orders(3).iter().zip([1.0, 2.0, 2.0, 1.0]) {
            assert!((share - ways / 6.0).abs() < 1e-15);
        }
    }

    #[test]
    fn a_tail_takes_only_what_fits() {
        let shares = of_signs(&[1, 2, 3]);
        assert_eq!([0.1, 0.125, 0.3, 1.0].map(|tail| values_in_tail(&shares, tail)), [0, 1, 2, 7]);
    }
}
