//! The part of fio's JSON and JSON+ that a record is made of, with the names that fio gives it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// What `fio --output-format=json+` writes.
#[derive(Debug, Deserialize)]
pub(crate) struct Output {
    #[serde(rename = "fio version")]
    pub(crate) version: String,
    /// When it was written, in milliseconds since 1970.
    #[serde(default)]
    pub(crate) timestamp_ms: Option<u64>,
    /// The same in seconds.
    #[serde(default)]
    pub(crate) timestamp: Option<u64>,
    #[serde(default, rename = "global options")]
    pub(crate) global: BTreeMap<String, String>,
    /// None if it measured on other machines, whose jobs are in `client_stats`.
    #[serde(default)]
    pub(crate) jobs: Option<Vec<Job>>,
    #[serde(default)]
    pub(crate) client_stats: Option<IgnoredAny>,
    #[serde(default)]
    pub(crate) disk_util: Vec<Disk>,
}

/// A job, or with `group_reporting` all jobs of a group.
#[derive(Debug, Deserialize)]
pub(crate) struct Job {
    pub(crate) jobname: String,
    #[serde(default)]
    pub(crate) groupid: u64,
    /// Number of the error that ended it; 0 if none did.
    #[serde(default)]
    pub(crate) error: i64,
    /// When it began, in milliseconds since 1970; not before fio 3.36.
    #[serde(default)]
    pub(crate) job_start: Option<u64>,
    /// How long it ran, or all jobs of a group one after the other, in milliseconds.
    #[serde(default)]
    pub(crate) job_runtime: u64,
    /// Operations that failed without ending it, if `continue_on_error` allowed that.
    #[serde(default)]
    pub(crate) total_err: Option<u64>,
    /// Number of the first error, likewise.
    #[serde(default)]
    pub(crate) first_error: Option<i64>,
    #[serde(default, rename = "job options")]
    pub(crate) options: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) read: Direction,
    #[serde(default)]
    pub(crate) write: Direction,
    #[serde(default)]
    pub(crate) trim: Direction,
    #[serde(default)]
    pub(crate) sync: Sync,
    /// Reads, writes and trims together: alone with `unified_rw_reporting=mixed`, beside them with
    /// `both`.
    #[serde(default)]
    pub(crate) mixed: Option<Direction>,
}

impl Job {
    /// How long it did what took longest, in milliseconds.
    pub(crate) fn runtime_ms(&self) -> u64 {
        let data = [Some(&self.read), Some(&self.write), Some(&self.trim), self.mixed.as_ref()];
        data.into_iter().flatten().map(|one| one.runtime).max().unwrap_or(0)
    }
}

/// Reads, writes or trims of a job.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Direction {
    #[serde(default)]
    pub(crate) total_ios: u64,
    /// In milliseconds.
    #[serde(default)]
    pub(crate) runtime: u64,
    #[serde(default)]
    pub(crate) slat_ns: Times,
    #[serde(default)]
    pub(crate) clat_ns: Times,
    #[serde(default)]
    pub(crate) lat_ns: Times,
}

/// Syncs of a job.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Sync {
    #[serde(default)]
    pub(crate) total_ios: u64,
    #[serde(default)]
    pub(crate) lat_ns: Times,
}

/// Latencies, in ns: their mean, and how many fell into each bin, by the value in its middle.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Times {
    #[serde(default)]
    pub(crate) mean: f64,
    #[serde(default, rename = "N")]
    pub(crate) count: u64,
    #[serde(default)]
    pub(crate) max: u64,
    /// By their percent as text, such as `99.900000`.
    #[serde(default, rename = "percentile")]
    pub(crate) percentiles: BTreeMap<String, u64>,
    /// In JSON+ alone.
    #[serde(default)]
    pub(crate) bins: BTreeMap<u64, u64>,
}

/// A device that was busy.
#[derive(Debug, Deserialize)]
pub(crate) struct Disk {
    pub(crate) name: String,
}
