//! Confirming: the regressions of a comparison, judged once more on reruns alone.
//!
//! Runs are never pooled: more pairs until something is significant would find anything.

mod unlike;

use std::collections::HashSet;

use iowq_contract::{Caveat, Code, Record, Role};

use crate::compare::comparison::{Comparison, Comparisons, Confirmation, ConfirmationOutcome};
use crate::compare::decide::Decides;
use crate::compare::finding::{Finding, Verdict};
use crate::compare::judge::Rules;
use crate::compare::set::Set;
use crate::compare::{hosts, verdict};
use crate::format;
use crate::load::Loaded;

/// The bar of reruns that are not like the first.
const UNLIKE: Code = Code::UnlikeFirstRuns;

/// Runs cannot confirm anything. Each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    /// They are runs that are to be confirmed.
    #[error(
        "{file} has a run that is to be confirmed itself (seed {seed}, started {started}): name \
         runs that were made after the regression was seen, with a seed of their own"
    )]
    Same {
        /// The file of the reruns.
        file: String,
        /// Seed of the run.
        seed: u64,
        /// When it started.
        started: String,
    },
    /// Two files could confirm the same.
    #[error(
        "{first} and {second} both have runs of {workload} under {test}, and what is measured \
         until it fits shows nothing: name the one that was made first"
    )]
    Twice {
        /// A file.
        first: String,
        /// Another.
        second: String,
        /// Name of the workload.
        workload: String,
        /// Name of the test.
        test: String,
    },
}

