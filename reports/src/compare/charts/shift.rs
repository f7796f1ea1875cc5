//! Shift of response time by quantile: the median over pairs, with a band for each quantile alone.

use std::io;

use hdrhistogram::Histogram;
use iowq_contract::{Quantiles, Record};
use plotters::style::text_anchor::{HPos, VPos};

use crate::compare::charts::effect;
use crate::compare::charts::{PAIRS_MAX, TEST};
use crate::compare::comparison::Comparison;
use crate::compare::finding::Point;
use crate::compare::set::Set;
use crate::render::palette::{AXIS, Dash, INK, series};
use crate::render::percentiles;
use crate::render::plot::{ChartError, Place, Plot, WIDTH, picture};
use crate::runs::figures::Spread;
use crate::runs::metric::Scale;
use crate::runs::{sample_size, unit};

/// Points per nine.
const STEPS_PER_NINE: usize = 20;

/// Chance of missing the median that a band may have, on both sides together.
const MISS_MAX: f64 = 0.05;

/// The shift at one quantile: nines, median over pairs of ln(test / base), and the band's ends.
type Step = (f64, f64, f64, f64);

/// The shift of one comparison.
pub(crate) struct Shift {
    steps: Vec<Step>,
    /// Pairs whose histograms could be read.
    pub(crate) pairs: usize,
    /// What the band is.
    pub(crate) band: &'static str,
}

/// Response times of a unit: how many, and at each step.
struct Times {
    count: u64,
    steps: Vec<f64>,
}

impl Times {
    /// Of the runs of a set that have this position and a histogram, read again; none without any.
    fn of(set: &Set<'_>, runs: &[&Record], position: u32) -> io::Result<Option<Self>> {
        let mut sum: Option<Histogram<u64>> = None;
        for run in runs.iter().filter(|run| unit::position(run) == position) {
            let run = set.loaded.whole(run)?;
            let one = run.latency.response.get("all").and_then(Quantiles::histogram);
            match (&mut sum, one) {
                // The sum grows as it must, so that adding never fails.
                (Some(sum), Some(one)) => _ = sum.add(&one),
                (None, one) => sum = one,
                (Some(_), None) => {}
            }
        }
        let sum = sum.filter(|sum| !sum.is_empty());
        Ok(sum.map(|sum| Self {
            count: sum.len(),
            steps: steps()
                .map(|nines| sum.value_at_quantile(1.0 - 10_f64.powf(-nines)) as f64)
                .collect(),
        }))
    }
}

/// The steps, in nines.
fn steps() -> impl Iterator<Item = f64> {
    let steps = (0..).map(|step| f64::from(step) / STEPS_PER_NINE as f64);
    steps.take_while(|nines| *nines <= percentiles::NINES_MAX)
}

/// The shift over the pairs whose runs both have a histogram; none without such pairs.
pub(crate) fn shift(
    comparison: &Comparison,
    base: &Set<'_>,
    test: &Set<'_>,
) -> io::Result<Option<Shift>> {
    if !comparison.is_paired() {
        return Ok(None);
    }
    let points = comparison.primary.iter().map(|one| &one.points[..]);
    let points: &[Point] = points.max_by_key(|points| points.len()).unwrap_or_default();
    let [base_runs, test_runs] = [base, test].map(|set| set.of(&comparison.workload));
    let mut pairs = Vec::new();
    for point in points.iter().take(PAIRS_MAX) {
        let base = Times::of(base, &base_runs, point.base_position)?;
        let test = Times::of(test, &test_runs, point.test_position)?;
        pairs.extend(base.zip(test));
    }
    let least = pairs.iter().map(|(base, test)| base.count.min(test.count)).min();
    let (rank, band) = match band_rank(pairs.len()) {
        Some(rank) => (rank, "an interval for the median with at least 95\u{a0}% confidence"),
        None => (0, "from the least to the most of the pairs"),
    };
    let is_sure = |(_, nines): &(usize, f64)| {
        sample_size::is_sure(least.unwrap_or(0), sample_size::of_nines_ppb(*nines))
    };
    let step = |(at, nines): (usize, f64)| {
        let time = |one: &Times| one.steps.get(at).map_or(1.0, |time| time.max(1.0));
        let mut shifts: Vec<f64> =
            pairs.iter().map(|(base, test)| (time(test) / time(base)).ln()).collect();
        shifts.sort_by(f64::total_cmp);
        let ends = (*shifts.get(rank)?, *shifts.get(shifts.len() - 1 - rank)?);
        Some((nines, Spread::of(shifts)?.median, ends.0, ends.1))
    };
    let steps: Vec<Step> = steps().enumerate().take_while(is_sure).filter_map(step).collect();
    Ok((steps.len() > 1).then_some(Shift { steps, pairs: pairs.len(), band }))
}

/// How many of the least and of the most values may be left out so that the rest still holds the
/// median with 95 % confidence: the number of values below it is binomial. None below 6 values.
fn band_rank(count: usize) -> Option<usize> {
    let mut chance = 0.5_f64.powi(i32::try_from(count).ok()?);
    let (mut below, mut rank) = (0.0, None);
    for at in 0..count / 2 {
        below += chance;
        if 2.0 * below > MISS_MAX {
            break;
        }
        rank = Some(at);
        chance *= (count - at) as f64 / (at + 1) as f64;
    }
    rank
}

/// Draws the shift; what lies beyond the last sure quantile is marked as not available.
pub(crate) fn draw(shift: &Shift) -> Result<String, ChartError> {
    let last = shift.steps.last().map_or(1.0, |step| step.0);
    let ends = shift.steps.iter().flat_map(|step| [step.2, step.3]);
    let y = effect::axis(Scale::Ratio, ends, "test against base");
    let mut x = percentiles::nines_axis((last + 0.05).ceil());
    x.label = "quantile of response time".to_owned();
    let place = Place { left: 116, right: WIDTH - 60, top: 56, bottom: 500 };
    picture("Shift of response time by quantile", 592, |area| {
        let plot = Plot::new(area, place, &x, &y)?;
        plot.line(vec![(x.range.start, 0.0), (x.range.end, 0.0)], AXIS, 3)?;
        let there = series(TEST, Dash::Whole);
        let upper = shift.steps.iter().map(|step| (step.0, step.3));
        let lower = shift.steps.iter().rev().map(|step| (step.0, step.2));
        plot.fill(upper.chain(lower).collect(), there, 0.25)?;
        plot.line(shift.steps.iter().map(|step| (step.0, step.1)).collect(), there, 5)?;
        let (low, high) = (y.range.start, y.range.end);
        let beyond = [(last, low), (last, high), (x.range.end, high), (x.range.end, low)];
        plot.fill(beyond.to_vec(), AXIS, 0.15)?;
        let middle = plot.pixel(f64::midpoint(last, x.range.end), f64::midpoint(low, high));
        plot.text("n/a", middle, HPos::Center, VPos::Center, INK)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_leaves_out_as_many_values_as_the_binomial_allows() {
        let expected = [(5, None), (6, Some(0)), (8, Some(0)), (9, Some(1)), (10, Some(1))];
        for (count, rank) in expected.into_iter().chain([(20, Some(5)), (0, None)]) {
            assert_eq!(band_rank(count), rank, "{count}");
        }
    }
}
