//! From a folder of boots to verdicts: what is printed and written, and the exit code.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use iowq_contract::{Boot, Ended, Kernels, Record, Role};
use iowq_reports::compare::{Metric, Pairing, Rules, Verdict};
use iowq_reports::kernels::{outcome, read};
use iowq_reports::render::page::PAGE_BYTES_MAX;
use iowq_sample as sample;

type Made = (Kernels, Vec<Boot>, Vec<Record>);

const RULES: Rules = Rules { threshold: 0.05, alpha: 0.05 };

/// Only these kernels, in this order.
fn only(labels: &[&str], rounds: u32) -> Made {
    only_of(sample::kernels(rounds), labels)
}

/// The same, with the base once more in each round.
fn with_noise(labels: &[&str], rounds: u32) -> Made {
    only_of(sample::kernels_with_noise(rounds), labels)
}

fn only_of((mut kernels, mut boots, mut records): Made, labels: &[&str]) -> Made {
    let place = |label: &str| labels.iter().position(|one| *one == label);
    kernels.kernels.retain(|kernel| place(&kernel.label).is_some());
    kernels.kernels.sort_by_key(|kernel| place(&kernel.label));
    boots.retain(|boot| place(&boot.kernel).is_some());
    records.retain(|run| run.key.boot.as_ref().is_some_and(|boot| place(&boot.kernel).is_some()));
    (kernels, boots, records)
}

fn folder((kernels, boots, records): &Made) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let write = |name: &str, text: String| {
        fs::write(folder.path().join(name), text).expect("a file can be written");
    };
    write("kernels.json", serde_json::to_string(kernels).expect("it is JSON"));
    let line = |boot: &Boot| serde_json::to_string(boot).expect("it is JSON") + "\n";
    // Tests leave runs out.
    let runs = |boot: &Boot| {
        let of = |run: &&Record| run.key.boot.as_ref().is_some_and(|it| it.number == boot.number);
        records.iter().filter(of).count() as u32
    };
    let boots = boots.iter().map(|boot| line(&Boot { runs: runs(boot), ..boot.clone() }));
    write("boots.jsonl", boots.collect());
    write("record.jsonl", sample::lines(records));
    folder
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(crate::IOWQ);
    command
        .arg("compare")
        .arg(folder)
        .arg("--out")
        .arg(folder)
        .args(arguments)
        .output()
        .expect("it starts")
}

fn code(made: &Made) -> Option<i32> {
    run(folder(made).path(), &["--format", "json"]).status.code()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("it is text")
}

fn expected(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reports/tests/expected").join(name)
}

/// Without `cycle`, in which the last of them pays a price.
fn series(rounds: u32) -> Made {
    let (kernels, boots, mut records) = only(&["base", "A", "AB", "X"], rounds);
    records.retain(|run| run.key.workload != "cycle");
    (kernels, boots, records)
}

#[test]
fn the_text_is_as_expected_and_fits_a_mail() {
    let made = [sample::kernels(8), with_noise(&["base", "AB", "X"], 8)];
    for (made, name) in made.iter().zip(["kernels.txt", "kernels-noise.txt"]) {
        let printed = text(&run(folder(made).path(), &[]).stdout);
        let summary = printed.split("\nreport ").next().unwrap_or_default();
        let path = expected(name);
        if std::env::var_os("IOWQ_UPDATE_EXPECTED").is_some() {
            fs::write(&path, summary).expect("the file can be written");
        }
        assert_eq!(summary, fs::read_to_string(&path).unwrap_or_default(), "{}", path.display());
        assert!(summary.lines().all(|line| line.chars().count() <= 76) && summary.is_ascii());
    }
}

/// What is printed, without its line breaks, and both pages.
fn shown(made: &Made) -> (String, [String; 2]) {
    let folder = folder(made);
    let printed = text(&run(folder.path(), &[]).stdout);
    let pages = ["report.html", "pairs.html"]
        .map(|name| fs::read_to_string(folder.path().join(name)).expect("it was written"));
    (printed.split_whitespace().collect::<Vec<_>>().join(" "), pages)
}

