//! The order in which blocks are visited: a permutation of 0..n, without a table.

use crate::plan::Order;
use crate::rng::mix;

/// A permutation of the blocks of a file.
#[derive(Clone, Debug)]
pub(crate) struct Permutation {
    blocks: u64,
    /// The bits that number 0..blocks rounded up to a power of two, or none for the identity.
    mask: u64,
    shift: u32,
    key: u64,
    multiplier: u64,
}

impl Permutation {
    /// The visits to a file of `blocks` blocks: in sequence, or scattered.
    pub(crate) fn new(order: Order, blocks: u64, seed: u64) -> Permutation {
        let blocks = blocks.max(1);
        let bits = match order {
            Order::Sequential => 0,
            _ => u64::BITS - (blocks - 1).leading_zeros(),
        };
        Permutation {
            blocks,
            mask: (1 << bits) - 1,
            shift: bits / 2 + 1,
            key: mix(seed),
            multiplier: mix(seed ^ u64::MAX) | 1,
        }
    }

    /// The block of the n-th visit. After as many visits as there are blocks it begins again, in
    /// the same order, so that any such stretch has every block once.
    pub(crate) fn block(&self, visit: u64) -> u64 {
        let place = visit % self.blocks;
        if self.mask == 0 {
            return place;
        }
        // Following a permutation of a larger set until it is back in the smaller one is a
        // permutation of the smaller one. The larger is less than twice as large, so that this
        // takes less than two steps on average.
        let mut block = self.scramble(place);
        while block >= self.blocks {
            block = self.scramble(block);
        }
        block
    }

    /// A bijection on the numbers up to the mask: xor with a key, multiplication by an odd number
    /// and xor with the own upper bits can each be undone.
    fn scramble(&self, place: u64) -> u64 {
        let mut word = (place ^ self.key) & self.mask;
        word = word.wrapping_mul(self.multiplier) & self.mask;
        word ^= word >> self.shift;
        word = word.wrapping_mul(self.multiplier ^ (self.key << 1)) & self.mask;
        word ^ (word >> self.shift)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visits(order: Order, blocks: u64, seed: u64) -> Vec<u64> {
        let permutation = Permutation::new(order, blocks, seed);
        (0..blocks).map(|visit| permutation.block(visit)).collect()
    }

    #[test]
    fn every_size_up_to_a_few_hundred_is_a_permutation() {
        for blocks in 1..300 {
            let mut seen = visits(Order::Random, blocks, blocks * 7);
            seen.sort_unstable();
            assert_eq!(seen, (0..blocks).collect::<Vec<_>>(), "{blocks} blocks");
        }
    }

    #[test]
    fn sequential_visits_wrap_around() {
        let permutation = Permutation::new(Order::Sequential, 3, 9);
        assert_eq!((0..5).map(|n| permutation.block(n)).collect::<Vec<_>>(), [0, 1, 2, 0, 1]);
    }

    #[test]
    fn random_visits_depend_on_the_seed_and_are_seldom_neighbours() {
        let one = visits(Order::Random, 4096, 1);
        assert_ne!(one, visits(Order::Random, 4096, 2));
        let neighbours = one.windows(2).filter(|pair| pair[1].abs_diff(pair[0]) == 1).count();
        assert!(neighbours < 40, "{neighbours} of 4095 steps go to a neighbour");
    }
}
