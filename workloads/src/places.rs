//! Places: which blocks of its file an op is about.

use crate::order::Permutation;
use crate::plan::{OpSize, Order, Plan};
use crate::rng::{Rng, mix};
use crate::skew::Skew;
use crate::visited::Visited;

/// Keys that keep the parts of a stream independent of each other under one seed.
const ORDER_KEY: u64 = 3;
const DRAW_KEY: u64 = 4;

/// Writes go through a file on their own, and reads, fallocates and truncates on theirs.
pub(crate) const WRITES: usize = 0;
pub(crate) const OTHERS: usize = 1;

/// What the ops of a plan have in common in the choice of their blocks.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    file_blocks: u64,
    order: Order,
    seed: u64,
    /// None if all ops are of one block.
    sizes: Vec<OpSize>,
    align_blocks: u32,
    /// What was visited of each file, if that cuts ops short.
    visited: Vec<Visited>,
    weight_total: u64,
    /// Which of the places of each size, or of the only one, come more often.
    skews: Vec<Skew>,
    draw: Rng,
    /// Visits of each file that are no permutation of all blocks: by file, [`WRITES`] or [`OTHERS`],
    /// and size.
    visits: Vec<u64>,
}

/// Where the stream is in a file.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    file: u32,
    sequential: bool,
    /// All ops are of one block, and all blocks come before one returns.
    is_plain: bool,
    permutation: Permutation,
    /// Visits so far of [`WRITES`] and [`OTHERS`]; if sizes are mixed and the order is sequential,
    /// the next block.
    visits: [u64; 2],
}

impl Places {
    /// Of a plan under a seed.
    pub(crate) fn new(plan: &Plan, seed: u64) -> Places {
        let order = plan.mix.order;
        let align = u64::from(plan.align_blocks.max(1));
        let none = || Visited::none(plan.file_blocks / align);
        let files = if plan.is_cut { plan.files as usize } else { 0 };
        let mixes = !plan.sizes.is_empty() && order == Order::Random && !plan.is_cut;
        let visits = if mixes { plan.files as usize * 2 * plan.sizes.len() } else { 0 };
        let one = [OpSize { blocks: 1, weight: 1 }];
        let sizes = if plan.sizes.is_empty() { &one[..] } else { &plan.sizes };
        let slots =
            sizes.iter().map(|size| slots(plan.file_blocks, size.blocks, plan.align_blocks));
        Places {
            file_blocks: plan.file_blocks,
            order,
            seed: mix(seed ^ mix(ORDER_KEY)),
            sizes: plan.sizes.clone(),
            align_blocks: plan.align_blocks,
            visited: std::iter::repeat_with(none).take(files).collect(),
            weight_total: plan.sizes.iter().map(|size| u64::from(size.weight)).sum(),
            draw: Rng::new(mix(seed ^ mix(DRAW_KEY))),
            skews: slots.filter_map(|(slots, _)| Skew::of(order, slots)).collect(),
            visits: vec![0; visits],
        }
    }

    /// The beginning of a file; a log is visited in sequence whatever the order.
    pub(crate) fn begin(&self, file: u32, is_log: bool) -> Place {
        let order = if is_log { Order::Sequential } else { self.order };
        Place {
            file,
            sequential: order == Order::Sequential,
            is_plain: self.sizes.is_empty() && !order.is_skewed(),
            permutation: Permutation::new(order, self.file_blocks, self.seed ^ u64::from(file)),
            visits: [0; 2],
        }
    }

    /// The first block of the next op of that direction, and how many blocks it is of.
    pub(crate) fn next(&mut self, place: &mut Place, direction: usize) -> (u64, u32) {
        if place.is_plain {
            let visit = &mut place.visits[direction];
            let block = place.permutation.block(*visit);
            *visit += 1;
            return (block, 1);
        }
        match self.skews.first() {
            Some(skew) if self.sizes.is_empty() => {
                (skewed(*skew, &place.permutation, &mut self.draw), 1)
            }
            _ => self.next_of_a_size(place, direction),
        }
    }

    fn next_of_a_size(&mut self, place: &mut Place, direction: usize) -> (u64, u32) {
        let size = self.draw_size();
        let blocks = self.sizes[size].blocks.max(1);
        if place.sequential {
            let next = &mut place.visits[direction];
            // What does not fit before the end begins anew.
            let start = if *next + u64::from(blocks) > self.file_blocks { 0 } else { *next };
            *next = start + u64::from(blocks);
            return (start, blocks);
        }
        if let Some(visited) = self.visited.get_mut(place.file as usize) {
            // fio draws a place, and goes on to the next that is free.
            let align = u64::from(self.align_blocks.max(1));
            let from = self.draw.below((self.file_blocks / align).max(1));
            let (first, units) = visited.visit(from, u64::from(blocks).div_ceil(align));
            return (first * align, (units * align).min(blocks.into()) as u32);
        }
        // Each size has places of its own, and an order of them.
        let (slots, each) = slots(self.file_blocks, blocks, self.align_blocks);
        let seed = self.seed ^ u64::from(place.file) ^ ((size as u64 + 1) << u32::BITS);
        let permutation = Permutation::new(Order::Random, slots, seed);
        if let Some(skew) = self.skews.get(size) {
            return (skewed(*skew, &permutation, &mut self.draw) * each, blocks);
        }
        let at = (place.file as usize * 2 + direction) * self.sizes.len() + size;
        let Some(visit) = self.visits.get_mut(at) else { return (0, blocks) };
        let slot = permutation.block(*visit);
        *visit += 1;
        (slot * each, blocks)
    }

    /// The place in the list of a size drawn by weight.
    fn draw_size(&mut self) -> usize {
        let mut ticket = self.draw.below(self.weight_total);
        for (at, size) in self.sizes.iter().enumerate() {
            let weight = u64::from(size.weight);
            if ticket < weight {
                return at;
            }
            ticket -= weight;
        }
        0
    }
}

/// How many places ops of a size have in a file, and how many blocks are from one to the next.
fn slots(file_blocks: u64, blocks: u32, align_blocks: u32) -> (u64, u64) {
    let blocks = u64::from(blocks.max(1));
    match u64::from(align_blocks) {
        0 => (file_blocks / blocks, blocks),
        align => (file_blocks.saturating_sub(blocks) / align + 1, align),
    }
}

/// A place drawn from a skew: those that come often are scattered, unless neighbours do.
fn skewed(skew: Skew, permutation: &Permutation, draw: &mut Rng) -> u64 {
    let number = skew.draw(draw);
    if skew.is_of_places() { number } else { permutation.block(number) }
}
