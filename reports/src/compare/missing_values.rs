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

/// Pairs of which one run has no value. The runs without one may be just those that went otherwise,
/// so that the others cannot show that nothing did.
pub struct Missing {
    /// Pairs in which the base alone lacks it, and in which the test alone does.
    pub lacking: [u32; 2],
    /// All pairs.
    pub pairs: u32,
    /// Why the first of them lacks it.
    pub why: String,
}

impl Missing {
    /// What comes of it.
    pub fn one_sided(&self) -> Option<OneSided> {
        let sides = ["base", "test"].into_iter().zip(self.lacking);
        let lacking = sides.filter(|(_, lacking)| *lacking > 0);
        let parts: Vec<String> =
            lacking.map(|(side, pairs)| format!("the {side} alone lacks it in {pairs}")).collect();
        let text = format!(
            "{} of {} ({})",
            format::list(&parts),
            format::count(u64::from(self.pairs), "pair", "pairs"),
            self.why
        );
        (!parts.is_empty()).then_some(OneSided { text, of_regression: false })
    }
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
