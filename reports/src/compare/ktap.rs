//! KTAP for kernel CI: a test per comparison, and in it a subtest per metric named in advance.
//!
//! Grammar: <https://docs.kernel.org/dev-tools/ktap.html>, version 1. `not ok` is a regression.
//! What has no verdict is skipped with its reason, because nothing was shown either way; a CI that
//! must not take silence for success counts the skips.

use std::fmt::Write as _;

use crate::compare::comparison::{Comparison, Comparisons};
use crate::compare::finding::{Finding, Verdict};
use crate::runs::metric::Scale;

/// From here on effects are shown with few digits.
const LARGE: f64 = 1e6;

/// A test that is no comparison.
#[derive(Clone, Debug)]
pub struct Test {
    /// What it is called.
    pub name: String,
    /// What is said before its result, a line each.
    pub said: Vec<String>,
    /// Whether it passed, or why it is skipped.
    pub outcome: Result<bool, String>,
}

/// The comparisons as test results.
#[must_use]
pub fn text(comparisons: &Comparisons) -> String {
    with(comparisons, &[])
}

/// The comparisons as test results, with more tests after them.
#[must_use]
pub fn with(comparisons: &Comparisons, more: &[Test]) -> String {
    let mut text = String::from("KTAP version 1\n");
    if comparisons.all.is_empty() && more.is_empty() {
        text.push_str("1..0 # SKIP nothing was compared\n");
        return text;
    }
    let _ = writeln!(text, "1..{}", comparisons.all.len() + more.len());
    for (number, comparison) in (1..).zip(&comparisons.all) {
        one(&mut text, number, comparison, comparisons.alpha);
    }
    for (number, test) in (comparisons.all.len() + 1..).zip(more) {
        for said in &test.said {
            let _ = writeln!(text, "# {}", plain(said));
        }
        result(&mut text, number, &test.name, &test.outcome);
    }
    text
}

fn one(text: &mut String, number: usize, comparison: &Comparison, alpha: f64) {
    let Comparison { workload, base, test, .. } = comparison;
    let barred = barred(comparison);
    text.push_str("  KTAP version 1\n");
    let _ = writeln!(text, "  1..{}", comparison.primary.len());
    for (number, finding) in (1..).zip(&comparison.primary) {
        if let Some(effect) = effect(finding) {
            let _ = writeln!(text, "  # {effect}");
        }
        let name = format!("{workload}.{}", finding.metric.key());
        let outcome = match &barred {
            Some(why) => Err(why.clone()),
            None => outcome(finding.verdict, || undecided(comparison, finding, alpha)),
        };
        text.push_str("  ");
        result(text, number, &name, &outcome);
    }
    for caveat in comparison.notes.iter().chain(&comparison.violations) {
        let _ = writeln!(text, "# {}: {}", plain(caveat.code.name()), plain(&caveat.text));
    }
    let outcome = match barred.filter(|_| comparison.violations.is_empty()) {
        Some(why) => Err(why),
        None => outcome(comparison.verdict, || {
            let unconfirmed = comparison.has_unconfirmed();
            if unconfirmed { "a regression was not confirmed" } else { "inconclusive" }.to_owned()
        }),
    };
    result(text, number, &format!("{workload}: {test} against {base}"), &outcome);
}

/// Whether a test passed, or why it is skipped.
fn outcome(verdict: Option<Verdict>, why: impl FnOnce() -> String) -> Result<bool, String> {
    match verdict {
        Some(Verdict::Regression) => Ok(false),
        Some(Verdict::Equivalent | Verdict::Improvement) => Ok(true),
        Some(Verdict::Inconclusive) | None => Err(why()),
    }
}

fn result(text: &mut String, number: usize, name: &str, outcome: &Result<bool, String>) {
    let word = if *outcome == Ok(false) { "not ok" } else { "ok" };
    let _ = write!(text, "{word} {number} {}", plain(name));
    if let Err(why) = outcome {
        let _ = write!(text, " # SKIP {}", plain(why));
    }
    text.push('\n');
}

/// Why the whole comparison has no verdict, if it is barred.
fn barred(comparison: &Comparison) -> Option<String> {
    let blockers: Vec<String> =
        comparison.blockers.iter().map(|bar| format!("{}: {}", bar.code, bar.text)).collect();
    (!blockers.is_empty()).then(|| blockers.join("; "))
}

/// Why a metric has no verdict, and what would give it one.
fn undecided(comparison: &Comparison, finding: &Finding, alpha: f64) -> String {
    if let Some(why) = comparison.unconfirmed(finding.metric) {
        return format!("not confirmed: {why}");
    }
    match &finding.missing {
        Some(missing) if finding.one_sided.is_none() => missing.clone(),
        _ => format!("inconclusive: {}", finding.undecided(alpha)),
    }
}

/// The estimate and its widest interval, for a person who reads the log.
fn effect(finding: &Finding) -> Option<String> {
    let show = |effect: f64| match finding.scale {
        Scale::Ratio if effect.exp_m1() < LARGE => format!("{:+.2} %", effect.exp_m1() * 100.0),
        Scale::Difference if effect.abs() < LARGE => format!("{effect:+.4}"),
        Scale::Ratio | Scale::Difference => finding.metric.show_effect(effect),
    };
    let mut text = format!("{} {}", finding.metric.key(), show(finding.estimate?));
    if let Some((confidence, (low, high))) = finding.intervals.last_key_value() {
        let _ = write!(text, ", {confidence} % interval {} to {}", show(*low), show(*high));
    }
    if let Some(p) = finding.p_adjusted {
        let _ = write!(text, ", adjusted p {p:.4}");
    }
    Some(text)
}

/// Text without what the grammar gives a meaning to: line breaks, and the mark of a directive.
fn plain(text: &str) -> String {
    text.replace(|letter: char| letter.is_control() || letter == '#', " ")
}
