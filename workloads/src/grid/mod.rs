//! The fidelity grid: small workloads on which the pool is held against the running kernel.
//!
//! A cell of the grid is a workload, and a *group* is a family of cells that vary the same thing.
//! The first group, `writes`, varies what a rule of io-wq can see of plain writes and fsyncs, each
//! against all others. Each further group adds one thing, and has a handful of cells.

mod cell;
mod groups;
mod writes;

pub use crate::grid_names::GRID_NAMES;

use crate::error::{SpecError, did_you_mean};
use crate::plan::Plan;
use cell::Cell;

/// A few lines on the grid, for lists.
pub const GRID_SUMMARY: [&str; 4] = [
    "The fidelity grid. F files; D in flight; an fsync after S writes, 0 for none; L workers at",
    "most; OPEN buffered, dsync, direct. GROUP: none for writes and fsyncs alone; reads, direct,",
    "fallocate, forced (IOSQE_ASYNC), linked (write and fsync), limits (the kernel's own), reopen",
    "(rings, closed for C ms in between), cpu1 (on one processor).",
];

/// The names of the groups, in the order of pages.
pub const GROUPS: [&str; 9] = [
    cell::WRITES,
    groups::READS,
    groups::DIRECT,
    groups::FALLOCATE,
    groups::FORCED,
    groups::LINKED,
    groups::LIMITS,
    groups::REOPEN,
    groups::CPU1,
];

/// All plans of the grid.
///
/// # Errors
///
/// None: a test makes them all.
pub fn grid() -> Result<Vec<Plan>, SpecError> {
    cells().iter().filter(|cell| !cell.left_out).map(Cell::plan).collect()
}

/// The plans of the grid whose name contains one of these; all where none is named. A part that is
/// in no name of the grid may be in that of a cell of `writes` that is left out because another
/// says the same, and then stands for these. For `--grid`.
///
/// # Errors
///
/// Where one of them is in no name; the error names those that are near.
pub fn grid_with(parts: &[String]) -> Result<Vec<Plan>, SpecError> {
    let cells = cells();
    let has = |cell: &Cell, part: &String| cell.name().contains(part.as_str());
    if let Some(part) = parts.iter().find(|part| !cells.iter().any(|cell| has(cell, part))) {
        return Err(unknown(part, &cells));
    }
    let runs = |part| cells.iter().any(|cell| !cell.left_out && has(cell, part));
    // Each with whether the grid runs a cell that has it.
    let parts: Vec<(&String, bool)> = parts.iter().map(|part| (part, runs(part))).collect();
    let wanted = |cell: &&Cell| match parts.as_slice() {
        [] => !cell.left_out,
        parts => parts
            .iter()
            .any(|(part, runs)| cell.name().contains(part.as_str()) && (!cell.left_out || !runs)),
    };
    cells.iter().filter(wanted).map(Cell::plan).collect()
}

/// The plan of that name, if the grid has it; those left out of the grid have names as well.
pub(crate) fn of_name(name: &str) -> Option<Result<Plan, SpecError>> {
    cells().iter().find(|cell| cell.name() == name).map(Cell::plan)
}

/// The names that are near one that the grid does not have, as a question.
pub(crate) fn near(name: &str) -> String {
    hint(name, &cells())
}

fn hint(name: &str, cells: &[Cell]) -> String {
    let names: Vec<String> = cells.iter().map(Cell::name).collect();
    did_you_mean(name, names.iter().map(String::as_str))
}

fn unknown(part: &str, cells: &[Cell]) -> SpecError {
    // Compared as the beginning of a name, because a part alone is like none of them.
    let start = format!("grid-{}", part.strip_prefix("grid-").unwrap_or(part));
    SpecError::UnknownGrid { found: part.to_owned(), hint: hint(&start, cells) }
}

/// All cells, in the order of groups.
fn cells() -> Vec<Cell> {
    writes::cells().chain(groups::cells()).collect()
}
