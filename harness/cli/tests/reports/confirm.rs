//! A regression that was measured again: what is printed and written of it, and the exit code.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use iowq_contract::{Host, Record};
use iowq_reports::compare::Rules;
use iowq_reports::output::{self, CompareRequest};
use iowq_sample as sample;

fn folder(records: &[Record]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("record.jsonl");
    fs::write(path, sample::lines(records)).expect("a record can be written");
    folder
}

fn slower(run: &mut Record) {
    let all = run.latency.response.get_mut("all").expect("it has one");
    all.p99_ns = all.p99_ns * 6 / 5;
}

/// Runs as another bench would make them.
fn fresh(change: impl Fn(&mut Record)) -> tempfile::TempDir {
    let mut records = sample::pairs(10, change);
    for run in &mut records {
        run.key.seed = 2;
        "2026-11-21T03:00:00Z".clone_into(&mut run.started);
    }
    folder(&records)
}

fn run(command: &str, first: &tempfile::TempDir, arguments: &[&str]) -> Output {
    let set = |policy| format!("{}@{policy}", first.path().display());
    let mut report = Command::new(crate::IOWQ);
    report.arg(command).args([set("6.12"), set("6.17")]).args(arguments).output().expect("starts")
}

/// Compares runs with a regression, confirmed by these.
fn confirmed_by(fresh: &tempfile::TempDir, arguments: &[&str]) -> (Option<i32>, String) {
    let first = folder(&sample::pairs(10, slower));
    let path = fresh.path().display().to_string();
    let output = run("compare", &first, &[&["--confirmed-by", &path], arguments].concat());
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Without line breaks, which fall anywhere.
fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_regression_that_is_confirmed_fails_and_says_by_what() {
    let (code, text) = confirmed_by(&fresh(slower), &[]);
    assert_eq!(code, Some(1), "{text}");
    let said = "confirmed: Measured again with 10 pairs: response p99 +20.0 % after +20.0 %, a \
                regression again.";
    assert!(joined(&text).contains(said), "{text}");
    let (_, ktap) = confirmed_by(&fresh(slower), &["--format", "ktap"]);
    assert!(ktap.contains("\nnot ok 1 dsync: 6.17 against 6.12\n"), "{ktap}");
    assert!(ktap.contains("# confirmed: Measured again"), "{ktap}");
}

#[test]
fn a_regression_that_is_not_confirmed_is_no_verdict_in_every_format() {
    let alike = fresh(|_| ());
    let (code, text) = confirmed_by(&alike, &[]);
    assert_eq!(code, Some(3), "{text}");
    let said = "not confirmed in response p99 (+20.0 % at first and +0.0 % again (equivalent))";
    assert!(joined(&text).contains(said), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 76), "{text}");
    let (_, ktap) = confirmed_by(&alike, &["--format", "ktap"]);
    assert!(ktap.contains("dsync.response_p99 # SKIP not confirmed: +20.0"), "{ktap}");
    assert!(ktap.contains("\nok 1 dsync: 6.17 against 6.12 # SKIP a regression was not"), "{ktap}");
    let (_, json) = confirmed_by(&alike, &["--format", "json"]);
    let one = &serde_json::from_str::<serde_json::Value>(&json).expect("it is JSON")["all"][0];
    assert_eq!(one["verdict"], "inconclusive");
    assert_eq!(one["confirmation"]["outcome"], "not-confirmed");
    assert_eq!(one["confirmation"]["first"][0]["verdict"], "regression");
    assert_eq!(one["confirmation"]["again"][0]["verdict"], "equivalent");
}

#[test]
fn the_page_opens_with_what_the_fresh_runs_said() {
    let out = tempfile::tempdir().expect("a folder can be made");
    let dir = out.path().display().to_string();
    let page = |fresh: &tempfile::TempDir| {
        confirmed_by(fresh, &["--out", &dir]);
        fs::read_to_string(out.path().join("report.html")).expect("it was written")
    };
    let refuted = page(&fresh(|_| ()));
    assert!(refuted.contains("A regression that fresh runs did not confirm"));
    assert!(refuted.contains("class=\"word inconclusive\""));
    let confirmed = page(&fresh(slower));
    assert!(confirmed.contains("a regression again") && confirmed.contains("<code>confirmed"));
}

#[test]
fn fresh_runs_of_something_else_give_no_verdict_and_the_same_runs_are_trouble() {
    let mut other = sample::pairs(10, slower);
    for record in &mut other {
        "2026-11-21T03:00:00Z".clone_into(&mut record.started);
        "nop".clone_into(&mut record.key.workload);
    }
    let (code, text) = confirmed_by(&folder(&other), &[]);
    assert_eq!(code, Some(3));
    assert!(joined(&text).contains("No verdict: not-measured-again."), "{text}");
    assert_eq!(confirmed_by(&folder(&sample::pairs(10, slower)), &[]).0, Some(2));
    let first = folder(&sample::pairs(10, slower));
    assert_eq!(run("compare", &first, &["--confirmed-by", "none"]).status.code(), Some(2));
}

#[test]
fn the_benches_that_are_needed_are_told_to_whoever_asks_on_the_same_host() {
    let records = sample::pairs(10, slower);
    let mut here = (*records[0].host).clone();
    let first = folder(&records);
    let sets = ["6.12", "6.17"].map(|policy| format!("{}@{policy}", first.path().display()).into());
    let request = CompareRequest {
        sets: &sets,
        workloads: &[],
        rules: Rules { threshold: 0.05, alpha: 0.05 },
        confirmed_by: &[],
        out: None,
    };
    let benches = output::reruns(&request, &here).expect("they can be made here");
    assert_eq!(benches.len(), 1);
    assert_eq!((&benches[0].workloads[..], benches[0].rounds), (&["dsync".to_owned()][..], 10));
    "sda".clone_into(&mut here.device);
    let error = output::reruns(&request, &here).expect_err("elsewhere").to_string();
    assert!(error.contains("device: nvme0n1 and sda"), "{error}");
}

/// A regression of runs of this spec on this host.
fn regression_of(spec: &Path, dir: &Path) -> tempfile::TempDir {
    let mut records = sample::pairs(8, slower);
    for record in &mut records {
        // A debug build gets no verdict.
        let profile = "release".to_owned();
        record.host = Host { profile, ..iowq_harness::machine::describe(dir) }.into();
        let asked = record.asked.as_mut().expect("it says");
        asked.workload = spec.display().to_string();
        "tiny".clone_into(&mut record.key.workload);
    }
    folder(&records)
}

#[test]
fn what_cannot_be_measured_again_is_trouble_and_nothing_runs() {
    let place = tempfile::tempdir().expect("a folder");
    let first = regression_of(&place.path().join("tiny.toml"), place.path());
    let out = place.path().join("out");
    let flags = ["--confirm", "--dir", &place.path().display().to_string(), "--out"];
    let output = run("compare", &first, &[&flags[..], &[&out.display().to_string()]].concat());
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    // Tests are a debug build, and so on no host that a verdict is about.
    assert!(said.contains("tiny was measured elsewhere: profile"), "{said}");
    assert!(!out.join("confirm").exists());
}
