//! `--set`: values of settings as variants of one bench, from the flag to the verdict.

use std::process::Command;

use serde_json::json;

use crate::support::{IOWQ, Place, assert_refused, stderr};

fn stdout(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn each_policy_runs_with_each_value_in_every_round_and_two_values_get_a_verdict() {
    let place = Place::new();
    let flags = ["--workload", "tiny.toml", "--policy", "6.12", "--policy", "6.17"];
    let set = ["--set", "bounded=1,8", "--pairs", "2"];
    let output = place.bench(&[&flags[..], &set].concat()).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("tiny.toml under 6.12 bounded=1: "), "{}", stderr(&output));
    let records = place.records();
    assert_eq!(records.len(), 8);
    for round in records.chunks(4) {
        let mut variants: Vec<String> = round
            .iter()
            .map(|run| format!("{} {}", run["key"]["policy"], run["key"]["set"]))
            .collect();
        variants.sort();
        variants.dedup();
        assert_eq!(variants.len(), 4, "{variants:?}");
    }
    for record in &records {
        let limit = record["key"]["set"]["workers.bounded"].as_str().expect("it was set");
        assert_eq!(record["settings"]["limit_bounded"].to_string(), limit);
        assert_eq!(record["settings_unset"]["limit_bounded"], json!(8), "the workload's own");
    }
    let said = stdout(&output);
    assert!(said.contains("6.12 bounded=1") && said.contains("6.17 bounded=8"), "{said}");
    assert!(said.contains("Set: workers.bounded: 1 and 8."), "{said}");
    assert!(!said.contains("settings-differ"), "{said}");
    let compare = |sets: [&str; 2]| {
        let mut command = Command::new(IOWQ);
        command.arg("compare").args(sets).current_dir(place.home()).output().expect("it runs")
    };
    let compared = compare(["out@6.17,bounded=1", "out@6.17,bounded=8"]);
    let said = stdout(&compared);
    assert!(said.contains("6.17 bounded=8 against 6.17 bounded=1, 2 pairs"), "{said}");
    assert!(said.contains("What differs: workers.bounded 1 against 8."), "{said}");
    assert!(!said.contains("settings-differ"), "{said}");
    let several = stderr(&compare(["out@bounded=1", "out@bounded=8"]));
    assert!(several.contains("`compare out@6.12,bounded=1 out@6.17,bounded=1`"), "{several}");
}

#[test]
fn a_workload_without_a_setting_has_a_record_without_one() {
    let place = Place::new();
    let flags = ["--workload", "tiny.toml", "--policy", "6.17", "--pairs", "1"];
    assert_eq!(place.bench(&flags).status().expect("it runs").code(), Some(0));
    let record = &place.records()[0];
    assert!(record["key"].get("set").is_none() && record.get("settings_unset").is_none());
}

fn refused(arguments: &[&str], message: &str) {
    let place = Place::new();
    let output = place.bench(arguments).output().expect("it runs");
    assert_refused(&output, message);
    place.assert_untouched();
}

#[test]
fn a_setting_that_a_workload_cannot_have_is_refused_with_its_name_before_any_run() {
    refused(
        &["--workload", "tiny.toml", "--workload", "nop", "--set", "ring.depth=0,4"],
        "--set ring.depth=0 on tiny: ring.depth: found 0, allowed 1 to 4096",
    );
    refused(
        &["--workload", "tiny.toml", "--set", "bounded=4,4"],
        "--set bounded=4,4: found 4 twice; name each value once: --pairs says how often all run",
    );
    refused(
        &["--workload", "tiny.toml", "--set", "run.seconds=1", "--quick"],
        "--set run.seconds: the length of runs is set by --seconds or --quick, too; omit one",
    );
    refused(
        &["--workload", "tiny.toml", "--set", "files.open=buffered,\"buffered\""],
        "--set: tiny.toml is the same workload with open=buffered as with open=\"buffered\", so that \
         there is nothing to compare; omit one of the values, or the workload",
    );
}

#[test]
fn what_is_set_for_a_fio_job_keeps_what_the_job_says() {
    let place = Place::new();
    place.write("job.fio", "[job]\nioengine=io_uring\nrw=write\nsize=1m\niodepth=4\nruntime=1\n");
    let flags = ["--fio", "job.fio", "--policy", "6.17", "--set", "ring.depth=2,8", "--pairs", "1"];
    let output = place.bench(&flags).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let mut depths: Vec<String> = Vec::new();
    for record in place.records() {
        depths.push(record["settings"]["depth"].to_string());
        assert_eq!(record["settings"]["plan"]["length_ops"], json!(256));
    }
    depths.sort();
    assert_eq!(depths, ["2", "8"]);
}
