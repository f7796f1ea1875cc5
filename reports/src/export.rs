//! Exports: finished runs as text that other tools read, one format per file below.
//!
//! Every format is a pure function of the runs. Runs that failed are left out of all of them,
//! because none of the formats has a place for why.

pub mod benchstat;
pub mod bmf;
pub mod fio;
pub mod hlog;
pub mod ktap;
pub mod openmetrics;

use iowq_contract::{Record, Role};
use jiff::{SignedDuration, Timestamp};

/// A format of runs. [`ktap`] is not among them: it tells of comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Go's benchmark format, for `benchstat`.
    Benchstat,
    /// Bencher's metric JSON, for `bencher run --adapter json`.
    Bmf,
    /// OpenMetrics text, for Prometheus and what reads the same.
    Openmetrics,
    /// HdrHistogram's interval log.
    Hlog,
    /// JSON with the fields of fio's that its readers look for.
    Fio,
}

impl Format {
    /// The runs in this format.
    #[must_use]
    pub fn text(self, records: &[Record]) -> String {
        match self {
            Self::Benchstat => benchstat::text(records),
            Self::Bmf => bmf::text(records),
            Self::Openmetrics => openmetrics::text(records),
            Self::Hlog => hlog::text(records),
            Self::Fio => fio::text(records),
        }
    }
}

/// Runs that finished, in the order of the record.
fn finished(records: &[Record]) -> impl Iterator<Item = &Record> {
    records.iter().filter(|record| record.error.is_none())
}

/// What a run is for, as the record spells it.
fn role(role: Role) -> &'static str {
    match role {
        Role::Measured => "measured",
        Role::Noise => "noise",
        Role::Control => "control",
    }
}

/// What a run is one of: `fsync-mix/6.12/pool`, with the role behind it where there is a special
/// one, so that a control run never passes for a measured one.
fn name(record: &Record) -> String {
    let cell = &record.key;
    let name = format!("{}/{}/{}", cell.workload, cell.policy, cell.engine);
    match cell.role {
        Role::Measured => name,
        special => format!("{name}/{}", role(special)),
    }
}

/// When a run started; `None` where a hand wrote something else there.
fn started(record: &Record) -> Option<Timestamp> {
    record.started.parse().ok()
}

/// When a run ended, where it is known when it started.
fn ended(record: &Record) -> Option<Timestamp> {
    let length = SignedDuration::from_nanos(i64::try_from(record.duration_ns).ok()?);
    started(record)?.checked_add(length).ok()
}

/// Processor time per op in nanoseconds, where both are known.
fn cpu_ns_per_op(record: &Record) -> Option<f64> {
    let cpu_ns = record.ops.cpu_ns?;
    (record.ops.done > 0).then(|| cpu_ns as f64 / record.ops.done as f64)
}
