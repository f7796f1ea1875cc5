//! Run order: throughput of each run in the order in which the bench ran, to show drift.

use crate::format;
use crate::render::axis::Axis;
use crate::render::chart::Series;
use crate::render::marker;
use crate::render::palette::{Dash, series};
use crate::render::plot::{ChartError, Place, Plot, WIDTH, picture};
use crate::runs::group::Section;

/// Place in the order from 1, and operations per second.
pub(crate) type Point = (f64, f64);

/// A point per finished run, by policy.
pub(crate) fn points(
    section: &Section<'_>,
    place: impl Fn(&str) -> usize,
) -> Vec<Series<Vec<Point>>> {
    let mut positions: Vec<u32> = section.records().map(|record| record.key.position).collect();
    positions.sort_unstable();
    positions.dedup();
    let rank = |position: u32| positions.partition_point(|one| *one < position) as f64 + 1.0;
    let groups = section.groups.iter().filter(|group| !group.runs.is_empty());
    groups
        .map(|group| Series {
            label: group.label.to_string(),
            place: place(&group.label),
            data: group.runs.iter().map(|run| (rank(run.key.position), run.ops.per_s)).collect(),
        })
        .collect()
}

/// Draws the points.
pub(crate) fn draw(all: &[Series<Vec<Point>>]) -> Result<String, ChartError> {
    let points = || all.iter().flat_map(|one| one.data.iter());
    let last = points().map(|point| point.0).fold(1.0, f64::max);
    let mut x = Axis::from_zero(last, "run, in the order in which they were made");
    // A run has a whole number, and none is before the first.
    x.ticks.retain(|tick| tick.0 >= 1.0 && tick.0 <= last && tick.0.fract() == 0.0);
    x.range = 0.5..last + 0.5;
    let most = points().map(|point| point.1).fold(0.0, f64::max);
    let y = Axis::from_zero(most, "operations per second");
    let place = Place { left: 126, right: WIDTH - 60, top: 56, bottom: 500 };
    let title = format!("Operations per second of {} runs in order", format::number(last));
    picture(&title, 592, |area| {
        let plot = Plot::new(area, place, &x, &y)?;
        for one in all {
            for (order, per_s) in &one.data {
                let colour = series(one.place, Dash::Whole);
                marker::draw(&plot, plot.pixel(*order, *per_s), one.place, colour)?;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::analysis::analyse;
    use crate::load::Loaded;
    use iowq_sample as sample;

    #[test]
    fn positions_of_one_workload_are_numbered_without_gaps() {
        let loaded = Loaded { records: sample::bench(2), ..Loaded::default() };
        let points = points(&analyse(&loaded).sections[1], |_| 0);
        let order: Vec<f64> = points[0].data.iter().map(|point| point.0).collect();
        assert_eq!(order, [1.0, 5.0]);
        assert!(draw(&points).is_ok());
        assert!(draw(&[]).is_ok());
    }
}
