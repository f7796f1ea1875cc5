//! Shift of response time by quantile: the median over pairs, with a band for each quantile alone.

use hdrhistogram::Histogram;
use iowq_contract::Record;
use plotters::style::text_anchor::{HPos, VPos};

use crate::compare::charts::effect;
use crate::compare::charts::{PAIRS_MAX, TEST};
use crate::compare::comparison::Comparison;
use crate::compare::finding::Point;
use crate::render::palette::{AXIS, Dash, INK, series};
use crate::render::percentiles;
use crate::render::plot::{ChartError, Place, Plot, WIDTH, picture};
use crate::runs::figures::Spread;
use crate::runs::histogram::Clock;
use crate::runs::metric::Scale;
use crate::runs::{histogram, sample_size, unit};

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

/// The shift over the pairs whose runs both have a histogram; none without such pairs.
pub(crate) fn shift(comparison: &Comparison, base: &[&Record], test: &[&Record]) -> Option<Shift> {
    if !comparison.is_paired() {
        return None;
    }
    let histograms = |set: &[&Record], position: u32| {
        let of_unit = set.iter().copied().filter(|run| {
            unit::position(run) == position && run.key.workload == comparison.workload
        });
        histogram::merged(&of_unit.collect::<Vec<_>>(), Clock::Response, "all")
    };
    let points: &[Point] =
        comparison.primary.iter().map(|one| &one.points[..]).max_by_key(|points| points.len())?;
    let pairs: Vec<[Histogram<u64>; 2]> = points
        .iter()
        .take(PAIRS_MAX)
        .filter_map(|point| {
            Some([histograms(base, point.base_position)?, histograms(test, point.test_position)?])
        })
        .collect();
    let least = pairs.iter().flatten().map(Histogram::len).min()?;
    let (rank, band) = match band_rank(pairs.len()) {
        Some(rank) => (rank, "an interval for the median with at least 95\u{a0}% confidence"),
        None => (0, "from the least to the most of the pairs"),
    };
    let steps: Vec<Step> = (0..)
        .map(|step| f64::from(step) / STEPS_PER_NINE as f64)
        .take_while(|nines| {
            *nines <= percentiles::NINES_MAX
                && sample_size::is_sure(least, sample_size::of_nines_ppb(*nines))
        })
        .filter_map(|nines| {
            let quantile = 1.0 - 10_f64.powf(-nines);
            let time = |one: &Histogram<u64>| (one.value_at_quantile(quantile) as f64).max(1.0);
            let mut shifts: Vec<f64> =
                pairs.iter().map(|[base, test]| (time(test) / time(base)).ln()).collect();
            shifts.sort_by(f64::total_cmp);
            let ends = (*shifts.get(rank)?, *shifts.get(shifts.len() - 1 - rank)?);
            Some((nines, Spread::of(shifts)?.median, ends.0, ends.1))
        })
        .collect();
    (steps.len() > 1).then_some(Shift { steps, pairs: pairs.len(), band })
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
