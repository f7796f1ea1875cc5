//! Latency: response and service time per kind of operation, as quantiles and as whole histograms.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2Serializer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Kinds;

/// Bytes in front of the counts: cookie, length, offset, digits, lowest, highest, ratio.
const HEADER_BYTES: usize = 40;

/// Both clocks of an operation. The keys are `all`, `write`, `fsync` and so on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Latency {
    /// From the moment an operation was meant to start: in an open loop when it was due, in a closed
    /// one when the submitter turned to it, however long it was held back before.
    #[schemars(with = "BTreeMap<String, Quantiles>")]
    pub response: Kinds<Quantiles>,
    /// From the moment it was handed to the engine.
    #[schemars(with = "BTreeMap<String, Quantiles>")]
    pub service: Kinds<Quantiles>,
    /// From the moment it was queued for a worker to the moment that one began with it; empty
    /// if that was not seen.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Quantiles>")]
    pub queue: Kinds<Quantiles>,
}

impl Latency {
    /// Keeps the figures and drops the histograms, which are nearly all of a record's bytes.
    pub fn drop_histograms(&mut self) {
        for clock in [&mut self.response, &mut self.service, &mut self.queue] {
            clock.values_mut().for_each(|quantiles| quantiles.hdr_v2 = String::new());
        }
    }
}

/// A histogram and the figures that most readers want from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
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

impl Quantiles {
    /// The figures of a histogram, and all of it.
    #[must_use]
    pub fn of(histogram: &Histogram<u64>) -> Self {
        let mut bytes = Vec::new();
        // Writing to memory does not fail; an empty encoding would be refused by every reader.
        let _ = V2Serializer::new().serialize(histogram, &mut bytes);
        Self {
            count: histogram.len(),
            p50_ns: histogram.value_at_quantile(0.5),
            p90_ns: histogram.value_at_quantile(0.9),
            p99_ns: histogram.value_at_quantile(0.99),
            p999_ns: histogram.value_at_quantile(0.999),
            max_ns: histogram.max(),
            hdr_v2: STANDARD.encode(bytes),
        }
    }

    /// The histogram as its bytes have it, if they hold as many values as are stated.
    #[must_use]
    pub fn histogram(&self) -> Option<Histogram<u64>> {
        let bytes = STANDARD.decode(&self.hdr_v2).ok()?;
        // The decoder allocates what the header asks for: believe it only where the bytes are there.
        let stated = u32::from_be_bytes(bytes.get(4..8)?.try_into().ok()?);
        if bytes.len().checked_sub(HEADER_BYTES)? != usize::try_from(stated).ok()? {
            return None;
        }
        let mut histogram: Histogram<u64> =
            Deserializer::new().deserialize(&mut bytes.as_slice()).ok()?;
        histogram.auto(true);
        (histogram.len() == self.count).then_some(histogram)
    }
}
