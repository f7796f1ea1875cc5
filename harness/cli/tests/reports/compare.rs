//! From records to a verdict: what is printed and written, and the exit code that a script sees.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use iowq_contract::Record;
use iowq_sample as sample;

fn folder(records: &[Record]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("record.jsonl");
    fs::write(path, sample::lines(records)).expect("a record can be written");
    folder
}

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(crate::IOWQ);
    command.arg("compare").args(arguments).output().expect("it starts")
}

fn compare(records: &[Record], arguments: &[&str]) -> Output {
    let folder = folder(records);
    let set = |policy| format!("{}@{policy}", folder.path().display());
    run(&[&[set("6.12").as_str(), &set("6.17")], arguments].concat())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("it is text")
}

fn expected(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reports/tests/expected").join(name)
}

/// A regression in p99, an improvement in churn, and two metrics that do not change.
fn mixed() -> Vec<Record> {
    sample::pairs(10, |run| {
        let all = run.latency.response.get_mut("all").expect("it has one");
        all.p99_ns = all.p99_ns * 6 / 5;
        sample::create(run, 30, 5);
        run.ops.cpu_ns = None;
    })
}

#[test]
fn the_text_is_as_expected_and_fits_a_mail() {
    let printed = text(&compare(&mixed(), &[]).stdout);
    let path = expected("compare.txt");
    if std::env::var_os("IOWQ_UPDATE_EXPECTED").is_some() {
        fs::write(&path, &printed).expect("the file can be written");
    }
    let wanted = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(printed, wanted, "{}", path.display());
    assert!(printed.lines().all(|line| line.chars().count() <= 76));
    assert!(printed.is_ascii());
}

#[test]
fn exit_codes_tell_a_script_what_came_of_it() {
    let code = |records: &[Record]| compare(records, &[]).status.code();
    assert_eq!(code(&sample::pairs(10, |_| ())), Some(0), "equivalent");
    assert_eq!(code(&sample::pairs(10, |run| run.ops.per_s *= 1.2)), Some(0), "improvement");
    assert_eq!(code(&mixed()), Some(1), "a regression, whatever else is better");
    assert_eq!(code(&sample::pairs(2, |run| run.ops.per_s *= 1.2)), Some(3), "inconclusive");
    let lost = sample::pairs(10, |run| run.probe.events_lost = 1);
    assert_eq!(code(&lost), Some(3), "barred");
    assert_eq!(run(&["no-such-file", "nor-this"]).status.code(), Some(2), "trouble");
}

#[test]
fn a_text_that_cannot_be_printed_whole_is_trouble_and_a_closed_pipe_is_not() {
    let folder = folder(&sample::pairs(10, |_| ()));
    let set = |policy| format!("{}@{policy}", folder.path().display());
    let printing_to = |out: Stdio| {
        let mut command = Command::new(crate::IOWQ);
        command.arg("compare").args([set("6.12"), set("6.17")]).stdout(out);
        command.output().expect("it starts")
    };
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    drop(reader);
    assert_eq!(printing_to(writer.into()).status.code(), Some(0));
    let full = fs::OpenOptions::new().write(true).open("/dev/full");
    let output = printing_to(full.expect("Linux has it").into());
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("cannot be printed"), "{}", text(&output.stderr));
}

#[test]
fn of_several_tests_the_worst_counts() {
    let mut records = mixed();
    let mut third = sample::pairs(10, |run| "6.16".clone_into(&mut run.key.policy));
    third.retain(|run| run.key.policy == "6.16");
    third.iter_mut().for_each(|run| run.probe.events_lost = 1);
    records.extend(third);
    let folder = folder(&records);
    let set = |policy: &str| format!("{}@{policy}", folder.path().display());
    let (base, regressed, barred) = (set("6.12"), set("6.17"), set("6.16"));
    assert_eq!(run(&[&base, &barred]).status.code(), Some(3));
    assert_eq!(run(&[&base, &barred, &regressed]).status.code(), Some(1));
    assert_eq!(run(&[&base, &regressed, "no-such-file"]).status.code(), Some(2));
}

