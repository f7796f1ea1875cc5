//! Two of everything at once: neither breaks what the other found, or one is refused.

use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::campaign::{Attack, Chance, FIGURES, brief, count};
use crate::checks::{ended_well, is_empty, no_temporaries};
use crate::commands::{RUNS, WRITERS, bench, files, iowq, place_with_record, run};
use crate::support::{Place, stderr};

pub(crate) const AT_ONCE: Attack =
    Attack { name: "two_commands_at_once_do_not_break_each_other", once: two_at_once };

#[test]
fn two_commands_at_once_do_not_break_each_other() {
    brief(AT_ONCE);
}

fn two_at_once(chance: &mut Chance) {
    count(&FIGURES.at_once, 1);
    match chance.below(4) {
        0 => two_benches_into_one_folder(chance),
        1 => bench_and_report_of_one_folder(chance),
        _ => two_writers_into_one_folder(chance),
    }
}

fn start(command: &mut Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs")
}

/// Starts one, and some moments later the other; how both ended.
fn both(mut commands: [Command; 2], chance: &mut Chance, most_ms: u64) -> [Output; 2] {
    let [first, second] = &mut commands;
    let first = start(first);
    // Nothing is waited for: any distance is good, and none is the best.
    if chance.one_in(2) {
        std::thread::sleep(chance.moment(Duration::from_millis(most_ms)));
    }
    let second = start(second).wait_with_output().expect("its end");
    [first.wait_with_output().expect("its end"), second]
}

/// Which of two benches each record is of: each round has a seed of its own, the next one.
fn benches(place: &Place) -> Vec<u64> {
    let seed = |record: &Value| record["key"]["seed"].as_u64().expect("a number");
    place.records().iter().map(|record| seed(record) / 1000).collect()
}

fn two_benches_into_one_folder(chance: &mut Chance) {
    let place = Place::new();
    let of = |seed| bench(&place, &["--probes", "proc", "--seed", seed]);
    let ended = both([of("1000"), of("2000")], chance, 300);
    for one in &ended {
        ended_well("one of two benches", one);
    }
    let winners: Vec<usize> = (0..2).filter(|&at| ended[at].status.success()).collect();
    let [winner] = winners[..] else {
        panic!("{winners:?} took the folder: {} and {}", stderr(&ended[0]), stderr(&ended[1]));
    };
    assert_eq!(benches(&place), [winner as u64 + 1; RUNS]);
    is_empty("after two benches", &place.dir());
    no_temporaries(&place.out());
}

fn bench_and_report_of_one_folder(chance: &mut Chance) {
    let place = Place::new();
    let bench = start(&mut bench(&place, &["--probes", "proc"]));
    let mut reports = Vec::new();
    while reports.len() < 12 {
        std::thread::sleep(chance.moment(Duration::from_millis(300)));
        reports.push(run(iowq(&place, &["report", "out"])));
    }
    let bench = bench.wait_with_output().expect("its end");
    ended_well("the bench", &bench);
    reports.iter().for_each(|report| ended_well("a report of a bench that goes on", report));
    assert_eq!(bench.status.code(), Some(0), "{}", stderr(&bench));
    assert_eq!(place.records().len(), RUNS);
    let last = run(iowq(&place, &["report", "out"]));
    assert_eq!(last.status.code(), Some(0), "{}", stderr(&last));
    no_temporaries(&place.out());
}

fn two_writers_into_one_folder(chance: &mut Chance) {
    let place = place_with_record();
    std::fs::create_dir(place.out()).expect("a folder");
    let one = chance.of(&WRITERS);
    let alike: Vec<_> =
        WRITERS.iter().filter(|other| other.arguments[0] == one.arguments[0]).collect();
    let other = *chance.of(&alike);
    let ended = both([one, other].map(|it| it.command(&place, "out")), chance, 400);
    ended.iter().for_each(|output| ended_well("one of two writers", output));
    let fine = ended.iter().filter(|output| output.status.code() != Some(2)).count();
    assert_eq!(fine, if one.keeps() { 1 } else { 2 }, "{ended:?}");
    let after = files(&place.out());
    for (name, content) in &after {
        let is_of = |writer: &crate::commands::Writer| writer.written().get(name) == Some(content);
        assert!(is_of(one) || is_of(other), "{name} is of neither");
    }
    count(&FIGURES.mixed, usize::from(after != *one.written() && after != *other.written()));
    no_temporaries(&place.out());
}
