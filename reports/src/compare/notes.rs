//! Notes: what a reader should know of a comparison, and what forbids nothing.

use iowq_contract::{Caveat, Code};

use crate::compare::comparison::Pairing;
use crate::compare::finding::Finding;
use crate::compare::judge::Rules;
use crate::compare::pairs::Matched;
use crate::compare::set::Set;
use crate::compare::{blockers, hosts, judge, noise, order, stayed};
use crate::format;
use crate::stats::trend;

/// A trend that chance alone makes as seldom as this in one metric is worth a note.
const DRIFT_P_MAX: f64 = 0.01;

/// What a reader should know.
pub(crate) fn notes(
    base: &Set<'_>,
    test: &Set<'_>,
    matched: &Matched<'_>,
    primary: &[Finding],
    rules: Rules,
) -> Vec<Caveat> {
    let both = matched.runs();
    let mut notes = hosts::notes(&both);
    notes.extend(stayed::note(&matched.base, &matched.test));
    if let Pairing::Paired { pairs, left_over } = matched.pairing {
        notes.extend(few_pairs(pairs, primary, rules.alpha));
        if left_over > 0 {
            let (one, many) = matched.unit();
            let units = format::count(u64::from(left_over), one, many);
            notes.push(Caveat::new(
                Code::LeftOver,
                format!("{units} had no partner and are not compared."),
            ));
        }
        notes.extend(lost_pairs(pairs, primary));
        notes.extend(drift(primary));
        let most = primary.iter().max_by_key(|finding| finding.points.len());
        notes.extend(most.and_then(|finding| order::unbalanced(&finding.points)));
    }
    notes.extend(noise::raised(primary));
    notes.extend(blockers::notes(&both));
    let mut read: Vec<&Caveat> = base.loaded.notes.iter().chain(&test.loaded.notes).collect();
    read.dedup();
    notes
        .extend(read.into_iter().map(|note| Caveat::new(Code::Reading, format!("{}.", note.text))));
    notes
}

/// Too few pairs for anything to be shown: the smallest p there is, is 2 / 2^pairs.
fn few_pairs(pairs: u32, primary: &[Finding], alpha: f64) -> Option<Caveat> {
    let metrics = judge::family(primary).max(1);
    let needed = judge::pairs_min(primary, alpha)?;
    let text = format!(
        "{} cannot show a difference of any size: {needed} are needed for {}.",
        format::count(u64::from(pairs), "pair", "pairs"),
        format::count(metrics as u64, "metric", "metrics")
    );
    (pairs < needed).then(|| Caveat::new(Code::FewPairs, text))
}

/// Metrics that some pairs lack: these may be just the pairs that went otherwise.
fn lost_pairs(pairs: u32, primary: &[Finding]) -> Option<Caveat> {
    let have = |finding: &Finding| u32::try_from(finding.points.len()).unwrap_or(u32::MAX);
    let lost = primary.iter().filter(|one| !one.points.is_empty() && have(one) < pairs);
    let parts: Vec<String> =
        lost.map(|one| format!("{} in {} of {pairs}", one.metric.title(), have(one))).collect();
    let text = format!("Some pairs lack a metric: {}.", format::list(&parts));
    (!parts.is_empty()).then(|| Caveat::new(Code::PairsLost, text))
}

/// A drift of the base over the bench. Pairs cancel it, and it says something about the machine.
fn drift(primary: &[Finding]) -> Option<Caveat> {
    let drifts = |finding: &&Finding| {
        let mut points = finding.points.clone();
        points.sort_by_key(|point| point.base_position);
        let values: Vec<f64> = points.iter().map(|point| point.base).collect();
        trend::drift_p(&values).is_some_and(|p| p < DRIFT_P_MAX)
    };
    let names: Vec<String> =
        primary.iter().filter(drifts).map(|one| one.metric.title().to_owned()).collect();
    let text = format!(
        "The base drifted over the bench in {}; pairs cancel a slow drift.",
        format::list(&names)
    );
    (!names.is_empty()).then(|| Caveat::new(Code::Drift, text))
}
