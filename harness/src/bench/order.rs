//! The order of runs: rounds by twos, each with every cell once, the second the first backwards.

/// One run's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Index of its workload.
    pub(super) workload: usize,
    /// Index of its arm.
    pub(super) arm: usize,
    /// Which round it is in.
    pub(super) pair: u32,
    /// Place in the whole.
    pub(super) position: u32,
}

/// All runs, in order. Within a round the cells of a workload stand next to each other, so that
/// what is compared ran back to back; workloads and arms are in an order drawn from the seed. Each
/// second round is the one before it backwards, so that of any two arms either is first as often as
/// the other, and a steady drift adds nothing to their difference. An odd last round has no such
/// partner.
pub(super) fn places(workloads: usize, arms: usize, pairs: u32, seed: u64) -> Vec<Place> {
    let mut places = Vec::new();
    let mut position = 0;
    for pair in 0..pairs {
        let mut cells = cells(workloads, arms, mix(seed ^ mix(u64::from(pair / 2))));
        if pair % 2 == 1 {
            cells.reverse();
        }
        for (workload, arm) in cells {
            places.push(Place { workload, arm, pair, position });
            position += 1;
        }
    }
    places
}

/// Each workload with each arm, in the order of a round.
fn cells(workloads: usize, arms: usize, key: u64) -> Vec<(usize, usize)> {
    let of = |workload: usize| {
        let arms = shuffled(arms, mix(key ^ mix(workload as u64 + 1)));
        arms.into_iter().map(move |arm| (workload, arm))
    };
    shuffled(workloads, key).into_iter().flat_map(of).collect()
}

/// The numbers below `count`, ordered by what the key makes of each.
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

    #[test]
    fn every_round_has_every_cell_once() {
        let places = places(2, 4, 5, 1);
        assert_eq!(places.len(), 40);
        for round in places.chunks(8) {
            let mut cells: Vec<_> = round.iter().map(|at| (at.workload, at.arm)).collect();
            cells.sort_unstable();
            cells.dedup();
            assert_eq!(cells.len(), 8);
            assert!(round.iter().all(|at| at.pair == round[0].pair));
        }
    }

    #[test]
    fn the_order_is_the_seeds_and_differs_from_round_to_round() {
        assert_eq!(places(2, 4, 5, 7), places(2, 4, 5, 7));
        assert_ne!(places(2, 4, 5, 7), places(2, 4, 5, 8));
        let places = places(1, 6, 20, 1);
        let first: Vec<_> = places.chunks(6).map(|round| round[0].arm).collect();
        let mut different = first.clone();
        different.sort_unstable();
        different.dedup();
        assert!(different.len() > 3, "each arm leads a round now and then: {first:?}");
    }

    #[test]
    fn of_any_two_arms_either_is_first_in_half_of_the_rounds() {
        for seed in 0..20 {
            let places = places(2, 4, 10, seed);
            let at = |arm, pair, workload| {
                let is = |at: &&Place| (at.arm, at.pair, at.workload) == (arm, pair, workload);
                places.iter().find(is).map(|at| at.position)
            };
            for (one, other) in [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)] {
                for workload in 0..2 {
                    let first = |pair: &u32| at(one, *pair, workload) < at(other, *pair, workload);
                    assert_eq!((0..10).filter(first).count(), 5, "seed {seed}: {one} and {other}");
                }
            }
        }
    }

    #[test]
    fn each_second_round_is_the_one_before_it_backwards_and_the_last_may_stand_alone() {
        let places = places(2, 3, 5, 4);
        let rounds: Vec<Vec<_>> = places
            .chunks(6)
            .map(|round| round.iter().map(|at| (at.workload, at.arm)).collect())
            .collect();
        assert_eq!(rounds.len(), 5);
        for two in rounds.chunks_exact(2) {
            assert_eq!(two[0], two[1].iter().rev().copied().collect::<Vec<_>>());
        }
        assert!(rounds[4] != rounds[2] || rounds[2] != rounds[0], "drawn by itself");
    }

    #[test]
    fn positions_count_through_and_workloads_stay_together() {
        let places = places(3, 2, 2, 9);
        assert!(places.iter().zip(0..).all(|(at, position)| at.position == position));
        assert!(places.chunks(2).all(|pair| pair[0].workload == pair[1].workload));
    }
}
