//! The ledger: which write each block must hold at the end, kept while ops come and go.
//!
//! Writes to a block that are in flight at the same time form a group: any of them may be the last
//! to reach the file, so that all the ledger can say is that one of them did. The group ends when
//! nothing is in flight any more, and the next write to the block begins a new one.

use crate::op::{Op, OpKind};
use crate::plan::Plan;

/// What a block must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// No write was ever handed over.
    Untouched,
    /// What this op wrote.
    Exactly(u64),
    /// What one of these ops wrote, the first and the last named.
    OneOf(u64, u64),
    /// Anything: a write to it failed or is still in flight.
    Unknown,
}

/// The top bit of a block's state: a write of the group failed. The others count those in flight.
const FAILED: u32 = 1 << 31;

/// Bookkeeping for all blocks of a plan: 20 bytes for each, untouched memory until it is used.
#[derive(Clone, Debug)]
pub struct Ledger {
    file_blocks: u64,
    /// The first write of the group.
    first: Vec<u64>,
    /// The last write of the group, plus one; zero where there was none.
    last: Vec<u64>,
    /// Writes in flight, and whether one failed.
    state: Vec<u32>,
}

impl Ledger {
    /// A ledger in which no block was written.
    #[must_use]
    pub fn new(plan: &Plan) -> Ledger {
        let blocks = u64::from(plan.files) * plan.file_blocks;
        // A checked plan has at most 2^26 blocks.
        let blocks = blocks as usize;
        // Zeroed vectors of plain numbers come from fresh pages, so that only touched blocks cost.
        Ledger {
            file_blocks: plan.file_blocks,
            first: vec![0; blocks],
            last: vec![0; blocks],
            state: vec![0; blocks],
        }
    }

    /// Notes that an op was handed to an engine. Call it before the engine may start it.
    pub fn submitted(&mut self, op: &Op) {
        let Some(at) = self.place(op) else { return };
        if self.state[at] & !FAILED == 0 {
            self.state[at] = 0;
            self.first[at] = op.number;
            self.last[at] = 0;
        }
        self.state[at] += 1;
        self.first[at] = self.first[at].min(op.number);
        self.last[at] = self.last[at].max(op.number + 1);
    }

    /// Notes that an op is over, and whether it did all it was asked to.
    pub fn completed(&mut self, op: &Op, ok: bool) {
        let Some(at) = self.place(op) else { return };
        if self.state[at] & !FAILED > 0 {
            self.state[at] -= 1;
        }
        if !ok {
            self.state[at] |= FAILED;
        }
    }

    /// What a block must hold now.
    #[must_use]
    pub fn expect(&self, file: u32, block: u64) -> Expect {
        let Some(at) = self.index(file, block) else { return Expect::Untouched };
        match (self.state[at], self.first[at], self.last[at]) {
            (0, _, 0) => Expect::Untouched,
            (0, first, last) if first == last - 1 => Expect::Exactly(first),
            (0, first, last) => Expect::OneOf(first, last - 1),
            _ => Expect::Unknown,
        }
    }

    /// The place of a write's block.
    fn place(&self, op: &Op) -> Option<usize> {
        if op.kind == OpKind::Write { self.index(op.file, op.block) } else { None }
    }

    fn index(&self, file: u32, block: u64) -> Option<usize> {
        if block >= self.file_blocks {
            return None;
        }
        let index = u64::from(file).checked_mul(self.file_blocks)?.checked_add(block)?;
        usize::try_from(index).ok().filter(|index| *index < self.state.len())
    }
}
