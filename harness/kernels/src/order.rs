//! The order of boots: rounds, each with every kernel once, shuffled by the seed.

use iowq_contract::Role;

/// One boot's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Place in the whole, from 0.
    pub number: u32,
    /// Its round.
    pub round: u32,
    /// Index of the kernel.
    pub kernel: usize,
    /// What it is for.
    pub role: Role,
}

/// All boots, in order: each round has every kernel once, and with `noise` the base, which is the
/// first kernel, once more. Rounds come in twos: the first has them in an order drawn from the seed,
/// the second has them the other way round, so that neither side is favoured by its place.
#[must_use]
pub fn places(kernels: usize, noise: bool, rounds: u32, seed: u64) -> Vec<Place> {
    let mut places = Vec::new();
    let mut number = 0;
    for round in 0..rounds {
        let key = mix(seed ^ mix(u64::from(round / 2)));
        let mut order: Vec<usize> = (0..kernels + usize::from(noise)).collect();
        order.sort_by_key(|&arm| mix(key ^ mix(arm as u64)));
        if round % 2 == 1 {
            order.reverse();
        }
        for arm in order {
            let (kernel, role) =
                if arm < kernels { (arm, Role::Measured) } else { (0, Role::Noise) };
            places.push(Place { number, round, kernel, role });
            number += 1;
        }
    }
    places
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
    fn every_round_has_every_kernel_once_and_numbers_count_up() {
        let places = places(3, false, 8, 1);
        for (round, chunk) in places.chunks(3).enumerate() {
            let mut kernels: Vec<usize> = chunk.iter().map(|place| place.kernel).collect();
            kernels.sort_unstable();
            assert_eq!(kernels, [0, 1, 2]);
            assert!(chunk.iter().all(|place| place.round as usize == round));
        }
        let numbers: Vec<u32> = places.iter().map(|place| place.number).collect();
        assert_eq!(numbers, (0..24).collect::<Vec<_>>());
    }

    #[test]
    fn each_kernel_is_as_often_first_as_last_and_the_seed_decides_where_it_begins() {
        let first = |seed| -> Vec<usize> {
            places(2, false, 32, seed).chunks(2).map(|round| round[0].kernel).collect()
        };
        assert_eq!(first(1).iter().filter(|kernel| **kernel == 0).count(), 16);
        assert_eq!(first(7), first(7));
        assert_ne!(first(7), first(8));
    }

    #[test]
    fn with_noise_each_round_has_the_base_once_more_and_neither_of_the_two_is_always_first() {
        let places = places(2, true, 32, 1);
        assert_eq!(places.len(), 96);
        let mut base_first = 0;
        for round in places.chunks(3) {
            let mut arms: Vec<_> = round.iter().map(|place| (place.kernel, place.role)).collect();
            let at = |role| round.iter().position(|one| (one.kernel, one.role) == (0, role));
            base_first += usize::from(at(Role::Measured) < at(Role::Noise));
            arms.sort_unstable();
            assert_eq!(arms, [(0, Role::Measured), (0, Role::Noise), (1, Role::Measured)]);
        }
        assert_eq!(base_first, 16);
    }
}
