//! Latency: response and service time per kind of operation, as quantiles and as whole histograms.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Both clocks of an operation. The keys are `all`, `write`, `fsync` and so on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Latency {
    /// From the moment an operation was meant to start: in an open loop when it was due, in a closed
    /// one when the submitter turned to it, however long it was held back before.
    pub response: BTreeMap<String, Quantiles>,
    /// From the moment it was handed to the engine.
    pub service: BTreeMap<String, Quantiles>,
    /// From the moment it was queued for a worker to the moment that one began with it; empty
    /// if that was not seen.
    #[serde(default)]
    pub queue: BTreeMap<String, Quantiles>,
}

impl Latency {
    /// Keeps the figures and drops the histograms, which are nearly all of a record's bytes.
    pub fn drop_histograms(&mut self) {
        for clock in [&mut self.response, &mut self.service, &mut self.queue] {
            clock.values_mut().for_each(|quantiles| quantiles.hdr_v2.clear());
        }
    }
}

/// A histogram and the figures that most readers want from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Quantiles {
    /// Values in the histogram.
    pub count: u64,
    /// Median.
    pub p50_ns: u64,
    /// 90th percentile.
    pub p90_ns: u64,
    /// 99th percentile.
    pub p99_ns: u64,
    /// 99.9th percentile.
    pub p999_ns: u64,
    /// Largest value.
    pub max_ns: u64,
    /// The whole histogram: HdrHistogram V2 encoding, uncompressed, in base64. Empty in the runs
    /// of a fidelity grid, which are many.
    pub hdr_v2: String,
}
