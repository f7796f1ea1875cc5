//! Blockers: what forbids a verdict because the runs did not go as they should.

use std::collections::{BTreeMap, BTreeSet};

use iowq_contract::{Caveat, Code, Record};

use crate::format;
use crate::runs::counts::{counts_disagree, switches_spoil_churn};
use crate::runs::unit;

/// Positions of runs that are named.
const POSITIONS_MAX: usize = 4;

/// A code, whether a run's own figures show it, and what it means.
type Row = (Code, fn(&Record) -> bool, &'static str);

/// What forbids a verdict. A run that has a caveat with that code is a blocker as well: it was not what it says it was.
const ROWS: [Row; 13] = [
    (Code::RunFailed, |run| run.error.is_some(), "failed: measure again"),
    (
        Code::NothingDone,
        |run| run.error.is_none() && run.ops.done == 0,
        "finished no op: an op may take longer than the run, or something stalled. Find out why, \
         then measure again, longer",
    ),
    (
        Code::EventsLost,
        |run| run.probe.events_lost > 0,
        "lost probe events, so births of workers are missing: make the machine quieter, or the \
         workload smaller",
    ),
    (
        Code::CountsDisagree,
        counts_disagree,
        "have counts of workers on which probe and engine disagree",
    ),
    (
        Code::OpsFailed,
        |run| run.ops.failed > 0,
        "had ops that failed, which may be faster than others: see `ops.failures` in the record",
    ),
    (
        Code::DebugBuild,
        |run| run.host.profile == "debug",
        "were made by a debug build, whose overhead is in every figure",
    ),
    (
        Code::CreationsFailed,
        |run| run.workers.creations_failed > 0,
        "could not create all workers that the policy requested",
    ),
    (
        Code::UntrackedWorkers,
        |_| false,
        "had workers whose sleeps were not seen, so that no decision was made then",
    ),
    (
        Code::RateNotKept,
        |_| false,
        "fell behind the rate of the workload, so that they measure a backlog: lower the rate",
    ),
    (Code::LengthDiffers, |_| false, "took a different time than requested"),
    (Code::Stopped, |_| false, "were stopped for a while, which affects all their figures"),
    (Code::Suspended, |_| false, "were on a machine that was suspended during the run"),
    (
        Code::TimeNamespace,
        |_| false,
        "were made in a time namespace, so that the probes use another clock",
    ),
];

/// What forbids a verdict on these runs, each with how many of them it is about. `which` is what
/// the runs are called, such as `runs`.
pub fn of_runs(runs: &[&Record], which: &str) -> Vec<Caveat> {
    let mut blockers = Vec::new();
    for (code, holds, text) in ROWS {
        let says = |run: &Record| run.caveats.iter().any(|caveat| caveat.code == code);
        let found: Vec<&Record> =
            runs.iter().copied().filter(|run| holds(run) || says(run)).collect();
        if !found.is_empty() {
            let (positions, all) = (positions(&found), runs.len());
            let text = format!("{} of {all} {which} ({positions}) {text}.", found.len());
            blockers.push(Caveat::new(code, text));
        }
    }
    blockers
}

/// Switches of workers that the scheduler's probe missed, in all runs of one side together. `whose`
/// is what these runs are called.
pub fn switches_missed(runs: &[&Record], whose: &str) -> Option<Caveat> {
    let text = format!(
        "In {whose} the probe missed so many switches of workers that more than 1 % of decisions \
         whether to make one may have been wrong: see `probe.switches` and `probe.unseen` in the \
         record."
    );
    switches_spoil_churn(runs.iter().copied()).then(|| Caveat::new(Code::SwitchesMissedOften, text))
}

/// Where runs stand in the order of the bench, or of boots: the first few.
fn positions(runs: &[&Record]) -> String {
    let mut places: Vec<u32> = runs.iter().map(|run| unit::position(run)).collect();
    places.dedup();
    let first = places.iter().take(POSITIONS_MAX).map(u32::to_string);
    let more = if places.len() > POSITIONS_MAX { ", …" } else { "" };
    let word = if unit::any(runs) { "boot" } else { "position" };
    format!("{word} {}{more}", first.collect::<Vec<_>>().join(", "))
}

/// Caveats that forbid nothing, each once, with how many runs it is about if not all have it.
pub fn notes(runs: &[&Record]) -> Vec<Caveat> {
    let mut found: BTreeMap<&Code, (&str, usize)> = BTreeMap::new();
    for run in runs {
        let mut codes = BTreeSet::new();
        for caveat in run.caveats.iter().filter(|caveat| codes.insert(&caveat.code)) {
            if ROWS.iter().all(|(code, ..)| *code != caveat.code) {
                found.entry(&caveat.code).or_insert((&caveat.text, 0)).1 += 1;
            }
        }
    }
    let note = |(code, (text, with)): (&Code, (&str, usize))| {
        let text = format::clip(text, 400);
        let text = if with == runs.len() {
            text
        } else {
            format!("{with} of {} runs, the first of them: {text}", runs.len())
        };
        Caveat::new(format::clip(code.name(), 60).into(), text)
    };
    found.into_iter().map(note).collect()
}

#[cfg(test)]
mod tests {
    use iowq_sample as sample;

    use super::*;

    fn codes(spoil: impl Fn(&mut Record)) -> Vec<Code> {
        let mut runs = [sample::run("dsync", "6.12", 0), sample::run("dsync", "6.12", 1)];
        spoil(&mut runs[1]);
        of_runs(&runs.each_ref(), "runs").into_iter().map(|bar| bar.code).collect()
    }

    fn caveat(run: &mut Record, code: Code) {
        run.caveats.push(Caveat::new(code, "said by the run"));
    }

    fn miss_sleeps(run: &mut Record, missed: u64) {
        run.workers.sleeps = Some(100_000);
        let seen = run.probe.switches.get_or_insert_default();
        seen.outs_asleep_missed = missed;
    }

    #[test]
    fn missed_switches_forbid_a_verdict_if_they_are_many_in_all_runs_together() {
        let blocker = |missed: [u64; 2]| {
            let mut runs = [sample::run("dsync", "6.12", 0), sample::run("dsync", "6.12", 1)];
            runs.iter_mut().zip(missed).for_each(|(run, missed)| miss_sleeps(run, missed));
            let peak = u64::from(runs[0].workers.peak.max(runs[1].workers.peak).unwrap_or(0));
            (peak, switches_missed(&runs.each_ref(), "the runs of a").map(|bar| bar.code))
        };
        // 2 % of the decisions of one run are 1 % of those of both.
        let few = 2_000 / blocker([0, 0]).0;
        assert_eq!(blocker([few, 0]).1, None);
        assert_eq!(blocker([few, few]).1, Some(Code::SwitchesMissedOften));
        assert!(codes(|run| caveat(run, Code::SwitchesMissedOften)).is_empty());
    }

    #[test]
    fn a_single_bad_run_forbids_a_verdict_whether_or_not_it_says_so() {
        assert!(codes(|_| ()).is_empty());
        assert_eq!(codes(|run| run.error = Some("disk full".to_owned())), [Code::RunFailed]);
        assert_eq!(codes(|run| run.probe.events_lost = 1), [Code::EventsLost]);
        assert_eq!(codes(|run| run.workers.created.engine = Some(0)), [Code::CountsDisagree]);
        assert_eq!(codes(|run| run.ops.failed = 1), [Code::OpsFailed]);
        assert_eq!(codes(|run| run.ops.done = 0), [Code::NothingDone]);
        assert_eq!(codes(|run| run.host.profile = "debug".to_owned()), [Code::DebugBuild]);
        for (code, ..) in ROWS {
            assert_eq!(codes(|run| caveat(run, code.clone())), [code]);
        }
    }

    #[test]
    fn other_caveats_are_notes_and_said_once() {
        assert!(codes(|run| caveat(run, Code::VirtualMachine)).is_empty());
        let mut runs = [sample::run("dsync", "6.12", 0), sample::run("dsync", "6.12", 1)];
        for run in &mut runs {
            caveat(run, Code::VirtualMachine);
            caveat(run, Code::OpsFailed);
        }
        let notes = notes(&runs.each_ref());
        assert_eq!(notes.len(), 1);
        assert_eq!(notes[0], Caveat::new(Code::VirtualMachine, "said by the run"));
    }

    #[test]
    fn a_machine_that_was_busy_during_some_runs_is_a_note_with_their_number() {
        assert!(codes(|run| caveat(run, Code::BusyMachine)).is_empty());
        let mut runs = [sample::run("dsync", "6.12", 0), sample::run("dsync", "6.12", 1)];
        caveat(&mut runs[1], Code::BusyMachine);
        let notes = notes(&runs.each_ref());
        assert_eq!(notes[0].text, "1 of 2 runs, the first of them: said by the run");
    }

    #[test]
    fn a_bar_says_how_many_runs_it_is_about_and_which() {
        let mut runs = [sample::run("dsync", "6.12", 0), sample::run("dsync", "6.12", 1)];
        runs[1].probe.events_lost = 3;
        let text = of_runs(&runs.each_ref(), "runs")[0].text.clone();
        assert!(text.starts_with("1 of 2 runs (position 1) lost probe events"), "{text}");
    }
}
