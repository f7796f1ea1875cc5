//! Axes: few ticks at round values, linear or logarithmic.

use std::ops::Range;

use crate::format;

/// Ticks that fit on an axis with room between their labels.
const TICKS_MAX: usize = 6;

/// The same on a logarithmic axis, where fewer would cost a whole factor of ten of room.
const LOG_TICKS_MAX: usize = 7;

/// What an axis spans at least, as a share of its largest value: labels have three digits.
const SPAN_SHARE_MIN: f64 = 0.1;

/// One axis of a chart.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    /// What lies between its ends, already logarithmic if it is so.
    pub(crate) range: Range<f64>,
    /// Where a line of the grid and its label go.
    pub(crate) ticks: Vec<(f64, String)>,
    /// What it shows, and in which unit.
    pub(crate) label: String,
}

impl Axis {
    /// From 0 to a round value at or above `most`.
    pub(crate) fn from_zero(most: f64, label: &str) -> Self {
        let most = if most.is_finite() && most > 0.0 { most } else { 1.0 };
        let step = round_step(most / (TICKS_MAX - 1) as f64);
        let steps = (most / step - 1e-9).ceil().max(1.0);
        let at = |tick: usize| tick as f64 * step;
        let ticks = (0..=steps as usize).map(|tick| (at(tick), format::number(at(tick)))).collect();
        Self { range: 0.0..steps * step, ticks, label: label.to_owned() }
    }

    /// Between round values at or beyond `low` and `high`, which need not be near 0. Values that
    /// lie close together get some room, or their labels would all read alike.
    pub(crate) fn around(low: f64, high: f64, show: impl Fn(f64) -> String, label: &str) -> Self {
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        let least = low.abs().max(high.abs()) * SPAN_SHARE_MIN;
        let room = ((least - (high - low)) / 2.0).max(0.0);
        let (low, mut high) = (low - room, high + room);
        if high <= low {
            high = low + 1.0;
        }
        let step = round_step((high - low) / (TICKS_MAX - 1) as f64);
        let first = (low / step + 1e-9).floor();
        let steps = ((high / step - 1e-9).ceil() - first).clamp(1.0, 2.0 * TICKS_MAX as f64);
        let at = |tick: usize| (first + tick as f64) * step;
        let ticks = (0..=steps as usize).map(|tick| (at(tick), show(at(tick)))).collect();
        Self { range: at(0)..at(steps as usize), ticks, label: label.to_owned() }
    }

    /// The decimal logarithm of values above 0, between round values.
    pub(crate) fn log(
        values: impl Iterator<Item = f64>,
        show: fn(f64) -> String,
        label: &str,
    ) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(|value| value.is_finite() && *value > 0.0) {
            (low, high) = (low.min(value), high.max(value));
        }
        if low > high {
            (low, high) = (1.0, 10.0);
        }
        let marks = marks(low, high);
        let (Some(first), Some(last)) = (marks.first(), marks.last()) else {
            return Self { range: 0.0..1.0, ticks: Vec::new(), label: label.to_owned() };
        };
        let range = first.log10()..last.log10();
        let ticks = marks.iter().map(|mark| (mark.log10(), show(*mark))).collect();
        Self { range, ticks, label: label.to_owned() }
    }
}

/// Round values from at or below `low` to at or above `high`: 1, 2, 5, or 1, 3, or powers of ten.
fn marks(low: f64, high: f64) -> Vec<f64> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    for mantissas in [&[1.0, 2.0, 5.0][..], &[1.0, 3.0], &[1.0]] {
        let all: Vec<f64> = (first - 1..=last)
            .flat_map(|decade| mantissas.iter().map(move |one| one * 10_f64.powi(decade)))
            .collect();
        let from = all.iter().rposition(|mark| *mark <= low * 1.000_001).unwrap_or(0);
        let to = all.iter().position(|mark| *mark * 1.000_001 >= high).unwrap_or(all.len() - 1);
        let to = to.max(from + 1).min(all.len() - 1);
        if to - from <= LOG_TICKS_MAX {
            return all[from..=to].to_vec();
        }
    }
    let stride = usize::try_from((last - first).max(1)).unwrap_or(1).div_ceil(LOG_TICKS_MAX);
    let decades = usize::try_from(last - first).unwrap_or(0).div_ceil(stride) * stride;
    (0..=decades).step_by(stride).map(|at| 10_f64.powi(first + at as i32)).collect()
}