/// Judges each comparison with a regression once more on `reruns`, by the same metrics and rules. A metric stays
/// a regression only if it is one there too. Without reruns of it there is no verdict.
///
/// # Errors
///
/// Reruns that are those of the sets, or two files with reruns of the same comparison.
pub fn confirm(
    comparisons: &mut Comparisons,
    sets: &[Set<'_>],
    reruns: &[Loaded],
    decides: &Decides,
) -> Result<(), ConfirmError> {
    refuse_same(sets, reruns)?;
    let rules = Rules { threshold: comparisons.threshold, alpha: comparisons.alpha };
    for one in comparisons.all.iter_mut().filter(|one| one.got_worse()) {
        let find = |name: &str| sets.iter().find(|set| set.name == name);
        if let (Some(base), Some(test)) = (find(&one.base), find(&one.test)) {
            let sides = Sides::find(base, test, &one.workload, reruns)?;
            let rerun = sides.map(|sides| sides.judge(&one.workload, decides, rules));
            apply(one, rerun);
        }
    }
    Ok(())
}

fn refuse_same(sets: &[Set<'_>], reruns: &[Loaded]) -> Result<(), ConfirmError> {
    let key = |run: &'_ Record| (run.key.seed, run.started.clone());
    let first: HashSet<_> = sets.iter().flat_map(|set| &set.loaded.records).map(key).collect();
    for loaded in reruns {
        if let Some(run) = loaded.records.iter().find(|run| first.contains(&key(run))) {
            let started = format::clip(&run.started, 40);
            return Err(ConfirmError::Same { file: file(loaded), seed: run.key.seed, started });
        }
    }
    Ok(())
}

fn file(loaded: &Loaded) -> String {
    loaded.files.first().map_or_else(|| "the file".to_owned(), |file| file.display().to_string())
}

/// Both sides of a comparison, as they were at first and as they are in one file of reruns.
struct Sides<'a> {
    first: [Vec<&'a Record>; 2],
    reruns: [Set<'a>; 2],
}

impl<'a> Sides<'a> {
    /// The one file that has reruns of both sides, if one does.
    fn find(
        base: &Set<'a>,
        test: &Set<'a>,
        workload: &str,
        reruns: &'a [Loaded],
    ) -> Result<Option<Self>, ConfirmError> {
        let first = [base.of(workload), test.of(workload)];
        let kernel = |runs: &[&'a Record]| runs.first().map(|run| run.host.kernel.as_str());
        let by_kernel = kernel(&first[0]) != kernel(&first[1]);
        let mut found: Option<[Set<'a>; 2]> = None;
        for loaded in reruns {
            let side = |set: &Set<'a>, like: &[&Record]| {
                let same =
                    |run: &&Record| like.first().is_some_and(|one| alike(one, run, by_kernel));
                let runs = loaded.records.iter().filter(same).collect();
                Set::new(set.name.clone(), 0, loaded, runs)
            };
            let sides = [side(base, &first[0]), side(test, &first[1])];
            if sides.iter().any(|side| side.runs.is_empty()) {
                continue;
            }
            if let Some([other, _]) = &found {
                return Err(ConfirmError::Twice {
                    first: file(other.loaded),
                    second: file(loaded),
                    workload: workload.to_owned(),
                    test: test.name.clone(),
                });
            }
            found = Some(sides);
        }
        Ok(found.map(|reruns| Self { first, reruns }))
    }

    /// What comes of the reruns, with a bar if they are not like the first.
    fn judge(self, workload: &str, decides: &Decides, rules: Rules) -> Comparison {
        let [base, test] = &self.reruns;
        let mut rerun = verdict::one(base, test, workload, decides, rules);
        let mut all = Vec::new();
        let mut unlike = Vec::new();
        for (first, reruns) in self.first.iter().zip(&self.reruns) {
            unlike.extend(unlike::unlike(first, &reruns.runs));
            all.extend(first.iter().chain(&reruns.runs).copied());
        }
        let unlike = format::distinct(unlike);
        if !unlike.is_empty() {
            let text = format!(
                "The reruns are not what confirms the first runs: {}.",
                format::list(&unlike)
            );
            rerun.blockers.push(Caveat::new(UNLIKE, text));
        }
        rerun.notes = hosts::notes(&all);
        rerun
    }
}

/// Whether a run is a measured one of the same workload and variant, and of the same kernel where that tells the
/// sides apart: by its label if kernels were booted.
fn alike(one: &Record, run: &Record, by_kernel: bool) -> bool {
    let booted = |run: &Record| run.key.boot.as_ref().map(|boot| boot.kernel.clone());
    run.key.role == Role::Measured
        && one.key.workload == run.key.workload
        && one.key.variant() == run.key.variant()
        && booted(one) == booted(run)
        && (!by_kernel || one.host.kernel == run.host.kernel)
}

/// Writes down what the reruns say, and takes back what they do not.
fn apply(one: &mut Comparison, rerun: Option<Comparison>) {
    let first: Vec<Finding> =
        one.primary.iter().filter(|finding| finding.is_regression()).cloned().collect();
    let confirmation = match rerun {
        None => missing(one, first),
        Some(mut rerun) => {
            rerun.notes.retain(|note| !one.notes.contains(note));
            one.notes.append(&mut rerun.notes);
            measured(first, one.violations.clone(), rerun)
        }
    };
    let (violations, once): (Vec<Caveat>, Vec<Caveat>) =
        one.violations.drain(..).partition(|violation| confirmation.confirms_violation(violation));
    one.violations = violations;
    let taken_back = !once.is_empty();
    one.notes.extend(once);
    for finding in one.primary.iter_mut().filter(|one| one.is_regression()) {
        if !confirmation.confirms(finding) {
            finding.verdict = Some(Verdict::Inconclusive);
        }
    }
    if !one.blockers.is_empty() {
        one.primary.iter_mut().chain(&mut one.advisory).for_each(|one| one.verdict = None);
    }
    one.verdict = verdict::verdict(&one.violations, &one.primary);
    if taken_back {
        // It was seen once, so that nothing is shown to be the same.
        one.verdict = one.verdict.map(|verdict| verdict.max(Verdict::Inconclusive));
    }
    let code = match confirmation.outcome {
        ConfirmationOutcome::Confirmed => Some(Code::Confirmed),
        ConfirmationOutcome::NotConfirmed => Some(Code::NotConfirmed),
        ConfirmationOutcome::Missing => None,
    };
    one.notes.extend(code.map(|code| Caveat::new(code, confirmation.text())));
    one.confirmation = Some(confirmation);
}

/// No reruns: neither a regression nor none.
fn missing(one: &mut Comparison, first: Vec<Finding>) -> Confirmation {
    let violations = one.violations.clone();
    let codes = violations.iter().map(|violation| violation.code.name().to_owned());
    let names: Vec<String> =
        first.iter().map(|one| one.metric.title().to_owned()).chain(codes).collect();
    let text = format!(
        "A regression in {} was to be confirmed, and there are no fresh runs of {} under {} and \
         {}. `compare` with --confirm makes them.",
        format::list(&names),
        one.workload,
        one.base,
        one.test
    );
    one.blockers.push(Caveat::new(Code::NotMeasuredAgain, text));
    let (blockers, again, violations_again) = (Vec::new(), Vec::new(), Vec::new());
    let outcome = ConfirmationOutcome::Missing;
    Confirmation { outcome, pairing: None, blockers, first, again, violations, violations_again }
}

fn measured(first: Vec<Finding>, violations: Vec<Caveat>, rerun: Comparison) -> Confirmation {
    let barred = !rerun.blockers.is_empty();
    let found = |first: &Finding| {
        let mut finding = rerun.primary.iter().find(|one| one.metric == first.metric)?.clone();
        finding.verdict = finding.verdict.filter(|_| !barred);
        Some(finding)
    };
    let found: Vec<Finding> = first.iter().filter_map(found).collect();
    // A violation is one whatever forbids a verdict, but of other runs it says nothing.
    let unlike = rerun.blockers.iter().any(|bar| bar.code == UNLIKE);
    let mut violations_again = rerun.violations;
    violations_again
        .retain(|violation| !unlike && violations.iter().any(|first| first.code == violation.code));
    let any = !violations_again.is_empty() || found.iter().any(Finding::is_regression);
    Confirmation {
        outcome: if any {
            ConfirmationOutcome::Confirmed
        } else {
            ConfirmationOutcome::NotConfirmed
        },
        pairing: Some(rerun.pairing),
        blockers: rerun.blockers,
        first,
        again: found,
        violations,
        violations_again,
    }
}

impl Confirmation {
    /// Whether the metric of a finding is a regression in the reruns too.
    fn confirms(&self, finding: &Finding) -> bool {
        let mut of_metric = self.again.iter().filter(|again| again.metric == finding.metric);
        of_metric.any(Finding::is_regression)
    }

    /// Whether the reruns have a violation too.
    fn confirms_violation(&self, violation: &Caveat) -> bool {
        self.violations_again.iter().any(|again| again.code == violation.code)
    }
}

#[cfg(test)]
mod tests;
