//! Unlike: in what reruns are not what a confirmation takes, one side at a time.

use std::collections::BTreeSet;

use iowq_contract::Record;

use crate::compare::order::started_before;
use crate::runs::differences;

/// What keeps reruns of a side from confirming it: they are to be made after it, with a seed of their
/// own, for as many rounds, and with all else the same.
pub(super) fn unlike(first: &[&Record], reruns: &[&Record]) -> Vec<String> {
    let both: Vec<&Record> = first.iter().chain(reruns).copied().collect();
    let mut unlike = differences::all(&both);
    let [then, now] = [first, reruns].map(rounds);
    if then != now {
        unlike.push(format!("rounds: {then} and {now}"));
    }
    let seeds: BTreeSet<u64> = first.iter().map(|run| run.key.seed).collect();
    if let Some(run) = reruns.iter().find(|run| seeds.contains(&run.key.seed)) {
        unlike.push(format!("seed: {} in both, and another is needed", run.key.seed));
    }
    if reruns.iter().any(|rerun| first.iter().any(|run| is_before(rerun, run))) {
        unlike.push("time: they were not made after the first".to_owned());
    }
    unlike
}

fn rounds(runs: &[&Record]) -> usize {
    let round = |run: &&Record| run.key.boot.as_ref().map_or(run.key.round, |boot| boot.round);
    runs.iter().map(round).collect::<BTreeSet<u32>>().len()
}

/// Whether a run was made before another. The clock of a booted kernel is its own.
fn is_before(one: &Record, other: &Record) -> bool {
    one.key.boot.is_none() && started_before(one, other)
}

#[cfg(test)]
mod tests {
    use iowq_sample as sample;

    use super::*;

    /// What is said of reruns of four rounds that are as they should be but for one change.
    fn said(change: impl Fn(&mut Vec<Record>)) -> String {
        let base = |run: &&Record| run.key.policy == "6.12";
        let first = sample::pairs(4, |_| ());
        let mut reruns = sample::pairs(4, |_| ());
        for run in &mut reruns {
            run.key.seed = 2;
            "2026-11-21T03:00:00Z".clone_into(&mut run.started);
        }
        change(&mut reruns);
        let [first, reruns] =
            [&first, &reruns].map(|runs| runs.iter().filter(base).collect::<Vec<_>>());
        unlike(&first, &reruns).join("; ")
    }

    #[test]
    fn reruns_are_of_as_many_rounds_later_and_with_a_seed_of_their_own() {
        assert_eq!(said(|_| ()), "");
        assert_eq!(said(|runs| runs.truncate(6)), "rounds: 4 and 3");
        let more = said(|runs| {
            let mut more = runs.clone();
            more.iter_mut().for_each(|run| run.key.round += 4);
            runs.extend(more);
        });
        assert_eq!(more, "rounds: 4 and 8");
        let seed = said(|runs| runs.iter_mut().for_each(|run| run.key.seed = 1));
        assert_eq!(seed, "seed: 1 in both, and another is needed");
        let before = said(|runs| {
            runs.iter_mut().for_each(|run| "2026-11-21T01:00:00Z".clone_into(&mut run.started));
        });
        assert_eq!(before, "time: they were not made after the first");
    }
}
