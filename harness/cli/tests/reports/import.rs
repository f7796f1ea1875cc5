//! Imports: what other tools wrote becomes records, and what cannot be is refused with a way out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use iowq_contract::{Code, Counts, NAME_BYTES_MAX, Record, Tier};
use iowq_reports::import::{Import, fio};
use iowq_reports::load;
use proptest::prelude::*;
use serde_json::{Value, json};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reports/tests/fio").join(name)
}

fn text(name: &str) -> Vec<u8> {
    fs::read(path(name)).expect("the sample is there")
}

#[test]
fn writes_and_syncs_become_a_run_of_fios_own_threads() {
    let record = &fio::records(&text("fsync.json"), None).expect("fio wrote it").records[0];
    let given: Value = serde_json::from_slice(&text("fsync.json")).expect("it is JSON");
    let job = &given["jobs"][0];
    let (key, service) = (&record.key, &record.latency.service);
    assert_eq!((&*key.workload, &*key.engine, &*key.policy), ("writes", "fio", "fio"));
    assert_eq!(service["write"].count, job["write"]["total_ios"]);
    assert_eq!(service["fsync"].count, job["sync"]["total_ios"]);
    assert_eq!(record.ops.done, service["write"].count + service["fsync"].count);
    assert_eq!(service["all"].count, record.ops.done);
    assert_eq!(record.latency.response, *service);
    let seconds = job["write"]["runtime"].as_u64().expect("a time") as f64 / 1e3;
    assert!((record.ops.per_s - record.ops.done as f64 / seconds).abs() < 1e-6);
    let fio_p99 = job["write"]["clat_ns"]["percentile"]["99.000000"].as_f64().expect("a time");
    assert!((service["write"].p99_ns as f64 / fio_p99 - 1.0).abs() < 0.02);
    assert!(record.started.starts_with("20") && record.started.ends_with('Z'));
    assert_eq!((record.settings.block_bytes, record.settings.depth), (4_096, 1));
}

#[test]
fn what_was_not_seen_is_absent_or_unknown_and_said() {
    let record = &fio::records(&text("io_uring.json"), None).expect("fio wrote it").records[0];
    assert_eq!((&*record.key.policy, record.settings.depth), ("kernel", 4));
    let workers = &record.workers;
    assert_eq!((workers.created, workers.created_per_1000_ops), (Counts::default(), None));
    assert_eq!((record.probe.tier, record.ops.cpu_ns, workers.peak), (Tier::Off, None, None));
    let written = serde_json::to_value(record).expect("a record is JSON");
    let absent = ["/workers/peak", "/settings/limit_bounded", "/host/cpus", "/host/memory_bytes"];
    assert!(absent.iter().all(|field| written.pointer(field).is_none()), "{written}");
    assert_eq!((&*record.host.kernel, &*record.host.commit), ("unknown", "fio-3.33"));
    let codes: Vec<Code> = record.caveats.iter().map(|caveat| caveat.code.clone()).collect();
    assert_eq!(codes, [Code::Imported, Code::SlatAdded]);
    assert!(record.latency.service.contains_key("read"));
}

#[test]
fn a_name_is_cut_to_what_every_reader_takes_whatever_characters_are_in_it() {
    let long = "\u{1f980}".repeat(300);
    let record = &fio::records(&text("fsync.json"), Some(&long)).expect("fio wrote it").records[0];
    let name = &record.key.workload;
    assert!(name.len() <= NAME_BYTES_MAX && name.ends_with('…'), "{name}");
}

#[test]
fn a_rate_leaves_no_response_time() {
    let mut given: Value = serde_json::from_slice(&text("fsync.json")).expect("it is JSON");
    given["jobs"][0]["job options"]["rate_iops"] = json!("100");
    let record =
        &fio::records(given.to_string().as_bytes(), Some("mine")).expect("it is fio's").records[0];
    assert!(record.latency.response.is_empty() && !record.latency.service.is_empty());
    assert_eq!(record.key.workload, "mine");
    assert!(record.caveats[0].text.contains("no response time"));
}

/// The name of a run, and its caveats beside the one that all imports have.
type Named = (String, Vec<Code>);

/// The runs in a sample, what they are called, and what is said of the reading.
fn taken(name: &str) -> (Vec<Record>, Vec<Named>, Vec<String>) {
    let Import { records, notes } = fio::records(&text(name), None).expect("fio wrote it");
    let own = |run: &Record| {
        let codes = run.caveats.iter().map(|caveat| caveat.code.clone()).skip(1).collect();
        (run.key.workload.clone(), codes)
    };
    let runs = records.iter().map(own).collect();
    (records, runs, notes)
}