#[test]
fn the_base_once_more_is_a_floor_and_no_kernel_under_test() {
    let made = with_noise(&["base", "AB", "X"], 8);
    let (printed, [page, pairs]) = shown(&made);
    for part in [
        "Noise floor: base against itself",
        "base again",
        "32 boots of 3 kernels, 8 of them for noise",
    ] {
        assert!(page.contains(part), "{part} is not in the page");
    }
    assert!(pairs.contains("Of the base against itself, the largest change is in"));
    assert!(pairs.contains("AB was not booted against itself"), "a step begins at another kernel");
    assert!(!pairs.contains("noise-of-another"));
    let rows = printed.matches("base again").count();
    assert_eq!(rows, 0, "noise has no row: {printed}");
    let booted = read::read(folder(&made).path()).expect("it is a folder of boots");
    let outcome = outcome::compare(&booted, RULES, None).expect("nothing is to be confirmed");
    assert!(outcome.table.iter().all(|row| row.boots == 8));
    for one in &outcome.comparisons.all {
        assert_eq!(one.pairing, Pairing::Paired { pairs: 8, left_over: 0 });
        assert!(one.primary.iter().all(|finding| finding.noise_floor.is_some()), "{one:?}");
    }
    assert!(outcome.steps.iter().all(|one| one.noise.is_empty()));
}

#[test]
fn a_base_that_differs_from_itself_bars_every_verdict() {
    let mut made = with_noise(&["base", "AB"], 8);
    made.2.retain(|run| run.key.workload == "paced");
    assert_eq!(code(&made), Some(0), "AB is better");
    for run in made.2.iter_mut().filter(|run| run.key.role == Role::Noise) {
        run.workers.peak = Some(40);
    }
    assert_eq!(code(&made), Some(3));
    let (printed, [page, _]) = shown(&made);
    assert!(printed.contains("! paced, AB: no verdict, noise-rejects"), "{printed}");
    assert!(printed.contains("peak 24 (raises the threshold)"), "{printed}");
    assert!(page.contains("The base differs from itself in most workers alive"));
}

#[test]
fn noise_that_never_came_back_is_said_and_gives_no_floor() {
    let (kernels, mut boots, mut records) = with_noise(&["base", "AB"], 8);
    boots.iter_mut().filter(|boot| boot.role == Role::Noise).for_each(|boot| {
        boot.ended = Ended::Died;
    });
    records.retain(|run| run.key.role == Role::Measured);
    let (printed, _) = shown(&(kernels, boots, records));
    assert!(printed.contains("no boot for noise finished"), "{printed}");
    assert!(!printed.contains("How far base differs from itself"), "{printed}");
}

#[test]
fn a_base_that_breaks_the_limit_in_a_boot_for_noise_makes_no_fault_of_it() {
    let mut made = with_noise(&["base", "S"], 8);
    made.2.retain(|run| run.key.workload == "limit-8");
    assert_eq!(code(&made), Some(1));
    let noise = made.2.iter_mut().find(|run| run.key.role == Role::Noise);
    let noise = noise.expect("there is one");
    sample::create(noise, noise.workers.created.best().unwrap_or(0).max(20), 20);
    assert!(!shown(&made).0.contains("bounded workers live under"));
}

