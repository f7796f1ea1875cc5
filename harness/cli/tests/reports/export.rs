//! Exports: what each format looks like, and that its own rules hold.
//!
//! Set `IOWQ_UPDATE_EXPECTED=1` to write the expected files after a wanted change.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use iowq_contract::{Caveat, Code, Record, Role};
use iowq_reports::compare::{
    Comparison, Comparisons, Finding, Metric, Pairing, Scale, Verdict, ktap,
};
use iowq_reports::export::{Format, Table};
use iowq_reports::import;
use iowq_sample as sample;
use serde_json::Value;

fn bytes_of(format: Format, runs: &[Record], table: Table) -> Vec<u8> {
    format.bytes(runs, &|run| Ok(Cow::Borrowed(run)), table).expect("nothing is read again")
}

/// The text of runs that are in memory with all that they have.
fn text_of(format: Format, runs: &[Record]) -> String {
    String::from_utf8(bytes_of(format, runs, Table::Runs)).expect("it is text")
}

/// Two runs of a cell, a control run, a cell of another workload, and a run that failed.
fn runs() -> Vec<Record> {
    let mut runs: Vec<Record> = (0..2).map(|pair| sample::run("fsync-mix", "6.12", pair)).collect();
    runs.push(sample::run("fsync-mix", "6.12", 2));
    runs.push(sample::kernel_run("dsync", 0));
    runs.push(sample::run("dsync", "6.17", 0));
    runs[3].host = runs[0].host.clone();
    runs[2].key.role = Role::Control;
    runs[4].error = Some("disk full".to_owned());
    for (second, run) in runs.iter_mut().enumerate() {
        run.started = format!("2026-11-21T02:00:{second:02}.5Z");
    }
    let lines = sample::lines(&runs);
    lines.lines().map(|line| serde_json::from_str(line).expect("it is a record")).collect()
}

fn is_as_expected(name: &str, text: &str) {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reports/tests/expected").join(name);
    if std::env::var_os("IOWQ_UPDATE_EXPECTED").is_some() {
        fs::write(&path, text).expect("the file can be written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(text == expected, "{} differs from this:\n{text}", path.display());
}

#[test]
fn benchstat_text_is_a_line_per_finished_run() {
    let text = text_of(Format::Benchstat, &runs());
    assert_eq!(text.lines().filter(|line| line.starts_with("Benchmark")).count(), 4);
    for line in text.lines().filter(|line| line.starts_with("Benchmark")) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        assert!(fields[0]["Benchmark".len()..].starts_with(char::is_uppercase), "{line}");
        assert!(fields[1].parse::<i64>().is_ok(), "{line}");
        let pairs = fields[2..].chunks(2);
        assert!(pairs.into_iter().all(|pair| pair[0].parse::<f64>().is_ok() && pair.len() == 2));
    }
    is_as_expected("benchstat.txt", &text);
}

#[test]
fn bencher_json_obeys_the_published_schema() {
    let text = text_of(Format::Bmf, &runs());
    let value: Value = serde_json::from_str(&text).expect("it is JSON");
    // The schema that Bencher publishes, in fewer words.
    let schema = serde_json::json!({
        "type": "object",
        "additionalProperties": { "type": "object", "additionalProperties": {
            "type": "object",
            "properties": {
                "value": { "type": "number" },
                "lower_value": { "type": "number" },
                "upper_value": { "type": "number" }
            },
            "required": ["value"]
        } }
    });
    let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
    assert!(validator.is_valid(&value));
    is_as_expected("bmf.json", &text);
}

#[test]
fn openmetrics_text_has_each_series_once_and_an_end() {
    let text = text_of(Format::Openmetrics, &runs());
    assert!(text.ends_with("\n# EOF\n") && text.matches("# EOF").count() == 1);
    let mut family = "";
    let mut seen = std::collections::BTreeSet::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            family = rest.split(' ').next().unwrap_or_default();
        } else if !line.starts_with('#') {
            assert!(line.starts_with(family), "{line} is not of {family}");
            let (series, numbers) = line.split_once("} ").expect("there are labels");
            assert!(seen.insert(series), "{series} is there twice");
            let mut numbers = numbers.split(' ').map(str::parse::<f64>);
            assert!(numbers.all(|number| number.is_ok_and(f64::is_finite)), "{line}");
        }
    }
    is_as_expected("openmetrics.txt", &text);
}

#[test]
fn an_interval_log_holds_the_histograms_of_the_runs() {
    let runs = runs();
    let text = text_of(Format::Hlog, &runs);
    let mut counts: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for entry in IntervalLogIterator::new(text.as_bytes()) {
        let Ok(LogEntry::Interval(interval)) = entry else {
            assert!(entry.is_ok(), "the log cannot be read");
            continue;
        };
        let bytes = STANDARD.decode(interval.encoded_histogram()).expect("it is base64");
        let histogram: Histogram<u64> =
            Deserializer::new().deserialize(&mut bytes.as_slice()).expect("it is a histogram");
        let tag = interval.tag().expect("each has a tag").as_str().to_owned();
        counts.entry(tag).or_default().push(histogram.len());
        assert!((2..4).contains(&interval.duration().as_secs()), "a run is of three seconds");
    }
    let of = |record: &Record| record.latency.response["fsync"].count;
    assert_eq!(counts["fsync-mix/6.12/pool/response/fsync"], [of(&runs[0]), of(&runs[1])]);
    assert_eq!(counts["fsync-mix/6.12/pool/control/service/all"].len(), 1);
    assert_eq!(counts.len(), 16, "{:?}", counts.keys());
    assert!(text.starts_with("#[Histogram log format version 1.3]\n"));
    assert!(text.contains("\n#[StartTime: 1795226400.500 "));
}

