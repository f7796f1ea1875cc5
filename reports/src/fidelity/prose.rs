//! What a fidelity analysis says, in sentences for the page and the summary.

use std::collections::BTreeMap;

use crate::fidelity::analysis::{Fidelity, PAST_LIMIT, PresetTotals};
use crate::fidelity::cell::{BIRTHS_FACTOR, BIRTHS_WORKERS, Cell, Off};
use crate::fidelity::dispatch::{Dispatch, GAP_MAX, Shares, WAYS};
use crate::fidelity::share::Share;
use crate::fidelity::totals::{self, GroupTotals};
use crate::fidelity::variants::{ALIKE_FACTOR, ALIKE_WORKERS, Counts};
use crate::format;

/// What a table of groups of cells has above its columns.
pub const GROUP_HEADS: [&str; 6] =
    ["group", "cells", "nearest right", "births", "peak", "dispatch"];

/// A row of that table.
fn group(totals: &GroupTotals) -> [String; 6] {
    let group =
        totals.group.as_deref().map_or_else(|| "all".to_owned(), |one| format::clip(one, 40));
    let GroupTotals { right, births, peaks, dispatch, .. } = *totals;
    let [right, births, peaks, dispatch] = [right, births, peaks, dispatch].map(share);
    [group, totals.cells.to_string(), right, births, peaks, dispatch]
}

/// Each group of cells, and all of them.
pub fn groups(fidelity: &Fidelity<'_>) -> Vec<[String; 6]> {
    totals::by_group(&fidelity.cells).iter().map(group).collect()
}

/// What its columns count, in one paragraph.
pub fn group_rules(fidelity: &Fidelity<'_>) -> String {
    let number = format::number;
    let expected = names(fidelity, |one| one.expected > 0);
    let expected = match expected.as_slice() {
        [] => "the expected preset".to_owned(),
        names => format::list(names),
    };
    format!(
        "Nearest right: of the cells in which presets differ, those in which the nearest one is \
         expected or alike the expected. The other columns compare {expected} with io_uring. \
         Births: \
         workers created at most a factor of {} or {} workers apart. Peak: a factor of {} or {} \
         worker. Dispatch: of each kind of op the shares done {} at most {} percentage point \
         apart.",
        number(BIRTHS_FACTOR),
        number(BIRTHS_WORKERS),
        number(ALIKE_FACTOR),
        number(ALIKE_WORKERS),
        format::list(&WAYS.map(str::to_owned)),
        number(GAP_MAX)
    )
}

/// `140 of 150 (93.3 %)`, or that there is none.
pub fn share(share: Share) -> String {
    match share.of {
        0 => "n/a".to_owned(),
        of => format!("{} of {of}{}", share.count, percent(share)),
    }
}

/// The verdict in one line.
pub fn headline(fidelity: &Fidelity<'_>) -> String {
    let right = fidelity.right();
    match (fidelity.cells.len(), right.percent()) {
        (0, _) => "No cell can be judged".to_owned(),
        (1, None) => "Presets behave the same in the only cell".to_owned(),
        (cells, None) => format!("Presets behave the same in all {cells} cells"),
        (_, Some(_)) => format!(
            "Nearest preset right in {} where presets differ{}",
            of(right, "cells"),
            percent(right)
        ),
    }
}

/// The figures behind it, a sentence each.
pub fn figures(fidelity: &Fidelity<'_>) -> Vec<String> {
    let mut lines: Vec<String> = within_limit(fidelity).into_iter().collect();
    lines.extend(told_apart(fidelity));
    lines.push(cells(fidelity));
    if !fidelity.cells.is_empty() {
        lines.extend(ratio(fidelity));
        lines.push(nearest(fidelity));
    }
    lines.extend(apart(fidelity));
    lines
}

/// How near two counts are that are alike.
pub fn near() -> String {
    let number = format::number;
    format!("a factor of {} or {} worker", number(ALIKE_FACTOR), number(ALIKE_WORKERS))
}

/// What a figure of the page stands on.
pub fn runs(fidelity: &Fidelity<'_>) -> String {
    match fidelity.runs_least {
        0 | 1 => "with one run per variant the variation between runs is not known".to_owned(),
        runs => format!("medians of {runs} or more, whose own spread this page does not show"),
    }
}

/// `140 of 150 cells`.
fn of(share: Share, what: &str) -> String {
    format!("{} of {} {what}", share.count, share.of)
}

/// ` (93.3 %)`, or nothing of nothing.
fn percent(share: Share) -> String {
    share
        .percent()
        .map_or_else(String::new, |percent| format!(" ({}\u{a0}%)", format::number(percent)))
}

fn cells(fidelity: &Fidelity<'_>) -> String {
    let all = format::count((fidelity.cells.len() + fidelity.apart.len()) as u64, "cell", "cells");
    let differ = fidelity.differing().count();
    let expected = names(fidelity, |one| one.expected > 0);
    if expected.is_empty() {
        return format!("{all}.");
    }
    let expected = format::list(&expected);
    let beside = names(fidelity, |one| one.stands_in > 0);
    let beside = match beside.as_slice() {
        [] => String::new(),
        names => format!(", with the same rules while a ring is open: {}", format::list(names)),
    };
    format!("{all}; presets differ in {differ}; expected: {expected}{beside}.")
}

