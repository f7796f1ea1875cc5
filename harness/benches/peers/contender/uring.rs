//! The running kernel's io-wq, through io_uring. No-ops are forced to a worker; writes and fsyncs
//! get there by the kernel's own rules.

use std::hint::black_box;
use std::sync::Arc;

use anyhow::Context as _;
use io_uring::{IoUring, opcode, squeue, types};
use iowq_harness::clock::Nanos;
use iowq_harness::probes::{Bpf, BpfOptions, Requests};

use super::{Contender, Wait};
use crate::task::{BLOCK_BYTES, Task};

/// Of how many no-ops one is timed under probes, as in a run.
const NOPS_TIMED_ONE_IN: u64 = 8;

/// A ring.
pub struct Uring {
    ring: IoUring,
    probes: Option<(Bpf, Arc<Requests>)>,
    submitted: u64,
}

impl Uring {
    /// A ring with room for `depth` ops, whose io-wq has this many workers at most.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub fn new(workers: u32, depth: u32) -> anyhow::Result<Uring> {
        // As the engine has it: completions do not interrupt the submitter.
        let ring = IoUring::builder().setup_coop_taskrun().build(depth).context("io_uring")?;
        ring.submitter().register_iowq_max_workers(&mut [workers; 2])?;
        Ok(Uring { ring, probes: None, submitted: 0 })
    }

    /// The same under the probes of a run, whose times are read.
    ///
    /// # Errors
    /// What the kernel refuses; without root it does.
    pub fn probed(workers: u32, depth: u32) -> anyhow::Result<Uring> {
        let bpf = Bpf::start(&BpfOptions { requests: depth, ..BpfOptions::default() })?;
        let requests = bpf.requests().context("the probes do not see requests")?;
        Ok(Uring { probes: Some((bpf, requests)), ..Uring::new(workers, depth)? })
    }
}

fn entry(task: Task) -> squeue::Entry {
    match task {
        Task::Nop => opcode::Nop::new().build().flags(squeue::Flags::ASYNC),
        Task::Write(file, at) => {
            opcode::Write::new(types::Fd(file), Task::block().as_ptr(), BLOCK_BYTES as u32)
                .offset(at)
                .build()
        }
        Task::Fsync(file) => opcode::Fsync::new(types::Fd(file)).build(),
    }
}

impl Contender for Uring {
    fn submit(&mut self, ops: &[(u32, Task)]) {
        for &(op, task) in ops {
            let mut timed = false;
            if let Some((_, requests)) = &self.probes {
                requests.prepare(op);
                self.submitted += 1;
                let nop = matches!(task, Task::Nop);
                timed = !nop || self.submitted.is_multiple_of(NOPS_TIMED_ONE_IN);
            }
            let entry = entry(task).user_data(Requests::user_data(op, timed));
            // SAFETY: what is written is static, and the files outlive the ring.
            let pushed = unsafe { self.ring.submission().push(&entry) };
            pushed.expect("there is room for all ops in flight");
        }
    }

    fn reap(&mut self, wait: Wait, out: &mut Vec<u32>) {
        // One call hands over what was submitted and waits, as a program would.
        let wanted = usize::from(wait == Wait::Sleeping && self.ring.completion().is_empty());
        if wanted > 0 || !self.ring.submission().is_empty() {
            self.ring.submit_and_wait(wanted).expect("the kernel takes ops");
        }
        for entry in self.ring.completion() {
            assert!(entry.result() >= 0, "an op failed: {}", entry.result());
            let op = Requests::slot(entry.user_data());
            if let Some((_, requests)) = &self.probes {
                black_box(requests.times(op, Nanos(0)));
            }
            out.push(op);
        }
    }
}
