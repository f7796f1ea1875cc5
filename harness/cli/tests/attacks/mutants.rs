//! Mutants of everything that is read: no panic, known codes, plain and short messages, small pages.

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use iowq_contract::{Record, clean_message};
use iowq_reports::compare::Rules;
use iowq_reports::export::{Format, Table};
use iowq_reports::import::Tool;
use iowq_reports::load;
use iowq_reports::output::{
    CompareRequest, ExportRequest, ImportRequest, KernelsRequest, ReportRequest, compare, export,
    import, kernels, report,
};
use iowq_sample as sample;
use iowq_workloads::{Engines, Plan};
use serde::Serialize;
use serde_json::Value;

use crate::campaign::{Attack, Chance, FIGURES, brief, call, count};
use crate::checks::{ended_well, files_are_well, is_plain};
use crate::commands::{iowq, run};
use crate::mutate;
use crate::support::Place;

const RULES: Rules = Rules { threshold: 0.05, alpha: 0.05 };

/// One mutant in this many is read by a process of its own.
const CHILDREN: usize = 8;

pub(crate) const RECORDS: Attack =
    Attack { name: "records_of_any_kind_are_read_or_refused", once: record };

pub(crate) const WORKLOADS: Attack =
    Attack { name: "specs_and_job_files_of_any_kind_are_read_or_refused", once: workload };

pub(crate) const IMPORTS: Attack =
    Attack { name: "what_fio_wrote_is_imported_or_refused", once: fio_output };

pub(crate) const BOOTS: Attack =
    Attack { name: "boots_of_any_kind_are_compared_or_refused", once: boots };

#[test]
fn records_of_any_kind_are_read_or_refused() {
    brief(RECORDS);
}

#[test]
fn specs_and_job_files_of_any_kind_are_read_or_refused() {
    brief(WORKLOADS);
}

#[test]
fn what_fio_wrote_is_imported_or_refused() {
    brief(IMPORTS);
}

#[test]
fn boots_of_any_kind_are_compared_or_refused() {
    brief(BOOTS);
}

fn values(of: &[impl Serialize]) -> Vec<Value> {
    of.iter().map(|one| serde_json::to_value(one).expect("it is JSON")).collect()
}

/// As lines of a record, whose figures agree.
fn record_values(of: &[Record]) -> Vec<Value> {
    let lines = sample::lines(of);
    lines.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect()
}

/// What is refused is refused with words.
fn answered<T, E: Display>(result: Result<T, E>) {
    match result {
        Ok(_) => count(&FIGURES.mutants_read, 1),
        Err(error) => {
            let text = error.to_string();
            assert!(!text.is_empty());
            is_plain("a message", clean_message(&text).as_bytes());
        }
    }
}

/// Calls a command in a process of its own, which ends well and leaves files that are well.
fn child(place: &Place, arguments: &[&str]) -> Option<i32> {
    let output = run(iowq(place, arguments));
    ended_well(&arguments.join(" "), &output);
    let code = output.status.code();
    count(&FIGURES.mutants_read, usize::from(code != Some(2)));
    code
}

fn write(place: &Place, name: &str, bytes: &[u8]) -> PathBuf {
    let path = place.home().join(name);
    fs::write(&path, bytes).expect("a file");
    path
}

fn record(chance: &mut Chance) {
    static SOURCES: LazyLock<[Vec<Value>; 4]> = LazyLock::new(|| {
        let mut pairs = sample::pairs(6, |_| ());
        pairs.iter_mut().for_each(|record| record.latency.drop_histograms());
        let bench = sample::bench(1);
        let kernel = sample::bench_with_kernel(1);
        [&bench[..4], &bench[4..], &kernel[..5], &pairs].map(record_values)
    });
    count(&FIGURES.mutants, 1);
    let place = Place::new();
    let source = chance.of(&*SOURCES);
    let path = write(&place, "record.jsonl", &mutate::lines(source, chance));
    if chance.one_in(CHILDREN) {
        read_by_a_child(&place, chance);
    } else {
        call(|| read_here(&place, &path, chance));
    }
    files_are_well(&place.out());
}

fn read_by_a_child(place: &Place, chance: &mut Chance) {
    let (format, _) = *chance.of(&Format::ALL);
    let code = match chance.below(3) {
        0 => child(place, &["report", "record.jsonl", "--out", "out"]),
        1 => {
            let json = *chance.of(&["text", "json", "ktap"]);
            let sets = ["compare", "record.jsonl@6.12", "record.jsonl@6.17", "--format", json];
            child(place, &[&sets[..], &["--out", "out"]].concat())
        }
        _ => child(place, &["export", "record.jsonl", "--format", format]),
    };
    assert!(code.is_some());
}

