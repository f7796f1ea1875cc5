//! ^C and its like: what is finished is kept, what is under way ends at once, nothing is left.

use rustix::process::Signal;

use crate::support::{Place, Running, children, is_alive, send_to_group, wait_for_run};

/// A run that is longer than anybody waits.
pub(crate) const LONG: &str = "[files]\nsize_mib = 1\n[run]\nseconds = 3600";

/// A round of the two workloads, in this order: that is the seed's.
pub(crate) const SHORT_THEN_LONG: [&str; 8] =
    ["--workload", "tiny.toml", "--workload", "long.toml", "--policy", "6.17", "--seed", "2"];

/// A bench whose second run is under way, with its files laid out; and that run's process.
pub(crate) fn in_the_second_run(place: &Place) -> (Running, u32) {
    place.write("long.toml", LONG);
    let arguments = [&SHORT_THEN_LONG[..], &["--pairs", "1"]].concat();
    let bench = Running::start(&mut place.bench(&arguments));
    let line = bench.line();
    assert!(line.starts_with("1/2  tiny.toml under 6.17: "), "{line}");
    let cell = wait_for_run(place, &bench, "long.toml");
    (bench, cell)
}

fn ends_well_on(signal: impl Fn(&Running)) {
    let place = Place::new();
    let (bench, cell) = in_the_second_run(&place);
    signal(&bench);
    let id = bench.id();
    let (status, said) = bench.end();
    assert_eq!(said, ["error: interrupted: 1 of 2 runs finished, in out/record.jsonl"]);
    assert_eq!(status.code(), Some(2));
    let records = place.records();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["key"]["workload"], "tiny");
    place.assert_dir_is_empty();
    assert!(!is_alive(cell));
    assert_eq!(children(id), Vec::<u32>::new());
}

#[test]
fn an_interrupt_keeps_what_is_finished_and_leaves_nothing_else() {
    ends_well_on(|bench| bench.signal(Signal::INT));
}

#[test]
fn an_interrupt_at_a_terminal_which_its_run_gets_too_does_the_same() {
    ends_well_on(|bench| send_to_group(bench.id(), Signal::INT));
}

#[test]
fn a_request_to_end_keeps_what_is_finished_and_leaves_nothing_else() {
    ends_well_on(|bench| bench.signal(Signal::TERM));
}

#[test]
fn a_terminal_that_is_closed_keeps_what_is_finished_and_leaves_nothing_else() {
    ends_well_on(|bench| bench.signal(Signal::HUP));
}

#[test]
fn a_quit_at_a_terminal_keeps_what_is_finished_and_leaves_nothing_else() {
    ends_well_on(|bench| send_to_group(bench.id(), Signal::QUIT));
}

#[test]
fn an_interrupt_in_the_first_run_leaves_no_results_at_all() {
    let place = Place::new();
    place.write("long.toml", LONG);
    let arguments = ["--policy", "6.17", "--pairs", "2", "--workload", "long.toml"];
    let bench = Running::start(&mut place.bench(&arguments));
    let cell = wait_for_run(&place, &bench, "long.toml");
    bench.signal(Signal::INT);
    let (status, said) = bench.end();
    assert_eq!(said, ["error: interrupted before the first of 2 runs finished"]);
    assert_eq!(status.code(), Some(2));
    place.assert_untouched();
    assert!(!is_alive(cell));
}
