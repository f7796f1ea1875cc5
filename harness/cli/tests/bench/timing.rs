//! Timing: a run that was stopped, or that could not keep up, says so.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{Place, Running, TINY, caveats, send, wait_for_run, wait_until};

/// How long the run is stopped: more than what counts as that.
const STOPPED: Duration = Duration::from_millis(1500);

#[test]
fn a_run_that_was_stopped_for_more_than_a_second_says_so() {
    let place = Place::new();
    place.write("long.toml", &TINY.replace("seconds = 0.2", "seconds = 4"));
    let arguments = ["--workload", "long.toml", "--policy", "6.17", "--pairs", "1"];
    let bench = Running::start(&mut place.bench(&arguments));
    let run = wait_for_run(&place, &bench, "long.toml");
    wait_until("the watch over it", || has_thread(run, "iowq-pulse").then_some(()));
    send(run, Signal::STOP);
    let stopped = Instant::now();
    while stopped.elapsed() < STOPPED {
        std::thread::yield_now();
    }
    send(run, Signal::CONT);
    assert!(bench.end().0.success());
    let records = place.records();
    assert!(caveats(&records[0]).contains(&"stopped"), "{:?}", caveats(&records[0]));
}

fn has_thread(pid: u32, name: &str) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let mut names =
        threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("comm")).ok());
    names.any(|found| found.trim() == name)
}

#[test]
fn an_open_loop_that_cannot_be_kept_up_with_ends_and_says_so() {
    let place = Place::new();
    let text = TINY.replace("[ring]", "[arrival]\npattern = \"rate\"\nper_s = 5000000\n[ring]");
    place.write("overload.toml", &text);
    let output = place
        .bench(&["--workload", "overload.toml", "--policy", "6.17", "--pairs", "1"])
        .output()
        .expect("it runs");
    assert!(output.status.success());
    let record = &place.records()[0];
    assert!(caveats(record).contains(&"rate-not-kept"), "{:?}", caveats(record));
    assert!(record["duration_ns"].as_u64() < Some(2_000_000_000), "ten times its length at most");
}
