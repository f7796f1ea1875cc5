//! Rule: workers may not run where their submitters run.

use iowq_contract::trace::TraceProcess;

use super::{Context, Said};

pub(super) fn rule(process: &TraceProcess, _: &Context) -> Option<Said> {
    if process.pinned.is_empty() || process.peak == 0 {
        return None;
    }
    Some(Said {
        statement: format!("its workers run on processors {} alone, unlike itself", process.pinned),
        cause: "the affinity of workers was set apart from that of their submitters: then a submitter \
                often finds no worker that has begun, and hundreds are made (liburing #976)",
        remedy: "let both run on the same processors: IORING_REGISTER_IOWQ_AFF for the workers, \
                 sched_setaffinity for the submitter",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_that_are_pinned_apart_are_found() {
        let pinned = TraceProcess { pinned: "3".into(), peak: 4, ..TraceProcess::default() };
        assert!(rule(&pinned, &Context::default()).is_some_and(|it| it.statement.contains(" 3 ")));
        assert!(rule(&TraceProcess::default(), &Context::default()).is_none());
    }
}
