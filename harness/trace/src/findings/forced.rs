//! Rule: a program forces its requests to workers by `IOSQE_ASYNC`.

use iowq_contract::trace::TraceProcess;

use super::{Context, REQUESTS_MIN, Said};
use crate::opcode::is_forced_by_kernel;

pub(super) fn rule(process: &TraceProcess, _: &Context) -> Option<Said> {
    // Nine tenths of an op are all but a few.
    let forced = process.ops.iter().filter(|op| {
        let all = op.forced >= REQUESTS_MIN && op.forced * 10 >= op.submitted * 9;
        all && !is_forced_by_kernel(&op.op)
    });
    let most = forced.max_by_key(|op| op.forced)?;
    Some(Said {
        statement: format!(
            "{} of {} {} requests were forced to workers",
            most.forced, most.submitted, most.op
        ),
        cause: "the program sets IOSQE_ASYNC, so that the kernel does not try a request first, and \
                each that finds no free worker makes one",
        remedy: "submit without IOSQE_ASYNC: what would block goes to a worker by itself, and sockets \
                 are polled",
    })
}

#[cfg(test)]
mod tests {
    use iowq_contract::trace::TraceOp;

    use super::*;

    fn finds(op: &str, submitted: u64, forced: u64) -> bool {
        let op = TraceOp { op: op.into(), submitted, forced, ..TraceOp::default() };
        let process = TraceProcess { ops: vec![op], ..TraceProcess::default() };
        rule(&process, &Context::default()).is_some()
    }

    #[test]
    fn what_the_program_forces_is_found_and_what_the_kernel_forces_is_not() {
        assert!(finds("WRITE", 1000, 1000) && finds("RECV", 1000, 950));
        assert!(!finds("FSYNC", 1000, 1000), "the kernel forces every fsync");
        assert!(!finds("WRITE", 1000, 100) && !finds("WRITE", 10, 10));
    }
}