#[test]
fn json_like_fios_is_read_back_by_the_import_of_fios() {
    let runs = runs();
    let text = text_of(Format::Fio, &runs);
    let back = import::fio::records(text.as_bytes(), None).expect("it is like fio's").records;
    assert_eq!(back.len(), 4);
    for (run, back) in runs.iter().zip(&back) {
        for kind in ["write", "all"] {
            let (before, after) = (&run.latency.service[kind], &back.latency.service[kind]);
            let figures = |one: &iowq_contract::Quantiles| {
                (one.count, one.p50_ns, one.p90_ns, one.p99_ns, one.p999_ns, one.max_ns)
            };
            assert_eq!(figures(before), figures(after), "{kind} of {}", run.key.workload);
        }
        assert_eq!(back.started, run.started);
    }
    let value: Value = serde_json::from_str(&text).expect("it is JSON");
    let job = &value["jobs"][0];
    assert_eq!(job["sync"]["total_ios"], runs[0].latency.service["fsync"].count);
    assert!(job["write"]["clat_ns"]["percentile"]["99.000000"].is_u64());
    assert_eq!(job["read"]["iops"], 0.0);
    let end = |run: &Record| {
        let started: jiff::Timestamp = run.started.parse().expect("it is a time");
        (started + std::time::Duration::from_nanos(run.duration_ns)).as_second()
    };
    let finished = runs.iter().filter(|run| run.error.is_none());
    assert_eq!(value["timestamp"].as_i64(), finished.map(end).max());
}

fn finding(metric: Metric, verdict: Option<Verdict>) -> Finding {
    Finding {
        metric,
        scale: Scale::Ratio,
        estimate: Some(0.1),
        intervals: BTreeMap::from([(90, (0.06, 0.14)), (95, (0.05, 0.15))]),
        p: Some(0.002),
        p_adjusted: Some(0.012),
        threshold: 0.05,
        noise_floor: None,
        detectable: Some(0.08),
        pairs_needed: (verdict == Some(Verdict::Inconclusive)).then_some(24),
        verdict,
        missing: verdict.is_none().then(|| "needs 10,000 ops per run".to_owned()),
        one_sided: None,
        points: Vec::new(),
        alone: [Vec::new(), Vec::new()],
    }
}

fn comparison(test: &str, blockers: Vec<Caveat>, verdict: Option<Verdict>) -> Comparison {
    Comparison {
        workload: "fsync-mix".to_owned(),
        base: "6.12".to_owned(),
        test: test.to_owned(),
        differs: Vec::new(),
        pairing: Pairing::Paired { pairs: 10, left_over: 0 },
        violations: Vec::new(),
        blockers,
        notes: vec![Caveat::new(Code::Drift, "runs #1 to #9\nrose")],
        primary: vec![
            finding(Metric::OpsPerS, Some(Verdict::Equivalent)),
            finding(Metric::ResponseP50, Some(Verdict::Regression)),
            finding(Metric::ResponseP99, Some(Verdict::Inconclusive)),
            finding(Metric::ResponseP999, None),
        ],
        advisory: Vec::new(),
        noise: Vec::new(),
        control: None,
        confirmation: None,
        verdict,
    }
}

#[test]
fn ktap_fails_regressions_and_skips_what_has_no_verdict() {
    let bar = Caveat::new(Code::EventsLost, "12 events were lost");
    let all = vec![
        comparison("6.17", Vec::new(), Some(Verdict::Regression)),
        comparison("6.16", vec![bar], None),
    ];
    let of = |all| Comparisons { all, threshold: 0.05, alpha: 0.05, decides: String::new() };
    let text = ktap::text(&of(all));
    for line in text.lines().map(str::trim_start) {
        let known = ["KTAP version 1", "1..", "# ", "ok ", "not ok "];
        assert!(known.iter().any(|start| line.starts_with(start)), "{line}");
    }
    is_as_expected("ktap.txt", &text);
    let none = ktap::text(&of(Vec::new()));
    assert_eq!(none, "KTAP version 1\n1..0 # SKIP nothing was compared\n");
}

fn iowq_report(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(crate::IOWQ);
    command.args(arguments).current_dir(folder).output().expect("it starts")
}

#[test]
fn the_command_writes_a_file_or_prints_and_never_replaces_a_record() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let lines = sample::lines(&runs());
    fs::write(folder.path().join("record.jsonl"), &lines).expect("a record can be written");
    let export = |more: &[&str]| {
        let first = ["export", "--format", "benchstat", "."];
        iowq_report(&[&first[..], more].concat(), folder.path())
    };
    let printed = export(&["--workload", "dsync"]);
    let text = String::from_utf8_lossy(&printed.stdout).into_owned();
    assert!(printed.status.success() && text.contains("BenchmarkDsync/policy=kernel/engine=uring"));
    assert!(!text.contains("Fsync-mix"), "{text}");
    assert!(export(&["--out", "base.txt"]).status.success());
    let written = fs::read_to_string(folder.path().join("base.txt")).expect("it was written");
    assert_eq!(written, text_of(Format::Benchstat, &runs()));
    let refused = export(&["--out", "record.jsonl"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("must be another file"));
    let after = fs::read_to_string(folder.path().join("record.jsonl")).expect("it is still there");
    assert_eq!(after, lines);
}
