//! Figures of a group: for each metric the median, the least and the most of its runs.

use crate::runs::births::Births;
use crate::runs::sample_size::{P50_PPB, P90_PPB, P99_PPB, P999_PPB};
use crate::runs::{births, sample_size};
use iowq_contract::{Quantiles, Record};

/// One metric over the runs of a group.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Spread {
    /// Median of the runs.
    pub median: f64,
    /// Least of the runs.
    pub least: f64,
    /// Most of the runs.
    pub most: f64,
    /// Runs.
    pub runs: usize,
}

impl Spread {
    /// Of any number of values; none of nothing.
    #[must_use]
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let upper = *values.get(middle)?;
        let lower = if values.len().is_multiple_of(2) { *values.get(middle - 1)? } else { upper };
        Some(Self { median: f64::midpoint(lower, upper), least, most, runs: values.len() })
    }

    /// Whether some value could belong to both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.least <= other.most && other.least <= self.most
    }
}

/// The figures of a group. A metric is absent where a run of the group lacks it: leaving that run
/// out would compare unlike sets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Operations done per second.
    pub per_s: Option<Spread>,
    /// Median response time.
    pub p50_ns: Option<Spread>,
    /// 90th percentile of response time.
    pub p90_ns: Option<Spread>,
    /// 99th percentile of response time.
    pub p99_ns: Option<Spread>,
    /// 99.9th percentile of response time.
    pub p999_ns: Option<Spread>,
    /// Workers created per 1000 operations.
    pub created_per_1000_ops: Option<Spread>,
    /// Workers born per second.
    pub born_per_s: Option<Spread>,
    /// Births of the run with the median number of them.
    pub births: Option<Births>,
    /// Most workers alive at one time.
    pub peak: Option<Spread>,
    /// How long the last worker outlived the last ring, of the runs that watched it leave.
    pub linger_ms: Option<Spread>,
    /// Runs in which the last worker stayed until the watch over it ended.
    pub stayed: usize,
}

impl Figures {
    /// Of finished runs.
    #[must_use]
    pub fn of(runs: &[&Record]) -> Self {
        let quantile = |beyond_ppb, pick: fn(&Quantiles) -> u64| {
            over(runs, |record| quantile_ns(record, beyond_ppb, pick))
        };
        // Who is sent away the moment the ring is closed neither stays nor leaves.
        let watched = runs.iter().filter(|record| record.settings.watched_ms != Some(0));
        let lingers: Vec<Option<f64>> = watched.map(|record| record.workers.linger_ms).collect();
        Self {
            per_s: over(runs, |record| Some(record.ops.per_s)),
            p50_ns: quantile(P50_PPB, |all| all.p50_ns),
            p90_ns: quantile(P90_PPB, |all| all.p90_ns),
            p99_ns: quantile(P99_PPB, |all| all.p99_ns),
            p999_ns: quantile(P999_PPB, |all| all.p999_ns),
            created_per_1000_ops: over(runs, |record| record.workers.created_per_1000_ops),
            born_per_s: over(runs, births::per_s),
            births: births::typical(runs),
            peak: over(runs, |record| Some(f64::from(record.workers.peak))),
            stayed: lingers.iter().filter(|linger_ms| linger_ms.is_none()).count(),
            linger_ms: Spread::of(lingers.into_iter().flatten().collect()),
        }
    }
}

fn over(runs: &[&Record], value: impl Fn(&Record) -> Option<f64>) -> Option<Spread> {
    Spread::of(runs.iter().map(|record| value(record)).collect::<Option<Vec<f64>>>()?)
}

/// A quantile of response time over all operations, if enough samples lie beyond it.
pub fn quantile_ns(record: &Record, beyond_ppb: u64, pick: fn(&Quantiles) -> u64) -> Option<f64> {
    let all = record.latency.response.get("all")?;
    sample_size::is_sure(all.count, beyond_ppb).then(|| pick(all) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use iowq_sample as sample;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        let spread = Spread::of(vec![4.0, 1.0, 2.0, 9.0]);
        let expected = Spread { median: 3.0, least: 1.0, most: 9.0, runs: 4 };
        assert_eq!(spread, Some(expected));
        assert_eq!(Spread::of(Vec::new()), None);
    }

    #[test]
    fn ranges_that_touch_overlap() {
        let of = |values: &[f64]| Spread::of(values.to_vec()).expect("there are values");
        assert!(of(&[1.0, 2.0]).overlaps(&of(&[2.0, 3.0])));
        assert!(!of(&[1.0, 2.0]).overlaps(&of(&[2.1, 3.0])));
    }

    #[test]
    fn a_quantile_needs_a_hundred_samples_beyond_it() {
        let mut record = sample::run("nop", "6.12", 0);
        let all = record.latency.response.get_mut("all").expect("all operations are there");
        all.count = 99_960;
        let figures = Figures::of(&[&record]);
        assert!(figures.p99_ns.is_some());
        assert!(figures.p999_ns.is_none(), "99.96 samples are not 100");
    }

    #[test]
    fn a_worker_that_nobody_watched_after_the_close_did_not_stay() {
        let mut record = sample::run("dsync", "6.12", 0);
        record.workers.linger_ms = None;
        assert_eq!(Figures::of(&[&record]).stayed, 1);
        record.settings.watched_ms = Some(0);
        assert_eq!(Figures::of(&[&record]).stayed, 0);
        record.workers.linger_ms = Some(0.01);
        assert_eq!(Figures::of(&[&record]).linger_ms, None);
    }

    #[test]
    fn a_metric_that_one_run_lacks_is_absent() {
        let (whole, mut short) = (sample::run("nop", "6.12", 0), sample::run("nop", "6.12", 1));
        short.workers.created_per_1000_ops = None;
        let figures = Figures::of(&[&whole, &short]);
        assert_eq!(figures.created_per_1000_ops, None);
        assert_eq!(figures.peak.map(|peak| peak.runs), Some(2));
    }
}
