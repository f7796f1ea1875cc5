//! The running kernel beside the presets: the section of a workload, and the pages of a grid.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use iowq_contract::Record;
use iowq_reports::output::{self, ReportRequest, ReportWritten};
use iowq_sample as sample;

fn folder(records: &[Record]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("record.jsonl");
    fs::write(path, sample::lines(records)).expect("a record can be written");
    folder
}

fn report(folder: &Path) -> ReportWritten {
    let records = [folder.to_owned()];
    let request = ReportRequest { records: &records, text_width: 100, ..ReportRequest::default() };
    output::report(&request).expect("it is a record")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("the file was written")
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(crate::IOWQ);
    command.arg("report").arg(folder).args(arguments).output().expect("it starts")
}

#[test]
fn io_uring_stands_in_the_section_of_its_workload_as_a_reference() {
    let folder = folder(&sample::bench_with_kernel(2));
    let written = report(folder.path());
    let (page, summary) = (read(&written.page), read(&written.summary));
    assert_eq!(page.matches("Linux 6.18.44</span>").count(), 2, "once per table");
    assert!(page.contains("How ops reached workers"));
    assert!(page.contains("this page makes 18 comparisons"), "the kernel is in none of them");
    assert!(summary.contains("fsync-mix   io_uring"), "{summary}");
    assert!(summary.contains("Like the kernel: Of 6.12, 6.16, 6.17 and"), "{summary}");
    assert!(!summary.contains("under io_uring"), "{summary}");
}

#[test]
fn a_bench_of_the_pool_alone_has_no_fidelity_page_and_no_word_of_io_uring_in_its_answers() {
    let folder = folder(&sample::bench(1));
    let written = report(folder.path());
    assert!(written.fidelity.is_none());
    let page = read(&written.page);
    for word in ["io_uring", "fidelity", "--c8", "How ops reached workers"] {
        assert!(!page.contains(word), "{word} is in the page");
    }
}

#[test]
fn a_grid_has_a_small_report_that_links_its_fidelity_page() {
    let folder = folder(&sample::grid(&sample::SMALL, 1));
    let written = report(folder.path());
    let (page, summary) = (read(&written.page), read(&written.summary));
    assert!(page.contains("href=\"fidelity.html\""));
    assert!(!page.contains("<svg"), "charts of each workload are left out");
    assert!(page.contains("--workload NAME"), "the page says how to see them");
    assert!(page.contains("no histograms of latency"), "a grid keeps none");
    assert!(page.contains("<th>ratio created</th><th>ratio ops/s</th>"));
    assert!(page.contains("grid-f4-d64-s16-l64-buffered"));
    let verdict = "Nearest preset right in ";
    assert!(page.contains(verdict) && summary.starts_with(verdict), "{summary}");
    assert!(summary.lines().count() < 50, "{summary}");
    let fidelity = read(&written.fidelity.expect("a grid has one"));
    assert!(fidelity.contains(verdict) && fidelity.matches("<svg").count() == 2);
    for word in ["http:", "https:", "<script", "<link", "@import", "url(", "#C1", "#A1"] {
        assert!(!fidelity.contains(word), "{word} is in the page");
    }
}

/// The text of each cell of a table's rows, from where the table's class is named.
fn rows(page: &str, class: &str) -> Vec<Vec<String>> {
    let start = page.find(&format!("<table class=\"{class}\">")).expect("the table");
    let (table, _) = page[start..].split_once("</tbody>").expect("its end");
    let (_, body) = table.split_once("<tbody>").expect("its body");
    let row = |row: &str| {
        let cells = row.split("</td>").filter_map(|cell| cell.rsplit_once('>'));
        cells.map(|(_, text)| text.replace('\u{a0}', " ")).collect::<Vec<_>>()
    };
    body.split("</tr>").map(row).filter(|row| !row.is_empty()).collect()
}

