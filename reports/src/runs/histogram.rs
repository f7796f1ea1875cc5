//! Histograms of a group: the runs merged, for pictures only. No figure is taken from them.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use iowq_contract::{Quantiles, Record};

/// The two clocks of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// From the moment it was meant to start, see [`crate::runs::arrival`].
    Response,
    /// From the moment it was handed over.
    Service,
}

impl Clock {
    /// The histograms of a run on this clock, by kind of operation.
    pub fn of(self, record: &Record) -> &BTreeMap<String, Quantiles> {
        match self {
            Self::Response => &record.latency.response,
            Self::Service => &record.latency.service,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Response => "response time",
            Self::Service => "service time",
        }
    }
}

/// Whether some run has a histogram of response times.
pub fn any<'a>(mut records: impl Iterator<Item = &'a Record>) -> bool {
    records.any(|record| record.latency.response.values().any(|one| !one.hdr_v2.is_empty()))
}

/// The histograms of all runs in one; none if no run has a readable one.
pub fn merged(runs: &[&Record], clock: Clock, kind: &str) -> Option<Histogram<u64>> {
    let mut sum: Option<Histogram<u64>> = None;
    for record in runs {
        let Some(one) = clock.of(record).get(kind).and_then(Quantiles::histogram) else {
            continue;
        };
        match &mut sum {
            Some(sum) => sum.add(&one).ok()?,
            None => sum = Some(one),
        }
    }
    sum.filter(|histogram| !histogram.is_empty())
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use iowq_sample as sample;

    use super::*;

    #[test]
    fn merging_adds_the_runs() {
        let (a, b) = (sample::run("dsync", "6.12", 0), sample::run("dsync", "6.12", 1));
        let count = |record: &Record| record.latency.response["all"].count;
        let merged = merged(&[&a, &b], Clock::Response, "all").expect("both are readable");
        assert_eq!(merged.len(), count(&a) + count(&b));
    }

    #[test]
    fn bytes_that_are_no_histogram_are_left_out() {
        let good = sample::run("dsync", "6.12", 0).latency.response["all"].clone();
        let mut bytes = STANDARD.decode(&good.hdr_v2).expect("the sample is base64");
        bytes[4..8].copy_from_slice(&u32::MAX.to_be_bytes());
        let huge = STANDARD.encode(&bytes);
        for hdr_v2 in ["", "%%%", "AAAA", &huge] {
            let spoilt = Quantiles { hdr_v2: hdr_v2.to_owned(), ..good.clone() };
            assert!(spoilt.histogram().is_none());
        }
        assert!(Quantiles { count: 1, ..good.clone() }.histogram().is_none());
        assert!(good.histogram().is_some());
    }
}
