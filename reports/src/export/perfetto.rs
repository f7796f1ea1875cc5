//! A timeline for Perfetto: for each run the workers alive, and births and exits by slice of time.
//!
//! JSON of Chrome's trace event format, as `iowq trace --perfetto` writes; times are in µs. A run is a
//! process there, and all runs begin at 0, so that they lie below each other.

use std::io;

use iowq_contract::Record;
use serde_json::{Value, json};

use crate::export::run::{Whole, finished, name};
use crate::runs::hosts::Hosts;

/// The counters of the runs, an event a line.
pub fn text(records: &[Record], whole: Whole<'_>) -> io::Result<String> {
    let hosts = Hosts::of(finished(records));
    let mut text = String::from("[");
    for (pid, record) in (1_u32..).zip(finished(records)) {
        let name = format!("{} round {}", name(record, &hosts), record.key.round);
        let title = json!({"ph": "M", "name": "process_name", "pid": pid, "args": {"name": name}});
        let before = if pid == 1 { "" } else { ",\n" };
        text += &format!("{before}{title}");
        for event in counters(pid, &*whole(record)?) {
            text += &format!(",\n{event}");
        }
    }
    Ok(text + "]\n")
}

fn counters(pid: u32, record: &Record) -> Vec<Value> {
    let counter = |name: &str, at_ns: u64, value: u32| json!({"ph": "C", "name": name, "pid": pid, "ts": at_ns as f64 / 1e3, "args": {"value": value}});
    let alive =
        record.timeline.iter().map(|(at_ns, alive)| counter("workers alive", *at_ns, *alive));
    let churn = &record.churn;
    let slices = |name: &'static str, counts: &[u32]| -> Vec<Value> {
        let at = (0_u64..).map(|slice| slice.saturating_mul(churn.slice_ns));
        at.zip(counts).map(|(at_ns, count)| counter(name, at_ns, *count)).collect()
    };
    let (births, exits) =
        (slices("workers born", &churn.births), slices("workers gone", &churn.deaths));
    alive.chain(births).chain(exits).collect()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use iowq_sample as sample;

    use super::*;

    fn events(records: &[Record]) -> Vec<Value> {
        let text = text(records, &|run| Ok(Cow::Borrowed(run))).expect("memory is read");
        serde_json::from_str(&text).expect("a list")
    }

    #[test]
    fn each_run_is_a_process_with_its_workers_over_time() {
        let records = [sample::run("nop", "6.12", 0), sample::run("nop", "6.17", 0)];
        let events = events(&records);
        let names: Vec<_> = events
            .iter()
            .filter(|it| it["ph"] == "M")
            .filter_map(|it| it["args"]["name"].as_str())
            .collect();
        assert_eq!(names, ["nop/6.12/pool round 0", "nop/6.17/pool round 0"]);
        let of = |pid: u32, name: &str| {
            let all = events.iter().filter(|it| it["pid"] == pid && it["name"] == name);
            all.filter_map(|it| it["args"]["value"].as_u64()).collect::<Vec<_>>()
        };
        for (pid, record) in (1..).zip(&records) {
            assert_eq!(of(pid, "workers alive").len(), record.timeline.len());
            let born: u64 = record.churn.births.iter().map(|births| u64::from(*births)).sum();
            assert_eq!(of(pid, "workers born").iter().sum::<u64>(), born);
        }
    }

    #[test]
    fn no_run_is_an_empty_list() {
        assert!(events(&[]).is_empty());
    }
}
