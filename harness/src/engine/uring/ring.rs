//! Rings: how they are set up, and what the result of a completion means.

use std::io::{self, ErrorKind};

use io_uring::IoUring;
use iowq_workloads::{Only, Op, Plan};

use crate::engine::call::SHORT;
use iowq_pool::WorkOutcome;

/// The kernel's own name for a request that never ran.
const CANCELLED: i32 = 125; // ECANCELED

/// The ring of a plan, with what only io_uring has. A polled one, and one of which a thread of the
/// kernel takes requests, interrupts no submitter as it is.
pub(super) fn ring_of(plan: &Plan) -> io::Result<IoUring> {
    let mut entries = plan.depth.next_power_of_two();
    let Only { sqpoll, iopoll, .. } = plan.only;
    if !sqpoll && !iopoll {
        return new_ring(entries);
    }
    let mut builder = IoUring::builder();
    if sqpoll {
        // The thread makes room for a batch once all of it is submitted, when the first of it may be
        // done and submitted again.
        entries *= 2;
        builder.setup_sqpoll(SQPOLL_IDLE_MS);
    }
    if iopoll {
        builder.setup_iopoll();
    }
    builder.build(entries)
}

/// How long the kernel's thread looks for requests before it sleeps; its default.
const SQPOLL_IDLE_MS: u32 = 1000;

/// A ring that does not interrupt the submitter for each completion that has to be finished in its
/// context (`IORING_SETUP_COOP_TASKRUN`), as fio's is, too; a plain one on kernels before 5.19. The
/// creation of workers interrupts it either way.
pub(super) fn new_ring(entries: u32) -> io::Result<IoUring> {
    let ring = IoUring::builder().setup_coop_taskrun().build(entries);
    match ring {
        Err(error) if error.kind() == ErrorKind::InvalidInput => IoUring::new(entries),
        ring => ring,
    }
}

/// What became of a request, by the result of its completion.
pub fn outcome(op: &Op, result: i32, block_bytes: u32) -> WorkOutcome {
    match result {
        result if result == -CANCELLED => WorkOutcome::Cancelled,
        result if result < 0 => WorkOutcome::Failed(-result),
        result if op.kind.is_of_blocks() && result.unsigned_abs() != op.bytes(block_bytes) => {
            WorkOutcome::Failed(SHORT)
        }
        _ => WorkOutcome::Done,
    }
}
