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

/// What V2 begins with if it is not deflated.
const COOKIE: [u8; 4] = [0x1c, 0x84, 0x93, 0x13];

/// How `i64::MIN` is encoded. No histogram has as many zeros, and no count begins with an odd byte.
const LEAST: [u8; 9] = [0xff; 9];

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
        let histogram = decode_histogram(&STANDARD.decode(&self.hdr_v2).ok()?)?;
        (histogram.len() == self.count).then_some(histogram)
    }
}

/// The histogram in bytes of HdrHistogram's V2 encoding, uncompressed, if they are one and no more.
#[must_use]
pub fn decode_histogram(bytes: &[u8]) -> Option<Histogram<u64>> {
    // Behind the cookie of what is deflated there would be a second header, which nothing checks.
    if bytes.first_chunk() != Some(&COOKIE) {
        return None;
    }
    // The decoder allocates what the header asks for: believe it only where the bytes are there.
    let stated = u32::from_be_bytes(bytes.get(4..8)?.try_into().ok()?);
    let counts = bytes.get(HEADER_BYTES..)?;
    if counts.len() != usize::try_from(stated).ok()? {
        return None;
    }
    // The decoder negates it, which overflows: the least number of all, as a run of zeros.
    if counts.windows(LEAST.len()).any(|window| window == LEAST) {
        return None;
    }
    let mut histogram: Histogram<u64> = Deserializer::new().deserialize(&mut &*bytes).ok()?;
    histogram.auto(true);
    Some(histogram)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_would_make_the_decoder_panic_or_take_gigabytes_are_no_histogram() {
        let mut histogram = Histogram::<u64>::new(3).expect("3 digits are allowed");
        histogram.record(1).expect("it is in range");
        let good = STANDARD.decode(Quantiles::of(&histogram).hdr_v2).expect("it is base64");
        assert_eq!(decode_histogram(&good).map(|it| it.len()), Some(1));
        let least = [&good[..], &LEAST].concat();
        let with_length = |mut bytes: Vec<u8>| {
            let length = u32::try_from(bytes.len() - HEADER_BYTES).expect("a few bytes");
            bytes[4..8].copy_from_slice(&length.to_be_bytes());
            bytes
        };
        assert!(decode_histogram(&with_length(least)).is_none());
        let mut deflated = good.clone();
        deflated[3] = 0x14;
        assert!(decode_histogram(&deflated).is_none());
        assert!(decode_histogram(&good[..good.len() - 1]).is_none());
        assert!(decode_histogram(&[]).is_none());
    }
}
