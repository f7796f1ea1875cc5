//! Raw numbers inside the page: a table of runs, and the records as whole as the room allows.

use std::collections::BTreeSet;
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use iowq_contract::{Churn, Quantiles, Record, Role};

use crate::format;
use crate::load::Loaded;
use crate::render::page::Download;
use crate::runs::births::Births;
use crate::runs::hosts::Hosts;
use crate::runs::{births, thin};

/// Bytes that are kept free for the words around the data.
const MARGIN_BYTES: usize = 4_000;

/// Bytes of data at most: enough for a whole bench, small enough to open on a phone.
const DATA_BYTES_MAX: usize = 1_600_000;

/// Points of a short timeline.
const SHORT_POINTS_MAX: usize = 400;

/// The files that fit into `room` bytes.
///
/// # Errors
///
/// A run that cannot be read again.
pub(crate) fn downloads(loaded: &Loaded, room: usize) -> io::Result<Vec<Download>> {
    let room = room.saturating_sub(MARGIN_BYTES).min(DATA_BYTES_MAX);
    let mut files = table_alone(&loaded.records, room);
    let taken: usize = files.iter().map(|file| file.base64.len()).sum();
    files.extend(whole(loaded, room - taken)?);
    Ok(files)
}

/// The table of runs, if it fits into `room` bytes: the records of a grid are too many.
pub(crate) fn table_alone(records: &[Record], room: usize) -> Vec<Download> {
    let table = table(records, room).map(|table| STANDARD.encode(table));
    let file = table.filter(|table| table.len() <= room).map(|base64| Download {
        name: "runs.csv",
        about: "one line per run, for a spreadsheet".to_owned(),
        mime: "text/csv",
        base64,
    });
    file.into_iter().collect()
}

/// Takes away the bulk of a record.
type Cut = fn(&mut Record);

/// How much of a record is kept, from all to least.
const KEPT: [(&str, Cut); 4] = [
    ("the records, timelines thinned as they were read", |_| {}),
    ("the records, timelines thinned to some hundred points", with_short_timeline),
    ("the records without timelines, which would make the page too large", without_timeline),
    (
        "the records without timelines and histograms, which would make the page too large",
        without_histograms,
    ),
];

fn whole(loaded: &Loaded, room: usize) -> io::Result<Option<Download>> {
    for (about, cut) in KEPT {
        if let Some(lines) = lines(loaded, cut, room / 4 * 3)? {
            return Ok(Some(Download {
                name: "record.jsonl",
                about: about.to_owned(),
                mime: "application/x-ndjson",
                base64: STANDARD.encode(lines),
            }));
        }
    }
    Ok(None)
}

/// Records as lines of JSON, unless they would be more than `bytes_max`.
fn lines(loaded: &Loaded, cut: Cut, bytes_max: usize) -> io::Result<Option<Vec<u8>>> {
    let mut lines = Vec::new();
    for record in &loaded.records {
        let mut record = loaded.whole(record)?.into_owned();
        cut(&mut record);
        serde_json::to_writer(&mut lines, &record)?;
        lines.push(b'\n');
        if lines.len() > bytes_max {
            return Ok(None);
        }
    }
    Ok(Some(lines))
}

fn with_short_timeline(record: &mut Record) {
    thin::timeline(&mut record.timeline, SHORT_POINTS_MAX);
    thin::churn(&mut record.churn, SHORT_POINTS_MAX);
}

fn without_timeline(record: &mut Record) {
    record.timeline.clear();
    record.churn = Churn::default();
}

fn without_histograms(record: &mut Record) {
    without_timeline(record);
    record.latency.drop_histograms();
}

/// Names of the columns, in the order of [`row`].
const COLUMNS: &str = "workload,engine,policy,round,position,seed,started,duration_ns,done,failed,\
per_s,count,p50_ns,p90_ns,p99_ns,p999_ns,max_ns,created_probe,created_engine,created_proc,\
exited_probe,exited_engine,exited_proc,peak,created_per_1000_ops,born_per_s,born,fill,linger_ms,\
events_seen,events_lost,error\n";

/// Names of further columns, if some run was made for noise or control.
const ROLE_COLUMNS: &str = "role,injected_delay_ns,";

/// The table, unless it has more than `bytes_max`.
fn table(records: &[Record], bytes_max: usize) -> Option<String> {
    let roles = records.iter().any(|record| record.key.role != Role::Measured);
    let hosts = Hosts::of(records);
    let host = if hosts.names().is_empty() { "" } else { "host," };
    let keys: BTreeSet<&String> = records.iter().flat_map(|run| run.key.set.0.keys()).collect();
    let set: String = keys.iter().map(|key| format!("{},", quoted(key))).collect();
    let mut table = format!("{host}{set}{}{COLUMNS}", if roles { ROLE_COLUMNS } else { "" });
    for record in records {
        if let Some(host) = hosts.name(record) {
            table.push_str(&format!("{},", quoted(host)));
        }
        for key in &keys {
            let value = record.key.set.0.get(*key).map_or("", String::as_str);
            table.push_str(&format!("{},", quoted(value)));
        }
        if roles {
            let delay = optional(record.settings.injected_delay_ns);
            table.push_str(&format!("{},{delay},", record.key.role.name()));
        }
        table.push_str(&row(record).join(","));
        table.push('\n');
        if table.len() > bytes_max {
            return None;
        }
    }
    Some(table)
}

