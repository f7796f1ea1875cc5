//! Charts of booted kernels: workers created in each boot, who stayed, and workers over time.

mod created;
pub(crate) mod kernel;
mod stay;

use crate::kernels::charts::kernel::{Kernel, place};
use crate::render::chart::{ChartSet, Figure, set};
use crate::render::plot::ChartError;
use crate::render::{marker, palette, workers};

/// Kernels that are drawn: more would hide each other.
const KERNELS_MAX: usize = 8;

/// Points of each timeline.
const POINTS_MAX: usize = 400;

/// Draws the charts of one workload; the base is the first kernel.
pub(crate) fn sets(kernels: &[Kernel<'_>]) -> Result<Vec<ChartSet>, ChartError> {
    let kernels = &kernels[..kernels.len().min(KERNELS_MAX)];
    let mut sets = Vec::new();
    if let Some(svg) = created::draw(kernels)? {
        let how = "Each mark is one boot, in the order in which they were made: a slope that all kernels share is that of the machine. The axis is logarithmic where kernels differ by \
                   more than ten times; a boot that created none then stands at its lower end.";
        sets.extend(set("Workers created per 1000 ops, by boot", how, vec![plain(svg)]));
    }
    if let Some(svg) = stay::draw(kernels)? {
        let how = "Each mark is a worker that was alive when the last ring was closed, of the boot \
                   with the median of workers created: how long it stayed after that. Marks at the \
                   right end stayed until the watch was over.";
        let set = set("How long workers stayed", how, vec![plain(svg)]);
        sets.extend(set.map(|set| ChartSet { legend: false, ..set }));
    }
    sets.extend(over_time(kernels)?);
    Ok(sets)
}

fn plain(svg: String) -> Figure {
    Figure { caption: String::new(), mark: None, svg }
}

fn over_time(kernels: &[Kernel<'_>]) -> Result<Option<ChartSet>, ChartError> {
    let mut lives = Vec::new();
    for (at, kernel) in kernels.iter().enumerate() {
        if let Some((boot, run)) = kernel.typical() {
            lives.push((at, boot, workers::life(run, POINTS_MAX)));
        }
    }
    let all: Vec<workers::Life> = lives.iter().map(|one| one.2.clone()).collect();
    let axes = workers::axes(&all);
    let mut figures = Vec::new();
    for (at, boot, life) in &lives {
        let (label, place) = (kernels[*at].label(), place(*at));
        let svg = workers::draw(life, &axes, &label, place)?;
        let mark = Some((place % palette::COLOURS, marker::sign(place)));
        figures.push(Figure { caption: format!("{label}, boot {boot}"), mark, svg });
    }
    let how = "The upper line is how many workers live at each moment; bars above the lower line \
               are workers born per second, bars below it workers gone. Equal scales for all \
               kernels; of several boots the one with the median of workers created is drawn.";
    let set = set("Workers over time", how, figures);
    Ok(set.map(|set| ChartSet { legend: false, ..set }))
}
