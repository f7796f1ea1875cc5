//! Records of a real bench: complete, in order, and in agreement with themselves.

use iowq_harness::probes::{Bpf, BpfOptions};
use serde_json::{Value, json};

use crate::support::{MEASURE, Place, assert_refused, caveats, stderr};

/// Runs a bench that succeeds and returns its records.
fn records(place: &Place, arguments: &[&str]) -> Vec<Value> {
    let output = place.bench(arguments).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let records = place.records();
    assert_eq!(stderr(&output).lines().count(), records.len(), "a line of progress for each");
    place.assert_dir_is_empty();
    records
}

/// The only record of a run of the tiny workload under 6.17.
fn record(arguments: &[&str]) -> Value {
    let mut all = vec!["--workload", "tiny.toml", "--policy", "6.17", "--pairs", "1"];
    all.extend(arguments);
    let mut records = records(&Place::new(), &all);
    assert_eq!(records.len(), 1);
    records.remove(0)
}

#[test]
fn every_cell_of_every_round_leaves_a_record_that_holds_together() {
    let place = Place::new();
    let arguments = ["--policy", "6.12", "--policy", "6.17", "--workload", "tiny.toml"];
    let records = records(&place, &[&arguments[..], &["--pairs", "2"]].concat());
    assert_eq!(records.len(), 4);
    for (position, record) in records.iter().enumerate() {
        let cell = &record["key"];
        assert_eq!(cell["position"], position);
        assert_eq!(cell["round"], position / 2);
        assert_eq!(cell["seed"], 1 + position / 2);
        assert_eq!((&cell["workload"], &cell["engine"]), (&json!("tiny"), &json!("pool")));
        assert_holds_together(record);
    }
    for round in records.chunks(2) {
        let mut policies = [&round[0], &round[1]].map(|it| it["key"]["policy"].as_str());
        policies.sort_unstable();
        assert_eq!(policies, [Some("6.12"), Some("6.17")]);
    }
}

fn assert_holds_together(record: &Value) {
    assert_eq!(record.get("error"), None);
    let ops = &record["ops"];
    assert!(ops["done"].as_u64() > Some(0), "{ops}");
    assert_eq!((&ops["failed"], &ops["failures"]), (&json!(0), &json!({})));
    assert!(ops["verified_blocks"].as_u64() > Some(0), "{ops}");
    let cpu_ns = ops["cpu_ns"].as_f64().expect("processor time");
    let cpus = record["host"]["cpus"].as_f64().expect("a count");
    let wall_ns = record["duration_ns"].as_f64().expect("a length");
    assert!(0.0 < cpu_ns && cpu_ns < 1.1 * cpus * wall_ns, "{cpu_ns} of {cpus} times {wall_ns}");
    let driven_ns = record["phases"]["drive_ns"].as_f64();
    assert!(Some(wall_ns) <= driven_ns, "{wall_ns} of {driven_ns:?}");
    assert_eq!(record["key"]["role"], "measured");
    for clock in ["response", "service"] {
        assert_eq!(record["latency"][clock]["all"]["count"], ops["done"]);
    }
    let workers = &record["workers"];
    let (created, exited) = (&workers["created"], &workers["exited"]);
    assert!(created["engine"].as_u64() > Some(0), "{created}");
    assert_eq!(created, exited);
    assert_eq!(created["proc"], created["engine"]);
    let births = record["churn"]["births"].as_array().expect("a list");
    let births: u64 = births.iter().filter_map(Value::as_u64).sum();
    assert_eq!(Some(births), created["engine"].as_u64());
    assert!(!caveats(record).contains(&"counts-disagree"));
    assert_eq!(caveats(record).contains(&"debug-build"), cfg!(debug_assertions));
}

#[test]
fn the_best_tier_that_works_is_taken_and_a_lesser_one_says_why() {
    let record = record(&[]);
    let probe = &record["probe"];
    match Bpf::start(&BpfOptions { sched: true, ..BpfOptions::default() }) {
        Ok(_) => {
            assert_eq!((&probe["tier"], &probe["reason"]), (&json!("bpf"), &json!("")));
            assert_eq!(probe["events_lost"], 0);
            assert_eq!(
                record["workers"]["created"]["probe"],
                record["workers"]["created"]["engine"]
            );
            assert_eq!(record["blocking"], "sched");
        }
        Err(reason) => {
            assert_eq!(probe["tier"], "proc");
            // The advice names the program that lacks the rights.
            let this = std::env::current_exe().expect("its own path").display().to_string();
            assert_eq!(probe["reason"], reason.to_string().replace(&this, MEASURE));
            assert_eq!(record["blocking"], "declared");
            assert!(caveats(&record).contains(&"no-bpf"));
        }
    }
}

#[test]
fn probes_that_only_poll_leave_their_column_empty() {
    let record = record(&["--probes", "proc"]);
    let probe = &record["probe"];
    assert_eq!(probe["tier"], "proc");
    assert_eq!(probe["reason"], "requested by --probes");
    let created = &record["workers"]["created"];
    assert_eq!((&created["probe"], &created["proc"]), (&Value::Null, &created["engine"]));
    assert_eq!(record["blocking"], "declared");
    assert!(caveats(&record).contains(&"no-bpf"));
}

#[test]
fn without_probes_the_pools_own_books_stand_alone() {
    let record = record(&["--probes", "off"]);
    assert_eq!(record["probe"]["tier"], "off");
    assert_eq!(record["probe"]["events_seen"], 0);
    let created = &record["workers"]["created"];
    assert!(created["engine"].as_u64() > Some(0));
    assert_eq!((&created["probe"], &created["proc"]), (&Value::Null, &Value::Null));
}

#[test]
fn workers_that_declare_their_sleeps_raise_a_doubt() {
    let record = record(&["--blocking", "declared"]);
    assert_eq!(record["blocking"], "declared");
    assert_eq!(record["workers"]["sleeps"], Value::Null);
    assert!(caveats(&record).contains(&"blocking-declared"));
}

#[test]
fn the_scheduler_is_not_heard_without_bpf_and_that_is_said_before_anything_runs() {
    for probes in ["proc", "off"] {
        let place = Place::new();
        let arguments = ["--workload", "tiny.toml", "--blocking", "sched", "--probes", probes];
        assert_refused(
            &place.bench(&arguments).output().expect("it runs"),
            "--blocking sched needs --probes bpf or auto: the scheduler reports through eBPF; \
             or take --blocking declared",
        );
        place.assert_untouched();
    }
}

#[test]
fn the_seed_is_the_command_lines_or_else_the_specs() {
    let place = Place::new();
    place.write("seeded.toml", "[files]\nsize_mib = 1\n[run]\nops = 10\nseed = 7");
    let cell = ["--workload", "seeded.toml", "--policy", "6.17", "--pairs", "1"];
    assert_eq!(records(&place, &cell)[0]["key"]["seed"], 7);
    let place = Place::new();
    place.write("seeded.toml", "[files]\nsize_mib = 1\n[run]\nops = 10\nseed = 7");
    let records = records(&place, &[&cell[..], &["--seed", "9"]].concat());
    assert_eq!(records[0]["key"]["seed"], 9);
    assert_eq!(records[0]["ops"]["done"], 10);
}
