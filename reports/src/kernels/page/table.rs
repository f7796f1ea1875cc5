//! The tables of booted kernels: workers created by workload and kernel, and the steps.

use crate::compare::comparison::Comparison;
use crate::compare::finding::Verdict;
use crate::kernels::outcome::KernelsOutcome;
use crate::kernels::page::mark::{mark, name};
use crate::kernels::table;
use crate::render::page::Mark;

/// A row per workload, a column per kernel.
pub(crate) struct Grid {
    pub(crate) heads: Vec<Mark>,
    pub(crate) rows: Vec<Row>,
}

pub(crate) struct Row {
    pub(crate) workload: String,
    pub(crate) cells: Vec<Cell>,
}

/// One kernel on one workload.
pub(crate) struct Cell {
    pub(crate) value: String,
    pub(crate) below: Vec<String>,
    /// Name of the verdict's style, and its word; empty for the base.
    pub(crate) class: &'static str,
    pub(crate) word: &'static str,
}

/// The workloads, in the order of the table.
fn workloads<'a>(outcome: &'a KernelsOutcome<'_>) -> Vec<&'a str> {
    let mut names: Vec<&str> = outcome.table.iter().map(|row| row.workload.as_str()).collect();
    names.dedup();
    names
}

/// Workers created per 1000 ops with peak and stay, and the verdict against the base.
pub(crate) fn grid(outcome: &KernelsOutcome<'_>) -> Grid {
    let heads = outcome.kernels.kernels.iter().map(|one| mark(outcome, &one.label)).collect();
    let row = |workload: &str| Row {
        workload: name(workload),
        cells: outcome
            .table
            .iter()
            .filter(|row| row.workload == workload)
            .map(|row| {
                let (class, word) = verdict(outcome.of(workload, &row.kernel)[0]);
                let created = row.created_text();
                let (value, range) = created.split_once(' ').unwrap_or((&created, ""));
                let below = [
                    range.trim_matches(['(', ')']).replace('-', " to "),
                    format!("peak {}", row.peak_text()),
                    left(row),
                ];
                Cell {
                    value: value.to_owned(),
                    below: below.into_iter().filter(|text| !text.is_empty()).collect(),
                    class,
                    word,
                }
            })
            .collect(),
    };
    Grid { heads, rows: workloads(outcome).into_iter().map(row).collect() }
}

/// When the last worker left, in a few words.
fn left(row: &table::Row) -> String {
    match (row.stayed, row.linger_ms) {
        (0, None) => String::new(),
        (0, Some(_)) => format!("last left after {}", row.linger_text()),
        (_, None) => "last one stayed".to_owned(),
        (_, Some(_)) => format!("last one {}", row.linger_text()),
    }
}

/// Each kernel against the one before it; none if there are two.
pub(crate) fn steps(outcome: &KernelsOutcome<'_>) -> Option<Grid> {
    if outcome.steps.is_empty() {
        return None;
    }
    let all = &outcome.kernels.kernels;
    let step = |pair: &[iowq_contract::Kernel]| Mark {
        policy: format!("{} to {}", name(&pair[0].label), name(&pair[1].label)),
        ..mark(outcome, &pair[1].label)
    };
    let heads = all.get(1..).unwrap_or_default().windows(2).map(step).collect();
    let row = |workload: &str| Row {
        workload: name(workload),
        cells: all.iter().skip(2).map(|one| cell(outcome, workload, &one.label)).collect(),
    };
    Some(Grid { heads, rows: workloads(outcome).into_iter().map(row).collect() })
}

fn cell(outcome: &KernelsOutcome<'_>, workload: &str, kernel: &str) -> Cell {
    let [_, step] = outcome.of(workload, kernel);
    let (class, word) = verdict(step);
    let effects = step.into_iter().flat_map(|one| &one.primary).filter_map(|finding| {
        let estimate = finding.estimate?;
        let name = finding.metric.name();
        Some(if estimate == 0.0 {
            format!("{name} unchanged")
        } else {
            format!("{name} {}", finding.metric.show_effect(estimate))
        })
    });
    Cell { value: String::new(), below: effects.collect(), class, word }
}

/// The style and the word of a verdict, which is none for the base.
fn verdict(one: Option<&Comparison>) -> (&'static str, &'static str) {
    one.map_or(("", ""), |one| Verdict::style(one.verdict))
}
