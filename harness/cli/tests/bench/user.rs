//! An ordinary user: less is seen, and the record says why.

use std::process::Stdio;

use crate::support::{Place, as_user, caveats, root_or_skip, stderr};

#[test]
fn an_ordinary_user_gets_records_that_say_what_is_missing_and_what_helps() {
    let test = "an_ordinary_user_gets_records_that_say_what_is_missing_and_what_helps";
    if !root_or_skip(test, "becoming another user") {
        return;
    }
    let place = Place::new();
    let bench = ["bench", "--workload", "tiny.toml", "--policy", "6.12", "--policy", "6.17"];
    let arguments = [&bench[..], &["--pairs", "1", "--dir", "files", "--out", "out"]].concat();
    let Some(mut bench) = as_user(test, &place, 1, &arguments) else { return };
    let output = bench.stdin(Stdio::null()).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let records = place.records();
    assert_eq!(records.len(), 2);
    for record in &records {
        assert_eq!(record["probe"]["tier"], "proc");
        let reason = record["probe"]["reason"].as_str().expect("a reason");
        assert!(reason.contains("needs root") && reason.contains("sudo"), "{reason}");
        let created = &record["workers"]["created"];
        assert_eq!(created["proc"], created["engine"]);
        assert!(caveats(record).contains(&"no-bpf"));
        assert!(record["ops"]["verified_blocks"].as_u64() > Some(0));
    }
    place.assert_dir_is_empty();
}

#[test]
fn an_ordinary_user_who_insists_on_the_scheduler_is_told_what_it_takes() {
    let test = "an_ordinary_user_who_insists_on_the_scheduler_is_told_what_it_takes";
    if !root_or_skip(test, "becoming another user") {
        return;
    }
    for flags in [["--probes", "bpf"], ["--blocking", "sched"]] {
        let place = Place::new();
        let bench = ["bench", "--workload", "tiny.toml", "--dir", "files", "--out", "out"];
        let Some(mut bench) = as_user(test, &place, 2, &[&bench[..], &flags].concat()) else {
            return;
        };
        let output = bench.stdin(Stdio::null()).output().expect("it runs");
        assert_eq!(output.status.code(), Some(2));
        let said = stderr(&output);
        let start = format!("error: {}: loading BPF programs needs root", flags.join(" "));
        assert!(said.starts_with(&start) && said.contains("sudo setcap"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        place.assert_untouched();
    }
}
