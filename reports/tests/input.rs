//! Bad input: every file gives runs or an error that says where and what, never a panic.

use std::path::{Path, PathBuf};

use iowq_contract::Record;
use iowq_reports::bench::analysis::analyse;
use iowq_reports::bench::{page, text};
use iowq_reports::load::{self, Loaded};
use iowq_reports::render::page::PAGE_BYTES_MAX;
use iowq_sample as sample;
use proptest::prelude::*;
use serde_json::{Value, json};

fn load(bytes: &[u8]) -> Result<Loaded, String> {
    load::read(bytes, Path::new("record.jsonl")).map_err(|error| {
        let text = error.to_string();
        text.split_once("record.jsonl").map_or(text.clone(), |parts| parts.1.to_owned())
    })
}

fn sample_with(pointer: &str, value: Value) -> Vec<u8> {
    let mut record = serde_json::to_value(sample::run("nop", "6.12", 0)).expect("it is JSON");
    *record.pointer_mut(pointer).expect("the field is there") = value;
    record.to_string().into_bytes()
}

#[test]
fn errors_name_the_line_the_field_and_what_was_found() {
    let good = sample::lines(&[sample::run("nop", "6.12", 0)]);
    let after = |bad: &[u8]| load(&[good.as_bytes(), bad, b"\n"].concat()).map(|_| ());
    let cases: [(Vec<u8>, &[&str]); 9] = [
        (b"not json".to_vec(), &["line 2: not JSON"]),
        (b"[1, 2]".to_vec(), &["line 2: not a record"]),
        (b"{\"schema\": \"iowq-lab/run/9\"}".to_vec(), &["line 2", "iowq-lab/run/9", "reads"]),
        (b"{\"schema\": \"iowq-lab/run/1\"}".to_vec(), &["line 2", "missing field `started`"]),
        (sample_with("/ops/done", json!(-5)), &["ops.done", "-5"]),
        (sample_with("/ops/per_s", json!(-5.0)), &["ops.per_s is -5"]),
        (sample_with("/ops/per_s", json!(null)), &["ops.per_s", "null"]),
        (sample_with("/probe/tier", json!("guess")), &["probe.tier", "guess", "bpf"]),
        (sample_with("/latency/response/all/p99_ns", json!("x")), &["response.all.p99_ns"]),
    ];
    for (line, words) in cases {
        let error = after(&line).expect_err("the line was accepted");
        for word in words {
            assert!(error.contains(word), "{word:?} is not in {error:?}");
        }
    }
}

#[test]
fn a_number_that_is_none_is_not_json() {
    let text = sample::lines(&[sample::run("nop", "6.12", 0)]);
    let spoilt = text.replacen("\"per_s\":", "\"per_s\":NaN,\"x\":", 1);
    assert!(load(spoilt.as_bytes()).is_err_and(|error| error.contains("line 1: not JSON")));
}

#[test]
fn an_empty_file_holds_no_run() {
    for bytes in [&b""[..], b"\n\n  \n"] {
        assert!(load(bytes).is_err_and(|error| error.contains("no finished run")));
    }
}

#[test]
fn a_line_that_was_cut_off_is_left_out_and_said_so() {
    let text = sample::lines(&sample::bench(1));
    let cut = &text.as_bytes()[..text.len() - 100];
    let loaded = load(cut).expect("the other lines are whole");
    assert_eq!(loaded.records.len(), 7);
    assert!(loaded.notes[0].text.contains("line 8 is cut off"), "{:?}", loaded.notes);
    let analysis = analyse(&loaded);
    assert!(analysis.caveats[0].severe);
    assert!(load(&[cut, b"\n"].concat()).is_err(), "a whole line that is cut was never a record");
}

#[test]
fn a_run_that_is_read_twice_counts_once() {
    let text = sample::lines(&sample::bench(1));
    let loaded = load(text.repeat(2).as_bytes()).expect("they are records");
    assert_eq!(loaded.records.len(), 8);
    assert!(loaded.notes[0].text.contains("8 runs read twice"), "{:?}", loaded.notes);
}

#[test]
fn a_run_that_is_there_twice_and_differs_was_changed_by_hand() {
    let mut records = sample::bench(1);
    records.push(records[2].clone());
    let text = sample::lines(&records);
    assert!(load(text.as_bytes()).is_ok());
    records[8].settings.depth += 1;
    let error = load(sample::lines(&records).as_bytes()).expect_err("one of them is wrong");
    assert!(error.contains("line 9: differs from record.jsonl, line 3"), "{error}");
}

#[test]
fn the_run_that_a_killed_bench_left_beside_its_record_is_read_once() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let record = folder.path().join("record.jsonl");
    let beside = folder.path().join("record.unverified.jsonl");
    let runs = sample::bench(1);
    let (last, others) = runs.split_last().expect("there are runs");
    std::fs::write(&record, sample::lines(others)).expect("room");
    std::fs::write(&beside, sample::lines(std::slice::from_ref(last))).expect("room");
    let cells = |records: &[Record]| -> Vec<_> {
        records.iter().map(|run| (run.key.clone(), run.ops.verified_blocks)).collect()
    };
    for path in [folder.path().to_owned(), record.clone()] {
        let loaded = load::load_strictly(&[path]).expect("they are records");
        assert_eq!(cells(&loaded.records), cells(&runs));
    }
    // It was killed once more, so to say: between writing the run there and removing it here.
    let mut verified = runs.clone();
    verified[runs.len() - 1].ops.verified_blocks = Some(9);
    std::fs::write(&record, sample::lines(&verified)).expect("room");
    let loaded = load::load_strictly(std::slice::from_ref(&record)).expect("they are records");
    assert_eq!(cells(&loaded.records), cells(&verified));
    std::fs::write(&record, "").expect("room");
    let loaded = load::load(&[record]).expect("one is there");
    assert_eq!(cells(&loaded.records), cells(std::slice::from_ref(last)));
}