#[test]
fn plain_json_has_what_its_percentiles_say_and_nothing_over_all_kinds() {
    let (records, runs, _) = taken("plain.json");
    assert_eq!(runs, [("plain".to_owned(), vec![Code::LatencyUnknown])]);
    let given: Value = serde_json::from_slice(&text("plain.json")).expect("it is JSON");
    let service = &records[0].latency.service;
    let percentiles = &given["jobs"][0]["write"]["clat_ns"]["percentile"];
    assert_eq!(percentiles["99.000000"], service["write"].p99_ns);
    assert_eq!(given["jobs"][0]["sync"]["lat_ns"]["N"], service["fsync"].count);
    assert!(!service.contains_key("all") && service["write"].hdr_v2.is_empty());
    assert_eq!(records[0].ops.done, service["write"].count + service["fsync"].count);
}

#[test]
fn jobs_side_by_side_and_jobs_of_one_name_stay_apart() {
    let beside = |name: &str| (name.to_owned(), vec![Code::SideBySide]);
    let (_, runs, notes) = taken("numjobs.json");
    assert_eq!(runs, ["n#1", "n#2", "n#3"].map(beside));
    assert_eq!(notes, ["3 jobs are named \"n\": they are the workloads n#1, n#2 and n#3"]);
    assert_eq!(taken("side-by-side.json").1.len(), 2);
}

#[test]
fn a_group_of_jobs_has_no_depth_and_says_so() {
    let (records, runs, _) = taken("group.json");
    assert_eq!(runs, [("g1".to_owned(), vec![Code::SlatAdded, Code::Grouped])]);
    let settings = &records[0].settings;
    assert_eq!((settings.depth, settings.files, settings.block_bytes), (0, 0, 0));
    assert_eq!(records[0].ops.done, 640, "two jobs of 1 MiB in blocks of 4 KiB, one of 8 KiB");
}

#[test]
fn kinds_that_were_counted_together_are_one_and_those_that_were_not_timed_have_no_latency() {
    let (records, runs, _) = taken("unified.json");
    assert_eq!(runs, [("u".to_owned(), vec![Code::KindsTogether])]);
    assert_eq!((records[0].ops.done, records[0].latency.service["all"].count), (256, 256));
    let (records, runs, _) = taken("gtod.json");
    assert_eq!(runs, [("gtod".to_owned(), vec![Code::LatencyUnknown])]);
    assert!(records[0].latency.service.is_empty() && records[0].ops.per_s > 0.0);
    assert_eq!(taken("no-bins.json").1[0].1, [], "percentiles of one kind are those of all");
}

#[test]
fn an_interrupted_run_is_kept_and_the_job_that_did_not_begin_failed() {
    let (records, runs, notes) = taken("interrupted.txt");
    let interrupted = |name: &str| (name.to_owned(), vec![Code::Interrupted]);
    assert_eq!(runs, ["intr1", "intr2"].map(interrupted));
    let errors = [None, Some("signal 2 ended fio before it did anything")];
    assert_eq!(records.iter().map(|run| run.error.as_deref()).collect::<Vec<_>>(), errors);
    assert!(notes[0].ends_with("\"fio: terminating on signal 2\""), "{notes:?}");
    assert_eq!(records[0].started, "unknown", "fio 3.33 says when the last group began alone");
}

#[test]
fn a_job_that_failed_leaves_the_others_and_failures_that_were_allowed_are_counted() {
    let (records, runs, notes) = taken("one-failed.txt");
    assert_eq!(runs.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["good", "bad"]);
    assert_eq!(records[0].error, None);
    let error = records[1].error.as_deref().expect("its file could not be opened");
    assert!(error.starts_with("fio ended with error 20: Not a directory"), "{error}");
    assert!(notes[0].contains("skipped 2 lines") && notes[0].contains("func=fstat"), "{notes:?}");
    let (records, ..) = taken("continue.json");
    assert_eq!((records[0].ops.done, records[0].ops.failed, &records[0].error), (128, 1, &None));
}

