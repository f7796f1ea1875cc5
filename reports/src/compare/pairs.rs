//! Pairs: which run or boot of the test belongs to which of the base, or why none does.

use std::collections::BTreeMap;

use iowq_contract::{Overrides, Record, Role, RunKey};

use crate::compare::comparison::Pairing;
use crate::compare::order;
use crate::compare::set::Set;
use crate::format;
use crate::runs::unit::{Round, Unit};
use crate::runs::{group, unit};

/// Two lists of units with finished runs, matched.
#[derive(Debug)]
pub struct Matched<'a> {
    /// Units of the base.
    pub base: Vec<Unit<'a>>,
    /// Units of the test. Where they are pairs, each stands at the place of its partner.
    pub test: Vec<Unit<'a>>,
    /// Whether they are pairs.
    pub pairing: Pairing,
}

impl<'a> Matched<'a> {
    /// All runs of both.
    pub fn runs(&self) -> Vec<&'a Record> {
        self.base.iter().chain(&self.test).flat_map(|unit| &unit.runs).copied().collect()
    }

    /// What one and several of them are called.
    pub fn unit(&self) -> (&'static str, &'static str) {
        let boots = self.base.iter().chain(&self.test).any(Unit::is_boot);
        if boots { ("boot", "boots") } else { ("run", "runs") }
    }

    /// Whether they are pairs.
    pub fn is_paired(&self) -> bool {
        matches!(self.pairing, Pairing::Paired { .. })
    }
}

/// Matches the runs of a workload of two sets. A run that failed is no part of a pair.
pub fn of_sets<'a>(base: &Set<'a>, test: &Set<'a>, workload: &str) -> Matched<'a> {
    let (base_runs, test_runs) = (base.of(workload), test.of(workload));
    if base.file == test.file {
        matched(base_runs, test_runs)
    } else {
        let why = "the sets come from different files, so their runs were not interleaved";
        unpaired(finished(base_runs), finished(test_runs), why.to_owned())
    }
}

/// Runs with a special role beside a comparison.
#[derive(Debug)]
pub enum Beside<'a> {
    /// No run has the role.
    Nothing,
    /// Those that have it are of another policy than the base; the text says of which.
    Another(String),
    /// They are of the base, and matched with its measured runs.
    Variant(Matched<'a>),
}

/// Matches the runs with a role in the base's file with the measured runs of the base.
pub fn of_role<'a>(set: &Set<'a>, workload: &str, role: Role) -> Beside<'a> {
    let base = set.of(workload);
    let runs = with_role(set, workload, |one| one == role);
    let Some(first) = runs.first() else {
        return Beside::Nothing;
    };
    let of_base: Vec<&Record> = runs.iter().copied().filter(|run| is_variant(run, &base)).collect();
    if of_base.is_empty() {
        let text = format!(
            "The {} runs of this file are of {}, which is not the base. Use the first variant of the \
             bench as the base.",
            role.name(),
            format::clip(&group::measured_label(first), 60)
        );
        return Beside::Another(text);
    }
    Beside::Variant(matched(base, of_base))
}

/// Runs with a special role that are of the base: all that noise and control are taken from.
pub fn beside<'a>(set: &Set<'a>, workload: &str) -> Vec<&'a Record> {
    let base = set.of(workload);
    let mut runs = with_role(set, workload, |role| role != Role::Measured);
    runs.retain(|run| is_variant(run, &base));
    runs
}

/// The measured runs of a set as units, without runs that failed.
pub fn units_of<'a>(set: &Set<'a>, workload: &str) -> Vec<Unit<'a>> {
    finished(set.of(workload))
}

/// The runs with a special role that are of the base as units, without runs that failed.
pub fn units_beside<'a>(set: &Set<'a>, workload: &str) -> Vec<Unit<'a>> {
    finished(beside(set, workload))
}

fn with_role<'a>(set: &Set<'a>, workload: &str, is: impl Fn(Role) -> bool) -> Vec<&'a Record> {
    set.extra(workload).filter(|run| is(run.key.role)).collect()
}

/// Whether a run is of the same variant and booted kernel as those of a set.
fn is_variant(run: &Record, base: &[&Record]) -> bool {
    base.first().is_some_and(|first| variant(&first.key) == variant(&run.key))
}

fn variant(key: &RunKey) -> ((&str, &str, &Overrides), Option<&str>) {
    (key.variant(), key.boot.as_ref().map(|boot| boot.kernel.as_str()))
}