fn row(record: &Record) -> Vec<String> {
    let (key, workers) = (&record.key, &record.workers);
    let nothing = Quantiles::default();
    let all = record.latency.response.get("all").unwrap_or(&nothing);
    let mut row = vec![
        quoted(&key.workload),
        quoted(&key.engine),
        quoted(&key.policy),
        key.round.to_string(),
        key.position.to_string(),
        key.seed.to_string(),
        quoted(&record.started),
        record.duration_ns.to_string(),
        record.ops.done.to_string(),
        record.ops.failed.to_string(),
        record.ops.per_s.to_string(),
    ];
    let times = [all.count, all.p50_ns, all.p90_ns, all.p99_ns, all.p999_ns, all.max_ns];
    row.extend(times.map(|number| number.to_string()));
    for counts in [&workers.created, &workers.exited] {
        row.extend([counts.probe, counts.engine, counts.proc].map(optional));
    }
    row.push(optional(workers.peak));
    row.push(optional(workers.created_per_1000_ops));
    let births = Births::of(record);
    row.push(optional(births::per_s(record)));
    row.extend([births.map(|one| one.born), births.map(|one| one.fill)].map(optional));
    row.push(optional(workers.linger_ms));
    row.push(record.probe.events_seen.to_string());
    row.push(record.probe.events_lost.to_string());
    row.push(quoted(record.error.as_deref().unwrap_or_default()));
    row
}

fn optional(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// Text as a field: in quotes, quotes doubled, and no formula for a spreadsheet to run.
fn quoted(text: &str) -> String {
    let guard = if format::is_formula(text) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\"").replace(['\n', '\r'], " "))
}

#[cfg(test)]
mod tests {
    use iowq_sample as sample;

    use super::*;

    fn whole(records: &[Record]) -> String {
        table(records, usize::MAX).expect("there is no limit")
    }

    #[test]
    fn every_row_has_a_field_for_each_column() {
        let columns = COLUMNS.split(',').count();
        assert_eq!(row(&sample::run("nop", "6.12", 0)).len(), columns);
    }

    #[test]
    fn what_was_set_has_a_column_for_each_field() {
        let mut records = [sample::run("nop", "6.12", 0), sample::run("nop", "6.12", 1)];
        records[1].key.set.0.insert("workers.bounded".to_owned(), "4".to_owned());
        let table = whole(&records);
        let starts: Vec<&str> =
            table.lines().map(|line| line.split(',').next().unwrap_or_default()).collect();
        assert_eq!(starts, ["\"workers.bounded\"", "\"\"", "\"4\""]);
    }

    #[test]
    fn roles_have_columns_where_some_run_is_not_measured() {
        let mut records = vec![sample::run("nop", "6.12", 0), sample::run("nop", "6.12", 1)];
        assert!(whole(&records).starts_with("workload,"));
        records[1].key.role = Role::Control;
        records[1].settings.injected_delay_ns = Some(7);
        let table = whole(&records);
        let starts: Vec<&str> =
            table.lines().filter_map(|line| line.split_once("\"nop\"")).map(|it| it.0).collect();
        assert!(table.starts_with("role,injected_delay_ns,workload,"));
        assert_eq!(starts, ["measured,,", "control,7,"]);
    }

    #[test]
    fn several_hosts_have_a_column() {
        let mut records = vec![sample::run("nop", "6.12", 0), sample::run("nop", "6.12", 1)];
        records[1].host.filesystem = "xfs".to_owned();
        let table = whole(&records);
        assert!(table.starts_with("host,workload,"), "{table}");
        assert!(table.contains("\n\"xfs\",\"nop\","), "{table}");
    }

    #[test]
    fn a_name_cannot_break_out_of_its_field() {
        assert_eq!(quoted("a\"b,\nc"), "\"a\"\"b, c\"");
        assert_eq!(quoted("=1+1"), "\"'=1+1\"");
    }

    #[test]
    fn what_does_not_fit_is_thinned_and_said_so() {
        let loaded = Loaded { records: sample::bench(2), ..Loaded::default() };
        let about = |room| {
            let files = downloads(&loaded, room).expect("all is in memory");
            files.last().map(|file| (file.name, file.about.contains("without")))
        };
        assert_eq!(about(10_000_000), Some(("record.jsonl", false)));
        assert_eq!(about(60_000), Some(("record.jsonl", true)));
        assert_eq!(about(12_000), Some(("runs.csv", false)));
        assert_eq!(about(0), None);
    }
}
