//! The table of how operations reached workers: a row per kind and policy.

use iowq_contract::{DispatchCounts, Quantiles};

use crate::bench::page::table::cell;
use crate::format;
use crate::render::page::{Cell, Mark};
use crate::render::palette::Colours;
use crate::runs::dispatch;
use crate::runs::figures::Spread;
use crate::runs::group::{Group, Section};

/// One kind of operation under one policy.
pub(crate) struct ReachRow {
    pub(crate) kind: String,
    pub(crate) mark: Mark,
    pub(crate) cells: Vec<Cell>,
}

/// A row per kind and policy of which something is known, kinds in order of their names; the first
/// of them.
pub(crate) fn rows(section: &Section<'_>, colours: &Colours<'_>, shown: usize) -> Vec<ReachRow> {
    let runs = || section.groups.iter().flat_map(|group| &group.runs);
    let mut kinds: Vec<&String> =
        runs().flat_map(|run| run.dispatch.keys().chain(run.latency.queue.keys())).collect();
    // No op is punted as `all`, and its times are those of the kinds.
    kinds.retain(|kind| *kind != "all");
    kinds.sort();
    kinds.dedup();
    let rows = kinds
        .into_iter()
        .flat_map(|kind| section.groups.iter().filter_map(move |group| row(kind, group, colours)));
    rows.take(shown).collect()
}

/// Shares of all runs that counted, and medians of runs of the time in the queue.
fn row(kind: &str, group: &Group<'_>, colours: &Colours<'_>) -> Option<ReachRow> {
    let counts = dispatch::dispatch(kind, &group.runs);
    let queued = |read: fn(&Quantiles) -> u64| {
        let queued = group.runs.iter().filter_map(|run| run.latency.queue.get(kind));
        Spread::of(queued.filter(|one| one.count > 0).map(|one| read(one) as f64).collect())
    };
    let (p50_ns, p99_ns) = (queued(|one| one.p50_ns), queued(|one| one.p99_ns));
    let known = counts.is_some() || p50_ns.is_some();
    let mut cells = ways(counts).to_vec();
    cells.push(cell("p50 in the queue", p50_ns, format::duration));
    cells.push(cell("p99 in the queue", p99_ns, format::duration));
    let kind = format::clip(kind, 40);
    known.then(|| ReachRow { kind, mark: Mark::of_group(group, colours), cells })
}

/// Each way with its share and its count.
fn ways(counts: Option<DispatchCounts>) -> [Cell; 4] {
    let DispatchCounts { inline, hashed, unhashed, linked } = counts.unwrap_or_default();
    let all = inline as f64 + hashed as f64 + unhashed as f64 + linked as f64;
    let ways = [("inline", inline), ("hashed", hashed), ("unhashed", unhashed), ("linked", linked)];
    ways.map(|(label, count)| {
        if all == 0.0 {
            return Cell::alone(label, None);
        }
        let share = format::number(count as f64 * 100.0 / all);
        let below = if count == 0 { String::new() } else { format::count(count, "op", "ops") };
        Cell { label, value: format!("{share}\u{a0}%"), below }
    })
}

#[cfg(test)]
mod tests {
    use iowq_contract::Record;
    use iowq_sample as sample;

    use super::*;
    use crate::runs::group;

    #[test]
    fn ways_are_shares_of_the_operations_of_a_kind() {
        let cells = ways(Some(DispatchCounts {
            inline: 1_000,
            hashed: 3_000,
            ..DispatchCounts::default()
        }));
        let shown: Vec<(&str, &str)> =
            cells.iter().map(|cell| (cell.value.as_str(), cell.below.as_str())).collect();
        let expected = [
            ("25\u{a0}%", "1,000 ops"),
            ("75\u{a0}%", "3,000 ops"),
            ("0\u{a0}%", ""),
            ("0\u{a0}%", ""),
        ];
        assert_eq!(shown, expected);
        assert!(ways(None).iter().all(|cell| cell.value == "n/a"));
    }

    #[test]
    fn runs_are_summed_by_kind_and_group_and_unknown_ones_have_no_row() {
        let mut records: Vec<Record> =
            (0..3).map(|pair| sample::run("nop", "6.17", pair)).collect();
        records.push(sample::kernel_run("nop", 0));
        let sections = group::sections(&records);
        assert!(rows(&sections[0], &Colours::of(&sections), 9).is_empty());
        for record in &mut records[..2] {
            let dispatch = DispatchCounts { inline: 1, hashed: 9, unhashed: 0, linked: 0 };
            record.dispatch.insert("write".to_owned(), dispatch);
        }
        let sections = group::sections(&records);
        let rows = rows(&sections[0], &Colours::of(&sections), 9);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].mark.policy, "6.17");
        let below: Vec<&str> = rows[0].cells.iter().map(|cell| cell.below.as_str()).collect();
        assert_eq!(below, ["2 ops", "18 ops", "", "", "", ""]);
    }
}
