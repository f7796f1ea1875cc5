//! Charts of booted kernels: workers created in each boot, who stayed, and workers over time.

mod created;
pub(crate) mod kernel;
mod stay;

use crate::kernels::charts::kernel::Kernel;
use crate::render::chart::{ChartSet, Figure, Series, set, set_without_legend};
use crate::render::palette::place;
use crate::render::plot::ChartError;
use crate::render::workers;

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
        sets.extend(set("Workers created per 1000 ops, by boot", how, vec![Figure::plain(svg)]));
    }
    if let Some(svg) = stay::draw(kernels)? {
        let how = "Each mark is a worker that was alive when the last ring was closed, of the boot \
                   with the median of workers created: how long it stayed after that. Marks at the \
                   right end stayed until the watch was over.";
        let figures = vec![Figure::plain(svg)];
        sets.extend(set_without_legend("How long workers stayed", how, figures));
    }
    sets.extend(over_time(kernels)?);
    Ok(sets)
}

fn over_time(kernels: &[Kernel<'_>]) -> Result<Option<ChartSet>, ChartError> {
    let mut lives = Vec::new();
    for (at, kernel) in kernels.iter().enumerate() {
        let Some((boot, run)) = kernel.typical()? else { continue };
        let label = kernel.label();
        let data = (format!("{label}, boot {boot}"), workers::life(&run, POINTS_MAX));
        lives.push(Series { label, place: place(at), data });
    }
    let among = "kernels; of several boots the one with the median of workers created";
    workers::set(&lives, among)
}
