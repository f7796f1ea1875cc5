//! How ops reached workers: done by the submitter, queued hashed or unhashed, and time in the queue.

use iowq_contract::{DispatchCounts, Record};

use crate::runs::figures::Spread;
use crate::runs::group::Section;

/// One kind of operation in one group.
#[derive(Clone, Debug, PartialEq)]
pub struct Reach {
    /// Place of the group in its section.
    pub group: usize,
    /// Kind of operation.
    pub kind: String,
    /// Sums over the runs that counted; none if no run did.
    pub dispatch: Option<DispatchCounts>,
    /// Median of runs: median of the time in the queue.
    pub queue_p50_ns: Option<Spread>,
    /// Median of runs: 99th percentile of it.
    pub queue_p99_ns: Option<Spread>,
}

/// A row per kind and group of which something is known, kinds in order of their names.
pub fn reach(section: &Section<'_>) -> Vec<Reach> {
    let runs = || section.groups.iter().flat_map(|group| &group.runs);
    let mut kinds: Vec<&String> =
        runs().flat_map(|run| run.dispatch.keys().chain(run.latency.queue.keys())).collect();
    // No op is punted as `all`, and its times are those of the kinds.
    kinds.retain(|kind| *kind != "all");
    kinds.sort();
    kinds.dedup();
    let mut rows = Vec::new();
    for kind in kinds {
        for (at, group) in section.groups.iter().enumerate() {
            rows.extend(row(at, kind, &group.runs));
        }
    }
    rows
}

/// Sums over the runs that counted; none if no run did.
pub(crate) fn dispatch(kind: &str, runs: &[&Record]) -> Option<DispatchCounts> {
    runs.iter().filter_map(|run| run.dispatch.get(kind)).copied().reduce(|a, b| DispatchCounts {
        inline: a.inline.saturating_add(b.inline),
        hashed: a.hashed.saturating_add(b.hashed),
        unhashed: a.unhashed.saturating_add(b.unhashed),
        linked: a.linked.saturating_add(b.linked),
    })
}

fn row(group: usize, kind: &str, runs: &[&Record]) -> Option<Reach> {
    let dispatch = dispatch(kind, runs);
    let queued = || {
        let of = runs.iter().filter_map(|run| run.latency.queue.get(kind));
        of.filter(|one| one.count > 0)
    };
    let queue_p50_ns = Spread::of(queued().map(|one| one.p50_ns as f64).collect());
    let queue_p99_ns = Spread::of(queued().map(|one| one.p99_ns as f64).collect());
    let known = dispatch.is_some() || queue_p50_ns.is_some();
    known.then(|| Reach { group, kind: kind.to_owned(), dispatch, queue_p50_ns, queue_p99_ns })
}

#[cfg(test)]
mod tests {
    use iowq_sample as sample;

    use super::*;
    use crate::runs::group;

    #[test]
    fn runs_are_summed_by_kind_and_group_and_unknown_ones_have_no_row() {
        let mut records: Vec<Record> =
            (0..3).map(|pair| sample::run("nop", "6.17", pair)).collect();
        records.push(sample::kernel_run("nop", 0));
        assert_eq!(reach(&group::sections(&records)[0]), []);
        for record in &mut records[..2] {
            let dispatch = DispatchCounts { inline: 1, hashed: 10, unhashed: 0, linked: 2 };
            record.dispatch.insert("write".to_owned(), dispatch);
        }
        let rows = reach(&group::sections(&records)[0]);
        assert_eq!(rows.len(), 1);
        assert_eq!(
            rows[0].dispatch,
            Some(DispatchCounts { inline: 2, hashed: 20, unhashed: 0, linked: 4 })
        );
        assert_eq!((rows[0].group, rows[0].queue_p50_ns), (0, None));
    }
}
