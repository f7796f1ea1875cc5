//! Rules: what became of the workers once the last ring was closed.

use iowq_contract::trace::TraceProcess;

use super::{Context, Said};

/// Closing a ring takes the kernel some tens of milliseconds, and the trace sees it a tenth of a second
/// later at most.
const SETTLED_NS: u64 = 1_000_000_000;

/// A worker stays.
pub(super) fn lingers(process: &TraceProcess, context: &Context) -> Option<Said> {
    let since_ns = context.at_ns.checked_sub(process.closed_ns?)?;
    let alive = process.alive.total();
    if alive == 0 || since_ns < SETTLED_NS || process.ended {
        return None;
    }
    let (who, stay) = if alive == 1 { ("worker", "stays") } else { ("workers", "stay") };
    Some(Said {
        statement: format!(
            "{alive} {who} still {stay} {:.1} s after the last ring was closed",
            since_ns as f64 / 1e9
        ),
        cause: "io-wq keeps one worker for each account as long as the process lives, and the others \
                for 5 s; criu dump fails as long as one is there, and so may freezers",
        remedy: "Linux 6.18.11, 6.19.1 and later let all go with the last ring (38aa434ab933, \
                 912146614894); a ring that is still mapped is not closed",
    })
}

/// All left.
pub(super) fn left(process: &TraceProcess, context: &Context) -> Option<Said> {
    let closed_ns = process.closed_ns.filter(|_| !process.ended)?;
    let gone = process.alive.total() == 0 && process.exited > 0;
    let after_ns = process.exited_ns_last?.saturating_sub(closed_ns);
    if !gone || context.at_ns.saturating_sub(closed_ns) < SETTLED_NS || after_ns > SETTLED_NS {
        return None;
    }
    Some(Said {
        statement: "all workers left at once when the last ring was closed".to_owned(),
        cause: "this kernel has exit-on-idle (38aa434ab933, 912146614894)",
        remedy: "nothing is to be done; a program that opens a ring for each of its tasks pays for new \
                 workers each time",
    })
}

#[cfg(test)]
mod tests {
    use iowq_contract::trace::ByAccount;

    use super::*;

    const AT: Context = Context {
        at_ns: 50_000_000_000,
        release: [6, 12, 117],
        is_lower_bound: false,
        sees_accounts: true,
    };

    fn closed(alive: u32, exited_ns_last: Option<u64>) -> TraceProcess {
        TraceProcess {
            closed_ns: Some(10_000_000_000),
            alive: ByAccount { bounded: alive, ..ByAccount::default() },
            exited: 3,
            exited_ns_last,
            ..TraceProcess::default()
        }
    }

    #[test]
    fn a_worker_that_outlives_the_last_ring_is_named_with_the_time() {
        let said = lingers(&closed(1, None), &AT).expect("one stays");
        assert_eq!(said.statement, "1 worker still stays 40.0 s after the last ring was closed");
        assert!(left(&closed(1, Some(10_020_000_000)), &AT).is_none());
    }

    #[test]
    fn workers_that_leave_with_the_last_ring_are_told_of_too() {
        let gone = closed(0, Some(10_020_000_000));
        assert!(left(&gone, &AT).is_some() && lingers(&gone, &AT).is_none());
        assert!(left(&closed(0, Some(15_000_000_000)), &AT).is_none(), "by their timeout");
    }

    #[test]
    fn an_open_ring_is_no_reason() {
        let open = TraceProcess { closed_ns: None, ..closed(4, None) };
        assert!(lingers(&open, &AT).is_none() && left(&open, &AT).is_none());
    }
}
