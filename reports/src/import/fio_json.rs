//! The part of fio's JSON+ that a record is made of, with the names that fio gives it.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What `fio --output-format=json+` writes.
#[derive(Debug, Deserialize)]
pub(super) struct Output {
    #[serde(rename = "fio version")]
    pub(super) version: String,
    /// When it was written, in milliseconds since 1970.
    #[serde(default)]
    pub(super) timestamp_ms: Option<u64>,
    #[serde(default, rename = "global options")]
    pub(super) global: BTreeMap<String, String>,
    pub(super) jobs: Vec<Job>,
    #[serde(default)]
    pub(super) disk_util: Vec<Disk>,
}

/// A job, or with `group_reporting` all jobs of a group.
#[derive(Debug, Deserialize)]
pub(super) struct Job {
    pub(super) jobname: String,
    #[serde(default)]
    pub(super) groupid: u64,
    /// Number of the error that ended it; 0 where none did.
    #[serde(default)]
    pub(super) error: i64,
    /// When it began, in milliseconds since 1970; not before fio 3.36.
    #[serde(default)]
    pub(super) job_start: Option<u64>,
    /// Errors that did not end it.
    #[serde(default)]
    pub(super) total_err: u64,
    #[serde(default, rename = "job options")]
    pub(super) options: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) read: Direction,
    #[serde(default)]
    pub(super) write: Direction,
    #[serde(default)]
    pub(super) trim: Direction,
    #[serde(default)]
    pub(super) sync: Sync,
}

/// Reads, writes or trims of a job.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Direction {
    #[serde(default)]
    pub(super) total_ios: u64,
    /// In milliseconds.
    #[serde(default)]
    pub(super) runtime: u64,
    #[serde(default)]
    pub(super) slat_ns: Times,
    #[serde(default)]
    pub(super) clat_ns: Times,
    #[serde(default)]
    pub(super) lat_ns: Times,
}

/// Syncs of a job.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Sync {
    #[serde(default)]
    pub(super) total_ios: u64,
    #[serde(default)]
    pub(super) lat_ns: Times,
}

/// Latencies: their mean, and how many fell into each bin, by the value in its middle.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Times {
    #[serde(default)]
    pub(super) mean: f64,
    #[serde(default, rename = "N")]
    pub(super) count: u64,
    #[serde(default)]
    pub(super) bins: BTreeMap<u64, u64>,
}

/// A device that was busy.
#[derive(Debug, Deserialize)]
pub(super) struct Disk {
    pub(super) name: String,
}
