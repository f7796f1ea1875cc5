//! Rules: what became of the workers once the last ring was closed.

use iowq_contract::trace::TraceProcess;

use super::{Context, Said};

/// Closing a ring takes the kernel some tens of milliseconds.
const SETTLED_NS: u64 = 1_000_000_000;
/// How much later than it happened the trace sees it, at most: it looks ten times a second.
const LATE_NS: u64 = 250_000_000;

/// Workers stay.
pub(super) fn lingers(process: &TraceProcess, context: &Context) -> Option<Said> {
    let closed = Closed::of(process, context)?;
    let statement = match (process.alive.total(), closed.stayed_ns) {
        (0, Some(stayed_ns)) if stayed_ns >= SETTLED_NS => format!(
            "the last worker left {:.1} s after the last ring was closed",
            stayed_ns as f64 / 1e9
        ),
        (0, _) => return None,
        (alive, _) => {
            let (who, stay) = if alive == 1 { ("worker", "stays") } else { ("workers", "stay") };
            let since = closed.since_ns as f64 / 1e9;
            format!("{alive} {who} still {stay} {since:.1} s after the last ring was closed")
        }
    };
    Some(Said {
        statement,
        cause: "io-wq keeps one worker for each account as long as the process lives, and the others \
                for 5 s; criu dump fails as long as one is there, and so may freezers",
        remedy: "Linux 6.18.11, 6.19.1 and later let all go with the last ring (38aa434ab933, \
                 912146614894); a ring that is still mapped is not closed",
    })
}

/// All left.
pub(super) fn left(process: &TraceProcess, context: &Context) -> Option<Said> {
    let closed = Closed::of(process, context)?;
    if process.alive.total() > 0 || closed.stayed_ns? >= SETTLED_NS {
        return None;
    }
    Some(Said {
        statement: "all workers left at once when the last ring was closed".to_owned(),
        cause: "this kernel has exit-on-idle (38aa434ab933, 912146614894)",
        remedy: "nothing is to be done; a program that opens a ring for each of its tasks pays for new \
                 workers each time",
    })
}

/// What came after the last ring of a process was closed, which went on without one for a while.
struct Closed {
    /// From then until now, or until the process ended.
    since_ns: u64,
    /// From then until the last worker left; none if none left since.
    stayed_ns: Option<u64>,
}

impl Closed {
    fn of(process: &TraceProcess, context: &Context) -> Option<Closed> {
        let closed_ns = process.closed_ns?;
        let until_ns = process.ended_ns.unwrap_or(context.at_ns);
        let since_ns = until_ns.checked_sub(closed_ns).filter(|ns| *ns >= SETTLED_NS)?;
        let left_ns = process.exited_ns_last.filter(|ns| ns.saturating_add(LATE_NS) >= closed_ns);
        let stayed_ns = left_ns.map(|left_ns| left_ns.saturating_sub(closed_ns));
        Some(Closed { since_ns, stayed_ns })
    }
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
        assert!(lingers(&closed(0, Some(15_000_000_000)), &AT).is_some());
    }

    #[test]
    fn a_process_that_is_over_is_told_of_as_far_as_it_lived_without_a_ring() {
        let over = |ended_ns, exited_ns| TraceProcess {
            ended: true,
            ended_ns: Some(ended_ns),
            ..closed(0, Some(exited_ns))
        };
        let stayed = lingers(&over(14_000_000_000, 14_000_000_000), &AT).expect("until the end");
        assert!(stayed.statement.starts_with("the last worker left 4.0 s after"));
        assert!(left(&over(14_000_000_000, 10_020_000_000), &AT).is_some());
        let at_once = over(10_050_000_000, 10_020_000_000);
        assert!(lingers(&at_once, &AT).is_none() && left(&at_once, &AT).is_none());
    }

    #[test]
    fn workers_that_had_left_before_tell_nothing_of_the_close() {
        let long_gone = closed(0, Some(4_000_000_000));
        assert!(lingers(&long_gone, &AT).is_none() && left(&long_gone, &AT).is_none());
    }

    #[test]
    fn an_open_ring_is_no_reason() {
        let open = TraceProcess { closed_ns: None, ..closed(4, None) };
        assert!(lingers(&open, &AT).is_none() && left(&open, &AT).is_none());
    }
}
