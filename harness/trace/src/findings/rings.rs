//! Rule: a program opens rings all along, and each makes its workers anew.

use iowq_contract::trace::TraceProcess;

use super::{Context, Said};

/// Fewer rings than this are no pattern.
const RINGS_MIN: u64 = 10;

pub(super) fn rule(process: &TraceProcess, context: &Context) -> Option<Said> {
    let open = process.rings.len() as u64;
    let closed = process.rings_opened.saturating_sub(open);
    if closed < RINGS_MIN || process.born < closed {
        return None;
    }
    let least = if context.is_lower_bound { "at least " } else { "" };
    Some(Said {
        statement: format!(
            "{least}{} rings were opened and {closed} closed in {:.1} s, and {} workers born",
            process.rings_opened,
            context.seconds(),
            process.born
        ),
        cause: "with exit-on-idle (Linux 6.18.11, 6.19.1) workers leave with the last ring of a task, \
                so that the next ring makes new ones",
        remedy: "keep one ring open for each task, even if unused",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_or_more_for_each_ring_is_found() {
        let process = |born| TraceProcess { rings_opened: 60, born, ..TraceProcess::default() };
        assert!(rule(&process(120), &Context::default()).is_some());
        assert!(rule(&process(3), &Context::default()).is_none(), "workers outlive rings");
    }
}