#[test]
fn bytes_that_are_no_text_and_text_that_never_ends_are_refused() {
    let deep = [&b"{\"schema\": \"iowq-lab/run/1\", \"x\": "[..], &[b'['; 100_000]].concat();
    let good = sample::lines(&[sample::run("nop", "6.12", 0)]);
    let wide: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [&b"\x1f\x8b\x08\x00binary\n"[..], &[deep, b"\n".to_vec()].concat(), &wide] {
        let error = load(bytes).expect_err("this is no record");
        assert!(error.contains("line 1: not JSON"), "{error}");
    }
    let windows = good.replace('\n', "\r\n");
    assert_eq!(
        load(windows.as_bytes()).expect("line breaks of Windows do no harm").records.len(),
        1
    );
}

#[test]
fn quantiles_that_fall_were_written_by_hand() {
    let spoilt = sample_with("/latency/response/all/p99_ns", json!(1));
    let error = load(&spoilt).expect_err("p99 is below p90");
    assert!(error.contains("line 1: latency.response.all.p99_ns is 1: it must not"), "{error}");
}

#[test]
fn a_missing_file_and_a_folder_without_record_are_named() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    for path in [folder.path().to_owned(), PathBuf::from("/no/such/file.jsonl")] {
        let error = load::load(&[path]).expect_err("there is nothing to read").to_string();
        assert!(error.contains(".jsonl: No such file"), "{error}");
    }
}

/// Everything that can be made of a record, for the sake of not panicking.
fn make_all(loaded: &Loaded) {
    let analysis = analyse(loaded);
    let page = page::page(&analysis).expect("a page can be made of any record");
    assert!(page.len() <= PAGE_BYTES_MAX, "the page has {} bytes", page.len());
    page::fidelity(&analysis).expect("so can the fidelity page, where there is one");
    assert!(!text::text(&analysis, 80).is_empty());
}

fn any_number() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<u64>().prop_map(|number| json!(number)),
        any::<u32>().prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        Just(json!(0)),
        Just(json!(null)),
        Just(json!(f64::MAX)),
        Just(json!(f64::MIN_POSITIVE)),
    ]
}

/// Puts `value` in the place of the number at `index`, counted through the whole of `tree`.
fn replace_number(tree: &mut Value, index: &mut usize, value: &Value) {
    match tree {
        Value::Number(_) | Value::Null if *index == 0 => {
            *tree = value.clone();
            *index = usize::MAX;
        }
        Value::Number(_) | Value::Null => *index -= 1,
        Value::Array(items) => {
            for item in items.iter_mut().take(40) {
                replace_number(item, index, value);
            }
        }
        Value::Object(fields) => {
            for field in fields.values_mut() {
                replace_number(field, index, value);
            }
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn numbers_out_of_this_world_never_panic(
        changes in prop::collection::vec((0..120_usize, any_number()), 1..6)
    ) {
        let mut records = Vec::new();
        let pool = ["dsync", "nop"].map(|workload| sample::run(workload, "6.17", 0));
        let kernel = ["dsync", "nop"].map(|workload| sample::kernel_run(workload, 0));
        for record in pool.into_iter().chain(kernel) {
            let mut tree = serde_json::to_value(&record).expect("a record is JSON");
            for (index, value) in &changes {
                replace_number(&mut tree, &mut index.clone(), value);
            }
            records.push(tree.to_string());
        }
        if let Ok(loaded) = load(records.join("\n").as_bytes()) {
            make_all(&loaded);
        }
    }

    #[test]
    fn bytes_changed_anywhere_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = sample::lines(&[sample::run("dsync", "6.12", 0)]).into_bytes();
        for (at, byte) in &changes {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        for bytes in [&bytes[..], &bytes[..cut.index(bytes.len())]] {
            if let Ok(loaded) = load(bytes) {
                make_all(&loaded);
            }
        }
    }
}

#[test]
fn many_runs_policies_and_points_stay_under_the_limit_of_a_page() {
    let bench = Loaded { records: sample::bench(60), ..Loaded::default() };
    make_all(&bench);
    let long = load(sample::lines(&[sample::long_run("6.12", 200_000)]).as_bytes());
    let long = long.expect("a long timeline is no reason to fail");
    let whole = long.whole(&long.records[0]).expect("it is there");
    assert!(whole.timeline.len() < 5_000, "the timeline was not thinned");
    make_all(&long);
    let record = |at: u32| -> Record {
        let policy = format!("6.12+switch-{}", at % 40);
        let mut record = sample::run(&format!("workload-{}", at / 40), &policy, 0);
        record.key.position = at;
        record
    };
    let ablation = Loaded { records: (0..400).map(record).collect(), ..Loaded::default() };
    make_all(&ablation);
    let grid = Loaded { records: sample::grid(&sample::LARGE, 1), ..Loaded::default() };
    make_all(&grid);
}