#[test]
fn boots_of_a_round_are_pairs_and_repeats_in_a_boot_are_averaged() {
    let (kernels, boots, mut records) = series(7);
    let mut again: Vec<Record> = records.clone();
    for run in &mut again {
        let created = run.workers.created.best().expect("it was counted");
        sample::create(run, created + run.ops.done / 500, run.workers.peak.unwrap_or_default());
        run.started.insert(0, 'x');
        run.key.boot.iter_mut().for_each(|boot| boot.repeat = 1);
    }
    records.extend(again);
    let folder = folder(&(kernels, boots, records));
    let booted = read::read(folder.path()).expect("it is a folder of boots");
    let outcome = outcome::compare(&booted, RULES, None).expect("nothing is to be confirmed");
    let [first, _] = outcome.of("paced", "AB");
    let first = first.expect("it was compared");
    assert_eq!(first.pairing, Pairing::Paired { pairs: 7, left_over: 0 });
    let metrics: Vec<Metric> = first.primary.iter().map(|finding| finding.metric).collect();
    assert_eq!(metrics, [Metric::CreatedPer1000, Metric::Peak, Metric::Linger]);
    assert_eq!((first.verdict, outcome.steps.len()), (Some(Verdict::Improvement), 8));
    let [_, step] = outcome.of("paced", "AB");
    assert_eq!(step.map(|one| one.base.as_str()), Some("A"));
    let point = first.primary[0].points[0];
    let of_boot = booted.loaded.records.iter().filter(|run| {
        let number = run.key.boot.as_ref().map(|boot| boot.number);
        number == Some(point.base_position) && run.key.workload == "paced"
    });
    let values: Vec<f64> = of_boot
        .filter(|run| run.key.engine == "uring")
        .filter_map(|run| run.workers.created_per_1000_ops)
        .collect();
    assert_eq!(values.len(), 2);
    assert!((point.base - (values[0] + values[1]) / 2.0).abs() < 1e-9);
}

#[test]
fn exit_codes_tell_a_script_what_came_of_it() {
    let better = |spoil: &dyn Fn(&mut Boot)| {
        let (kernels, mut boots, mut records) = only(&["base", "AB"], 8);
        records.retain(|run| run.key.workload == "paced");
        boots.iter_mut().for_each(spoil);
        (kernels, boots, records)
    };
    let of = |label: &'static str, ended: Ended| {
        better(&move |boot| {
            if boot.kernel == label && boot.round < 2 {
                boot.ended = ended;
            }
        })
    };
    assert_eq!(code(&better(&|_| ())), Some(0), "better, or the same");
    assert_eq!(code(&of("AB", Ended::Hung)), Some(1), "the test hangs");
    assert_eq!(code(&of("base", Ended::Hung)), Some(0), "the base hangs");
    let both = better(&|boot| {
        if boot.kernel == "AB" || boot.round == 0 {
            boot.ended = Ended::Hung;
        }
    });
    assert_eq!(code(&both), Some(1), "the test hangs always, and the base once");
    assert_eq!(code(&of("AB", Ended::Died)), Some(0), "some boots are missing");
    let died = better(&|boot| {
        if boot.kernel == "AB" {
            boot.ended = Ended::Died;
        }
    });
    assert_eq!(code(&died), Some(2), "no boot of the test finished");
    assert_eq!(code(&only(&["base", "X"], 8)), Some(1), "worse on one workload");
    assert_eq!(run(Path::new("no-such-folder"), &[]).status.code(), Some(2), "trouble");
}

/// The price of the last patch, as another call would see it.
fn fresh(change: impl Fn(&mut Record)) -> Made {
    let (kernels, mut boots, mut records) = only(&["base", "X"], 8);
    boots.iter_mut().for_each(|boot| "2026-11-21T05:00:00Z".clone_into(&mut boot.started));
    for run in &mut records {
        run.started.insert(0, 'y');
        run.key.seed += 100;
        change(run);
    }
    (kernels, boots, records)
}