fn read_here(place: &Place, path: &Path, chance: &mut Chance) {
    let (records, out) = ([path.to_owned()], place.out());
    if chance.one_in(3) {
        let request = ReportRequest { records: &records, out: Some(&out), ..Default::default() };
        answered(report(&request));
    } else if chance.one_in(2) {
        let sets = ["6.12", "6.17"].map(|policy| format!("{}@{policy}", path.display()).into());
        let request = CompareRequest {
            sets: &sets,
            workloads: &[],
            rules: RULES,
            confirmed_by: &[],
            out: Some(&out),
        };
        answered(compare(&request));
    } else {
        let (name, format) = *chance.of(&Format::ALL);
        let out = place.home().join(name);
        let (_, table) = *chance.of(&Table::ALL);
        let request =
            ExportRequest { records: &records, workloads: &[], format, table, out: Some(&out) };
        let exported = export(&request);
        if exported.is_ok() {
            is_plain(name, &fs::read(&out).expect("an export"));
        }
        answered(exported);
    }
}

/// Texts of the files of a folder of this tree that end like this.
fn texts(folder: &str, ending: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
    let entries = fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path());
    let mut paths: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|it| it == ending)).collect();
    paths.sort();
    paths.iter().map(|path| fs::read_to_string(path).expect("a text")).collect()
}

fn workload(chance: &mut Chance) {
    static SPECS: LazyLock<Vec<String>> = LazyLock::new(|| texts("workloads/specs", "toml"));
    static JOBS: LazyLock<Vec<String>> = LazyLock::new(|| texts("workloads/fio", "fio"));
    count(&FIGURES.mutants, 1);
    let is_job = chance.one_in(2);
    let (all, ending) = if is_job { (&*JOBS, "fio") } else { (&*SPECS, "toml") };
    let text = mutate::settings(chance.of::<String>(all), chance);
    let parsed = call(|| match is_job {
        true => Plan::parse_fio("job", "job.fio", &text, Engines::AsIoUring).map(|_| ()),
        false => Plan::parse("spec", "spec.toml", &text).map(|_| ()),
    });
    let refused = parsed.is_err();
    answered(parsed);
    if refused && chance.one_in(4 * CHILDREN) {
        let place = Place::new();
        let name = *chance.of(&["x", "\u{1b}[31mx", "\u{202e}x", "x y"]);
        let name = format!("{name}.{ending}");
        place.write(&name, &text);
        let code = child(&place, &["bench", "--workload", &name, "--dir", "files", "--out", "out"]);
        assert_eq!(code, Some(2), "{text}");
        place.assert_untouched();
    }
}

fn fio_output(chance: &mut Chance) {
    static SOURCES: LazyLock<Vec<Value>> = LazyLock::new(|| {
        let texts = texts("reports/tests/fio", "json");
        texts.iter().map(|text| serde_json::from_str(text).expect("it is JSON")).collect()
    });
    count(&FIGURES.mutants, 1);
    let place = Place::new();
    let text = mutate::json_text(chance.of(&SOURCES).clone(), chance);
    let fio = write(&place, "fio.json", &mutate::damaged(text.into_bytes(), chance));
    let out = place.home().join("imported");
    if chance.one_in(2 * CHILDREN) {
        let code = child(&place, &["import", "--fio", "fio.json", "--out", "imported"]);
        assert_eq!(code == Some(0), out.exists());
    } else {
        let request =
            ImportRequest { files: &[fio], tool: Tool::Fio, unit: None, workload: None, out: &out };
        let imported = call(|| import(&request));
        assert_eq!(imported.is_ok(), out.exists());
        answered(imported);
    }
    if out.exists() {
        let loaded = call(|| load::load(std::slice::from_ref(&out)));
        assert!(loaded.is_ok(), "an import is refused: {:?}", loaded.err());
    }
}

fn boots(chance: &mut Chance) {
    static MADE: LazyLock<(Value, Vec<Value>, Vec<Value>)> = LazyLock::new(|| {
        let (kernels, boots, mut records) = sample::kernels(2);
        records.retain(|run| matches!(&*run.key.workload, "paced" | "dsync-1"));
        let kernels = serde_json::to_value(&kernels).expect("it is JSON");
        (kernels, values(&boots), record_values(&records))
    });
    count(&FIGURES.mutants, 1);
    let place = Place::new();
    let (kernels_json, boots, records) = &*MADE;
    let which = chance.below(4);
    let mut part = |name: &str, number: usize, mutated: &dyn Fn(&mut Chance, bool) -> Vec<u8>| {
        let changed = which == number || which == 3;
        let bytes = mutated(chance, changed);
        write(&place, name, &bytes);
    };
    part("kernels.json", 0, &|chance, changed| match changed {
        true => mutate::damaged(mutate::json_text(kernels_json.clone(), chance).into(), chance),
        false => kernels_json.to_string().into_bytes(),
    });
    for (name, number, all) in [("boots.jsonl", 1, boots), ("record.jsonl", 2, records)] {
        part(name, number, &|chance, changed| match changed {
            true => mutate::lines(all, chance),
            false => all.iter().flat_map(|one| (one.to_string() + "\n").into_bytes()).collect(),
        });
    }
    if chance.one_in(CHILDREN) {
        let command = *chance.of(&["compare", "report"]);
        child(&place, &[command, ".", "--out", "out"]);
    } else {
        let out = place.out();
        let request =
            KernelsRequest { dir: place.home(), confirmed_by: None, rules: RULES, out: Some(&out) };
        answered(call(|| kernels(&request)));
    }
    files_are_well(&place.out());
}
