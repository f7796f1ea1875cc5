//! Histograms of a group: the runs merged, for pictures only. No figure is taken from them.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use iowq_contract::{Kinds, Quantiles, Record};

/// The two clocks of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Clock {
    /// From the moment it was meant to start, see [`crate::runs::arrival`].
    Response,
    /// From the moment it was handed over.
    Service,
}

impl Clock {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Response, Self::Service];

    /// The histograms of a run on this clock, by kind of operation.
    pub fn of(self, record: &Record) -> &Kinds<Quantiles> {
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

/// The histograms of some runs in one for each clock and kind of operation.
#[derive(Debug, Default)]
pub struct Merged(BTreeMap<Clock, BTreeMap<String, Histogram<u64>>>);

impl Merged {
    /// Adds those of a run that are readable.
    pub fn add(&mut self, run: &Record) {
        for clock in Clock::ALL {
            let sums = self.0.entry(clock).or_default();
            for (kind, quantiles) in clock.of(run).iter() {
                match (quantiles.histogram(), sums.get_mut(kind)) {
                    // The sum grows as it must, so that adding never fails.
                    (Some(one), Some(sum)) => _ = sum.add(&one),
                    (Some(one), None) => _ = sums.insert(kind.clone(), one),
                    (None, _) => {}
                }
            }
        }
    }

    /// The sums that have a value.
    pub fn all(&self) -> impl Iterator<Item = (Clock, &str, &Histogram<u64>)> {
        let sums = self.0.iter().flat_map(|(clock, sums)| sums.iter().map(|one| (*clock, one)));
        let sums = sums.map(|(clock, (kind, sum))| (clock, kind.as_str(), sum));
        sums.filter(|(.., sum)| !sum.is_empty())
    }
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
        let mut merged = Merged::default();
        merged.add(&a);
        merged.add(&b);
        let mut sums = merged.all();
        let (clock, kind, sum) = sums.next().expect("both are readable");
        assert_eq!((clock, kind, sum.len()), (Clock::Response, "all", count(&a) + count(&b)));
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
