//! What is said of a comparison in the page, in the text and in test results.

use crate::compare::comparison::{Comparison, Confirmation, Pairing};
use crate::compare::finding::{Finding, Verdict};
use crate::compare::plan::EFFECT;
use crate::format;
use crate::runs::metric::Metric;
use iowq_contract::Caveat;

impl Finding {
    /// What is said of a metric that is not decided, without its name: why not, and what would
    /// decide.
    #[must_use]
    pub fn undecided(&self, alpha: f64) -> String {
        if let Some(one_sided) = &self.one_sided {
            return format!("not decided, because {}", format::clip(&one_sided.text, 300));
        }
        let shown = if self.rejects(alpha) {
            format!(
                "differs, but not certainly by {}",
                self.metric.show_size(self.side_threshold())
            )
        } else {
            "nothing shown".to_owned()
        };
        let reach = self.reach();
        if reach.is_empty() { shown } else { format!("{shown} ({})", reach.join("; ")) }
    }

    /// What these runs would have shown, and how many pairs would decide.
    fn reach(&self) -> Vec<String> {
        let show = |effect| self.metric.show_size(effect);
        let mut parts = Vec::new();
        if let Some(effect) = self.detectable {
            parts.push(format!("these runs would show a change of {}", show(effect)));
        }
        if let Some(pairs) = self.pairs_needed {
            let effect = show(EFFECT * self.side_threshold());
            parts.push(format!("about {pairs} pairs would distinguish {effect} from none"));
        }
        parts
    }

    /// The estimate, such as `+12.3 %`.
    fn effect_text(&self) -> String {
        let show = |effect| self.metric.show_effect(effect);
        self.estimate.map_or_else(|| "n/a".to_owned(), show)
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
                format!(
                    "{title} {estimate} (95\u{a0}% interval {})",
                    self.metric.show_interval(ends)
                )
            }
            None => format!("{title} {estimate} (too few runs for a 95\u{a0}% interval)"),
        }
    }
}

impl Comparison {
    /// Whether runs are pairs, as [`Pairing::text`] says it.
    #[must_use]
    pub fn pairing_text(&self) -> String {
        self.pairing.text()
    }

    /// What became of a regression that fresh runs did not confirm.
    #[must_use]
    pub fn unconfirmed(&self, metric: Metric) -> Option<String> {
        self.confirmation.as_ref()?.unconfirmed(metric)
    }
}

impl Pairing {
    /// `10 pairs, 2 runs left over`, or the numbers of runs and why they are no pairs.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
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

impl Confirmation {
    /// What the fresh runs said, in one or two sentences.
    #[must_use]
    pub fn text(&self) -> String {
        let Some(pairing) = &self.pairing else {
            return "There are no fresh runs.".to_owned();
        };
        let runs = format!("Measured again with {}", pairing.text());
        if !self.blockers.is_empty() {
            let blockers: Vec<String> =
                self.blockers.iter().map(|bar| format!("{}: {}", bar.code, bar.text)).collect();
            let violations: Vec<String> = self
                .violations
                .iter()
                .map(|violation| format!(" {}.", self.of_violation(violation)))
                .collect();
            return format!(
                "{runs}, which do not allow a verdict, so that no metric is confirmed. {}{}",
                blockers.join(" "),
                violations.concat()
            );
        }
        let metrics = self.first.iter().zip(&self.again).map(|(first, again)| change(first, again));
        let violations = self.violations.iter().map(|violation| self.of_violation(violation));
        let parts: Vec<String> = metrics.chain(violations).collect();
        let text = format!("{runs}: {}.", parts.join("; "));
        if self.again.iter().all(Finding::is_regression) {
            return text;
        }
        format!("{text} A metric that is not a regression again counts as inconclusive.")
    }

    /// `limit-broken again: S let 60 …`, of a violation of the first runs.
    fn of_violation(&self, violation: &Caveat) -> String {
        match self.violations_again.iter().find(|again| again.code == violation.code) {
            Some(again) => {
                format!("{} again: {}", violation.code, again.text.trim_end_matches('.'))
            }
            None => format!("{} not again", violation.code),
        }
    }

    /// `+20 % at first and +0.3 % again (equivalent)`, of a metric that was not confirmed.
    #[must_use]
    pub fn unconfirmed(&self, metric: Metric) -> Option<String> {
        let mut both = self.first.iter().zip(&self.again);
        let (first, again) = both.find(|(first, _)| first.metric == metric)?;
        let verdict = again.verdict.map_or("no verdict", Verdict::name);
        let text = format!(
            "{} at first and {} again ({verdict})",
            first.effect_text(),
            again.effect_text()
        );
        (!again.is_regression()).then_some(text)
    }
}

/// `response p99 +19.8 % after +20.1 %, a regression again`.
fn change(first: &Finding, again: &Finding) -> String {
    let said = match again.verdict {
        Some(Verdict::Regression) => "a regression again",
        Some(verdict) => verdict.name(),
        None => "without a verdict",
    };
    let title = first.metric.title();
    format!("{title} {} after {}, {said}", again.effect_text(), first.effect_text())
}

/// Caveats as many as can be read, and what is said of the rest.
#[derive(Clone, Debug, Default)]
pub struct Reasons {
    /// The first ones.
    pub shown: Vec<Caveat>,
    /// How many more there are; none without any.
    pub more: Option<String>,
}

impl Reasons {
    /// Of caveats, at most this many.
    #[must_use]
    pub fn of(caveats: &[Caveat], most: usize) -> Self {
        let clip = |one: &Caveat| {
            let code = format::clip(one.code.name(), 40);
            Caveat::new(code.into(), format::clip(&one.text, 300))
        };
        let more = caveats.len().saturating_sub(most) as u64;
        let more =
            (more > 0).then(|| format::count(more, "more of this kind", "more of this kind"));
        Self { shown: caveats.iter().take(most).map(clip).collect(), more }
    }
}
