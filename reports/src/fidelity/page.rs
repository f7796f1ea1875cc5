//! The fidelity page: how near the presets come to the running kernel, over many workloads.

use askama::Template;

use crate::fidelity::analysis::{Fidelity, PresetTotals};
use crate::fidelity::cell::{Cell, Off};
use crate::fidelity::share::Share;
use crate::fidelity::variants::{Counts, Variant};
use crate::fidelity::{charts, dispatch_table, factor, prose};
use crate::format;
use crate::render::chart::ChartSet;
use crate::render::page::{Mark, PageError};
use crate::render::palette::Colours;
use crate::runs::caveat::ScopedCaveat;
use crate::runs::figures::Spread;

/// Name of the page, as the report links it.
pub const NAME: &str = "fidelity.html";

/// Cells of a table at most: a page of more is no longer read.
const CELLS_MAX: usize = 2_000;

/// Caveats that are listed; the others are counted.
const CAVEATS_MAX: usize = 200;

#[derive(Template)]
#[template(path = "fidelity.html")]
struct Page<'a> {
    found: &'a Fidelity<'a>,
    title: String,
    lead: String,
    charts: Vec<ChartSet>,
    legend: Vec<Mark>,
    presets: Vec<PresetRow>,
    all: CellTable,
    apart: Vec<(String, String)>,
    caveats: &'a [ScopedCaveat],
    caveats_left_out: usize,
}

/// A table of cells.
pub(crate) struct CellTable {
    pub(crate) rows: Vec<CellRow>,
    pub(crate) left_out: usize,
    /// What the columns of the expected preset are called.
    pub(crate) expected: String,
}

/// One cell.
pub(crate) struct CellRow {
    pub(crate) workload: String,
    pub(crate) kernel: [String; 2],
    pub(crate) expected: [String; 2],
    /// Of workers created and of operations per second, the expected preset's for each on io_uring.
    pub(crate) ratios: [String; 2],
    pub(crate) nearest: String,
    pub(crate) right: &'static str,
    /// What is not as the kernel, with the shares of ops that went another way.
    pub(crate) off: String,
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

/// Makes the page.
///
/// # Errors
///
/// When a chart or the template cannot be written out; no input should bring that about.
pub(crate) fn page(
    fidelity: &Fidelity<'_>,
    title: String,
    lead: String,
    colours: &Colours<'_>,
    caveats: &[ScopedCaveat],
) -> Result<String, PageError> {
    let apart = fidelity.apart.iter().take(CELLS_MAX);
    let page = Page {
        found: fidelity,
        title,
        lead,
        charts: charts::sets(fidelity, colours)?,
        legend: legend(fidelity, colours),
        presets: presets(fidelity, colours),
        all: all(fidelity),
        apart: apart.map(|one| (format::clip(one.workload, 80), one.reason.clone())).collect(),
        caveats: caveats.get(..CAVEATS_MAX).unwrap_or(caveats),
        caveats_left_out: caveats.len().saturating_sub(CAVEATS_MAX),
    };
    Ok(page.render()?)
}

/// All cells, in the order in which they first ran.
pub(crate) fn all(fidelity: &Fidelity<'_>) -> CellTable {
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
    let Variant { preset, counts } = cell.nearest();
    let [created, peak] = show(counts);
    CellRow {
        workload: format::clip(cell.workload, 80),
        kernel: show(cell.variants.kernel),
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
    parts.extend(cell.dispatch.iter().filter(|one| !one.agrees()).map(prose::dispatch));
    parts.join("; ")
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
            if one.told_apart.of > 0 { prose::share(one.told_apart) } else { "–".to_owned() },
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
    for level in factor::levels(&fidelity.cells) {
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
    Bar { percent: share.percent().unwrap_or(0.0), text: prose::share(share) }
}
