//! What the page of a comparison says in sentences: verdict, reach, noise floor and control.

use crate::compare::comparison::{Comparison, Confirmation};
use crate::compare::finding::{Finding, Verdict};
use crate::format;

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

/// What else there is to say: the primary metrics by their verdicts, and what would decide those
/// that are not decided.
pub(crate) fn lines(one: &Comparison, alpha: f64) -> Vec<String> {
    let mut lines: Vec<String> =
        one.violations.iter().skip(1).map(|violation| violation.text.clone()).collect();
    lines.extend(one.confirmation.as_ref().map(Confirmation::text));
    let kinds = [
        (Verdict::Regression, "Worse"),
        (Verdict::Improvement, "Better"),
        (Verdict::Equivalent, "The same"),
    ];
    for (verdict, word) in kinds {
        let of_it = one.primary.iter().filter(|finding| finding.verdict == Some(verdict));
        let names: Vec<String> = of_it
            .map(|finding| {
                let estimate = finding.estimate.map(|value| finding.metric.show_effect(value));
                format!("{} {}", finding.metric.title(), estimate.unwrap_or_default())
            })
            .collect();
        if one.verdict.is_some() && !names.is_empty() {
            lines.push(format!("{word}: {}.", format::list(&names)));
        }
    }
    let undecided = |finding: &&Finding| {
        finding.verdict == Some(Verdict::Inconclusive) && one.unconfirmed(finding.metric).is_none()
    };
    for finding in one.primary.iter().filter(undecided) {
        let effect = finding.estimate.map(|value| finding.metric.show_effect(value));
        let effect = effect.unwrap_or_default();
        lines.push(format!("{} {effect}: {}.", finding.metric.title(), finding.undecided(alpha)));
    }
    lines
}

/// What the base against itself says of the noise; `boots` if kernels were booted.
pub(crate) fn noise(one: &Comparison, boots: bool) -> String {
    if boots && one.noise.is_empty() {
        return format!(
            "{} was not booted against itself: its noise is not known. cargo xtask kernels \
             --noise boots the first kernel once more in each round.",
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
