//! The axis of an effect: shares or factors of a ratio, plain numbers of a difference.

use std::f64::consts::{LN_2, LN_10};

use crate::format;
use crate::render::axis::Axis;
use crate::runs::metric::Scale;

/// Least that an axis of a ratio shows below no change, in percent.
const PERCENT_MIN: f64 = -90.0;

/// The axis that holds no change and all `values`, which are effects on the scale.
pub(crate) fn axis(scale: Scale, values: impl Iterator<Item = f64>, label: &str) -> Axis {
    let (mut low, mut high) = (0.0_f64, 0.0_f64);
    for value in values.filter(|value| value.is_finite()) {
        (low, high) = (low.min(value), high.max(value));
    }
    match scale {
        Scale::Difference => {
            let show = |value| signed(value, "");
            Axis::around(low, high, show, label)
        }
        Scale::Ratio if low.abs().max(high) < LN_2 => shares(low, high, label),
        Scale::Ratio => factors(low, high, label),
    }
}

fn signed(value: f64, unit: &str) -> String {
    let sign = if value > 0.0 { "+" } else { "" };
    format!("{sign}{}{unit}", format::number(value))
}

/// Ticks at round percents, placed at their logarithms.
fn shares(low: f64, high: f64, label: &str) -> Axis {
    let (low, high) = (low.exp_m1() * 100.0, high.exp_m1() * 100.0);
    let show = |percent: f64| signed(percent, "\u{a0}%");
    let mut axis = Axis::around(low, high.max(low + 1.0), show, label);
    axis.ticks.retain(|tick| tick.0 >= PERCENT_MIN);
    for tick in &mut axis.ticks {
        tick.0 = (tick.0 / 100.0).ln_1p();
    }
    let end = |percent: f64| (percent.max(PERCENT_MIN) / 100.0).ln_1p();
    axis.range = end(axis.range.start)..end(axis.range.end);
    axis
}

/// Ticks at round factors.
fn factors(low: f64, high: f64, label: &str) -> Axis {
    let show = |factor: f64| format!("×{}", format::number(factor));
    let mut axis = Axis::log([low.exp(), high.exp()].into_iter(), show, label);
    for tick in &mut axis.ticks {
        tick.0 *= LN_10;
    }
    axis.range = axis.range.start * LN_10..axis.range.end * LN_10;
    axis
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: Scale, values: &[f64]) -> Vec<String> {
        let axis = axis(scale, values.iter().copied(), "");
        axis.ticks.iter().map(|tick| tick.1.replace('\u{a0}', " ")).collect()
    }

    #[test]
    fn a_ratio_is_shown_in_percent_and_as_a_factor_where_it_is_large() {
        let small = labels(Scale::Ratio, &[-0.05, 0.11]);
        assert_eq!(small, ["-5 %", "0 %", "+5 %", "+10 %", "+15 %"]);
        assert_eq!(labels(Scale::Ratio, &[-3.0]), ["×0.02", "×0.05", "×0.1", "×0.2", "×0.5", "×1"]);
        assert_eq!(labels(Scale::Difference, &[-30.0, 2.0]), ["-30", "-20", "-10", "0", "+10"]);
    }

    #[test]
    fn no_values_are_still_an_axis() {
        for scale in [Scale::Ratio, Scale::Difference] {
            assert!(labels(scale, &[f64::NAN]).len() >= 2);
        }
    }
}
