//! How ops reached workers: done by the submitter, queued hashed or unhashed, or linked.

use iowq_contract::{DispatchCounts, Record};

/// Sums over the runs that counted; none if no run did.
pub(crate) fn dispatch(kind: &str, runs: &[&Record]) -> Option<DispatchCounts> {
    runs.iter().filter_map(|run| run.dispatch.get(kind)).copied().reduce(|a, b| DispatchCounts {
        inline: a.inline.saturating_add(b.inline),
        hashed: a.hashed.saturating_add(b.hashed),
        unhashed: a.unhashed.saturating_add(b.unhashed),
        linked: a.linked.saturating_add(b.linked),
    })
}
