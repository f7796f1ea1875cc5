//! What is committed and shown: curated runs still read as they did, and the README's table is one
//! that the program prints.

use std::fs;
use std::path::{Path, PathBuf};

use iowq_reports::compare::Rules;
use iowq_reports::output::{self, KernelsRequest, ReportRequest};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folders of curated runs.
fn folders() -> impl Iterator<Item = PathBuf> {
    let folder = root().join("reports/runs");
    let entries = fs::read_dir(folder).expect("there are curated runs");
    entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_dir())
}

/// Those that have records of a bench; a comparison with another tool has none.
fn runs() -> Vec<PathBuf> {
    let is_bench = |folder: &PathBuf| !folder.join("kernels.json").exists();
    let has_records = |folder: &PathBuf| folder.join("record.jsonl").exists();
    folders().filter(|folder| is_bench(folder) && has_records(folder)).collect()
}

/// What a summary opens with: the table, or what a grid came to.
fn opening(summary: &str) -> Vec<&str> {
    summary.lines().take_while(|line| !line.is_empty()).collect()
}

/// The table of a summary: from its first line to the empty one.
fn table(summary: &str) -> Vec<&str> {
    summary
        .lines()
        .skip_while(|line| !line.starts_with("workload"))
        .take_while(|line| !line.is_empty())
        .collect()
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

#[test]
fn a_curated_run_gives_the_summary_that_is_committed_beside_it() {
    for run in runs() {
        let scratch = tempfile::tempdir().expect("a folder can be made");
        let records = [run.join("record.jsonl")];
        let out = Some(scratch.path());
        let request =
            ReportRequest { records: &records, out, text_width: 100, ..ReportRequest::default() };
        let written =
            output::report(&request).unwrap_or_else(|error| panic!("{}: {error}", run.display()));
        let made = fs::read_to_string(written.summary).expect("the summary was written");
        let committed = fs::read_to_string(run.join("summary.txt")).expect("a summary");
        assert!(!opening(&made).is_empty(), "{}", run.display());
        assert_eq!(opening(&made), opening(&committed), "{}", run.display());
    }
}

#[test]
fn curated_kernels_give_the_summary_that_is_committed_beside_them() {
    let kernels = folders().filter(|folder| folder.join("kernels.json").exists());
    let mut found = 0;
    for dir in kernels {
        let scratch = tempfile::tempdir().expect("a folder can be made");
        let request = KernelsRequest {
            dir: &dir,
            confirmed_by: None,
            rules: Rules { threshold: 0.05, alpha: 0.05 },
            out: Some(scratch.path()),
        };
        let made =
            output::kernels(&request).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
        let committed = fs::read_to_string(dir.join("summary.txt")).expect("a summary");
        assert_eq!(made.text, committed, "{}", dir.display());
        found += 1;
    }
    assert!(found > 0, "there are curated kernels");
}

#[test]
fn a_curated_run_is_its_record_and_what_is_said_of_it_and_the_index_names_each() {
    let index = fs::read_to_string(root().join("reports/runs/README.md")).expect("the index");
    for folder in folders() {
        let name = folder.file_name().expect("it has a name").display().to_string();
        assert!(index.contains(&format!("]({name}/README.md)")), "{name} is not in the index");
        let files = fs::read_dir(&folder).expect("it is a folder");
        let names: Vec<String> = files
            .map(|file| file.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        assert!(names.iter().any(|name| name == "README.md"), "{name} has no README");
        let is_page = |file: &&String| file.ends_with(".html") || *file == "compare.json";
        assert_eq!(names.iter().find(is_page), None, "{name}: pages are made again from records");
    }
}

#[test]
fn the_readme_shows_a_table_as_the_program_prints_it() {
    let readme = fs::read_to_string(root().join("README.md")).expect("the README");
    let summaries =
        runs().into_iter().filter_map(|run| fs::read_to_string(run.join("summary.txt")).ok());
    let summary = summaries.into_iter().find(|text| text.starts_with("workload"));
    let summary = summary.expect("a curated run of few workloads");
    let (shown, printed) = (table(&readme), table(&summary));
    let header = |table: &[&str]| words(table.first().copied().unwrap_or("")).join(" ");
    assert_eq!(header(&shown), header(&printed));
    let rows: Vec<_> = shown.iter().skip(2).filter(|row| row.trim() != "…").collect();
    assert!(!rows.is_empty(), "there are rows below it");
    for row in rows {
        assert_eq!(row.split("  ").filter(|cell| !cell.trim().is_empty()).count(), 10, "{row}");
    }
}