fn names(fidelity: &Fidelity<'_>, wanted: impl Fn(&PresetTotals<'_>) -> bool) -> Vec<String> {
    let totals = fidelity.totals().into_iter().filter(wanted);
    totals.map(|one| one.preset.to_owned()).collect()
}

/// The headline without the preset that differs by itself almost everywhere.
fn within_limit(fidelity: &Fidelity<'_>) -> Option<String> {
    let right = fidelity.right_within_limit().filter(|right| right.of > 0)?;
    Some(format!(
        "{}{} without {PAST_LIMIT}, which creates workers past the limit and alone differs in \
         the other {}.",
        of(right, "cells"),
        percent(right),
        fidelity.right().of - right.of
    ))
}

/// Each preset on its own: the headline counts a cell as soon as one of them differs.
fn told_apart(fidelity: &Fidelity<'_>) -> Option<String> {
    let totals = fidelity.totals().into_iter().filter(|one| one.told_apart.of > 0);
    let presets: Vec<String> = totals
        .map(|one| format!("{} in {} of {}", one.preset, one.told_apart.count, one.told_apart.of))
        .collect();
    (!presets.is_empty()).then(|| {
        format!(
            "Distinguished from the expected preset, of the cells where the two differ: {}.",
            format::list(&presets)
        )
    })
}

fn ratio(fidelity: &Fidelity<'_>) -> Option<String> {
    let ratio = fidelity.created_ratio()?;
    let none = fidelity.cells.len() - ratio.runs;
    let number = format::number;
    let mut text = format!(
        "For each worker that the kernel created the expected preset created {} (median of cells; \
         {} to {}).",
        number(ratio.median),
        number(ratio.least),
        number(ratio.most)
    );
    if none > 0 {
        let cells = format::count(none as u64, "cell is", "cells are");
        text.push_str(&format!(" {cells} not in that: the kernel created none there."));
    }
    Some(text)
}

fn nearest(fidelity: &Fidelity<'_>) -> String {
    let totals = fidelity.totals();
    let where_differ = fidelity.differing().count() > 0;
    let counts: Vec<String> = totals
        .iter()
        .map(|one| {
            let count = if where_differ { one.nearest_where_differ } else { one.nearest };
            format!("{} in {count}", one.preset)
        })
        .collect();
    let scope = if where_differ { ", of the cells where presets differ" } else { "" };
    let text = format!("Nearest{scope}: {}.", format::list(&counts));
    match fidelity.differing().filter(|cell| cell.tied()).count() {
        0 => text,
        tied => {
            let cells = format::count(tied as u64, "cell", "cells");
            format!("{text} Right in {cells} although a preset that differs is equally near.")
        }
    }
}

/// How many cells are not judged, by reason.
fn apart(fidelity: &Fidelity<'_>) -> Option<String> {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for one in &fidelity.apart {
        reasons.entry(&one.reason).or_default().push(one.workload);
    }
    let parts: Vec<String> = reasons
        .iter()
        .map(|(reason, workloads)| match workloads.as_slice() {
            [only] => format!("{reason} ({})", format::clip(only, 60)),
            many => format!("{reason} ({} cells)", many.len()),
        })
        .collect();
    let cells = format::count(fidelity.apart.len() as u64, "cell is", "cells are");
    (!parts.is_empty()).then(|| format!("{cells} not judged: {}.", parts.join("; ")))
}

/// A cell that is off, in one line: `a (births, peak): io_uring created 10, peak 9; 6.17 created …`.
pub fn off(cell: &Cell<'_>) -> String {
    let show = |name: &str, counts: Counts| {
        let (created, peak) = (format::number(counts.created), format::number(counts.peak));
        format!("{name} created {created}, peak {peak}")
    };
    let (expected, off) = (cell.expected, cell.off());
    let mut parts =
        vec![show("io_uring", cell.variants.kernel), show(expected.preset, expected.counts)];
    if off.contains(&Off::Nearest) {
        let nearest = cell.nearest();
        parts.push(show(&format!("nearest {}", nearest.preset), nearest.counts));
    }
    parts.extend(cell.dispatch.iter().filter(|one| !one.agrees()).map(dispatch));
    format!("{} ({}): {}", format::clip(cell.workload, 60), off_words(&off), parts.join("; "))
}

/// `births, peak`.
pub fn off_words(off: &[Off]) -> String {
    off.iter().map(|off| off.word()).collect::<Vec<_>>().join(", ")
}

/// `write 100 % inline against 98 % inline, 2 % hashed`.
pub fn dispatch(dispatch: &Dispatch) -> String {
    let kind = format::clip(&dispatch.kind, 40);
    format!("{kind} {} against {}", shares(&dispatch.kernel), shares(&dispatch.preset))
}

/// `98 % inline, 2 % hashed`.
pub fn shares(shares: &Shares) -> String {
    let ways = WAYS.iter().zip(shares).filter(|(_, share)| **share > 0.0);
    let ways = ways.map(|(way, share)| format!("{}\u{a0}% {way}", format::number(*share)));
    ways.collect::<Vec<_>>().join(", ")
}
