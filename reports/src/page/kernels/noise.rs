//! The table of noise: how far the base differs from itself, by workload and metric.

use super::name;
use crate::compare::show;
use crate::kernels::Outcome;
use crate::kernels::floor::{Floor, Size};

/// A row per workload, a column per metric.
pub(super) struct Noise {
    pub(super) base: String,
    pub(super) heads: Vec<&'static str>,
    pub(super) rows: Vec<Row>,
}

pub(super) struct Row {
    pub(super) workload: String,
    pub(super) pairs: String,
    pub(super) cells: Vec<Cell>,
}

/// One metric with its interval, and whether a change must be larger for it.
pub(super) struct Cell {
    pub(super) value: String,
    pub(super) below: Vec<String>,
}

/// The table; none where the base was not booted against itself.
pub(super) fn noise(outcome: &Outcome<'_>) -> Option<Noise> {
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
        size.interval.map(|ends| show::interval(metric, ends)),
        size.raises.then(|| "raises what counts".to_owned()),
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
