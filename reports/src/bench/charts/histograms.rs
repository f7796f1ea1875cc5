//! Latency histograms: the share of operations in each of equal steps of the logarithm.

use hdrhistogram::Histogram;

use crate::format;
use crate::render::axis::Axis;
use crate::render::chart::Series;
use crate::render::palette::{Dash, series};
use crate::render::plot::{ChartError, Place, Plot, WIDTH, picture};

/// Bins per factor of ten: 26 % from one to the next.
const BINS_PER_DECADE: f64 = 10.0;

/// Outlines that are filled: the light fills of more would add up to grey.
const FILLED_MAX: usize = 4;

/// Percent of operations per bin, and the place of the first bin.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bins {
    first: usize,
    percent: Vec<f64>,
}

/// Sorts the operations of a histogram into bins.
pub(crate) fn bins(histogram: &Histogram<u64>) -> Bins {
    let bin = |value: u64| ((value.max(1) as f64).log10() * BINS_PER_DECADE).floor() as usize;
    let (first, last) = (bin(histogram.min()), bin(histogram.max()));
    let mut counts = vec![0_u64; last.saturating_sub(first) + 1];
    for step in histogram.iter_recorded() {
        let at = bin(step.value_iterated_to()).min(last).saturating_sub(first);
        if let Some(count) = counts.get_mut(at) {
            *count = count.saturating_add(step.count_since_last_iteration());
        }
    }
    let all = histogram.len() as f64;
    Bins { first, percent: counts.iter().map(|count| *count as f64 * 100.0 / all).collect() }
}

impl Bins {
    /// The outline of the bars, from the ground up and back to it.
    fn outline(&self) -> Vec<(f64, f64)> {
        let edge = |at: usize| (self.first + at) as f64 / BINS_PER_DECADE;
        let mut points = vec![(edge(0), 0.0)];
        for (at, percent) in self.percent.iter().enumerate() {
            points.push((edge(at), *percent));
            points.push((edge(at + 1), *percent));
        }
        points.push((edge(self.percent.len()), 0.0));
        points
    }

    /// Least and most value, in nanoseconds.
    fn ends(&self) -> [f64; 2] {
        [self.first, self.first + self.percent.len()]
            .map(|at| 10_f64.powf(at as f64 / BINS_PER_DECADE))
    }
}

/// The axis of nanoseconds that holds all bins of all pictures beside each other.
pub(crate) fn time_axis<'a>(bins: impl Iterator<Item = &'a Bins>) -> Axis {
    Axis::log(bins.flat_map(Bins::ends), format::duration, "")
}

/// Draws the outline of each policy's bars over a light fill.
pub(crate) fn draw(all: &[Series<Bins>], x: &Axis, title: &str) -> Result<String, ChartError> {
    let most = all.iter().flat_map(|one| one.data.percent.iter().copied()).fold(0.0, f64::max);
    let mut y = Axis::from_zero(most, "% of operations");
    y.ticks.retain(|tick| tick.0 > 0.0);
    let place = Place { left: 106, right: WIDTH - 60, top: 56, bottom: 440 };
    let label = format!("Histogram of {title}, an outline per policy");
    picture(&label, 492, |area| {
        let plot = Plot::new(area, place, x, &y)?;
        let filled = if all.len() <= FILLED_MAX { all } else { &[] };
        for one in filled {
            plot.fill(one.data.outline(), series(one.place, Dash::Whole), 0.07)?;
        }
        for one in all {
            plot.line(one.data.outline(), series(one.place, Dash::Whole), 4)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_in_a_bin() {
        let mut histogram = Histogram::<u64>::new(3).expect("3 digits are allowed");
        for (value, count) in [(1_500, 25), (11_000, 50), (1_100_000, 25)] {
            histogram.record_n(value, count).expect("the histogram grows");
        }
        let bins = bins(&histogram);
        assert_eq!(bins.first, 31);
        assert_eq!(bins.percent.len(), 30);
        assert_eq!(bins.percent.iter().sum::<f64>(), 100.0);
        assert_eq!((bins.percent[0], bins.percent[9], bins.percent[29]), (25.0, 50.0, 25.0));
    }

    #[test]
    fn the_outline_starts_and_ends_on_the_ground() {
        let outline = Bins { first: 30, percent: vec![40.0, 60.0] }.outline();
        assert_eq!(outline[0], (3.0, 0.0));
        assert_eq!(outline[outline.len() - 1], (3.2, 0.0));
    }

    #[test]
    fn zeros_are_drawn_in_the_first_bin() {
        let mut histogram = Histogram::<u64>::new(3).expect("3 digits are allowed");
        histogram.record(0).expect("0 is a value");
        assert_eq!(bins(&histogram), Bins { first: 0, percent: vec![100.0] });
    }
}
