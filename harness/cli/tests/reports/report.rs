//! From a record to its files: what is written, what is said, and that it is the same each time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use iowq_contract::{Caveat, Record};
use iowq_reports::output::{self, ReportRequest};
use iowq_sample as sample;

struct Folder(tempfile::TempDir);

impl Folder {
    fn with(records: &[Record]) -> Self {
        Self::of(sample::lines(records).as_bytes())
    }

    fn of(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        fs::write(folder.path().join("record.jsonl"), bytes).expect("a record can be written");
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Page and summary of the record in this folder.
    fn report(&self) -> (String, String) {
        let records = [self.path().to_owned()];
        let request =
            ReportRequest { records: &records, text_width: 100, ..ReportRequest::default() };
        let written = output::report(&request).expect("it is a record");
        let read = |path: PathBuf| fs::read_to_string(path).expect("the file was written");
        (read(written.page), read(written.summary))
    }
}

fn run(arguments: &[&Path]) -> Output {
    Command::new(crate::IOWQ).arg("report").args(arguments).output().expect("it starts")
}

#[test]
fn the_same_record_gives_the_same_bytes() {
    let folder = Folder::with(&sample::bench(3));
    let first = folder.report();
    assert!(first == folder.report());
    assert!(first == Folder::with(&sample::bench(3)).report());
}

#[test]
fn samples_are_valid_by_the_published_schema() {
    let schema = iowq_contract::json_schema();
    let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
    let kernel = sample::bench_with_kernel(1);
    let grid = sample::grid(&sample::SMALL, 1);
    for record in sample::bench(1).into_iter().chain(kernel).chain(grid) {
        let value = serde_json::to_value(&record).expect("a record is JSON");
        assert!(validator.is_valid(&value), "{} {}", record.key.workload, record.key.policy);
    }
}

#[test]
fn the_summary_is_a_table_then_the_answers() {
    let (_, summary) = Folder::with(&sample::bench(3)).report();
    let expected = include_str!("../../../../reports/tests/expected/summary.txt");
    assert!(summary == expected, "the summary changed:\n{summary}");
}

/// What holds of every page.
fn is_one_offline_file(page: &str) {
    for outside in ["http:", "https:", "<script", "<link", "@import", "url("] {
        assert!(!page.contains(outside), "{outside} is in the page");
    }
    for inside in ["prefers-color-scheme: dark", "@media print", "role=\"img\""] {
        assert!(page.contains(inside), "{inside} is not in the page");
    }
    assert!(!page.contains("#C1") && !page.contains("#A1"), "a stand-in colour was left");
}

#[test]
fn the_page_is_one_offline_file() {
    let (page, _) = Folder::with(&sample::bench(3)).report();
    is_one_offline_file(&page);
    assert!(page.contains("var(--c3)"));
}

#[test]
fn names_and_texts_of_a_record_cannot_become_markup() {
    let mut records = sample::bench(2);
    let hostile = "<script>alert('x')</script>\"&";
    for record in &mut records {
        record.key.policy = format!("{hostile}{}", record.key.policy);
        record.key.workload = format!("{hostile}{}", record.key.workload);
        record.settings.summary = hostile.to_owned();
        record.host.kernel = hostile.to_owned();
        record.started = format!("{hostile}{}", record.started);
        record.caveats.push(Caveat { code: hostile.to_owned().into(), text: hostile.to_owned() });
        let all = record.latency.response["all"].clone();
        record.latency.response.insert(hostile.to_owned(), all);
    }
    records[0].error = Some(hostile.to_owned());
    let (page, _) = Folder::with(&records).report();
    assert!(!page.contains("<script"), "a name became a script");
    assert!(!page.contains("alert('x')"), "a name was left as it was");
}

#[test]
fn failed_runs_are_counted_and_their_error_is_shown() {
    let mut records = sample::bench(3);
    records[2].error = Some("write: No space left on device".to_owned());
    let (page, summary) = Folder::with(&records).report();
    assert!(page.contains("No space left on device"));
    assert!(page.contains("23 finished runs · 1 failed"));
    assert!(summary.contains("  2 of 3  "), "{summary}");
    assert!(summary.contains("! run-failed"), "{summary}");
}

#[test]
fn a_bench_in_which_every_run_failed_still_has_a_page() {
    let mut records = sample::bench(1);
    for record in &mut records {
        record.error = Some("io_uring is disabled".to_owned());
    }
    let (page, summary) = Folder::with(&records).report();
    assert!(page.contains("No run finished"));
    assert!(summary.contains("  0 of 1  "), "{summary}");
}

#[test]
fn the_program_says_where_the_files_are() {
    let folder = Folder::with(&sample::bench(1));
    let out = folder.path().join("elsewhere");
    let output = run(&[&folder.path().join("record.jsonl"), Path::new("--out"), &out]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(text.contains(&out.join("report.html").display().to_string()), "{text}");
    assert!(out.join("summary.txt").is_file());
    let names: Vec<_> = fs::read_dir(&out).expect("the folder is there").collect();
    assert_eq!(names.len(), 2, "a temporary file was left: {names:?}");
}

#[test]
fn trouble_ends_with_exit_code_two_and_one_line() {
    let folder = Folder::of(b"");
    let missing = folder.path().join("missing.jsonl");
    for path in [folder.path(), &missing] {
        let output = run(&[path]);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains(".jsonl"), "{text}");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = Folder::with(&sample::bench(1));
    let file_in_the_way = folder.path().join("record.jsonl");
    let output = run(&[folder.path(), Path::new("--out"), &file_in_the_way]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(text.contains("record.jsonl: cannot be written"), "{text}");
}
