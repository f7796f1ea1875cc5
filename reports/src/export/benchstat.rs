//! Go's benchmark format: one line per run, so that `benchstat before.txt after.txt` compares.
//!
//! Grammar: <https://go.dev/design/14313-benchmark-format>. `ns/op` has Go's meaning: time passed
//! by ops done, which is less than a response time where ops overlap. The policy and the engine
//! are keys of the name, so that `benchstat -col /policy all.txt` sets policies side by side and
//! `benchstat -ignore /policy a.txt b.txt` compares files of different ones. The engine comes last
//! because benchstat takes a number after a final dash for a count of processors. Of the host only
//! the processor is a configuration line, and what tells hosts apart if there are several: benchstat
//! compares only what agrees in all of these, and kernels of two files are there to differ.

use std::fmt::Write as _;

use iowq_contract::{Record, Role};

use crate::export::run::finished;
use crate::runs::hosts::Hosts;
use crate::runs::metric::Metric;

/// Units that benchstat does not know, and which way of them is better.
const UNITS: &str = "Unit ops/s better=higher\nUnit workers/1000ops better=lower\n\
    Unit workers/s better=lower\n";

/// The runs as benchmark lines; a run that did nothing has no time per op and is a comment.
pub fn text(records: &[Record]) -> String {
    let mut text = String::from(UNITS);
    let hosts = Hosts::of(finished(records));
    let (mut cpu, mut host) = ("", None);
    for record in finished(records) {
        if hosts.name(record) != host {
            host = hosts.name(record);
            let _ = writeln!(text, "host: {}", one_line(host.unwrap_or_default()));
        }
        if record.host.cpu != cpu {
            cpu = &record.host.cpu;
            let _ = writeln!(text, "cpu: {}", one_line(cpu));
        }
        line(&mut text, record);
    }
    text
}

fn line(text: &mut String, record: &Record) {
    let (name, ops) = (name(record), &record.ops);
    if ops.done == 0 {
        let _ = writeln!(text, "# {name}: no op was done");
        return;
    }
    let ns_per_op = record.duration_ns as f64 / ops.done as f64;
    // Go reads the count as a signed number.
    let done = ops.done.min(i64::MAX as u64);
    let _ = write!(text, "{name} {done} {ns_per_op:.1} ns/op");
    for metric in Metric::all() {
        if let (Some((unit, decimals)), Some(value)) =
            (metric.row().benchstat, metric.value(record))
        {
            let _ = write!(text, " {value:.decimals$} {unit}");
        }
    }
    text.push('\n');
}

/// The name of a benchmark: no space is allowed in it, and no small letter behind `Benchmark`.
fn name(record: &Record) -> String {
    let key = &record.key;
    let mut name = String::from("Benchmark");
    let workload = part(&key.workload);
    let mut letters = workload.chars();
    name.extend(letters.next().into_iter().flat_map(char::to_uppercase));
    name.push_str(letters.as_str());
    let _ = write!(name, "/policy={}", part(&key.policy));
    for (field, value) in key.set.shown() {
        let _ = write!(name, "/{}={}", part(field), part(value));
    }
    if key.role != Role::Measured {
        let _ = write!(name, "/role={}", key.role.name());
    }
    let _ = write!(name, "/engine={}", part(&key.engine));
    name
}

fn part(text: &str) -> String {
    let apart = |letter: char| letter.is_whitespace() || letter.is_control() || letter == '/';
    text.replace(apart, "_")
}

fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use iowq_sample as sample;

    use super::*;

    #[test]
    fn names_obey_the_grammar_whatever_a_workload_is_called() {
        let mut record = sample::run("my own/mix\n", "6.12 +x", 0);
        record.key.role = Role::Control;
        let expected = "BenchmarkMy_own_mix_/policy=6.12_+x/role=control/engine=pool";
        assert_eq!(name(&record), expected);
    }

    #[test]
    fn what_was_set_is_a_key_of_the_name() {
        let mut record = sample::run("nop", "6.12", 0);
        record.key.set.0.insert("workers.bounded".to_owned(), "4".to_owned());
        assert_eq!(name(&record), "BenchmarkNop/policy=6.12/bounded=4/engine=pool");
    }

    #[test]
    fn a_run_without_ops_has_no_time_per_op() {
        let mut record = sample::run("nop", "6.12", 0);
        record.ops.done = 0;
        let text = text(&[record]);
        assert!(text.contains("# BenchmarkNop/policy=6.12/engine=pool: no op was done"), "{text}");
    }

    #[test]
    fn each_of_several_hosts_is_a_configuration_of_its_own() {
        let mut records = [sample::run("nop", "6.12", 0), sample::run("nop", "6.12", 1)];
        assert!(!text(&records).contains("host:"));
        records[1].host.filesystem = "xfs".to_owned();
        let text = text(&records);
        let hosts: Vec<&str> = text.lines().filter(|line| line.starts_with("host:")).collect();
        assert_eq!(hosts, ["host: ext4", "host: xfs"]);
    }
}
