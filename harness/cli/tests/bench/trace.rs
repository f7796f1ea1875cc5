//! `iowq trace`: a command and its children, from outside.

use std::fs;
use std::io::BufRead as _;
use std::process::{Command, Output, Stdio};

use iowq_contract::trace::TraceLine;
use serde_json::Value;

use crate::support::{IOWQ, Place, is_alive, send, skipped, stderr, wait_until};

/// Writes and fsyncs through the running kernel's io-wq, without probes of their own.
const BENCH: [&str; 13] = [
    "bench",
    "-q",
    "--workload",
    "tiny.toml",
    "--engine",
    "uring",
    "--pairs",
    "1",
    "--probes",
    "off",
    "--dir",
    "files",
    "--out=out",
];

/// A trace with these arguments; none, and the reason was said, if this machine takes no probes.
fn trace(test: &str, place: &Place, arguments: &[&str]) -> Option<Output> {
    let mut command = Command::new(IOWQ);
    command.args(["trace", "--tier", "bpf"]).args(arguments);
    let output = command.current_dir(place.home()).output();
    let output = output.expect("it runs");
    let said = stderr(&output);
    if !output.status.success() && said.contains("BPF programs needs root") {
        skipped(test, said.trim());
        return None;
    }
    assert!(output.status.success(), "{said}");
    Some(output)
}

/// A trace of the bench, with flags of its own.
fn trace_of_bench(test: &str, place: &Place, flags: &[&str]) -> Option<Output> {
    let command = [&["--", IOWQ], &BENCH[..]].concat();
    trace(test, place, &[flags, &command].concat())
}

#[test]
fn a_command_is_traced_with_its_children_into_a_run_a_timeline_and_a_workload() {
    let test = "a_command_is_traced_with_its_children_into_a_run_a_timeline_and_a_workload";
    let place = Place::new();
    let flags =
        ["--record", "trace.jsonl", "--perfetto", "timeline.json", "--to-spec", "near.toml"];
    let Some(output) = trace_of_bench(test, &place, &flags) else { return };
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("WRITE") && text.contains("/files/"), "{text}");
    let read = |name: &str| fs::read_to_string(place.home().join(name)).expect("it was written");
    let run: Value = serde_json::from_str(&read("trace.jsonl")).expect("a run");
    let born = run["workers"]["created"]["probe"].as_u64().expect("a count");
    assert!(born > 0, "{text}");
    assert_eq!(run["probe"]["events_lost"], 0);
    let events: Vec<Value> = serde_json::from_str(&read("timeline.json")).expect("a list");
    let count = |phase: &str, name: &str| {
        events.iter().filter(|it| it["ph"] == phase && it["name"] == name).count() as u64
    };
    assert_eq!(count("i", "born"), born, "the timeline has the births of the run");
    let writes = &run["dispatch"]["write"];
    let queued = writes["hashed"].as_u64().zip(writes["unhashed"].as_u64()).expect("counts");
    assert_eq!(count("b", "WRITE"), queued.0 + queued.1, "and its requests");
    for arguments in [
        &["report", "trace.jsonl", "--out", "report"][..],
        &[
            "bench",
            "-q",
            "--workload",
            "./near.toml",
            "--policy",
            "6.17",
            "--pairs",
            "1",
            "--seconds",
            "0.2",
            "--probes",
            "off",
            "--dir",
            "files",
            "--out",
            "near",
        ],
    ] {
        let output = Command::new(IOWQ).args(arguments).current_dir(place.home()).output();
        let output = output.expect("it runs");
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
    }
    assert!(read("report/summary.txt").contains("live"), "the caveat is told");
}

#[test]
fn json_is_a_line_for_everything_from_the_start_to_the_end() {
    let test = "json_is_a_line_for_everything_from_the_start_to_the_end";
    let place = Place::new();
    let Some(output) = trace_of_bench(test, &place, &["--format", "json"]) else { return };
    let text = String::from_utf8(output.stdout).expect("it is text");
    let lines: Vec<TraceLine> =
        text.lines().map(|line| serde_json::from_str(line).expect("a line")).collect();
    assert!(matches!(lines.first(), Some(TraceLine::Start(_))));
    let Some(TraceLine::End(end)) = lines.last() else { panic!("no end: {text}") };
    assert_eq!(end.reason, "the command ended");
    let born = |line: &&TraceLine| matches!(line, TraceLine::Birth(_));
    let births = lines.iter().filter(born).count() as u64;
    let last = lines.iter().rev().find_map(|line| match line {
        TraceLine::Snapshot(snapshot) => Some(snapshot),
        _ => None,
    });
    let last = last.expect("a snapshot");
    let counted: u64 = last.processes.iter().map(|process| process.born).sum();
    assert_eq!((births, &last.lost), (counted, &Default::default()));
}

