//! Rule: many unbounded workers, because requests on sockets or pipes are forced to them.

use iowq_contract::trace::TraceProcess;

use super::{Context, Said};

/// Unbounded workers from which on there are many.
const WORKERS_MIN: u32 = 32;

pub(super) fn rule(process: &TraceProcess, _: &Context) -> Option<Said> {
    let most = process.ops.iter().max_by_key(|op| op.unbounded).filter(|op| op.unbounded > 0)?;
    // Those alive now, and if the account is not known, the peak of a process that does little else.
    let queued: u64 = process.ops.iter().map(|op| op.queued).sum();
    let workers = if process.alive.unknown == 0 && process.alive.unbounded >= WORKERS_MIN {
        process.alive.unbounded
    } else if most.unbounded * 10 >= queued * 9 {
        process.peak
    } else {
        0
    };
    if workers < WORKERS_MIN {
        return None;
    }
    let limit = process
        .limits
        .unbounded
        .map_or_else(String::new, |limit| format!(", of {limit} that RLIMIT_NPROC allows"));
    Some(Said {
        statement: format!(
            "{workers} unbounded workers{limit}, for {} requests of which {} were forced",
            most.op, most.queued_forced
        ),
        cause: "what is not known to be a regular file is unbounded: a request on a socket, pipe or \
                the like may hold its worker until data comes, and a forced one on a file counts so, \
                too, on kernels that look the file up in the worker; the only limit is RLIMIT_NPROC",
        remedy: "submit without IOSQE_ASYNC, so that the kernel polls instead; or set a limit by \
                 IORING_REGISTER_IOWQ_MAX_WORKERS",
    })
}

#[cfg(test)]
mod tests {
    use iowq_contract::trace::{ByAccount, TraceOp};

    use super::*;

    #[test]
    fn a_worker_for_each_receive_is_found() {
        let op = TraceOp {
            op: "RECV".into(),
            queued: 88,
            queued_forced: 88,
            unbounded: 88,
            ..TraceOp::default()
        };
        let process = TraceProcess {
            alive: ByAccount { unbounded: 88, ..ByAccount::default() },
            peak: 88,
            ops: vec![op],
            ..TraceProcess::default()
        };
        let said = rule(&process, &Context::default()).expect("88 are many");
        assert!(said.statement.starts_with("88 unbounded workers"), "{}", said.statement);
        let few = TraceProcess { alive: ByAccount::default(), peak: 4, ..process };
        assert!(rule(&few, &Context::default()).is_none());
    }
}
