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
    /// Blocks from one visit to the next if the order is the identity.
    step: i64,
}

impl Permutation {
    /// The visits to a file of `blocks` blocks: in sequence, or scattered.
    pub(crate) fn new(order: Order, blocks: u64, seed: u64) -> Permutation {
        let blocks = blocks.max(1);
        let bits = match order {
            Order::Sequential | Order::Step { .. } => 0,
            _ => u64::BITS - (blocks - 1).leading_zeros(),
        };
        Permutation {
            blocks,
            mask: (1 << bits) - 1,
            shift: bits / 2 + 1,
            key: mix(seed),
            multiplier: mix(seed ^ u64::MAX) | 1,
            step: if let Order::Step { blocks } = order { blocks } else { 1 },
        }
    }

    /// The block of the n-th visit. After as many visits as there are blocks it begins again, in
    /// the same order, so that any such stretch has every block once.
    pub(crate) fn block(&self, visit: u64) -> u64 {
        if self.mask == 0 {
            return self.in_steps(visit);
        }
        let place = visit % self.blocks;
        // Following a permutation of a larger set until it is back in the smaller one is a
        // permutation of the smaller one. The larger is less than twice as large, so that this
        // takes less than two steps on average.
        let mut block = self.scramble(place);
        while block >= self.blocks {
            block = self.scramble(block);
        }
        block
    }

    /// The block of the n-th visit by steps: from the first on, and backwards from as far before the
    /// end as a step goes, as in fio.
    fn in_steps(&self, visit: u64) -> u64 {
        let step = self.step.unsigned_abs();
        if self.step >= 0 {
            return match step {
                0 => 0,
                _ => visit % self.blocks.div_ceil(step) * step,
            };
        }
        let last = self.blocks - 1;
        match (visit.checked_sub(1), last / step) {
            (None, _) | (_, 0) => 0,
            (Some(visit), places) => last - (visit % places + 1) * step,
        }
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
    fn steps_go_where_fio_goes() {
        let visits = |step, blocks, count| {
            let permutation = Permutation::new(Order::Step { blocks: step }, blocks, 9);
            (0..count).map(|visit| permutation.block(visit)).collect::<Vec<_>>()
        };
        // Seen of fio 3.33 with bs=4k and rw=read:-8k, -16k, -4k and rw=write:4k, 8k.
        assert_eq!(visits(-1, 8, 11), [0, 6, 5, 4, 3, 2, 1, 0, 6, 5, 4]);
        assert_eq!(visits(-3, 16, 8), [0, 12, 9, 6, 3, 0, 12, 9]);
        assert_eq!(visits(0, 8, 3), [0, 0, 0]);
        assert_eq!(visits(2, 16, 10), [0, 2, 4, 6, 8, 10, 12, 14, 0, 2]);
        assert_eq!(visits(3, 16, 8), [0, 3, 6, 9, 12, 15, 0, 3]);
        assert_eq!((visits(-9, 8, 3), visits(i64::MIN, 1, 3)), (vec![0; 3], vec![0; 3]));
    }

    #[test]
    fn random_visits_depend_on_the_seed_and_are_seldom_neighbours() {
        let one = visits(Order::Random, 4096, 1);
        assert_ne!(one, visits(Order::Random, 4096, 2));
        let neighbours = one.windows(2).filter(|pair| pair[1].abs_diff(pair[0]) == 1).count();
        assert!(neighbours < 40, "{neighbours} of 4095 steps go to a neighbour");
    }
}
