//! The table of a section: a row per policy, medians with their ranges.

use crate::format;
use crate::render::page::{Cell, Mark};
use crate::render::palette::Colours;
use crate::runs::births::Births;
use crate::runs::figures::{Figures, Spread};
use crate::runs::group::{Group, Section};
use crate::runs::metric::Metric;

/// A policy's row.
pub(crate) struct Row {
    pub(crate) mark: Mark,
    /// What the running kernel is, in its own row.
    pub(crate) release: String,
    pub(crate) runs: String,
    pub(crate) cells: Vec<Cell>,
}

/// The first rows of a section, in the order of its policies.
pub(crate) fn rows(section: &Section<'_>, colours: &Colours<'_>, shown: usize) -> Vec<Row> {
    section
        .groups
        .iter()
        .take(shown)
        .map(|group| Row {
            mark: Mark::of_group(group, colours),
            release: release(group),
            runs: group.runs_text(),
            cells: cells(&group.figures),
        })
        .collect()
}

/// The kernel that io_uring is part of, as its first run says.
fn release(group: &Group<'_>) -> String {
    let run = group.runs.first().or(group.failed.first()).filter(|_| group.is_kernel());
    run.map_or_else(String::new, |run| format::release(&run.host.kernel))
}

/// The metrics before births and after them.
const BEFORE: [Metric; 2] = [Metric::CreatedPer1000, Metric::BornPerS];
const AFTER: [Metric; 5] =
    [Metric::Peak, Metric::ResponseP50, Metric::ResponseP99, Metric::ResponseP999, Metric::OpsPerS];

fn cells(figures: &Figures) -> Vec<Cell> {
    let of =
        |metric: Metric| cell(metric.row().label, figures.of(metric), |value| metric.show(value));
    let mut cells: Vec<Cell> = BEFORE.map(of).into();
    cells.push(births(figures.births));
    cells.extend(AFTER.map(of));
    cells.push(linger(figures));
    cells
}

pub(crate) fn cell(
    label: &'static str,
    spread: Option<Spread>,
    show: impl Fn(f64) -> String,
) -> Cell {
    let mut cell = Cell::alone(label, spread.map(|spread| show(spread.median)));
    if let Some(spread) = spread.filter(|spread| spread.runs > 1 && spread.least < spread.most) {
        cell.below = range(&show(spread.least), &show(spread.most));
    }
    cell
}

/// All births of a run above what they are made of.
fn births(births: Option<Births>) -> Cell {
    let text = births.map(Births::text);
    let (born, parts) =
        text.as_deref().and_then(|text| text.split_once(" = ")).unwrap_or(("n/a", ""));
    Cell { label: "born = first fill + churn", value: born.to_owned(), below: parts.to_owned() }
}

/// `30 – 33.4 ms`: a unit that both ends have is said once.
fn range(least: &str, most: &str) -> String {
    let short = match (least.split_once('\u{a0}'), most.split_once('\u{a0}')) {
        (Some((figure, unit)), Some((_, other))) if unit == other => figure,
        _ => least,
    };
    format!("{short} – {most}")
}

/// A worker that never left has no time; how many runs that was is said instead.
fn linger(figures: &Figures) -> Cell {
    let show = |ms: f64| format::duration(ms * 1e6);
    let mut cell = cell("linger", figures.linger_ms, show);
    if figures.stayed > 0 {
        match figures.linger_ms {
            None => cell.value = "stayed".to_owned(),
            Some(_) => cell.below = format!("stayed in {}", figures.stayed),
        }
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_figure_is_said_to_be_missing() {
        let row = cells(&Figures::default());
        assert!(row.iter().all(|cell| cell.value == "n/a"));
    }

    #[test]
    fn workers_that_stay_are_told_from_workers_that_leave() {
        let some = Spread::of(vec![12.0]);
        let of = |linger_ms, stayed| {
            let mut figures = Figures::default();
            (figures.linger_ms, figures.stayed) = (linger_ms, stayed);
            linger(&figures)
        };
        assert_eq!(of(None, 3).value, "stayed");
        assert_eq!(of(some, 0).value, "12\u{a0}ms");
        assert_eq!(of(some, 2).below, "stayed in 2");
    }

    #[test]
    fn a_unit_is_said_once_where_both_ends_have_it() {
        assert_eq!(range("30\u{a0}ms", "33.4\u{a0}ms"), "30 – 33.4\u{a0}ms");
        assert_eq!(range("800\u{a0}µs", "1\u{a0}ms"), "800\u{a0}µs – 1\u{a0}ms");
        assert_eq!(range("0.9", "1.1"), "0.9 – 1.1");
    }
}
