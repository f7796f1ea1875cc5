//! The order of runs and of boots: rounds, each with everything once, in an order drawn from a seed.

/// The place of one run in the order of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScheduledRun {
    /// Position in the order of all runs, from 0.
    pub number: u32,
    /// Its round, from 0.
    pub round: u32,
    /// Index of its group.
    pub group: usize,
    /// Index of its variant within the group.
    pub variant: usize,
}

/// All runs, in order: each round has every variant of every group once. The variants of a group
/// are compared with each other, so they run back to back; groups and variants are in an order
/// drawn from the seed. If everything is compared with everything, each is a group of one
/// variant.
///
/// Every second round is the one before it backwards. So of any two variants each comes first in
/// half of the rounds, and a steady drift cancels out of their difference. If the number of rounds
/// is odd, the last one has no such counterpart.
#[must_use]
pub fn rounds(groups: usize, variants: usize, rounds: u32, seed: u64) -> Vec<ScheduledRun> {
    let mut runs = Vec::new();
    let mut number = 0;
    for round in 0..rounds {
        let mut order = one_round(groups, variants, mix(seed ^ mix(u64::from(round / 2))));
        if round % 2 == 1 {
            order.reverse();
        }
        for (group, variant) in order {
            runs.push(ScheduledRun { number, round, group, variant });
            number += 1;
        }
    }
    runs
}

/// Every group with every variant, in the order of a round.
fn one_round(groups: usize, variants: usize, key: u64) -> Vec<(usize, usize)> {
    let of_group = |group: usize| {
        let variants = shuffled(variants, mix(key ^ mix(group as u64 + 1)));
        variants.into_iter().map(move |variant| (group, variant))
    };
    shuffled(groups, key).into_iter().flat_map(of_group).collect()
}

/// The numbers below `count`, sorted by a hash of each with the key.
fn shuffled(count: usize, key: u64) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..count).collect();
    numbers.sort_by_key(|&number| mix(key ^ mix(number as u64)));
    numbers
}

/// The finalizer of SplitMix64 (Steele, Lea and Flood, 2014): every bit depends on all others.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Group and variant of each run, round by round.
    fn by_round(groups: usize, variants: usize, count: u32, seed: u64) -> Vec<Vec<(usize, usize)>> {
        let runs = rounds(groups, variants, count, seed);
        let round = |runs: &[ScheduledRun]| {
            runs.iter().map(|run| (run.group, run.variant)).collect::<Vec<_>>()
        };
        runs.chunks(groups * variants).map(round).collect()
    }

    /// A comparison that was begun by an earlier version is continued in the same order.
    #[test]
    fn a_seed_always_means_the_same_order() {
        let workloads = by_round(2, 3, 3, 1);
        assert_eq!(workloads[0], [(1, 1), (1, 2), (1, 0), (0, 0), (0, 1), (0, 2)]);
        assert_eq!(workloads[2], [(1, 2), (1, 0), (1, 1), (0, 2), (0, 0), (0, 1)]);
        let kernels = |seed| rounds(4, 1, 3, seed).iter().map(|run| run.group).collect::<Vec<_>>();
        assert_eq!(kernels(1), [3, 2, 1, 0, 0, 1, 2, 3, 1, 0, 2, 3]);
        assert_eq!(kernels(7), [0, 2, 1, 3, 3, 1, 2, 0, 3, 1, 2, 0]);
    }

    #[test]
    fn every_round_has_everything_once_and_numbers_count_up() {
        for mut round in by_round(2, 4, 5, 1) {
            round.sort_unstable();
            round.dedup();
            assert_eq!(round.len(), 8);
        }
        let runs = rounds(2, 4, 5, 1);
        assert_eq!(runs.len(), 40);
        assert!(runs.iter().zip(0..).all(|(run, number)| run.number == number));
        assert!(runs.iter().all(|run| run.round == run.number / 8));
    }

    #[test]
    fn the_order_depends_on_the_seed_and_differs_between_rounds() {
        assert_ne!(rounds(2, 4, 5, 7), rounds(2, 4, 5, 8));
        let mut first: Vec<_> = by_round(1, 6, 20, 1).iter().map(|round| round[0].1).collect();
        first.sort_unstable();
        first.dedup();
        assert!(first.len() > 3, "different variants lead a round: {first:?}");
    }

    #[test]
    fn of_any_two_variants_each_is_first_in_half_of_the_rounds() {
        for seed in 0..20 {
            let rounds = by_round(2, 4, 10, seed);
            for (one, other) in [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)] {
                for group in 0..2 {
                    let first = |round: &&Vec<(usize, usize)>| {
                        let at = |variant| round.iter().position(|run| *run == (group, variant));
                        at(one) < at(other)
                    };
                    let count = rounds.iter().filter(first).count();
                    assert_eq!(count, 5, "seed {seed}: {one} and {other}");
                }
            }
        }
    }

    #[test]
    fn every_second_round_is_the_one_before_it_backwards_and_the_last_may_have_none() {
        let rounds = by_round(2, 3, 5, 4);
        assert_eq!(rounds.len(), 5);
        for two in rounds.chunks_exact(2) {
            assert_eq!(two[0], two[1].iter().rev().copied().collect::<Vec<_>>());
        }
        assert!(rounds[4] != rounds[2] || rounds[2] != rounds[0], "drawn by itself");
    }

    #[test]
    fn variants_of_a_group_run_back_to_back() {
        let runs = rounds(3, 2, 2, 9);
        assert!(runs.chunks(2).all(|two| two[0].group == two[1].group));
    }
}