#[test]
fn reports_and_exports_take_what_was_imported_from_any_tool() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(crate::IOWQ);
        let output = command.args(arguments).current_dir(folder.path()).output();
        let output = output.expect("it starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let histogram = "@fsync_us:\n[1K, 2K) 900 |@@@|\n[2K, 4K) 300 |@|\n";
    fs::write(folder.path().join("printed.txt"), histogram).expect("a file");
    run(&["import", "--histogram", "printed.txt", "--out", "printed.jsonl"]);
    let sample = path("interrupted.txt").display().to_string();
    run(&["import", "--fio", &sample, "--out", "fio.jsonl"]);
    run(&["export", "fio.jsonl", "printed.jsonl", "--format", "hlog", "--out", "all.hlog"]);
    let imported =
        run(&["import", "--hlog", "all.hlog", "--out", "hlog.jsonl", "--format", "json"]);
    assert!(imported.contains("\"runs\":2"), "{imported}");
    let all = ["fio.jsonl", "printed.jsonl", "hlog.jsonl"];
    run(&[&["report"][..], &all, &["--out", "report"]].concat());
    let table = run(&[&["export", "--format", "csv"][..], &all].concat());
    assert_eq!(table.lines().count(), 1 + 2 + 1 + 2, "{table}");
}

#[test]
fn errors_say_what_to_do() {
    let changed = |pointer: &str, value: Value| {
        let mut given: Value = serde_json::from_slice(&text("fsync.json")).expect("it is JSON");
        *given.pointer_mut(pointer).expect("the field is there") = value;
        given.to_string().into_bytes()
    };
    let whole = text("fsync.json");
    let cases: [(Vec<u8>, &str); 9] = [
        (changed("/fio version", json!("fio-2.21")), "fio-2.21 writes other fields than fio 3"),
        (changed("/jobs", Value::Null), "missing field `jobs`"),
        (whole[..whole.len() / 2].to_vec(), "not JSON"),
        (b"note: psync\n{}".to_vec(), "--output=FILE"),
        ([whole.clone(), b"\n".to_vec(), whole].concat(), "without --status-interval"),
        (b"{}".to_vec(), "not of fio: missing field `fio version`"),
        (changed("/jobs", json!([])), "jobs is empty"),
        (changed("/jobs/0/write/runtime", json!(0)), "jobs[0]: runtime is 0"),
        (changed("/jobs/0/write/total_ios", json!("x")), "jobs[0].write.total_ios"),
    ];
    for (bytes, words) in cases {
        let error = fio::records(&bytes, None).expect_err("it was taken");
        assert!(error.contains(words), "{words:?} is not in {error:?}");
    }
}

#[test]
fn the_command_writes_a_record_that_a_report_takes_and_replaces_none() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let out = folder.path().join("record.jsonl");
    let import = |name: &str| {
        let mut command = Command::new(crate::IOWQ);
        command.arg("import").arg("--fio").arg(path("fsync.json"));
        command.arg("--fio").arg(path(name)).arg("--out").arg(&out);
        command.output().expect("it starts")
    };
    assert_eq!(import("missing.json").status.code(), Some(2));
    assert!(!out.exists());
    assert!(import("io_uring.json").status.success());
    let loaded = load::load(std::slice::from_ref(&out)).expect("they are records");
    let pairs: Vec<u32> = loaded.records.iter().map(|record| record.key.round).collect();
    assert_eq!(pairs, [0, 1]);
    let again = import("io_uring.json");
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("replaces no file"));
    let report = Command::new(crate::IOWQ).arg("report").arg(&out).output();
    assert!(report.expect("it starts").status.success());
}

#[test]
fn a_run_that_is_named_twice_or_that_no_reader_would_take_is_refused_and_nothing_written() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let out = folder.path().join("record.jsonl");
    let mut given: Value = serde_json::from_slice(&text("fsync.json")).expect("it is JSON");
    given["jobs"][0]["write"]["total_ios"] = json!(1);
    let (few, copy) = (folder.path().join("few.json"), folder.path().join("copy.json"));
    fs::write(&few, given.to_string()).expect("a file");
    fs::write(&copy, text("fsync.json")).expect("a file");
    let cases = [(few, "operations were timed"), (copy, "would count twice")];
    for (file, words) in cases {
        let mut command = Command::new(crate::IOWQ);
        command.arg("import").arg("--fio").arg(path("fsync.json")).arg("--fio").arg(&file);
        let output = command.arg("--out").arg(&out).output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words) && said.contains(&*file.to_string_lossy()), "{said}");
        assert!(!out.exists());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn bytes_changed_anywhere_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)
    ) {
        let mut bytes = text("fsync.json");
        for (at, byte) in &changes {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        let _ = fio::records(&bytes, None);
    }
}
