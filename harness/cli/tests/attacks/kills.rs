//! Kills at any moment: finished runs stay, output is whole, and nothing goes on or is left.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::campaign::{Attack, Chance, FIGURES, brief, count};
use crate::checks::{ended_well, is_empty, no_temporaries, processes_end};
use crate::commands::{Files, RUNS, WRITERS, bench, files, iowq, place_with_record, run, signal};
use crate::support::{Place, Running, stderr};

const SIGNALS: [Signal; 5] = [Signal::KILL, Signal::KILL, Signal::TERM, Signal::INT, Signal::QUIT];

pub(crate) const BENCHES: Attack =
    Attack { name: "a_bench_that_is_killed_loses_no_finished_run", once: kill_a_bench };

pub(crate) const READERS: Attack =
    Attack { name: "a_writer_that_is_killed_leaves_old_or_new_files", once: kill_a_writer };

#[test]
fn a_bench_that_is_killed_loses_no_finished_run() {
    brief(BENCHES);
}

#[test]
fn a_writer_that_is_killed_leaves_old_or_new_files() {
    brief(READERS);
}

/// Starts a command, ends it some time after its N-th line, and returns what it printed.
fn killed(mut command: Command, lines: usize, most_ms: u64, chance: &mut Chance) -> Vec<String> {
    let running = Running::start(command.stdout(Stdio::null()));
    let mut said: Vec<String> = (0..lines).map(|_| running.line()).collect();
    // Nothing is waited for: any moment is good.
    std::thread::sleep(chance.moment(Duration::from_millis(most_ms)));
    signal(&running, *chance.of(&SIGNALS), chance.one_in(2));
    count(&FIGURES.kills, 1);
    count(&FIGURES.calls, 1);
    let (status, rest) = running.end();
    said.extend(rest);
    let panicked = said.iter().any(|line| line.contains("panicked at"));
    count(&FIGURES.panics, usize::from(panicked));
    assert!(!panicked, "{said:?}");
    assert!(status.code().is_none_or(|code| (0..=3).contains(&code)), "{status}");
    said
}

fn kill_a_bench(chance: &mut Chance) {
    let place = Place::new();
    let probes = *chance.of(&["proc", "proc", "auto"]);
    let (command, lines) = (bench(&place, &["--probes", probes]), chance.below(RUNS));
    let said = killed(command, lines, 1000, chance);
    processes_end(place.home());
    let finished = said.iter().filter(|line| line.contains("/4  ") && !line.contains("FAILED"));
    let finished = finished.count();
    let kept = kept(&place);
    count(&FIGURES.runs_finished, finished);
    count(&FIGURES.runs_lost, finished.saturating_sub(kept));
    assert!((finished..=RUNS).contains(&kept), "{kept} of {finished} runs are there: {said:?}");
    if kept > 0 {
        let report = run(iowq(&place, &["report", "out"]));
        ended_well("report", &report);
        assert_eq!(report.status.code(), Some(0), "{}", stderr(&report));
        no_temporaries(&place.out());
    }
    let next = run(bench(&place, &["--probes", "proc", "--out", "next"]));
    ended_well("the next bench", &next);
    assert_eq!(next.status.code(), Some(0), "{}", stderr(&next));
    is_empty("after the next bench", &place.dir());
}

/// Runs on the disk: lines that are ended, and the run that is being read back.
fn kept(place: &Place) -> usize {
    let text = fs::read(place.out().join("record.jsonl")).unwrap_or_default();
    let lines = text.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
    let records = lines.map(|line| serde_json::from_slice::<Value>(line).expect("a whole line"));
    let mut seen: Vec<Value> = records.map(|record| record["key"].clone()).collect();
    if let Ok(text) = fs::read(place.out().join("record.unverified.jsonl")) {
        let record: Value = serde_json::from_slice(&text).expect("it is whole or not there");
        if !seen.contains(&record["key"]) {
            seen.push(record["key"].clone());
        }
    }
    seen.len()
}

fn kill_a_writer(chance: &mut Chance) {
    let place = place_with_record();
    fs::create_dir(place.out()).expect("a folder");
    let writer = chance.of(&WRITERS);
    let mut before = Files::new();
    if chance.one_in(2) && !writer.keeps() {
        let alike = |one: &&crate::commands::Writer| one.arguments[0] == writer.arguments[0];
        let old: Vec<_> = WRITERS.iter().filter(alike).collect();
        before = chance.of(&old).written().clone();
        for (name, content) in &before {
            fs::write(place.out().join(name), content).expect("a file");
        }
    }
    killed(writer.command(&place, "out"), 0, 900, chance);
    processes_end(place.home());
    let (after, new) = (files(&place.out()), writer.written());
    for (name, content) in &after {
        let is_old = before.get(name) == Some(content);
        assert!(is_old || new.get(name) == Some(content), "{name} is neither old nor new");
    }
    assert!(before.keys().all(|name| after.contains_key(name)), "an old file is gone");
    count(&FIGURES.mixed, usize::from(after != before && after != *new));
    let next = run(writer.command(&place, "out"));
    ended_well("the next call", &next);
    if writer.keeps() && after == *new {
        assert_eq!(next.status.code(), Some(2), "it replaced a file");
    } else {
        assert_ne!(next.status.code(), Some(2), "{}", stderr(&next));
        assert!(files(&place.out()) == *new, "the next call wrote something else");
        no_temporaries(&place.out());
    }
}
