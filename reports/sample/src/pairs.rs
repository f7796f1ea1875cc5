//! A made-up bench of two policies that are alike, but for what is changed.

use iowq_contract::{Record, Role};

use crate::noise::Noise;
use crate::run::run;

/// Share by which one run differs from the next.
const SPREAD: f64 = 0.01;

/// Rounds of `6.12` and `6.17` on `dsync`, with the first of them in turns. Runs of a round are
/// alike but for a throughput of their own, and for what is changed in the runs of `6.17`.
#[must_use]
pub fn pairs(rounds: u32, change: impl Fn(&mut Record)) -> Vec<Record> {
    let mut records = Vec::new();
    for pair in 0..rounds {
        let base = run("dsync", "6.12", pair);
        let mut test = again(&base, "6.17");
        change(&mut test);
        let round = if pair.is_multiple_of(2) { [base, test] } else { [test, base] };
        records.extend(round);
    }
    number(records)
}

/// The same bench with a further run of `6.12` in each round, for noise or as a control.
#[must_use]
pub fn with_role(records: Vec<Record>, role: Role, change: impl Fn(&mut Record)) -> Vec<Record> {
    let mut more = Vec::new();
    for record in records {
        let is_base = record.key.policy == "6.12" && record.key.role == Role::Measured;
        let extra = is_base.then(|| again(&record, "6.12"));
        more.push(record);
        if let Some(mut extra) = extra {
            extra.key.role = role;
            change(&mut extra);
            more.push(extra);
        }
    }
    number(more)
}

/// The same run under a policy, with a throughput that is a little different.
fn again(record: &Record, policy: &str) -> Record {
    let mut again = record.clone();
    policy.clone_into(&mut again.key.policy);
    let mut noise = Noise::new("again", policy, record.key.round);
    again.ops.per_s *= noise.around_one(SPREAD);
    again
}

fn number(mut records: Vec<Record>) -> Vec<Record> {
    (0..).zip(&mut records).for_each(|(place, record)| at(record, place));
    records
}

/// Puts a run at a place in the order of all, a few seconds after the one before it.
pub fn at(record: &mut Record, place: u32) {
    record.key.position = place;
    let second = place * 4;
    record.started =
        format!("2026-11-21T{:02}:{:02}:{:02}Z", 2 + second / 3600, second / 60 % 60, second % 60);
}
