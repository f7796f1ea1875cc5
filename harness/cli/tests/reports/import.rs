//! Imports: what fio 3.33 wrote becomes records, and what it cannot be is refused with a way out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use iowq_contract::{Code, Counts, NAME_BYTES_MAX, Tier};
use iowq_reports::import::fio;
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
    let record = &fio::records(&text("fsync.json"), None).expect("fio wrote it")[0];
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
fn what_nobody_saw_is_null_or_unknown_and_said() {
    let record = &fio::records(&text("io_uring.json"), None).expect("fio wrote it")[0];
    assert_eq!((&*record.key.policy, record.settings.depth), ("kernel", 4));
    let workers = &record.workers;
    assert_eq!((workers.created, workers.created_per_1000_ops), (Counts::default(), None));
    assert_eq!((record.probe.tier, record.ops.cpu_ns), (Tier::Off, None));
    assert_eq!((&*record.host.kernel, &*record.host.commit), ("unknown", "fio-3.33"));
    let codes: Vec<Code> = record.caveats.iter().map(|caveat| caveat.code.clone()).collect();
    assert_eq!(codes, [Code::Imported, Code::SlatAdded]);
    assert!(record.latency.service.contains_key("read"));
}

#[test]
fn a_name_is_cut_to_what_every_reader_takes_whatever_characters_are_in_it() {
    let long = "\u{1f980}".repeat(300);
    let record = &fio::records(&text("fsync.json"), Some(&long)).expect("fio wrote it")[0];
    let name = &record.key.workload;
    assert!(name.len() <= NAME_BYTES_MAX && name.ends_with('…'), "{name}");
}

#[test]
fn a_rate_leaves_no_response_time() {
    let mut given: Value = serde_json::from_slice(&text("fsync.json")).expect("it is JSON");
    given["jobs"][0]["job options"]["rate_iops"] = json!("100");
    let record = &fio::records(given.to_string().as_bytes(), Some("mine")).expect("it is fio's")[0];
    assert!(record.latency.response.is_empty() && !record.latency.service.is_empty());
    assert_eq!(record.key.workload, "mine");
    assert!(record.caveats[0].text.contains("no response time"));
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
        (text("side-by-side.json"), "jobs[1] ran beside another job of group 0"),
        (text("no-bins.json"), "jobs[0]: write: no bins of latency: run fio with"),
        (whole[..whole.len() / 2].to_vec(), "not JSON"),
        (b"note: psync\n{}".to_vec(), "--output=FILE"),
        ([whole.clone(), whole].concat(), "without --status-interval"),
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
    assert_eq!(import("no-bins.json").status.code(), Some(2));
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
    let cases = [(few, "bins hold"), (copy, "would count twice")];
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
