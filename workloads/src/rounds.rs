//! Rounds: how many of the measured ops came to a block that was no longer as the run found it.
//!
//! A write into a block that was only reserved makes the file system change what it knows of the
//! file; a second write to the block does not. A run that comes round to its own blocks does other
//! work there, and the faster it is the more of it.

use crate::op::{Op, OpKind};
use crate::plan::{FileState, Open, Plan};

/// Measured ops, by what had become of their blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rounds {
    /// Writes.
    pub writes: u64,
    /// Writes to blocks that earlier ops of the run had brought into another state.
    pub writes_again: u64,
    /// Reads.
    pub reads: u64,
    /// Reads of blocks that earlier ops of the run had written, if nothing was written before,
    /// or had brought into the page cache, if they were not.
    pub reads_again: u64,
}

impl Rounds {
    /// Together with those of another stream.
    #[must_use]
    pub fn and(self, other: Rounds) -> Rounds {
        Rounds {
            writes: self.writes + other.writes,
            writes_again: self.writes_again + other.writes_again,
            reads: self.reads + other.reads,
            reads_again: self.reads_again + other.reads_again,
        }
    }
}

/// What earlier ops of the run did to a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) written: bool,
    pub(crate) reserved: bool,
    pub(crate) read: bool,
}

/// How the blocks of a file are found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    state: FileState,
    /// Whether its data comes into the page cache by being used.
    cold: bool,
}

impl Found {
    /// Those of each file of a plan.
    pub(crate) fn of(plan: &Plan) -> Vec<Found> {
        let files = plan.state.iter().zip(&plan.open);
        let found = |(&state, &open)| Found { state, cold: !plan.cached && open != Open::Direct };
        files.map(found).collect()
    }

    /// Whether an op finds its block otherwise than the run did.
    fn otherwise(self, kind: OpKind, done: Done) -> bool {
        let filled = self.state != FileState::Written && done.written;
        match kind {
            OpKind::Read => filled || (self.cold && (done.read || done.written)),
            _ => filled || (self.state == FileState::Fresh && done.reserved),
        }
    }
}

impl Rounds {
    /// Counts a measured op that is about to be submitted.
    pub(crate) fn count(&mut self, op: &Op, found: Found, done: Done) {
        let again = u64::from(found.otherwise(op.kind, done));
        match op.kind {
            OpKind::Write => {
                self.writes += 1;
                self.writes_again += again;
            }
            OpKind::Read => {
                self.reads += 1;
                self.reads_again += again;
            }
            _ => {}
        }
    }
}
