//! The fidelity page: how near the presets come to the running kernel, over many workloads.

use askama::Template;

use super::{Mark, PageError, lead, title};
use crate::analysis::Analysis;
use crate::analysis::caveats::ScopedCaveat;
use crate::analysis::fidelity::{
    Arm, Cell, Counts, DispatchRow, Fidelity, Off, PresetTotals, Share, words,
};
use crate::analysis::figures::Spread;
use crate::chart::palette::Colours;
use crate::chart::{self, ChartSet};
use crate::format;

/// Name of the page, as the report links it.
pub const NAME: &str = "fidelity.html";

/// Cells of a table at most: a page of more is no longer read.
const CELLS_MAX: usize = 2_000;

#[derive(Template)]
#[template(path = "fidelity.html")]
struct Page<'a> {
    title: String,
    lead: String,
    verdict: Verdict,
    charts: Vec<ChartSet>,
    legend: Vec<Mark>,
    presets: Vec<PresetRow>,
    levels: Vec<LevelRow>,
    off: CellTable,
    dispatch: Vec<DispatchView>,
    all: CellTable,
    apart: Vec<(String, String)>,
    caveats: &'a [ScopedCaveat],
}

/// The answer, as both pages open with it.
pub(super) struct Verdict {
    pub(super) headline: String,
    pub(super) heads: [&'static str; 6],
    pub(super) groups: Vec<[String; 6]>,
    pub(super) rules: String,
    pub(super) figures: Vec<String>,
    pub(super) definitions: Vec<(&'static str, String)>,
}

/// A table of cells.
pub(super) struct CellTable {
    pub(super) rows: Vec<CellRow>,
    pub(super) left_out: usize,
    /// What the columns of the expected preset are called.
    pub(super) expected: String,
}

/// One cell.
pub(super) struct CellRow {
    pub(super) workload: String,
    pub(super) kernel: [String; 2],
    pub(super) expected: [String; 2],
    /// Of workers created and of operations per second, the expected preset's for each on io_uring.
    pub(super) ratios: [String; 2],
    pub(super) nearest: String,
    pub(super) right: &'static str,
    /// What is not as the kernel, with the shares of ops that went another way.
    pub(super) off: String,
}

/// One kind of op in one family of cells.
struct DispatchView {
    family: String,
    /// Kind, open flags, file system, number of cells.
    what: [String; 4],
    /// By the kernel and by the expected preset.
    ways: [String; 2],
    agrees: bool,
    /// The greatest difference, in percentage points.
    gap: String,
}

/// One preset over all cells.
struct PresetRow {
    mark: Mark,
    figures: [String; 7],
}

/// One level of a factor.
struct LevelRow {
    factor: &'static str,
    /// Whether it is the first of its factor.
    first: bool,
    level: String,
    cells: usize,
    /// Nearest right, and peak as the kernel's.
    bars: [Bar; 2],
}

/// A share as a bar with its text.
struct Bar {
    percent: f64,
    text: String,
}

/// Makes the page, where the analysis has something to say on it.
///
/// # Errors
///
/// When a chart or the template cannot be written out; no input should bring that about.
pub fn page(analysis: &Analysis<'_>) -> Result<Option<String>, PageError> {
    let Some(fidelity) = &analysis.fidelity else {
        return Ok(None);
    };
    let colours = Colours::of(&analysis.sections);
    let apart = fidelity.apart.iter().take(CELLS_MAX);
    let page = Page {
        title: title(analysis),
        lead: lead(analysis),
        verdict: verdict(fidelity),
        charts: chart::fidelity::sets(fidelity, &colours)?,
        legend: legend(fidelity, &colours),
        presets: presets(fidelity, &colours),
        levels: levels(fidelity),
        off: table(fidelity, fidelity.off()),
        dispatch: dispatch(fidelity),
        all: all(fidelity),
        apart: apart.map(|one| (format::clip(one.workload, 80), one.reason.clone())).collect(),
        caveats: &analysis.caveats,
    };
    Ok(Some(page.render()?))
}

pub(super) fn verdict(fidelity: &Fidelity<'_>) -> Verdict {
    Verdict {
        headline: words::headline(fidelity),
        heads: words::GROUP_HEADS,
        groups: fidelity.by_group().iter().map(words::group).collect(),
        rules: words::group_rules(fidelity),
        figures: words::figures(fidelity),
        definitions: words::definitions(fidelity),
    }
}

/// All cells, in the order in which they first ran.
pub(super) fn all(fidelity: &Fidelity<'_>) -> CellTable {
    table(fidelity, fidelity.cells.iter().collect())
}

fn table(fidelity: &Fidelity<'_>, cells: Vec<&Cell<'_>>) -> CellTable {
    let mut names = fidelity.totals().into_iter().filter(|one| one.expected > 0);
    let expected = match (names.next(), names.next()) {
        (Some(only), None) => only.preset.to_owned(),
        _ => "expected".to_owned(),
    };
    CellTable {
        left_out: cells.len().saturating_sub(CELLS_MAX),
        rows: cells.into_iter().take(CELLS_MAX).map(row).collect(),
        expected,
    }
}

fn row(cell: &Cell<'_>) -> CellRow {
    let show = |counts: Counts| [counts.created, counts.peak].map(format::number);
    let ratio = |ratio: Option<f64>| ratio.map_or_else(|| "n/a".to_owned(), format::number);
    let Arm { preset, counts } = cell.nearest();
    let [created, peak] = show(counts);
    CellRow {
        workload: format::clip(cell.workload, 80),
        kernel: show(cell.arms.kernel),
        expected: show(cell.expected.counts),
        ratios: [cell.created_ratio(), cell.ops_ratio].map(ratio),
        nearest: format!("{preset} ({created}, {peak})"),
        right: match (cell.presets_differ(), cell.right()) {
            (false, _) => "same",
            (true, true) => "yes",
            (true, false) => "no",
        },
        off: off(cell),
    }
}

fn off(cell: &Cell<'_>) -> String {
    let mut parts: Vec<String> = cell
        .off()
        .into_iter()
        .filter(|off| *off != Off::Dispatch)
        .map(|off| off.word().to_owned())
        .collect();
    parts.extend(cell.dispatch.iter().filter(|one| !one.agrees()).map(words::dispatch));
    parts.join("; ")
}

fn dispatch(fidelity: &Fidelity<'_>) -> Vec<DispatchView> {
    let view = |row: DispatchRow<'_>| DispatchView {
        family: format::clip(&row.family, 40),
        what: [
            format::clip(&row.dispatch.kind, 40),
            format::clip(row.open, 40),
            format::clip(row.filesystem, 20),
            row.cells.to_string(),
        ],
        ways: [words::shares(&row.dispatch.kernel), words::shares(&row.dispatch.preset)],
        agrees: row.dispatch.agrees(),
        gap: format::number(row.dispatch.gap()),
    };
    fidelity.dispatch().into_iter().take(CELLS_MAX).map(view).collect()
}

/// The presets with their colours, and which of them are expected.
fn legend(fidelity: &Fidelity<'_>, colours: &Colours<'_>) -> Vec<Mark> {
    let marks = fidelity.totals().into_iter().map(|one| {
        let mut mark = Mark::of(one.preset, colours);
        if one.expected > 0 {
            mark.policy.push_str(" (expected)");
        } else if one.stands_in > 0 {
            mark.policy.push_str(" (same rules)");
        }
        mark
    });
    marks.collect()
}

fn presets(fidelity: &Fidelity<'_>, colours: &Colours<'_>) -> Vec<PresetRow> {
    let number = |value: Option<f64>| value.map_or_else(|| "n/a".to_owned(), format::number);
    let totals = fidelity.totals().into_iter();
    let rows = totals.map(|one| PresetRow {
        mark: Mark::of(one.preset, colours),
        figures: [
            expected_in(&one),
            one.nearest.to_string(),
            one.nearest_where_differ.to_string(),
            if one.told_apart.of > 0 { words::share(one.told_apart) } else { "–".to_owned() },
            number(one.distance.map(|spread: Spread| spread.median)),
            number(one.rho_created),
            number(one.rho_peak),
        ],
    });
    rows.collect()
}

fn expected_in(totals: &PresetTotals<'_>) -> String {
    match (totals.expected, totals.stands_in) {
        (0, 0) => "–".to_owned(),
        (expected, 0) => expected.to_string(),
        (0, stands_in) => format!("{stands_in} (same rules)"),
        (expected, stands_in) => format!("{expected}, {stands_in} (same rules)"),
    }
}

fn levels(fidelity: &Fidelity<'_>) -> Vec<LevelRow> {
    let mut rows: Vec<LevelRow> = Vec::new();
    for level in fidelity.by_factor() {
        rows.push(LevelRow {
            factor: level.factor,
            first: rows.last().is_none_or(|before| before.factor != level.factor),
            level: format::clip(&level.level, 40),
            cells: level.cells,
            bars: [level.right, level.peaks].map(bar),
        });
    }
    rows
}

fn bar(share: Share) -> Bar {
    Bar { percent: share.percent().unwrap_or(0.0), text: words::share(share) }
}