/// Matches runs of one file by their round. Runs of one boot are averaged before they are matched.
fn matched<'a>(base: Vec<&'a Record>, test: Vec<&'a Record>) -> Matched<'a> {
    let missing = order::missing_round(&base).or_else(|| order::missing_round(&test));
    let (base, test) = (finished(base), finished(test));
    if let Some(why) = missing {
        return unpaired(base, test, why);
    }
    if let Some(why) = order::not_one_bench(&base.iter().chain(&test).collect::<Vec<_>>()) {
        return unpaired(base, test, why);
    }
    let (mut left, right) = match (by_round(&base), by_round(&test)) {
        (Ok(left), Ok(right)) => (left, right),
        (Err((round, _)), _) | (_, Err((round, _))) => {
            let why = if base.iter().chain(&test).any(Unit::is_boot) {
                format!("round {round} has several boots of one kernel")
            } else {
                format!(
                    "round {round} has several runs of one policy, so the file holds more than one \
                     bench"
                )
            };
            return unpaired(base, test, why);
        }
    };
    let all = base.len() + test.len();
    let partner = |(round, test)| left.remove(&round).map(|base| (base, test));
    let (base_of, test_of): (Vec<_>, Vec<_>) = right.into_iter().filter_map(partner).unzip();
    if base_of.is_empty() {
        let why = "no run of the test has the round and the seed of a run of the base";
        return unpaired(base, test, why.to_owned());
    }
    let (pairs, left_over) = (number(base_of.len()), number(all - 2 * base_of.len()));
    Matched { base: base_of, test: test_of, pairing: Pairing::Paired { pairs, left_over } }
}

fn unpaired<'a>(base: Vec<Unit<'a>>, test: Vec<Unit<'a>>, why: String) -> Matched<'a> {
    let (base_runs, test_runs) = (number(base.len()), number(test.len()));
    Matched { base, test, pairing: Pairing::Unpaired { base_runs, test_runs, why } }
}

fn finished(mut runs: Vec<&Record>) -> Vec<Unit<'_>> {
    runs.retain(|run| run.error.is_none());
    unit::units(&runs)
}

/// The units by their rounds, or the first round that has two.
fn by_round<'a>(units: &[Unit<'a>]) -> Result<BTreeMap<Round, Unit<'a>>, Round> {
    let mut rounds = BTreeMap::new();
    for unit in units {
        let round = unit.round();
        if rounds.insert(round, unit.clone()).is_some() {
            return Err(round);
        }
    }
    Ok(rounds)
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use iowq_sample as sample;

    use super::*;

    fn runs(policy: &str, rounds: &[u32]) -> Vec<Record> {
        let run = |(at, pair): (u32, &u32)| {
            let mut run = sample::run("dsync", policy, *pair);
            sample::at(&mut run, 2 * at + u32::from(policy == "6.17"));
            run
        };
        (0..).zip(rounds).map(run).collect()
    }

    fn pairing(base: &[Record], test: &[Record]) -> Pairing {
        matched(base.iter().collect(), test.iter().collect()).pairing
    }

    #[test]
    fn runs_of_one_round_are_pairs_and_the_others_are_counted() {
        let (base, test) = (runs("6.12", &[0, 1, 2]), runs("6.17", &[2, 1, 0, 3, 4]));
        assert_eq!(pairing(&base, &test), Pairing::Paired { pairs: 3, left_over: 2 });
        let matched = matched(base.iter().collect(), test.iter().collect());
        for (base, test) in matched.base.iter().zip(&matched.test) {
            assert_eq!(base.round(), test.round());
        }
    }

    #[test]
    fn runs_of_another_seed_or_that_failed_are_no_partners() {
        let (base, mut test) = (runs("6.12", &[0, 1, 2]), runs("6.17", &[0, 1, 2]));
        test[0].key.seed = 99;
        test[1].error = Some("disk full".to_owned());
        assert_eq!(pairing(&base, &test), Pairing::Paired { pairs: 1, left_over: 3 });
    }

    #[test]
    fn a_round_that_is_missing_between_others_was_left_out_by_somebody_and_there_are_no_pairs() {
        let (base, test) = (runs("6.12", &[0, 1, 2, 3]), runs("6.17", &[0, 1, 3]));
        for (base, test) in [(&base, &test), (&test, &base)] {
            let Pairing::Unpaired { why, .. } = pairing(base, test) else {
                panic!("they are pairs")
            };
            assert!(why.starts_with("round 2 of 6.17 is missing"), "{why}");
        }
    }

    #[test]
    fn two_benches_in_one_file_are_not_taken_for_pairs() {
        let (base, test) = (runs("6.12", &[0, 1, 0]), runs("6.17", &[0, 1]));
        let Pairing::Unpaired { base_runs: 3, test_runs: 2, why } = pairing(&base, &test) else {
            panic!("they were paired");
        };
        assert!(why.contains("round 0 has several runs"), "{why}");
    }
}