#[test]
fn the_page_and_the_summary_lead_with_a_row_for_each_group_and_name_what_is_off() {
    let mut records = sample::grid(&sample::SMALL, 1);
    records.extend(sample::groups());
    let folder = folder(&records);
    let written = report(folder.path());
    let page = read(&written.fidelity.expect("a grid has one"));
    let table = rows(&page, "groups");
    let groups: Vec<(&str, &str)> =
        table.iter().map(|row| (row[0].as_str(), row[1].as_str())).collect();
    assert_eq!(
        groups,
        [("writes", "16"), ("reads", "1"), ("fallocate", "1"), ("reopen", "1"), ("all", "19")]
    );
    assert_eq!(table[2][5], "0 of 1 (0 %)", "no fallocate went the way of the kernel's");
    assert_eq!(table[3][2], "1 of 1 (100 %)", "exit-on-idle alone makes so many");
    let (answer, rest) = page.split_once("id=\"off\"").expect("cells that are off");
    assert!(answer.contains("<table class=\"groups\">"), "the table comes first");
    let off = "fallocate 100\u{a0}% unhashed against 100\u{a0}% hashed";
    assert!(rest.contains(off) && !answer.contains("<svg"), "then what is off, then charts");
    let dispatch = rows(&page, "runs dispatch");
    let row = |family| dispatch.iter().find(|row| row[0] == family).expect("its row").join("|");
    let fallocates = "fallocate, alone|fallocate|buffered|ext4|1|100 % unhashed|100 % hashed";
    assert_eq!(row("fallocate, alone"), format!("{fallocates}|100, differs"));
    assert!(row("reads, cached").ends_with("|100 % inline|100 % inline|0"));
    let summary = read(&written.summary);
    let lines: Vec<&str> = summary.lines().collect();
    assert!(lines[1].starts_with("group ") && lines[7].starts_with("all "), "{summary}");
    assert!(summary.contains("! grid-fallocate-alone-f4-d64-s0-l8-buffered (dispatch): "));
    assert!(lines.iter().all(|line| line.chars().count() <= 100), "{summary}");
}

#[test]
fn cells_that_are_off_and_cells_that_are_not_judged_are_listed() {
    let mut records = sample::grid(&sample::SMALL, 1);
    let (lost, failing) = ("grid-f1-d64-s0-l8-dsync", "grid-f4-d64-s16-l64-dsync");
    for record in &mut records {
        let (workload, kernel) = (record.key.workload.as_str(), record.key.engine == "uring");
        if workload == lost && kernel {
            record.probe.events_lost = 7;
        }
        if workload == failing && kernel {
            sample::create(record, 4_000, 64);
        }
    }
    let folder = folder(&records);
    let written = report(folder.path());
    let summary = read(&written.summary);
    let off = "! grid-f4-d64-s16-l64-dsync (nearest, births, peak): io_uring created 4,000";
    assert!(summary.contains(off), "{summary}");
    assert!(summary.contains("1 cell is not judged: events were lost under io_uring"), "{summary}");
    let fidelity = read(&written.fidelity.expect("a grid has one"));
    assert!(fidelity.contains("<dt>grid-f1-d64-s0-l8-dsync</dt>"));
    assert!(fidelity.contains("<td class=\"no\">no</td>"));
}

#[test]
fn names_of_a_grid_cannot_become_markup() {
    let mut records = sample::grid(&sample::SMALL, 1);
    let hostile = "<script>alert('x')</script>\"&";
    for record in &mut records {
        record.key.workload = format!("grid-f1-d2-s3-l4-{hostile}{}", record.key.workload);
        record.host.kernel = format!("6.18{hostile}");
        record.settings.summary = hostile.to_owned();
    }
    let folder = folder(&records);
    let written = report(folder.path());
    for path in [written.page, written.fidelity.expect("a grid has one")] {
        assert!(!read(&path).contains("<script"), "a name became a script");
    }
}

#[test]
fn one_workload_of_a_grid_is_shown_with_its_charts() {
    let folder = folder(&sample::grid(&sample::SMALL, 1));
    let out = folder.path().join("one");
    let name = "grid-f4-d64-s16-l64-dsync";
    let output = run(folder.path(), &["--workload", name, "--out", &out.display().to_string()]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let page = read(&out.join("report.html"));
    assert!(page.contains("<svg") && page.contains(name));
    assert!(page.contains(&format!("bench --workload {name} --engine pool --engine uring makes")));
    assert!(!page.contains("<h3>Latency"), "without histograms there is no empty chart of them");
    assert!(!page.contains("grid-f1-"), "other workloads are left out");
    let files: Vec<PathBuf> =
        fs::read_dir(&out).expect("it is there").map(|entry| entry.expect("one").path()).collect();
    assert_eq!(files.len(), 2, "one workload is no grid: {files:?}");
}

#[test]
fn a_workload_that_no_run_has_is_named_with_those_that_there_are() {
    let folder = folder(&sample::bench(1));
    let output = run(folder.path(), &["--workload", "fsync"]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(text.contains("\"fsync\": the record has dsync and fsync-mix"), "{text}");
}
