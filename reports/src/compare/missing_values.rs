//! What is so on one side only: a value that is missing, or a clock that is another.

use iowq_contract::{Code, Record};

use crate::compare::finding::OneSided;
use crate::format;
use crate::runs::metric::Metric;

/// Caveats that say that latencies are not what they are in other runs.
const OF_LATENCY: [(Code, &str); 2] = [
    (Code::LatencySaturated, "latencies were cut off at the longest that can be written down"),
    (Code::TimedAtReaping, "an operation counts as done when its completion was reaped"),
];

/// What comes of pairs in which one side alone lacks a value: how often base and test do, of how
/// many pairs, and why the first of them does. The runs without one may be just those that went
/// otherwise, so that the others cannot show that nothing did.
pub fn one_sided(lacking: [u32; 2], pairs: u32, why: &str) -> Option<OneSided> {
    let sides = ["base", "test"].into_iter().zip(lacking).filter(|(_, lacking)| *lacking > 0);
    let parts: Vec<String> =
        sides.map(|(side, pairs)| format!("the {side} alone lacks it in {pairs}")).collect();
    let pairs = format::count(u64::from(pairs), "pair", "pairs");
    let text = format!("{} of {pairs} ({why})", format::list(&parts));
    (!parts.is_empty()).then_some(OneSided { text, of_regression: false })
}

/// What is said of latencies that were not measured alike on both sides.
pub fn latency(metric: Metric, base: &[&Record], test: &[&Record]) -> Option<OneSided> {
    if !metric.is_latency() {
        return None;
    }
    OF_LATENCY.into_iter().find_map(|(code, what)| {
        let with = |runs: &[&Record]| {
            runs.iter().filter(|run| run.caveats.iter().any(|one| one.code == code)).count()
        };
        let (side, other, runs) = match (with(base), with(test)) {
            (0, 0) => return None,
            (runs, 0) => ("base", "test", runs),
            (0, runs) => ("test", "base", runs),
            // On both sides it is in all that is compared, or at least not in one side's favour.
            (_, _) => return None,
        };
        let runs = format::count(runs as u64, "run", "runs");
        let text = format!("{runs} of the {side} and none of the {other} are {code} ({what})");
        Some(OneSided { text, of_regression: true })
    })
}
