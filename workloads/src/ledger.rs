//! The ledger: which write each block must hold at the end, kept while ops come and go. An op of several
//! blocks counts for each of them.
//!
//! Writes to a block that are in flight at the same time form a group: any of them may be the last
//! to reach the file, so that all the ledger can say is that one of them did. The group ends when
//! nothing is in flight any more, and the next write to the block begins a new one.
//!
//! A block that is written again and again always has writes in flight, and its group would never
//! end. So writes that cannot have been last any more leave it, in the way in which RCU finds what has
//! no readers left: a write number splits those in flight into old and new ones. Once all old ones are
//! done, whatever is submitted from then on comes after them, and once one of those is done, it
//! has overwritten them.

use std::ops::Range;

use crate::op::{Op, OpKind};
use crate::plan::{Open, Plan};
use crate::rounds::{Done, Found, Rounds};

/// What a block must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// No write was ever submitted.
    Untouched,
    /// What this op wrote.
    Exactly(u64),
    /// What one of these ops wrote, the first and the last named.
    OneOf(u64, u64),
    /// Anything: a write to it failed or is still in flight.
    Unknown,
}

/// The top bit of a block's state: a write of the group failed.
const FAILED: u32 = 1 << 31;
/// The block was read.
const READ: u32 = 1 << 30;
/// Space was reserved for the block.
const RESERVED: u32 = 1 << 29;
/// Writes of the group overlapped, so that it is split.
const SPLIT: u32 = 1 << 28;
/// All bits but those: writes in flight.
const IN_FLIGHT: u32 = SPLIT - 1;

/// What the ledger knows of a file.
#[derive(Clone, Copy, Debug)]
struct File {
    found: Found,
    /// Whether a write is on the device when it is done.
    synchronous: bool,
    /// The last fsync that was done, by its number.
    synced: Option<u64>,
    /// Whether an fsync failed: then no other says anything of what it should have covered.
    fsync_failed: bool,
}

/// Bookkeeping for all blocks of a plan: 28 bytes for each, and 20 for those that writes in flight
/// overlapped in. Untouched memory until it is used.
#[derive(Clone, Debug)]
pub struct Ledger {
    file_blocks: u64,
    files: Vec<File>,
    rounds: Rounds,
    /// The last op that was submitted.
    newest: u64,
    /// The first write of the group.
    first: Vec<u64>,
    /// The last write of the group, plus one; zero if there was none.
    last: Vec<u64>,
    /// Writes in flight, and what happened to the block.
    state: Vec<u32>,
    /// The op that an fsync must come after to cover the group.
    covered_after: Vec<u64>,
    /// Writes below this number are old.
    split: Vec<u64>,
    /// The first write of the group, once one that is not old is done.
    first_then: Vec<u64>,
    /// Old writes in flight.
    old: Vec<u32>,
}

impl Ledger {
    /// A ledger in which no block was written.
    #[must_use]
    pub fn new(plan: &Plan) -> Ledger {
        let blocks = u64::from(plan.files) * plan.file_blocks;
        // A checked plan has at most 2^26 blocks.
        let blocks = blocks as usize;
        let file = |(found, open)| File {
            found,
            synchronous: matches!(open, Open::Dsync | Open::Sync),
            synced: None,
            fsync_failed: false,
        };
        // Zeroed vectors of plain numbers come from fresh pages, so that only touched blocks cost.
        Ledger {
            file_blocks: plan.file_blocks,
            files: Found::of(plan).into_iter().zip(plan.open.iter().copied()).map(file).collect(),
            rounds: Rounds::default(),
            newest: 0,
            first: vec![0; blocks],
            last: vec![0; blocks],
            state: vec![0; blocks],
            covered_after: vec![0; blocks],
            split: vec![0; blocks],
            first_then: vec![0; blocks],
            old: vec![0; blocks],
        }
    }

    /// Counts an op of the measured part. Call it before [`Ledger::submitted`].
    pub fn count(&mut self, op: &Op) {
        let Some(file) = self.files.get(op.file as usize) else { return };
        let mut done = Done { written: false, reserved: false, read: false };
        for at in self.blocks(op) {
            done.written |= self.last[at] != 0;
            done.reserved |= self.state[at] & RESERVED != 0;
            done.read |= self.state[at] & READ != 0;
        }
        self.rounds.count(op, file.found, done);
    }

    /// How many of the ops that were counted came to blocks of another state.
    #[must_use]
    pub fn rounds(&self) -> Rounds {
        self.rounds
    }

