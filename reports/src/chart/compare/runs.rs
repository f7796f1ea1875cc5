//! Run order of a comparison: the value of each run, the two of a pair joined.

use super::{BASE, PAIRS_MAX, TEST};
use crate::chart::axis::Axis;
use crate::chart::marker;
use crate::chart::palette::{AXIS, Dash, series};
use crate::chart::plot::{ChartError, Place, Plot, WIDTH, picture};
use crate::compare::{Finding, Point};

/// Draws the values of one metric; pairs are joined where there are pairs.
pub(super) fn draw(finding: &Finding, paired: bool) -> Result<String, ChartError> {
    let points: Vec<&Point> = finding.points.iter().take(PAIRS_MAX).collect();
    let mut positions: Vec<u32> =
        points.iter().flat_map(|point| [point.base_position, point.test_position]).collect();
    positions.sort_unstable();
    positions.dedup();
    // Other workloads ran in between: places are numbered without gaps.
    let rank = |position: u32| positions.partition_point(|one| *one < position) as f64 + 1.0;
    let last = positions.len().max(1) as f64;
    let mut x = Axis::from_zero(last, "run, in the order in which they were made");
    x.ticks.retain(|tick| tick.0 >= 1.0 && tick.0 <= last && tick.0.fract() == 0.0);
    x.range = 0.5..last + 0.5;
    let values = || points.iter().flat_map(|point| [point.base, point.test]);
    let finite = || values().filter(|value| value.is_finite());
    let (low, high) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |ends, value| {
        (ends.0.min(value), ends.1.max(value))
    });
    let y = Axis::around(low, high, |value| finding.metric.show(value), "");
    let place = Place { left: 140, right: WIDTH - 40, top: 20, bottom: 400 };
    let title = format!("{} of {} runs in order", finding.metric.name(), positions.len());
    picture(&title, 492, |area| {
        let plot = Plot::new(area, place, &x, &y)?;
        let drawn = points.iter().filter(|one| one.base.is_finite() && one.test.is_finite());
        for point in drawn {
            let base = (rank(point.base_position), point.base);
            let test = (rank(point.test_position), point.test);
            if paired {
                plot.line(vec![base, test], AXIS, 2)?;
            }
            for (at, place) in [(base, BASE), (test, TEST)] {
                let colour = series(place, Dash::Whole);
                marker::draw(&plot, plot.pixel(at.0, at.1), place, colour)?;
            }
        }
        Ok(())
    })
}
