//! What is registered with a ring before its first op: limits, processors of workers, files, buffers.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use io_uring::IoUring;
use iowq_workloads::Plan;

use crate::engine::api::EngineError;
use crate::engine::buffers::Buffer;
use crate::io::{allowed_cpus, set_of_cpus};

/// Sets the limits on bounded and unbounded workers.
pub(super) fn limit(ring: &IoUring, mut limits: [u32; 2]) -> Result<(), EngineError> {
    let set = ring.submitter().register_iowq_max_workers(&mut limits);
    set.map_err(|cause| EngineError {
        what: "setting the limits on workers (IORING_REGISTER_IOWQ_MAX_WORKERS)",
        cause,
        advice: "use Linux 5.15 or later, or set kernel_limits = true in the spec",
    })
}

/// Confines workers to the processors of the plan. They may use what the task's cpuset has, whatever
/// the affinity of the submitter.
pub(super) fn confine(ring: &IoUring, plan: &Plan) -> Result<(), EngineError> {
    let cpus = match (plan.only.worker_cpus.as_slice(), plan.cpus) {
        ([], None) => return Ok(()),
        ([], Some(_)) => allowed_cpus(),
        (cpus, _) => set_of_cpus(cpus),
    };
    let registered = cpus.and_then(|cpus| ring.submitter().register_iowq_aff(&cpus));
    registered.map_err(|cause| EngineError {
        what: "confining workers to processors (IORING_REGISTER_IOWQ_AFF)",
        cause,
        advice: "name processors that this process may use (`nproc`, from 0) in workers.cpus, \
                 and use Linux 5.14 or later, or remove workers.cpus and run.cpus from the spec",
    })
}

/// Registers the files and buffers that the plan wants registered.
pub(super) fn register(
    ring: &IoUring,
    plan: &Plan,
    files: &[OwnedFd],
    buffers: &[Buffer],
) -> Result<(), EngineError> {
    if plan.only.registered_files {
        let files: Vec<RawFd> = files.iter().map(AsRawFd::as_raw_fd).collect();
        failed("registering files", ring.submitter().register_files(&files))?;
    }
    if plan.only.registered_buffers {
        let part = |buffer: &Buffer| libc::iovec {
            iov_base: buffer.start().cast(),
            iov_len: buffer.bytes() as usize,
        };
        let parts: Vec<libc::iovec> = buffers.iter().map(part).collect();
        // SAFETY: the buffers outlive the ring, see `Buffers`.
        failed("registering buffers", unsafe { ring.submitter().register_buffers(&parts) })?;
    }
    Ok(())
}

fn failed(what: &'static str, result: io::Result<()>) -> Result<(), EngineError> {
    let advice = "see `ulimit -n` for files and `ulimit -l` for buffers, or remove the field from \
                  [ring]";
    result.map_err(|cause| EngineError { what, cause, advice })
}
