//! Tables: what is exported as CSV is read back as it was in the records.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::Command;

use iowq_contract::{Caveat, Code, Record};
use iowq_reports::export::{Format, Table};
use iowq_sample as sample;

/// A run as usual, one with something set and an odd name, and one that failed.
fn runs() -> Vec<Record> {
    let mut runs = vec![
        sample::run("fsync-mix", "6.12", 0),
        sample::run("=1+1\u{202e}, \"x\"\n", "6.17", 1),
        sample::run("dsync", "6.12", 2),
    ];
    runs[1].key.set.0.insert("workers.bounded".to_owned(), "4".to_owned());
    runs[1].workers.peak = None;
    runs[2].error = Some("disk full".to_owned());
    runs[2].caveats.push(Caveat::new(Code::Tmpfs, "the files are in memory"));
    runs
}

fn bytes(format: Format, runs: &[Record], table: Table) -> Vec<u8> {
    format.bytes(runs, &|run| Ok(Cow::Borrowed(run)), table).expect("nothing is read again")
}

/// The rows of a CSV, by the names of columns, without what is null.
fn csv_rows(bytes: &[u8]) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(bytes);
    let rows: Result<Vec<BTreeMap<String, String>>, _> = reader.deserialize().collect();
    let mut rows = rows.expect("each row has a field for each column");
    rows.iter_mut().for_each(|row| row.retain(|_, value| !value.is_empty()));
    rows
}

#[test]
fn a_run_is_a_row_with_the_fields_of_its_record() {
    let runs = runs();
    let rows = csv_rows(&bytes(Format::Csv, &runs, Table::Runs));
    assert_eq!(rows.len(), 3, "one that failed is among them");
    let (run, row) = (&runs[0], &rows[0]);
    let all = &run.latency.response["all"];
    let expected = [
        ("run", "0".to_owned()),
        ("workload", run.key.workload.clone()),
        ("policy", run.key.policy.clone()),
        ("started", run.started.clone()),
        ("duration_ns", run.duration_ns.to_string()),
        ("ops_per_s", run.ops.per_s.to_string()),
        ("latency_response_all_count", all.count.to_string()),
        ("latency_response_all_p99_ns", all.p99_ns.to_string()),
        ("latency_service_fsync_max_ns", run.latency.service["fsync"].max_ns.to_string()),
        ("workers_created_probe", run.workers.created.probe.unwrap_or_default().to_string()),
        ("workers_peak", run.workers.peak.unwrap_or_default().to_string()),
        ("settings_depth", run.settings.depth.to_string()),
        ("settings_limit_bounded", run.settings.limit_bounded.to_string()),
        ("probe_tier", "bpf".to_owned()),
        ("host_kernel", run.host.kernel.clone()),
    ];
    for (name, value) in expected {
        assert_eq!(row.get(name), Some(&value), "{name}");
    }
    let absent = ["schema", "latency_response_all_hdr_v2", "timeline", "set_workers_bounded"];
    assert!(absent.iter().all(|name| !row.contains_key(*name)), "{:?}", row.keys());
}

#[test]
fn what_is_not_known_is_null_and_what_steers_is_shown() {
    let rows = csv_rows(&bytes(Format::Csv, &runs(), Table::Runs));
    assert_eq!(rows[1]["set_workers_bounded"], "4");
    assert!(!rows[1].contains_key("workers_peak"), "it was not counted");
    assert_eq!(rows[1]["workload"], "'=1+1\\u202e, \"x\"\n");
    assert_eq!(rows[2]["error"], "disk full");
    assert!(rows[2]["caveats"].ends_with("tmpfs"), "{}", rows[2]["caveats"]);
    assert!(rows[2]["caveats_text"].ends_with("the files are in memory"));
    let mut few = runs();
    few[0].latency.response.get_mut("all").expect("all ops are there").count = 9_999;
    let rows = csv_rows(&bytes(Format::Csv, &few, Table::Runs));
    assert!(rows[0].contains_key("latency_response_all_p90_ns"));
    assert!(!rows[0].contains_key("latency_response_all_p99_ns"), "fewer than 100 lie beyond it");
}

#[test]
fn a_timeline_has_a_row_for_each_sample_and_each_slice_in_order() {
    let runs = runs();
    let rows = csv_rows(&bytes(Format::Csv, &runs, Table::Timelines));
    let number = |row: &BTreeMap<String, String>, name: &str| {
        row.get(name).map(|value| value.parse::<u64>().expect("a number"))
    };
    for (at, run) in runs.iter().enumerate() {
        let own: Vec<_> = rows.iter().filter(|row| row["run"] == at.to_string()).collect();
        let alive = own
            .iter()
            .filter_map(|row| Some((number(row, "at_ns")?, number(row, "workers_alive")?)));
        let expected = run.timeline.iter().map(|(at_ns, alive)| (*at_ns, u64::from(*alive)));
        assert!(alive.eq(expected), "run {at}");
        let born: u64 = own.iter().filter_map(|row| number(row, "workers_born")).sum();
        assert_eq!(born, run.churn.births.iter().map(|born| u64::from(*born)).sum::<u64>());
        assert!(own.is_sorted_by_key(|row| number(row, "at_ns")));
    }
}

#[test]
fn no_run_is_a_table_without_rows() {
    for (_, table) in Table::ALL {
        assert!(csv_rows(&bytes(Format::Csv, &[], table)).is_empty());
    }
}

/// Modules of Python that must read it: each prints how many rows and the sum of `ops_done`.
const READERS: [(&str, &str); 3] = [
    (
        "csv",
        "rows = list(csv.DictReader(open(path, newline='')))\n\
         print(len(rows), sum(int(row['ops_done']) for row in rows))",
    ),
    ("pandas", "rows = pandas.read_csv(path)\nprint(len(rows), rows['ops_done'].sum())"),
    (
        "duckdb",
        "print(*duckdb.sql(f\"SELECT count(*), sum(ops_done)::UBIGINT FROM '{path}'\").fetchall()[0])",
    ),
];

#[test]
fn other_programs_read_the_same_rows() {
    let runs = runs();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("runs.csv");
    std::fs::write(&path, bytes(Format::Csv, &runs, Table::Runs)).expect("a file");
    let done: u64 = runs.iter().map(|run| run.ops.done).sum();
    for (module, code) in READERS {
        let python = |code: &str| Command::new("python3").args(["-c", code]).arg(&path).output();
        if !python(&format!("import {module}")).is_ok_and(|found| found.status.success()) {
            skipped("other_programs_read_the_same_rows", &format!("python3 has no {module}"));
            continue;
        }
        let output = python(&format!("import sys, {module}\npath = sys.argv[1]\n{code}"));
        let output = output.expect("it started before");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let found = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        assert_eq!(found, format!("3 {done}"), "{module}: {said}");
    }
}

/// Says that a test was skipped, straight to the descriptor: the test harness swallows `eprintln!`.
fn skipped(test: &str, reason: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {reason}");
}
