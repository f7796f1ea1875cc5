//! What Prometheus gets, and the files that go with it, judged by its own programs.

#[path = "../../tests/probes_support/skip.rs"]
mod says_skipped;

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use iowq_contract::Quantiles;
use iowq_contract::trace::{ByAccount, Snapshot, TraceLine, TraceOp, TraceProcess};
use iowq_trace::{OpenMetrics, Server, Sink as _};
use says_skipped::skip;
use serde_json::Value;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reports/prometheus").join(name)
}

/// What a scrape gets after a snapshot with all that there is.
fn scraped() -> String {
    let server = Server::open("127.0.0.1:0").expect("a free port");
    let address = server.address();
    let mut times = hdrhistogram::Histogram::<u64>::new(2).expect("a histogram");
    times.record_n(50_000, 9).expect("in range");
    let op = TraceOp {
        op: "WRITE".into(),
        submitted: 10,
        queued: 9,
        done: 9,
        time: Quantiles::of(&times),
        time_ns: 450_000,
        ..TraceOp::default()
    };
    let process = TraceProcess {
        pid: 7,
        comm: "a \"b\" \\".into(),
        alive: ByAccount { bounded: 3, unbounded: 1, unknown: 0 },
        born: 5,
        ops: vec![op],
        ..TraceProcess::default()
    };
    let lost = [("files: too many".to_owned(), 3)].into();
    let snapshot = Snapshot { processes: vec![process], lost, ..Snapshot::default() };
    OpenMetrics::new(server).take(&TraceLine::Snapshot(snapshot)).expect("it is shown");
    let mut client = TcpStream::connect(address).expect("it is open");
    client.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").expect("it reads");
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("it answers");
    answer.split_once("\r\n\r\n").expect("a head and a body").1.to_owned()
}

/// What a program says of an input; skips the test if there is no such program.
fn judged(test: &str, program: &str, arguments: &[&str], input: &str) -> Option<Output> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        skip(test, &format!("there is no {program} in PATH"));
        return None;
    };
    let mut stdin = child.stdin.take().expect("it was asked for");
    stdin.write_all(input.as_bytes()).expect("it reads");
    drop(stdin);
    Some(child.wait_with_output().expect("it ends"))
}

fn assert_fine(output: &Output) {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&text));
}

#[test]
fn promtool_finds_nothing_wrong_with_what_is_scraped() {
    let test = "promtool_finds_nothing_wrong_with_what_is_scraped";
    let Some(output) = judged(test, "promtool", &["check", "metrics"], &scraped()) else { return };
    assert_fine(&output);
}

#[test]
fn promtool_takes_the_alert_rules() {
    let path = file("alerts.yml").display().to_string();
    let test = "promtool_takes_the_alert_rules";
    let Some(output) = judged(test, "promtool", &["check", "rules", &path], "") else { return };
    assert_fine(&output);
}

#[test]
fn the_rules_and_the_dashboard_use_metrics_that_are_served() {
    let served = scraped();
    let mut names = BTreeSet::new();
    for name in ["alerts.yml", "dashboard.json"] {
        let text = std::fs::read_to_string(file(name)).expect("it is committed");
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        names.extend(words.filter(|it| it.starts_with("iowq_")).map(str::to_owned));
    }
    assert!(names.len() > 5, "{names:?}");
    for name in names {
        let is_sample = |line: &str| line.starts_with(&format!("{name}{{"));
        assert!(served.lines().any(is_sample), "{name} is not served");
    }
}

#[test]
fn the_dashboard_is_one_that_grafana_imports() {
    let text = std::fs::read_to_string(file("dashboard.json")).expect("it is committed");
    let dashboard: Value = serde_json::from_str(&text).expect("it is JSON");
    assert!(dashboard["schemaVersion"].as_u64().is_some_and(|version| version >= 30));
    assert!(dashboard["uid"].as_str().is_some_and(|uid| uid.len() <= 40));
    let panels = dashboard["panels"].as_array().expect("panels");
    let ids: BTreeSet<_> = panels.iter().filter_map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len(), "each has an id of its own");
    for panel in panels {
        let place = &panel["gridPos"];
        let edge = place["x"].as_u64().zip(place["w"].as_u64()).map(|(x, width)| x + width);
        assert!(edge.is_some_and(|edge| edge <= 24), "{} is outside the grid", panel["title"]);
        assert!(panel["targets"].as_array().is_some_and(|targets| !targets.is_empty()));
    }
}

#[test]
fn systemd_takes_the_unit() {
    let unit = std::fs::read_to_string(file("iowq-trace.service")).expect("it is committed");
    // It is verified with a program that is there.
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("iowq-trace.service");
    std::fs::write(&path, unit.replace("/usr/local/bin/iowq", "/bin/true")).expect("written");
    let path = path.display().to_string();
    let test = "systemd_takes_the_unit";
    let Some(output) = judged(test, "systemd-analyze", &["verify", &path], "") else { return };
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!errors.contains("iowq-trace.service:"), "{errors}");
}