    /// Notes that an op was handed to an engine, in the order of their numbers. Call it before the
    /// engine may start it.
    pub fn submitted(&mut self, op: &Op) {
        self.newest = op.number;
        for at in self.blocks(op) {
            match op.kind {
                OpKind::Read => self.state[at] |= READ,
                OpKind::Fallocate => self.state[at] |= RESERVED,
                _ => self.submitted_write(op, at),
            }
        }
    }

    fn submitted_write(&mut self, op: &Op, at: usize) {
        if self.state[at] & IN_FLIGHT == 0 {
            self.state[at] &= READ | RESERVED;
            self.first[at] = op.number;
            self.last[at] = 0;
            self.covered_after[at] = 0;
        } else if self.state[at] & SPLIT == 0 {
            self.old[at] = self.state[at] & IN_FLIGHT;
            self.state[at] |= SPLIT;
            self.split[at] = op.number;
            self.first_then[at] = self.first[at];
        }
        self.state[at] += 1;
        self.first[at] = self.first[at].min(op.number);
        self.last[at] = self.last[at].max(op.number + 1);
        // The fsync that is linked to it, which is the next op, starts when it is done.
        self.covered_after[at] = self.covered_after[at].max(op.number);
    }

    /// Notes that an op is over, and whether it did all it was asked to.
    pub fn completed(&mut self, op: &Op, ok: bool) {
        if matches!(op.kind, OpKind::Fsync | OpKind::Fdatasync) {
            let Some(file) = self.files.get_mut(op.file as usize) else { return };
            file.fsync_failed |= !ok;
            file.synced = file.synced.max(Some(op.number));
            return;
        }
        if op.kind == OpKind::Write {
            self.blocks(op).for_each(|at| self.completed_write(op, ok, at));
        }
    }

    fn completed_write(&mut self, op: &Op, ok: bool, at: usize) {
        if self.state[at] & IN_FLIGHT > 0 {
            self.state[at] -= 1;
        }
        if !ok {
            self.state[at] |= FAILED;
        }
        if self.state[at] & SPLIT != 0 {
            self.leave_behind(op.number, ok, at);
        }
        if !op.linked {
            self.covered_after[at] = self.covered_after[at].max(self.newest);
        }
    }

    /// Removes from a group what cannot have been last any more, now that this write is done.
    fn leave_behind(&mut self, number: u64, ok: bool, at: usize) {
        if number < self.split[at] {
            self.old[at] = self.old[at].saturating_sub(1);
        } else if ok {
            self.first[at] = self.first[at].max(self.first_then[at]);
        }
        if self.old[at] == 0 && self.first_then[at] <= self.first[at] {
            // All below the split are done, and what comes next is submitted after that.
            self.first_then[at] = self.split[at];
            self.split[at] = self.newest + 1;
            self.old[at] = self.state[at] & IN_FLIGHT;
        }
    }

    /// What a block must hold now.
    #[must_use]
    pub fn expect(&self, file: u32, block: u64) -> Expect {
        let Some(at) = self.index(file, block) else { return Expect::Untouched };
        match (self.state[at] & (FAILED | IN_FLIGHT), self.first[at], self.last[at]) {
            (0, _, 0) => Expect::Untouched,
            (0, first, last) if first == last - 1 => Expect::Exactly(first),
            (0, first, last) => Expect::OneOf(first, last - 1),
            _ => Expect::Unknown,
        }
    }

    /// Whether what a block must hold was promised to be on the device: by an fsync that began when
    /// the write was done, and is done itself, or by the way the file is opened. None if the
    /// block was never written. To be asked once no op is in flight.
    #[must_use]
    pub fn promised(&self, file: u32, block: u64) -> Option<bool> {
        let expect = self.expect(file, block);
        if expect == Expect::Untouched {
            return None;
        }
        let (at, file) = (self.index(file, block)?, self.files.get(file as usize)?);
        let fsynced = file.synced.is_some_and(|synced| self.covered_after[at] < synced);
        let covered = file.synchronous || (fsynced && !file.fsync_failed);
        Some(covered && expect != Expect::Unknown)
    }

    /// The places of the blocks that an op is about; none if one of them does not exist.
    fn blocks(&self, op: &Op) -> Range<usize> {
        let moves = matches!(op.kind, OpKind::Write | OpKind::Read | OpKind::Fallocate);
        let end = op.block.saturating_add(op.blocks.into());
        if !moves || self.file_blocks < end {
            return 0..0;
        }
        self.index(op.file, op.block).map_or(0..0, |first| first..first + op.blocks as usize)
    }

    fn index(&self, file: u32, block: u64) -> Option<usize> {
        if block >= self.file_blocks {
            return None;
        }
        let index = u64::from(file).checked_mul(self.file_blocks)?.checked_add(block)?;
        usize::try_from(index).ok().filter(|index| *index < self.state.len())
    }
}