#[test]
fn files_are_written_where_it_was_asked_for() {
    let out = tempfile::tempdir().expect("a folder can be made");
    let dir = out.path().join("new");
    let shown = dir.display().to_string();
    let printed = compare(&mixed(), &["--out", &shown, "--format", "json"]).stdout;
    let read = |name| fs::read_to_string(dir.join(name)).expect("it was written");
    let expected = fs::read_to_string(expected("compare.txt")).expect("it is committed");
    assert_eq!(read("summary.txt"), expected);
    assert!(read("report.html").contains("iowq-lab comparison"));
    assert_eq!(read("compare.json"), text(&printed));
    let values: serde_json::Value = serde_json::from_slice(&printed).expect("it is JSON");
    assert_eq!(values["all"][0]["verdict"], "regression");
    assert_eq!(values["all"][0]["primary"][2]["metric"], "response_p99");
}

#[test]
fn a_record_that_would_have_to_be_mended_is_refused_with_its_line() {
    let error = |lines: &str| {
        let folder = tempfile::tempdir().expect("a folder can be made");
        fs::write(folder.path().join("record.jsonl"), lines).expect("a record can be written");
        let set = |policy| format!("{}@{policy}", folder.path().display());
        let output = run(&[&set("6.12"), &set("6.17")]);
        assert_eq!(output.status.code(), Some(2));
        text(&output.stderr)
    };
    let whole = sample::lines(&sample::pairs(3, |_| ()));
    let cut = error(&whole[..whole.len() - 100]);
    assert!(cut.contains("record.jsonl, line 6: cut off"), "{cut}");
    assert!(cut.contains("Remove the line"), "{cut}");
    let first = whole.lines().next().expect("there are lines");
    let twice = error(&format!("{whole}{first}\n"));
    assert!(
        twice.contains("record.jsonl, line 7: is the same run as record.jsonl, line 1"),
        "{twice}"
    );
    assert!(twice.contains("remove one of the two lines"), "{twice}");
}

#[test]
fn a_folder_that_holds_runs_or_another_page_is_no_place_for_a_comparison() {
    let records = sample::pairs(3, |_| ());
    for (name, content) in [("record.jsonl", ""), ("report.html", "<h1>a report</h1>")] {
        let out = tempfile::tempdir().expect("a folder can be made");
        fs::write(out.path().join(name), content).expect("it is written");
        let shown = out.path().display().to_string();
        let output = compare(&records, &["--out", &shown]);
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(text(&output.stderr).contains(name), "{}", text(&output.stderr));
        assert_eq!(fs::read_to_string(out.path().join(name)).expect("it is there"), content);
        assert_eq!(fs::read_dir(out.path()).expect("it is a folder").count(), 1);
    }
    let again = tempfile::tempdir().expect("a folder can be made");
    let shown = again.path().display().to_string();
    for _ in 0..2 {
        assert_eq!(compare(&records, &["--out", &shown]).status.code(), Some(3));
    }
}

#[test]
fn bad_flags_and_sets_are_told_what_is_allowed() {
    let error = |output: Output| {
        assert_eq!(output.status.code(), Some(2));
        text(&output.stderr)
    };
    let records = sample::pairs(1, |_| ());
    assert!(error(compare(&records, &["--threshold", "0"])).contains("0.1 to 100"));
    assert!(error(compare(&records, &["--alpha", "NaN"])).contains("0.001 to 0.2"));
    assert!(error(compare(&records, &["--workload", "nop"])).contains("the record has dsync"));
    let folder = folder(&records);
    let path = folder.path().display().to_string();
    let several = error(run(&[&path]));
    assert!(several.contains(&format!("`compare {path}@6.12 {path}@6.17`")), "{several}");
    assert!(error(run(&[&format!("{path}@6.12")])).contains("second set"));
}
