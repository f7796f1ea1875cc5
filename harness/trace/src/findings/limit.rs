//! Rules: the limit on bounded workers is broken, or all that it allows are at work.

use iowq_contract::trace::TraceProcess;

use super::{Context, Said};

/// A birth is seen before the exit of the worker that it replaces.
const OVERLAP: u32 = 2;
/// Of the time of workers, what may be idle while all of them are at work.
const IDLE_SHARE_MAX: f64 = 0.2;

/// More workers than the limit allows.
pub(super) fn broken(process: &TraceProcess, _: &Context) -> Option<Said> {
    // That by default is only known to hold of a process that was seen from its first ring on.
    let known = process.limits_told || process.limits_set == Some(false);
    let limit = process.limits.bounded.filter(|_| known)?;
    if process.peak_bounded <= limit.saturating_add(OVERLAP) {
        return None;
    }
    Some(Said {
        statement: format!(
            "{} bounded workers were alive at one time, and the limit is {limit}",
            process.peak_bounded
        ),
        cause: "this kernel has 9d83e1f05c98 as it was first posted, which makes workers beyond the \
                limit and loses count of them",
        remedy: "cd4ea81be3eb mends it; Linux 6.17, 6.16.9 and later have both",
    })
}

/// All allowed workers are busy, and requests wait.
pub(super) fn reached(process: &TraceProcess, context: &Context) -> Option<Said> {
    let known = process.limits_told || process.limits_set != Some(true);
    // Unbounded requests have another limit.
    let limit = process.limits.bounded.filter(|_| known && context.sees_accounts)?;
    let busy = process.samples > 0
        && (process.samples_idle as f64) < process.samples as f64 * IDLE_SHARE_MAX;
    let unhashed = process.ops.iter().any(|op| op.queued > op.hashed + op.unbounded);
    if process.peak != limit || process.in_flight <= limit.into() || !busy || !unhashed {
        return None;
    }
    Some(Said {
        statement: format!(
            "all {limit} bounded workers that the limit allows are at work, and {} requests are in \
             io-wq",
            process.in_flight
        ),
        cause: "by default as many bounded workers may be alive as the first ring has entries, and at \
                most four for each processor",
        remedy: "IORING_REGISTER_IOWQ_MAX_WORKERS raises the limit, if the device can do more at once",
    })
}

#[cfg(test)]
mod tests {
    use iowq_contract::trace::{Limits, TraceOp};

    use super::*;

    fn process(peak: u32, limits_set: Option<bool>) -> TraceProcess {
        TraceProcess {
            peak,
            peak_bounded: peak,
            limits: Limits { bounded: Some(8), unbounded: None },
            limits_set,
            ..TraceProcess::default()
        }
    }

    #[test]
    fn more_workers_than_the_limit_name_the_commit_that_mends_it() {
        let said = broken(&process(61, Some(false)), &Context::default()).expect("it is broken");
        assert!(said.statement.contains("61 bounded workers") && said.statement.contains("is 8"));
    }

    #[test]
    fn a_limit_that_may_have_been_set_is_not_held_against_the_kernel() {
        for limits_set in [None, Some(true)] {
            assert!(broken(&process(61, limits_set), &Context::default()).is_none());
        }
        assert!(broken(&process(9, Some(false)), &Context::default()).is_none(), "an overlap");
        let told = TraceProcess { limits_told: true, ..process(61, Some(true)) };
        assert!(broken(&told, &Context::default()).is_some(), "the kernel told it");
    }

    #[test]
    fn busy_workers_at_the_limit_with_requests_that_wait_are_found() {
        let op = TraceOp { op: "FSYNC".into(), queued: 500, ..TraceOp::default() };
        let busy = TraceProcess {
            in_flight: 60,
            samples: 100,
            samples_idle: 5,
            ops: vec![op],
            ..process(8, Some(false))
        };
        let sees_accounts = Context { sees_accounts: true, ..Context::default() };
        assert!(reached(&busy, &sees_accounts).is_some());
        assert!(reached(&busy, &Context::default()).is_none(), "they may be unbounded");
        let idle = TraceProcess { samples_idle: 60, ..busy };
        assert!(reached(&idle, &sees_accounts).is_none());
    }
}
