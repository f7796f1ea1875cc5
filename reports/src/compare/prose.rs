//! What is said of a comparison in the page, in the text and in test results.

use iowq_contract::{Caveat, Code};

use crate::compare::comparison::{Comparison, Comparisons, Confirmation, Pairing};
use crate::compare::finding::{Finding, Verdict};
use crate::compare::plan::EFFECT;
use crate::format;
use crate::runs::metric::Metric;

impl Finding {
    /// What is said of a metric that is not decided, without its name: why not, and what would
    /// decide.
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

impl Comparisons {
    /// The smallest effect that counts.
    pub fn threshold_text(&self) -> String {
        format::either_way(self.threshold)
    }

    /// The error rate.
    pub fn alpha_text(&self) -> String {
        format::number(self.alpha)
    }

    /// Confidence of an interval that shows a difference.
    pub fn confidence(&self) -> String {
        format::percent(1.0 - self.alpha)
    }

    /// Confidence of an interval that shows equivalence.
    pub fn confidence_of_same(&self) -> String {
        format::percent(1.0 - 2.0 * self.alpha)
    }
}

impl Comparison {
    /// `fsync-mix: 6.17 against 6.12`.
    pub fn title(&self) -> String {
        let [workload, test, base] =
            [&self.workload, &self.test, &self.base].map(|name| format::clip(name, 60));
        format!("{workload}: {test} against {base}")
    }

    /// `What differs: workers.bounded 4 against 64.`, if something was set to.
    pub fn differs_text(&self) -> Option<String> {
        let parts = format::list(&self.differs);
        (!self.differs.is_empty()).then(|| format!("What differs: {parts}."))
    }

    /// What became of a regression that reruns did not confirm.
    pub fn unconfirmed(&self, metric: Metric) -> Option<String> {
        self.confirmation.as_ref()?.unconfirmed(metric)
    }

    /// What is said of the metrics that decide: those that are worse, better and the same, and what
    /// would decide the others.
    pub fn parts(&self, alpha: f64) -> Vec<String> {
        let of =
            |wanted: Verdict| self.primary.iter().filter(move |one| one.verdict == Some(wanted));
        let changed = |one: &Finding| match one.estimate {
            Some(effect) => format!("{} {}", one.metric.title(), one.metric.show_effect(effect)),
            None => one.metric.title().to_owned(),
        };
        let mut parts = Vec::new();
        let mut say = |before: &str, names: Vec<String>| {
            if !names.is_empty() {
                parts.push(format!("{before} {}", format::list(&names)));
            }
        };
        say("worse in", of(Verdict::Regression).map(changed).collect());
        say("better in", of(Verdict::Improvement).map(changed).collect());
        let title = |one: &Finding| one.metric.title().to_owned();
        say("the same in", of(Verdict::Equivalent).map(title).collect());
        let undecided = of(Verdict::Inconclusive).map(|finding| {
            let title = finding.metric.title();
            match self.unconfirmed(finding.metric) {
                Some(why) => format!("not confirmed in {title} ({why})"),
                None => format!("{title}: {}", finding.undecided(alpha)),
            }
        });
        let undecided: Vec<String> = undecided.collect();
        let missing = |finding: &Finding| {
            let why = finding.missing.as_ref().filter(|_| finding.one_sided.is_none())?;
            Some(format!("{} ({why})", finding.metric.title()))
        };
        let missing: Vec<String> = self.primary.iter().filter_map(missing).collect();
        parts.extend(undecided);
        if !missing.is_empty() {
            parts.push(format!("no value of {}", format::list(&missing)));
        }
        parts
    }
}

impl Pairing {
    /// `10 pairs, 2 runs left over`, or the numbers of runs and why they are no pairs.
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
    /// What the reruns said, in one or two sentences.
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
            // Of other runs it says nothing.
            None if self.blockers.iter().any(|bar| bar.code == Code::UnlikeFirstRuns) => {
                format!("{} not measured again", violation.code)
            }
            None => format!("{} not again", violation.code),
        }
    }

    /// `+20 % at first and +0.3 % again (equivalent)`, of a metric that was not confirmed.
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

/// The verdict with the metric that it stands on.
pub(crate) fn headline(one: &Comparison) -> String {
    let Some(verdict) = one.verdict else {
        return "No verdict: the runs do not allow one".to_owned();
    };
    if let Some(violation) = one.violations.first() {
        return violation.text.clone();
    }
    let says = match verdict {
        Verdict::Regression => "Worse",
        Verdict::Improvement => "Better",
        Verdict::Equivalent => "Equivalent; the largest change is in",
        Verdict::Inconclusive if one.has_unconfirmed() => {
            return "A regression that fresh runs did not confirm".to_owned();
        }
        Verdict::Inconclusive => "Neither a change nor equivalence is shown",
    };
    match (verdict, one.deciding()) {
        (_, None) => says.to_owned(),
        (Verdict::Equivalent, Some(finding)) => format!("{says} {}", finding.sentence()),
        (_, Some(finding)) => format!("{says}: {}", finding.sentence()),
    }
}

/// What the base against itself says of the noise; `boots` if kernels were booted.
pub(crate) fn noise(one: &Comparison, boots: bool) -> String {
    if boots && one.noise.is_empty() {
        return format!(
            "{} was not booted against itself: its noise is not known. `kernels --noise` \
             boots the first kernel once more in each round.",
            format::clip(&one.base, 60)
        );
    }
    if one.noise.is_empty() {
        return "There are no runs of the base against itself: its noise is not known. cargo \
                xtask bench --noise makes them."
            .to_owned();
    }
    let found = one.noise.iter().filter(|noise| noise.estimate.is_some());
    let most = found.max_by(|a, b| a.weight().total_cmp(&b.weight()));
    match most {
        Some(finding) => {
            format!("Of the base against itself, the largest change is in {}.", finding.sentence())
        }
        None => "The base ran against itself too few times for its noise to be known.".to_owned(),
    }
}

/// Whether an injected delay was found; `boots` if kernels were booted.
pub(crate) fn control(one: &Comparison, boots: bool) -> String {
    if boots && one.control.is_none() {
        return "No delay is injected into runs of boots.".to_owned();
    }
    let Some(control) = one.control else {
        return "No delay was injected, so that it is not known whether one would be found. cargo \
                xtask bench --control injects one."
            .to_owned();
    };
    let size = format::percent(control.injected);
    match (control.found, control.pairs_needed) {
        (true, _) => {
            format!("A delay of {size} of the median response time was injected and found.")
        }
        (false, Some(pairs)) => format!(
            "A delay of {size} of the median response time was injected and not found: this \
             comparison cannot show such a change. {} would.",
            format::count(pairs.into(), "pair", "pairs")
        ),
        (false, None) => format!(
            "A delay of {size} of the median response time was injected and not found: this \
             comparison cannot show such a change, and more pairs may not help."
        ),
    }
}

/// What else the page says: further violations, the confirmation, and the metrics by their verdicts.
pub(crate) fn lines(one: &Comparison, alpha: f64) -> Vec<String> {
    let violations = one.violations.iter().skip(1).map(|violation| violation.text.clone());
    let mut lines: Vec<String> = violations.collect();
    lines.extend(one.confirmation.as_ref().map(Confirmation::text));
    if one.verdict.is_some() {
        lines.extend(one.parts(alpha).iter().map(|part| format!("{}.", format::capital(part))));
    }
    lines
}