#[test]
fn a_regression_counts_where_fresh_boots_show_it_too() {
    let first = folder(&only(&["base", "X"], 8));
    let code = |fresh: &Made| {
        let fresh = folder(fresh);
        let output = run(first.path(), &["--confirmed-by", &fresh.path().display().to_string()]);
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    assert_eq!(code(&fresh(|_| ())).0, Some(1), "worse once more");
    let (exit, printed, _) = code(&fresh(|run| {
        sample::create(run, (run.ops.done * 3 / 1000).max(3), 3);
    }));
    assert_eq!(exit, Some(3), "not worse again: {printed}");
    let (exit, _, said) = code(&only(&["base", "X"], 8));
    assert_eq!(exit, Some(2));
    assert!(said.contains("is to be confirmed itself"), "{said}");
    let (mut kernels, boots, records) = fresh(|_| ());
    kernels.machine.cpus += 1;
    let (exit, _, said) = code(&(kernels, boots, records));
    assert_eq!(exit, Some(2));
    assert!(said.contains("on another machine"), "{said}");
    let (mut kernels, boots, records) = fresh(|_| ());
    kernels.noise = true;
    let (exit, _, said) = code(&(kernels, boots, records));
    assert_eq!(exit, Some(2));
    assert!(said.contains("with other noise"), "{said}");
}

#[test]
fn a_broken_limit_is_a_regression_however_few_the_boots_and_said_in_a_sentence() {
    let mut made = only(&["base", "S"], 1);
    made.2.retain(|run| run.key.workload == "limit-8");
    let folder = folder(&made);
    let output = run(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(1));
    let printed = text(&output.stdout);
    let printed = printed.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(printed.contains("! limit-8: S let 6"), "{printed}");
    assert!(printed.contains("bounded workers live under a limit of 8, in 1 of 1 boot;"));
    let page = fs::read_to_string(folder.path().join("report.html")).expect("it was written");
    assert!(page.contains("limit-broken") && page.contains("under a limit of 8"));
}

#[test]
fn a_kernel_that_never_came_up_is_told_without_any_run() {
    let (kernels, mut boots, records) = only(&["base", "B"], 2);
    for boot in boots.iter_mut().filter(|boot| boot.kernel == "B") {
        boot.ended = Ended::Panicked;
        boot.console_tail = vec!["Kernel panic - not syncing".to_owned()];
    }
    let of_base = |run: &Record| run.key.boot.as_ref().is_some_and(|boot| boot.kernel == "base");
    let records: Vec<Record> = records.into_iter().filter(of_base).collect();
    let none = (kernels.clone(), boots.clone(), Vec::new());
    let folder = folder(&(kernels, boots, records));
    let output = run(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("! B panicked in 2 of 2 boots"));
    let ktap = text(&run(folder.path(), &["--format", "ktap"]).stdout);
    assert!(ktap.contains("# B panicked in 2 of 2 boots") && ktap.contains("not ok 7 boots of B"));
    let page = fs::read_to_string(folder.path().join("report.html")).expect("it was written");
    assert!(page.contains("Kernel panic - not syncing"));
    assert_eq!(code(&none), Some(1));
}

#[test]
fn pages_hold_all_that_was_booted_and_fetch_nothing() {
    let (mut kernels, boots, records) = sample::kernels(3);
    let config = kernels.kernels[2].config.as_mut().expect("it has one");
    config.insert("HZ".to_owned(), "<1000>".to_owned());
    let folder = folder(&(kernels, boots, records));
    let printed = run(folder.path(), &["--format", "ktap"]).stdout;
    assert!(text(&printed).contains("boots of base"), "{}", text(&printed));
    for name in ["report.html", "pairs.html"] {
        let page = fs::read_to_string(folder.path().join(name)).expect("it was written");
        for outside in ["http:", "https:", "<script", "<link", "@import", "url("] {
            assert!(!page.contains(outside), "{outside} is in {name}");
        }
        assert!(!page.contains("#C1") && !page.contains("#A1"), "a stand-in colour was left");
        assert!(page.len() <= PAGE_BYTES_MAX, "{} bytes", page.len());
    }
    let page = fs::read_to_string(folder.path().join("report.html")).expect("it was written");
    let parts = [
        "What decides here, and why",
        "Step by step",
        "Workers created per 1000 ops, by boot",
        "How long workers stayed",
        "6.17-as-posted differs on",
        "CONFIG_HZ",
        "&#60;1000&#62;",
        "/dev/kvm cannot be opened",
        "A line is a round",
        "bzImage-6.12.117-AB",
    ];
    for part in parts {
        assert!(page.contains(part), "{part} is not in the page");
    }
}

#[test]
fn runs_that_are_not_those_of_their_boot_are_refused() {
    let refused = |change: fn(&mut Vec<Record>)| {
        let mut made = only(&["base", "AB"], 8);
        let folder = folder(&made);
        change(&mut made.2);
        fs::write(folder.path().join("record.jsonl"), sample::lines(&made.2)).expect("it is there");
        let output = run(folder.path(), &[]);
        assert_eq!(output.status.code(), Some(2));
        text(&output.stderr)
    };
    let gone = refused(|runs| _ = runs.pop());
    assert!(gone.contains("has 4 runs of boot") && gone.contains("says 5"), "{gone}");
    let swapped = refused(|runs| {
        for boot in runs.iter_mut().filter_map(|run| run.key.boot.as_mut()) {
            boot.kernel = if boot.kernel == "AB" { "base" } else { "AB" }.to_owned();
        }
    });
    assert!(swapped.contains(r#"kernel of a run of boot 0 is "AB""#), "{swapped}");
    let other = refused(|runs| {
        runs.iter_mut().filter_map(|run| run.key.boot.as_mut()).for_each(|boot| boot.round ^= 1);
    });
    assert!(other.contains(r#"round of a run of boot 0 is "1""#), "{other}");
}

#[test]
fn a_folder_that_is_none_is_refused_with_what_is_wrong() {
    let error = |name: &str, content: &str| {
        let folder = folder(&only(&["base", "A"], 1));
        fs::write(folder.path().join(name), content).expect("a file can be written");
        let output = run(folder.path(), &[]);
        assert_eq!(output.status.code(), Some(2));
        text(&output.stderr)
    };
    assert!(error("kernels.json", "{}").contains("missing field"));
    let (mut kernels, mut boots, mut records) = only(&["base", "A"], 1);
    records[0].key.role = Role::Noise;
    let line = sample::lines(&records[..1]);
    assert!(error("record.jsonl", &line).contains("role of a run of boot"));
    boots[0].kernel = "Z".to_owned();
    let line = serde_json::to_string(&boots[0]).expect("it is JSON") + "\n";
    assert!(error("boots.jsonl", &line).contains("line 1: kernel is \"Z\""));
    boots[0].kernel = "A".to_owned();
    boots[0].role = Role::Noise;
    let line = serde_json::to_string(&boots[0]).expect("it is JSON") + "\n";
    assert!(error("boots.jsonl", &line).contains("line 1: role is \"noise\""));
    kernels.schema = "iowq-lab/kernels/9".to_owned();
    let other = serde_json::to_string(&kernels).expect("it is JSON");
    assert!(error("kernels.json", &other).contains("iowq-report that belongs to it"));
    kernels.kernels.truncate(1);
    kernels.schema = "iowq-lab/kernels/1".to_owned();
    let alone = serde_json::to_string(&kernels).expect("it is JSON");
    assert!(error("kernels.json", &alone).contains("from 2 to 32"));
}

/// Runs of two kernels, each with two limits in every boot.
fn limited(rounds: u32) -> Made {
    let (kernels, boots, records) = only(&["base", "A"], rounds);
    let of = |limit: &str| {
        let mut records = records.clone();
        for run in &mut records {
            run.key.set.0.insert("workers.bounded".to_owned(), limit.to_owned());
            run.settings_unset = Some(run.settings.clone());
            run.settings.depth = limit.parse().expect("a number");
        }
        records
    };
    (kernels, boots, [of("4"), of("64")].concat())
}

#[test]
fn kernels_are_compared_under_each_value_that_was_set() {
    let folder = folder(&limited(8));
    let output = run(folder.path(), &[]);
    let said = text(&output.stdout);
    for limit in ["4", "64"] {
        assert!(said.contains(&format!("\nbounded={limit}")), "below the workload: {said}");
        let sentence = format!("dsync-1 bounded={limit}");
        assert!(said.contains(&sentence), "{sentence} is not in {said}");
    }
    assert!(!said.contains("settings-differ"), "{said}");
}

#[test]
fn values_that_were_set_are_compared_within_the_boots_of_a_kernel() {
    let folder = folder(&limited(8));
    let set = |limit: &str| format!("{}@base,bounded={limit}", folder.path().display());
    let output = Command::new(crate::IOWQ)
        .args(["compare", &set("64"), &set("4"), "--workload", "dsync-1"])
        .output()
        .expect("it starts");
    let said = text(&output.stdout);
    assert!(said.contains("8 pairs"), "{said}{}", text(&output.stderr));
    assert!(said.contains("What differs: workers.bounded 64 against 4."), "{said}");
    assert!(!said.contains("No verdict") && !said.contains("ran first"), "{said}");
}
