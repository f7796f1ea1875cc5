//! The table of how operations reached workers: a row per kind and policy.

use iowq_contract::DispatchCounts;

use crate::bench::page::table::cell;
use crate::format;
use crate::render::page::{Cell, Mark};
use crate::render::palette::Colours;
use crate::runs::dispatch;
use crate::runs::group::Section;

/// One kind of operation under one policy.
pub(crate) struct ReachRow {
    pub(crate) kind: String,
    pub(crate) mark: Mark,
    pub(crate) cells: Vec<Cell>,
}

/// The rows of a section; none if it was not seen how operations reached workers.
pub(crate) fn rows(section: &Section<'_>, colours: &Colours<'_>) -> Vec<ReachRow> {
    let rows = dispatch::reach(section).into_iter();
    rows.filter_map(|row| {
        let group = section.groups.get(row.group)?;
        let mut cells = dispatch(row.dispatch).to_vec();
        cells.push(cell("p50 in the queue", row.queue_p50_ns, format::duration));
        cells.push(cell("p99 in the queue", row.queue_p99_ns, format::duration));
        let kind = format::clip(&row.kind, 40);
        Some(ReachRow { kind, mark: Mark::of(&group.label, colours), cells })
    })
    .collect()
}

/// Each way with its share and its count.
fn dispatch(dispatch: Option<DispatchCounts>) -> [Cell; 4] {
    let DispatchCounts { inline, hashed, unhashed, linked } = dispatch.unwrap_or_default();
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
    use super::*;

    #[test]
    fn ways_are_shares_of_the_operations_of_a_kind() {
        let cells = dispatch(Some(DispatchCounts {
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
        assert!(dispatch(None).iter().all(|cell| cell.value == "n/a"));
    }
}