/// The smallest of 1, 2, 5, 10, 20 and so on that is at least `least`.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0].into_iter().find(|step| step * power >= least * 0.999_999);
    step.unwrap_or(10.0) * power
}

/// Ticks of time in seconds, with the unit that suits the whole axis.
pub(crate) fn seconds(most_ns: f64) -> Axis {
    let (per_unit, unit) = if most_ns < 2e9 { (1e6, "ms") } else { (1e9, "s") };
    let most_ns = if most_ns > 0.0 { most_ns } else { 1e9 };
    let mut axis = Axis::from_zero(most_ns / per_unit, "");
    axis.ticks.retain(|tick| tick.0 * per_unit <= most_ns * 1.001);
    for tick in &mut axis.ticks {
        tick.0 *= per_unit;
        tick.1 = format!("{}\u{a0}{unit}", tick.1);
    }
    axis.range = 0.0..most_ns;
    axis
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<String> {
        axis.ticks.iter().map(|tick| tick.1.replace('\u{a0}', " ")).collect()
    }

    fn log(low: f64, high: f64) -> Axis {
        Axis::log([low, high].into_iter(), format::duration, "")
    }

    #[test]
    fn linear_ticks_are_round_and_reach_the_most() {
        assert_eq!(labels(&Axis::from_zero(64.0, "")), ["0", "20", "40", "60", "80"]);
        assert_eq!(labels(&Axis::from_zero(9.0, "")), ["0", "2", "4", "6", "8", "10"]);
        assert_eq!(labels(&Axis::from_zero(0.0, "")), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
    }

    #[test]
    fn an_axis_around_values_is_round_and_never_flat() {
        let around = |low, high| Axis::around(low, high, format::number, "");
        assert_eq!(labels(&around(310.0, 388.0)), ["300", "320", "340", "360", "380", "400"]);
        assert_eq!(labels(&around(-3.2, 4.1)), ["-4", "-2", "0", "2", "4", "6"]);
        for (low, high) in [(5.0, 5.0), (0.0, 0.0), (1e15, 1e15), (2.0, 1.0), (f64::NAN, 1.0)] {
            let axis = around(low, high);
            assert!(axis.ticks.len() >= 2 && axis.range.start < axis.range.end, "{low} {high}");
        }
    }

    #[test]
    fn logarithmic_ticks_are_few_whatever_the_span() {
        assert_eq!(labels(&log(30e3, 80e3)), ["20 µs", "50 µs", "100 µs"]);
        assert_eq!(
            labels(&log(11e3, 9e6)),
            ["10 µs", "30 µs", "100 µs", "300 µs", "1 ms", "3 ms", "10 ms"]
        );
        for (low, high) in [(1.0, 1e12), (5.0, 5.0), (1e-9, 1e15), (99.0, 101.0)] {
            let axis = log(low, high);
            let count = axis.ticks.len();
            assert!((2..=LOG_TICKS_MAX + 1).contains(&count), "{low} to {high}: {count} ticks");
            assert!(
                axis.range.start <= low.log10() + 1e-6 && axis.range.end >= high.log10() - 1e-6
            );
        }
    }

    #[test]
    fn nothing_to_show_is_still_an_axis() {
        assert!(Axis::log(std::iter::empty(), format::number, "").ticks.len() >= 2);
        assert!(seconds(0.0).ticks.len() >= 2);
    }

    #[test]
    fn seconds_end_where_the_run_ends() {
        let axis = seconds(2.5e9);
        assert_eq!(labels(&axis), ["0 s", "0.5 s", "1 s", "1.5 s", "2 s", "2.5 s"]);
        assert_eq!(axis.range.end, 2.5e9);
    }
}
