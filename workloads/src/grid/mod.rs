//! The fidelity grid: small workloads on which the pool is compared with the running kernel.
//!
//! A point of the grid is a workload, and a *group* is a family of points that vary the same thing.
//! The first group, `writes`, varies what a rule of io-wq can see of plain writes and fsyncs, each
//! against all others. Each further group adds one thing, and has a handful of points.

mod groups;
mod point;
mod writes;

pub use crate::grid_names::GRID_NAMES;

use crate::error::{SpecError, did_you_mean};
use crate::plan::Plan;
use crate::source::Source;
use point::GridPoint;

/// A few lines on the grid, for lists.
pub const GRID_SUMMARY: [&str; 5] = [
    "The fidelity grid. F files; D in flight; an fsync after S writes, 0 for none; L workers at",
    "most; OPEN buffered, dsync, direct. GROUP: none for writes and fsyncs alone; reads, direct,",
    "fallocate, forced (IOSQE_ASYNC), linked (write and fsync), limits (the kernel's own), reopen",
    "(rings, closed for C ms in between), cpu1 (on one processor), sockets (F of them), metadata",
    "(names, status, length, writeback).",
];

/// The names of the groups, in the order of pages.
pub const GROUPS: [&str; 11] = [
    point::WRITES,
    groups::READS,
    groups::DIRECT,
    groups::FALLOCATE,
    groups::FORCED,
    groups::LINKED,
    groups::LIMITS,
    groups::REOPEN,
    groups::CPU1,
    groups::SOCKETS,
    groups::METADATA,
];

/// All plans of the grid.
///
/// # Errors
///
/// None: a test makes them all.
pub fn grid() -> Result<Vec<Plan>, SpecError> {
    points().iter().filter(|point| !point.omitted).map(GridPoint::plan).collect()
}

/// The plans of the grid whose name contains one of these; all if none is named. A part that is
/// in no name of the grid may be in that of a point of `writes` that is omitted because another
/// says the same, and then stands for these. For `--grid`.
///
/// # Errors
///
/// If one of them is in no name; the error names those that are near.
pub fn grid_with(parts: &[String]) -> Result<Vec<Plan>, SpecError> {
    let points = points();
    let has = |point: &GridPoint, part: &String| point.name().contains(part.as_str());
    if let Some(part) = parts.iter().find(|part| !points.iter().any(|point| has(point, part))) {
        return Err(unknown(part, &points));
    }
    let runs = |part| points.iter().any(|point| !point.omitted && has(point, part));
    // Each with whether the grid runs a point that has it.
    let parts: Vec<(&String, bool)> = parts.iter().map(|part| (part, runs(part))).collect();
    let wanted = |point: &&GridPoint| match parts.as_slice() {
        [] => !point.omitted,
        parts => parts
            .iter()
            .any(|(part, runs)| point.name().contains(part.as_str()) && (!point.omitted || !runs)),
    };
    points.iter().filter(wanted).map(GridPoint::plan).collect()
}

/// The workload of that name, if the grid has it; those omitted from the grid have names as well.
pub(crate) fn of_name(name: &str) -> Option<Result<Source, SpecError>> {
    points().iter().find(|point| point.name() == name).map(GridPoint::source)
}

/// The names that are near one that the grid does not have, as a question.
pub(crate) fn near(name: &str) -> String {
    hint(name, &points())
}

fn hint(name: &str, points: &[GridPoint]) -> String {
    let names: Vec<String> = points.iter().map(GridPoint::name).collect();
    did_you_mean(name, names.iter().map(String::as_str))
}

fn unknown(part: &str, points: &[GridPoint]) -> SpecError {
    // Compared as the beginning of a name, because a part alone is like none of them.
    let start = format!("grid-{}", part.strip_prefix("grid-").unwrap_or(part));
    SpecError::UnknownGrid { found: part.to_owned(), hint: hint(&start, points) }
}

/// All points, in the order of groups.
fn points() -> Vec<GridPoint> {
    writes::points().chain(groups::points()).collect()
}
