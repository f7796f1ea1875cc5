//! Figures of a comparison as a page shows them: thresholds, intervals, the deciding metric.

use super::{Bar, Comparison, Finding, Metric, Pairing};
use crate::format;

/// An effect of either direction, such as a threshold: `5 %`.
#[must_use]
pub fn size(metric: Metric, size: f64) -> String {
    metric.show_effect(size.abs()).trim_start_matches('+').to_owned()
}

/// A share in percent: `5 %`.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{}\u{a0}%", format::number(share * 100.0))
}

/// Both ends of an interval: `+8.1 % to +15.0 %`.
#[must_use]
pub fn interval(metric: Metric, (low, high): (f64, f64)) -> String {
    format!("{} to {}", metric.show_effect(low), metric.show_effect(high))
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

    /// The estimate in thresholds: how near it is to mattering, whatever the scale.
    #[must_use]
    pub fn weight(&self) -> f64 {
        let estimate = self.estimate.unwrap_or(0.0).abs();
        if self.threshold > 0.0 { estimate / self.threshold } else { estimate }
    }

    /// `response p99 +12.3 % (95 % interval +8.1 % to +15 %)`.
    #[must_use]
    pub fn sentence(&self) -> String {
        let title = self.metric.title();
        let Some(estimate) = self.estimate else {
            return format!("{title} n/a");
        };
        let estimate = self.metric.show_effect(estimate);
        match self.interval_95() {
            Some(ends) => {
                format!("{title} {estimate} (95\u{a0}% interval {})", interval(self.metric, ends))
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

    /// `10 pairs, 2 left over`, or the numbers of runs and why they are no pairs.
    #[must_use]
    pub fn pairing_text(&self) -> String {
        match &self.pairing {
            Pairing::Paired { pairs, left_over } => {
                let pairs = format::count(u64::from(*pairs), "pair", "pairs");
                match left_over {
                    0 => pairs,
                    left_over => format!("{pairs}, {left_over} left over"),
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
    fn thresholds_have_no_sign_and_intervals_have_two() {
        let metric = Metric::ResponseP99;
        assert_eq!(size(metric, 1.05_f64.ln()), "5.0\u{a0}%");
        assert_eq!(percent(0.05), "5\u{a0}%");
        assert_eq!(interval(metric, (0.9_f64.ln(), 0.1)), "-10.0\u{a0}% to +10.5\u{a0}%");
        assert_eq!((p(0.000_2), p(0.012)), ("<\u{a0}0.001".to_owned(), "0.012".to_owned()));
    }
}
