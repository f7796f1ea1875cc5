//! Figures of a group: for each metric the median, the least and the most of its runs.

use iowq_contract::Record;

use crate::runs::births::{self, Births};
use crate::runs::metric::Metric;

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
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let upper = *values.get(middle)?;
        let lower = if values.len().is_multiple_of(2) { *values.get(middle - 1)? } else { upper };
        Some(Self { median: f64::midpoint(lower, upper), least, most, runs: values.len() })
    }

    /// Whether some value could belong to both.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.least <= other.most && other.least <= self.most
    }
}

/// The figures of a group. A metric is absent if a run of the group lacks it: omitting that run
/// would compare sets that differ.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Each metric over the runs, in the order of [`Metric::all`].
    metrics: [Option<Spread>; Metric::COUNT],
    /// Births of the run with the median number of them.
    pub births: Option<Births>,
    /// How long the last worker outlived the last ring, of the runs that watched it leave.
    pub linger_ms: Option<Spread>,
    /// Runs in which the last worker stayed until the watch over it ended.
    pub stayed: usize,
}

impl Figures {
    /// Of finished runs.
    pub fn new(runs: &[&Record]) -> Self {
        let mut metrics = [None; Metric::COUNT];
        for metric in Metric::all() {
            let values: Option<Vec<f64>> = runs.iter().map(|run| metric.value(run)).collect();
            metrics[metric as usize] = values.and_then(Spread::of);
        }
        // A worker that is sent away when the ring is closed neither stays nor leaves, and nor does
        // one that never was.
        let has_any = |run: &&&Record| run.workers.peak != Some(0);
        let watched = runs.iter().filter(|run| run.settings.watched_ms != Some(0)).filter(has_any);
        let lingers: Vec<Option<f64>> = watched.map(|run| run.workers.linger_ms).collect();
        Self {
            metrics,
            births: births::typical(runs),
            stayed: lingers.iter().filter(|linger_ms| linger_ms.is_none()).count(),
            linger_ms: Spread::of(lingers.into_iter().flatten().collect()),
        }
    }

    /// A metric over the runs.
    pub fn of(&self, metric: Metric) -> Option<Spread> {
        self.metrics[metric as usize]
    }
}

#[cfg(test)]
mod tests {
    use iowq_sample as sample;

    use super::*;

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
        let figures = Figures::new(&[&record]);
        assert!(figures.of(Metric::ResponseP99).is_some());
        assert!(figures.of(Metric::ResponseP999).is_none(), "99.96 samples are not 100");
    }

    #[test]
    fn a_worker_that_nobody_watched_after_the_close_did_not_stay() {
        let mut record = sample::run("dsync", "6.12", 0);
        record.workers.linger_ms = None;
        assert_eq!(Figures::new(&[&record]).stayed, 1);
        record.workers.peak = Some(0);
        assert_eq!(Figures::new(&[&record]).stayed, 0, "there was none");
        record.workers.peak = Some(1);
        record.settings.watched_ms = Some(0);
        assert_eq!(Figures::new(&[&record]).stayed, 0);
        record.workers.linger_ms = Some(0.01);
        assert_eq!(Figures::new(&[&record]).linger_ms, None);
    }

    #[test]
    fn a_metric_that_one_run_lacks_is_absent() {
        let (whole, mut short) = (sample::run("nop", "6.12", 0), sample::run("nop", "6.12", 1));
        short.workers.created_per_1000_ops = None;
        let figures = Figures::new(&[&whole, &short]);
        assert_eq!(figures.of(Metric::CreatedPer1000), None);
        assert_eq!(figures.of(Metric::Peak).map(|peak| peak.runs), Some(2));
    }
}
