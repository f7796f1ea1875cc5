//! The table of noise: how far the base differs from itself, by workload and metric.

use crate::kernels::floor::{Floor, Size};
use crate::kernels::outcome::KernelsOutcome;
use crate::kernels::page::mark::name;

/// A row per workload, a column per metric.
pub(crate) struct Noise {
    pub(crate) base: String,
    pub(crate) heads: Vec<&'static str>,
    pub(crate) rows: Vec<Row>,
}

pub(crate) struct Row {
    pub(crate) workload: String,
    pub(crate) pairs: String,
    pub(crate) cells: Vec<Cell>,
}

/// One metric with its interval, and whether a change must be larger for it.
pub(crate) struct Cell {
    pub(crate) value: String,
    pub(crate) below: Vec<String>,
}

/// The table; none if the base was not booted against itself.
pub(crate) fn noise(outcome: &KernelsOutcome<'_>) -> Option<Noise> {
    let first = outcome.noise.first()?;
    Some(Noise {
        base: name(outcome.base()),
        heads: first.metrics.iter().map(|size| size.metric.name()).collect(),
        rows: outcome.noise.iter().map(row).collect(),
    })
}

fn row(floor: &Floor) -> Row {
    Row {
        workload: name(&floor.workload),
        pairs: floor.pairs_text(),
        cells: floor.metrics.iter().map(cell).collect(),
    }
}

fn cell(size: &Size) -> Cell {
    let metric = size.metric;
    let below = [
        size.interval.map(|ends| metric.show_interval(ends)),
        size.raises.then(|| "raises the threshold".to_owned()),
    ];
    Cell {
        value: match size.estimate {
            None => "n/a".to_owned(),
            Some(0.0) => "0".to_owned(),
            Some(estimate) => metric.show_effect(estimate),
        },
        below: below.into_iter().flatten().collect(),
    }
}