#[test]
fn a_command_that_goes_on_ends_with_the_trace() {
    let test = "a_command_that_goes_on_ends_with_the_trace";
    let place = Place::new();
    let script = "echo $$ >pid; exec sleep 1000";
    let arguments = ["--seconds", "0.3", "--", "sh", "-c", script];
    let Some(_) = trace(test, &place, &arguments) else { return };
    let pid = fs::read_to_string(place.home().join("pid")).expect("it began");
    let pid: u32 = pid.trim().parse().expect("a number");
    wait_until("the command ends", || (!is_alive(pid)).then_some(()));
}

#[test]
fn a_command_that_fails_is_told_of() {
    let place = Place::new();
    let mut command = Command::new(IOWQ);
    command.args(["trace", "-q", "--tier", "proc", "--", "sh", "-c", "exit 7"]);
    let output = command.current_dir(place.home()).output().expect("it runs");
    let said = stderr(&output);
    assert!(output.status.success() && said.contains("ended with exit status: 7"), "{said}");
}

#[test]
fn a_command_that_does_not_end_is_told_of_and_killed_by_another_signal() {
    let place = Place::new();
    let mut command = Command::new(IOWQ);
    let script = "trap '' TERM INT; echo $$ >pid; while :; do sleep 0.1; done";
    command.args(["trace", "-q", "--tier", "proc", "--seconds", "0.5", "--", "sh", "-c", script]);
    command.current_dir(place.home()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut said = std::io::BufReader::new(child.stderr.take().expect("a pipe"));
    let mut line = String::new();
    while !line.contains("^C kills it") {
        line.clear();
        assert!(said.read_line(&mut line).expect("text") > 0, "it is told of");
    }
    send(child.id(), rustix::process::Signal::INT);
    child.wait().expect("it ends");
    let pid = fs::read_to_string(place.home().join("pid")).expect("it began");
    assert!(!is_alive(pid.trim().parse().expect("a number")));
}

#[test]
fn a_trace_that_is_interrupted_prints_its_summary_and_keeps_the_run() {
    let test = "a_trace_that_is_interrupted_prints_its_summary_and_keeps_the_run";
    let place = Place::new();
    let Some(_) = trace(test, &place, &["--seconds", "0.1"]) else { return };
    let mut command = Command::new(IOWQ);
    command.args(["trace", "--record", "run.jsonl"]).current_dir(place.home());
    let child = command.stdout(Stdio::piped()).spawn().expect("it starts");
    let attached = || {
        let fds = fs::read_dir(format!("/proc/{}/fd", child.id())).into_iter().flatten().flatten();
        let to = fds.filter_map(|fd| fs::read_link(fd.path()).ok());
        let programs = to.filter(|to| to.to_string_lossy().contains("bpf-prog")).count();
        (programs > 4).then_some(())
    };
    wait_until("the programs are attached", attached);
    send(child.id(), rustix::process::Signal::INT);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{output:?}");
    assert!(place.home().join("run.jsonl").exists());
    assert!(!output.stdout.is_empty(), "a summary");
}

#[test]
fn a_trace_does_not_write_over_a_file_and_needs_no_probes_to_say_so() {
    let place = Place::new();
    place.write("old.jsonl", "mine\n");
    let mut command = Command::new(IOWQ);
    command.args(["trace", "--seconds", "1", "--record", "old.jsonl"]);
    let output = command.current_dir(place.home()).output().expect("it runs");
    assert!(!output.status.success() && stderr(&output).contains("old.jsonl exists"));
    let kept = fs::read_to_string(place.home().join("old.jsonl"));
    assert_eq!(kept.expect("it is there"), "mine\n");
}

#[test]
fn a_trace_whose_files_could_not_be_written_does_not_start() {
    let place = Place::new();
    place.write("old", "mine\n");
    let rows: [(&[&str], &str); 6] = [
        (&["--record", "none/run"], "cannot write --record none/run: no folder none"),
        (&["--to-spec", "none/spec"], "cannot write --to-spec none/spec: no folder none"),
        (&["--to-spec", "."], "it is a folder"),
        (&["--perfetto", "old"], "old exists: name a new file for --perfetto"),
        (&["--record", "new", "--perfetto", "./new"], "name one file, ./new"),
        (&["--perfetto", "new", "--to-spec", "new"], "name one file, new"),
    ];
    for (flags, says) in rows {
        let mut command = Command::new(IOWQ);
        command.args(["trace", "--tier", "proc", "--seconds", "0.1"]).args(flags);
        let output = command.current_dir(place.home()).output().expect("it runs");
        assert!(!output.status.success() && stderr(&output).contains(says), "{output:?}");
        assert!(output.stdout.is_empty() && !place.home().join("new").exists());
    }
    assert_eq!(fs::read_to_string(place.home().join("old")).expect("it is there"), "mine\n");
}

#[test]
fn a_trace_that_cannot_print_its_summary_keeps_the_run_and_says_so() {
    let place = Place::new();
    let full = fs::File::options().write(true).open("/dev/full").expect("it is always there");
    let mut command = Command::new(IOWQ);
    command.args(["trace", "--tier", "proc", "--seconds", "0.2", "--record", "run.jsonl"]);
    let output = command.current_dir(place.home()).stdout(full).output().expect("it runs");
    assert!(!output.status.success() && stderr(&output).contains("cannot be printed"));
    assert!(place.home().join("run.jsonl").exists(), "{output:?}");
}

/// The run of a trace of the bench by a lesser tier, and what was said; none, and the reason was said, if
/// this machine does not allow it.
fn run_by(test: &str, place: &Place, tier: &str) -> Option<(Value, String, String)> {
    let mut command = Command::new(IOWQ);
    command.args(["trace", "--tier", tier, "--record", "run.jsonl", "--", IOWQ]).args(BENCH);
    let output = command.current_dir(place.home()).output().expect("it runs");
    let said = stderr(&output);
    if !output.status.success() {
        skipped(test, said.trim());
        return None;
    }
    let text = fs::read_to_string(place.home().join("run.jsonl")).expect("it was written");
    let run = serde_json::from_str(&text).expect("a run");
    Some((run, String::from_utf8_lossy(&output.stdout).into_owned(), said))
}

/// Codes of a run's caveats.
fn codes(run: &Value) -> Vec<&str> {
    let caveats = run["caveats"].as_array().expect("a list");
    caveats.iter().filter_map(|caveat| caveat["code"].as_str()).collect()
}

#[test]
fn a_trace_by_tracepoints_follows_the_command_and_says_why_it_is_not_by_bpf() {
    let test = "a_trace_by_tracepoints_follows_the_command_and_says_why_it_is_not_by_bpf";
    let place = Place::new();
    let Some((run, text, said)) = run_by(test, &place, "tracefs") else { return };
    assert!(said.starts_with("tier tracefs") && text.contains(", tier tracefs\n"), "{said}{text}");
    assert_eq!((&run["probe"]["tier"], codes(&run).contains(&"no-bpf")), (&"tracefs".into(), true));
    let lost = run["probe"]["lost"].as_object().expect("counts by cause");
    if lost.keys().any(|cause| cause.contains("BPF program")) {
        return skipped(test, "another program watches the same events by BPF");
    }
    let writes = &run["dispatch"]["write"];
    let queued = writes["hashed"].as_u64().zip(writes["unhashed"].as_u64()).expect("counts");
    assert!(queued.0 + queued.1 > 0 && run["workers"]["created"]["probe"].as_u64() > Some(0));
}

#[test]
fn a_trace_by_proc_tells_births_as_at_least_so_many_in_text_and_run() {
    let test = "a_trace_by_proc_tells_births_as_at_least_so_many_in_text_and_run";
    let place = Place::new();
    let Some((run, text, said)) = run_by(test, &place, "proc") else { return };
    assert!(said.starts_with("tier proc (births at least, no requests)"), "{said}");
    assert!(text.contains(", tier proc\n") && text.contains("proc-missed: births"), "{text}");
    let created = &run["workers"]["created"];
    assert!(created["proc"].is_u64() && created["probe"].is_null(), "{created}");
    assert!(codes(&run).contains(&"proc-missed") && run["probe"]["tier"] == "proc");
}
