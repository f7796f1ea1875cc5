//! Figures of a comparison as people read them: metrics, values, effects and verdicts in words.

use super::{Bar, Comparison, Finding, Metric, Pairing, Scale, Verdict};
use crate::format;

/// What a metric is called in tables and charts.
#[must_use]
pub fn title(metric: Metric) -> &'static str {
    match metric {
        Metric::OpsPerS => "ops/s",
        Metric::ResponseP50 => "response p50",
        Metric::ResponseP99 => "response p99",
        Metric::ResponseP999 => "response p99.9",
        Metric::CpuPerOp => "CPU per op",
        Metric::CreatedPer1000 => "created per 1000 ops",
        Metric::Peak => "peak workers",
        Metric::ServiceP50 => "service p50",
        Metric::Linger => "linger",
    }
}

/// A value of a metric with its unit. Linger is milliseconds, all other times nanoseconds.
#[must_use]
pub fn value(metric: Metric, value: f64) -> String {
    match metric {
        Metric::OpsPerS | Metric::CreatedPer1000 | Metric::Peak => format::number(value),
        Metric::Linger => format::duration(value * 1e6),
        Metric::ResponseP50
        | Metric::ResponseP99
        | Metric::ResponseP999
        | Metric::CpuPerOp
        | Metric::ServiceP50 => format::duration(value),
    }
}

impl Verdict {
    /// It in one word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Equivalent => "equivalent",
            Self::Improvement => "improvement",
            Self::Inconclusive => "inconclusive",
            Self::Regression => "regression",
        }
    }
}

/// An effect on its scale: `+12.3 %`, `×2.5` where it is a factor of two or more, `−4`.
#[must_use]
pub fn effect(scale: Scale, effect: f64) -> String {
    match scale {
        Scale::Difference => signed(effect, ""),
        Scale::Ratio if effect.abs() < std::f64::consts::LN_2 => {
            signed(effect.exp_m1() * 100.0, "\u{a0}%")
        }
        Scale::Ratio => format!("×{}", format::number(effect.exp())),
    }
}

fn signed(value: f64, unit: &str) -> String {
    let size = format::number(value.abs());
    let sign = match size.as_str() {
        "0" | "n/a" => "",
        _ if value < 0.0 => "−",
        _ => "+",
    };
    format!("{sign}{size}{unit}")
}

/// An effect of either direction, such as a threshold: `5 %`.
#[must_use]
pub fn size(scale: Scale, size: f64) -> String {
    effect(scale, size.abs()).trim_start_matches('+').to_owned()
}

/// Both ends of an interval: `+8.1 % to +15 %`.
#[must_use]
pub fn interval(scale: Scale, (low, high): (f64, f64)) -> String {
    format!("{} to {}", effect(scale, low), effect(scale, high))
}

/// A p value: three digits are all that few runs can tell.
#[must_use]
pub fn p(p: f64) -> String {
    if p < 0.001 { "<\u{a0}0.001".to_owned() } else { format!("{p:.3}") }
}

impl Finding {
    /// Interval with 95 % confidence.
    #[must_use]
    pub fn interval_95(&self) -> Option<(f64, f64)> {
        self.intervals.get(&95).copied()
    }

    /// The effect of each pair whose effect exists: a ratio needs two values above 0.
    #[must_use]
    pub fn effects(&self) -> Vec<f64> {
        let effect = |base: f64, test: f64| match self.scale {
            Scale::Ratio => (base > 0.0 && test > 0.0).then(|| (test / base).ln()),
            Scale::Difference => Some(test - base),
        };
        let effects = self.points.iter().filter_map(|point| effect(point.base, point.test));
        effects.filter(|effect| effect.is_finite()).collect()
    }

    /// The estimate in thresholds: how near it is to mattering, whatever the scale.
    #[must_use]
    pub fn weight(&self) -> f64 {
        let estimate = self.estimate.unwrap_or(0.0).abs();
        if self.threshold > 0.0 { estimate / self.threshold } else { estimate }
    }

    /// `response p99 +12.3 % (95 % interval +8.1 % to +15 %)`.
    #[must_use]
    pub fn sentence(&self) -> String {
        let title = title(self.metric);
        let Some(estimate) = self.estimate else {
            return format!("{title} n/a");
        };
        let estimate = effect(self.scale, estimate);
        match self.interval_95() {
            Some(ends) => {
                format!("{title} {estimate} (95\u{a0}% interval {})", interval(self.scale, ends))
            }
            None => format!("{title} {estimate} (too few runs for a 95\u{a0}% interval)"),
        }
    }
}

impl Comparison {
    /// The primary metric that the verdict stands on: of those with that verdict the one with the
    /// largest effect, seen against its threshold.
    #[must_use]
    pub fn deciding(&self) -> Option<&Finding> {
        let verdict = self.verdict?;
        let same = self.primary.iter().filter(|one| one.verdict == Some(verdict));
        same.max_by(|a, b| a.weight().total_cmp(&b.weight()))
    }

    /// `10 pairs, 2 runs left over`, or the numbers of runs and why they are no pairs.
    #[must_use]
    pub fn pairing_text(&self) -> String {
        match &self.pairing {
            Pairing::Paired { pairs, left_over } => {
                let pairs = format::count(u64::from(*pairs), "pair", "pairs");
                match left_over {
                    0 => pairs,
                    _ => {
                        let runs = format::count(u64::from(*left_over), "run", "runs");
                        format!("{pairs}, {runs} left over")
                    }
                }
            }
            Pairing::Unpaired { base_runs, test_runs, why } => format!(
                "no pairs, {base_runs} against {test_runs} runs: {}",
                format::clip(why, 200)
            ),
        }
    }
}

/// Reasons with their codes, as many as can be read; the rest as a number.
#[must_use]
pub fn reasons(bars: &[Bar], most: usize) -> Vec<Bar> {
    let clip =
        |bar: &Bar| Bar { code: format::clip(&bar.code, 40), text: format::clip(&bar.text, 300) };
    let mut shown: Vec<Bar> = bars.iter().take(most).map(clip).collect();
    if bars.len() > most {
        let more = format::count((bars.len() - most) as u64, "more reason", "more reasons");
        shown.push(Bar { code: "more".to_owned(), text: format!("{more} of this kind") });
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effect_is_a_share_or_a_factor_or_a_difference() {
        let ratio = |factor: f64| effect(Scale::Ratio, factor.ln()).replace('\u{a0}', " ");
        assert_eq!(ratio(1.123), "+12.3 %");
        assert_eq!(ratio(0.952), "−4.8 %");
        assert_eq!(ratio(1.0), "0 %");
        assert_eq!(ratio(2.5), "×2.5");
        assert_eq!(ratio(0.25), "×0.25");
        assert_eq!(effect(Scale::Difference, -4.0), "−4");
        assert_eq!(effect(Scale::Difference, f64::NAN), "n/a");
        assert_eq!(size(Scale::Ratio, 1.05_f64.ln()), "5\u{a0}%");
        assert_eq!(p(0.000_2), "<\u{a0}0.001");
    }
}
