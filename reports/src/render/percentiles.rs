//! Latency by percentile, on the axis of HdrHistogram: each nine as wide as the one before.

use hdrhistogram::Histogram;
use plotters::style::text_anchor::{HPos, VPos};

use crate::format;
use crate::render::axis::Axis;
use crate::render::chart::Series;
use crate::render::palette::{Dash, series};
use crate::render::plot::{CHAR_WIDTH, ChartError, Place, Plot, WIDTH, picture, spread};
use crate::runs::sample_size;

/// Points per nine: enough that a line looks smooth.
const STEPS_PER_NINE: usize = 40;

/// Nines that are drawn at most.
pub(crate) const NINES_MAX: f64 = 6.0;

/// A policy's line.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Nines and nanoseconds.
    points: Vec<(f64, f64)>,
    /// Points from the start behind which enough operations lie.
    sure: usize,
}

/// The line of a histogram, up to its largest value.
pub(crate) fn line(histogram: &Histogram<u64>) -> Line {
    let count = histogram.len() as f64;
    let nines_last = count.log10().clamp(0.1, NINES_MAX);
    let steps = (nines_last * STEPS_PER_NINE as f64).floor() as usize;
    let nines = |step: usize| step as f64 / STEPS_PER_NINE as f64;
    let points = (0..=steps)
        .map(|step| {
            let quantile = 1.0 - 10_f64.powf(-nines(step));
            (nines(step), (histogram.value_at_quantile(quantile) as f64).max(1.0))
        })
        .collect();
    let is_sure = |step: &usize| {
        sample_size::is_sure(histogram.len(), sample_size::of_nines_ppb(nines(*step)))
    };
    let sure = (0..=steps).take_while(is_sure).count();
    Line { points, sure }
}

/// The axis of nanoseconds that holds all lines of all pictures beside each other.
pub(crate) fn time_axis<'a>(lines: impl Iterator<Item = &'a Line>) -> Axis {
    let values = lines.flat_map(|line| line.points.iter().map(|point| point.1));
    Axis::log(values, format::duration, "")
}

/// The axis of quantiles from none to `last` nines.
pub(crate) fn nines_axis(last: f64) -> Axis {
    let marks = [(0.301, "50 %"), (1.0, "90 %"), (2.0, "99 %"), (3.0, "99.9 %")];
    let more = [(4.0, "99.99 %"), (5.0, "99.999 %"), (6.0, "99.9999 %")];
    let ticks = marks.into_iter().chain(more).filter(|mark| mark.0 <= last);
    Axis {
        range: 0.0..last,
        ticks: ticks.map(|(at, label)| (at, label.to_owned())).collect(),
        label: "of operations were at least this fast".to_owned(),
    }
}

/// Draws one line per policy, named at its end.
pub(crate) fn draw(lines: &[Series<Line>], y: &Axis, title: &str) -> Result<String, ChartError> {
    let longest = lines.iter().map(|one| one.label.chars().count()).max().unwrap_or(0);
    let room = i32::try_from(longest).unwrap_or(0) * CHAR_WIDTH + 24;
    let place = Place { left: 106, right: WIDTH - room, top: 28, bottom: 500 };
    let label = format!("{title} by percentile, a line per policy");
    let last = lines.iter().filter_map(|one| one.data.points.last()).map(|point| point.0);
    let x = nines_axis(last.fold(1.0, f64::max));
    picture(&label, 592, |area| {
        let plot = Plot::new(area, place, &x, y)?;
        let logarithm = |points: &[(f64, f64)]| -> Vec<(f64, f64)> {
            points.iter().map(|(nines, ns)| (*nines, ns.log10())).collect()
        };
        let mut ends = Vec::new();
        for one in lines {
            let points = logarithm(&one.data.points);
            let (sure, rest) = points.split_at(one.data.sure.min(points.len()));
            plot.line(sure.to_vec(), series(one.place, Dash::Whole), 5)?;
            let joined: Vec<_> = sure.last().into_iter().chain(rest).copied().collect();
            if joined.len() > 1 {
                plot.line(joined, series(one.place, Dash::Dotted), 4)?;
            }
            ends.push(points.last().map_or((0, 0), |last| plot.pixel(last.0, last.1)));
        }
        let wanted: Vec<i32> = ends.iter().map(|end| end.1).collect();
        let heights = spread(&wanted, 30, place.top, place.bottom - 10);
        for (one, height) in lines.iter().zip(heights) {
            let at = (place.right + 14, height);
            let colour = series(one.place, Dash::Whole);
            plot.text(&one.label, at, HPos::Left, VPos::Center, colour)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(count: u64) -> Histogram<u64> {
        let mut histogram = Histogram::new(3).expect("3 digits are allowed");
        for value in 1..=count {
            histogram.record(value * 1_000).expect("the histogram grows");
        }
        histogram
    }

    #[test]
    fn a_line_rises_and_ends_at_the_last_operation() {
        let line = line(&histogram(10_000));
        assert!(line.points.is_sorted_by(|a, b| a.1 <= b.1));
        let (nines, ns) = line.points[line.points.len() - 1];
        assert!((nines - 4.0).abs() < 0.03, "{nines} nines");
        assert!(ns > 9_900_000.0, "{ns} ns");
    }

    #[test]
    fn a_line_is_sure_while_a_hundred_operations_lie_beyond() {
        let line = line(&histogram(10_000));
        let last_sure = line.points[line.sure - 1].0;
        assert!((last_sure - 2.0).abs() < 0.03, "sure up to {last_sure} nines");
    }

    #[test]
    fn one_operation_is_no_reason_to_fail() {
        let lines = [Series { label: "6.12".to_owned(), place: 0, data: line(&histogram(1)) }];
        let axis = time_axis(lines.iter().map(|one| &one.data));
        assert!(draw(&lines, &axis, "Response time").is_ok());
        assert!(draw(&[], &axis, "Response time").is_ok());
    }
}
