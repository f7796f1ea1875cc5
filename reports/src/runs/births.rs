//! Births of a run: how many, how fast, and which were the pool's first fill.

use iowq_contract::Record;

use crate::format;

/// Births that count, as a run has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Births {
    /// All of them.
    pub born: u64,
    /// Those that raised the number alive above all before in the run.
    pub fill: u64,
}

impl Births {
    /// Of a run; none if workers were not counted, or an older record had a warm-up: how many workers it
    /// left is then unknown.
    pub fn of(record: &Record) -> Option<Self> {
        let (born, workers) = (born(record)?, &record.workers);
        let all_count = workers.created.best() == Some(born);
        // From none alive on, each worker of the peak was once one more than before.
        let peak = workers.peak.filter(|_| all_count).map(|peak| u64::from(peak).min(born));
        Some(Self { born, fill: workers.fill_measured.or(peak)?.min(born) })
    }

    /// Births in place of workers that had left.
    pub fn churn(self) -> u64 {
        self.born.saturating_sub(self.fill)
    }

    /// `253 = fill 64 + churn 189`.
    pub fn text(self) -> String {
        let [born, fill, churn] = [self.born, self.fill, self.churn()].map(format::thousands);
        format!("{born} = fill {fill} + churn {churn}")
    }
}

/// The births that `created_per_1000_ops` counts. Older records say them by that alone.
fn born(record: &Record) -> Option<u64> {
    let workers = &record.workers;
    let per_1000 = workers.created_per_1000_ops.filter(|_| record.ops.done > 0);
    let counted = || Some((per_1000? * record.ops.done as f64 / 1000.0).round() as u64);
    workers.born_measured.or_else(counted)
}

/// Births per second of the measured part; none if workers were not counted or it took no time.
pub fn per_s(record: &Record) -> Option<f64> {
    let seconds = record.duration_ns as f64 / 1e9;
    Some(born(record)? as f64 / seconds).filter(|per_s| per_s.is_finite())
}

/// The run with the median number of births, if all have one.
pub fn typical(runs: &[&Record]) -> Option<Births> {
    let mut all = runs.iter().map(|run| Births::of(run)).collect::<Option<Vec<_>>>()?;
    all.sort_by_key(|one| (one.born, one.fill));
    all.get(all.len().saturating_sub(1) / 2).copied()
}

#[cfg(test)]
mod tests {
    use iowq_sample as sample;

    use super::*;
    use crate::bench::births::{parts, rates};
    use crate::runs::group;

    #[test]
    fn what_did_not_raise_the_most_alive_is_churn_and_old_records_say_so_by_their_peak() {
        let mut run = sample::run("fsync-mix", "6.12", 0);
        let created = run.workers.created.best().expect("it was counted");
        let known = Births::of(&run).expect("it was counted");
        assert_eq!((known.born, known.fill, known.churn()), (created, 64, created - 64));
        (run.workers.born_measured, run.workers.fill_measured) = (None, None);
        assert_eq!(Births::of(&run), Some(known));
        assert_eq!(Births { born: 87, fill: 64 }.text(), "87 = fill 64 + churn 23");
    }

    #[test]
    fn the_fill_of_an_old_record_with_a_warm_up_is_unknown_and_its_rate_is_not() {
        let mut run = sample::run("fsync-mix", "6.12", 0);
        (run.workers.born_measured, run.workers.fill_measured) = (None, None);
        run.workers.created_per_1000_ops = Some(1.0);
        assert_eq!(Births::of(&run), None);
        assert_eq!(per_s(&run), Some(8.0), "24 births in 3 s");
        run.workers.created_per_1000_ops = None;
        assert_eq!((Births::of(&run), per_s(&run)), (None, None), "nobody counted");
        run.workers.born_measured = Some(3);
        run.duration_ns = 0;
        assert_eq!(per_s(&run), None, "it took no time");
    }

    #[test]
    fn what_was_born_is_told_per_second_and_by_its_parts_unless_counts_disagree() {
        let mut runs = vec![sample::run("dsync", "6.12", 0), sample::run("dsync", "6.17", 0)];
        for (run, born) in runs.iter_mut().zip([96, 5]) {
            (run.workers.born_measured, run.workers.fill_measured) = (Some(born), Some(5));
        }
        let said = |runs: &[Record]| [rates, parts].map(|say| say(&group::sections(runs)[0]));
        let expected = [
            "Born per second: 32 under 6.12 and 1.67 under 6.17.",
            "Born: 96 = fill 5 + churn 91 under 6.12 and 5 = fill 5 + churn 0 under 6.17.",
        ];
        assert_eq!(said(&runs), expected.map(|text| Some(text.to_owned())));
        runs[0].probe.events_lost = 1;
        assert_eq!(said(&runs), [None, None]);
    }

    #[test]
    fn of_several_runs_the_one_with_the_median_births_is_told() {
        let mut runs = [0, 1, 2].map(|pair| sample::run("fsync-mix", "6.12", pair));
        for (run, born) in runs.iter_mut().zip([90, 70, 80]) {
            run.workers.born_measured = Some(born);
        }
        let of = |runs: &[Record]| typical(&runs.iter().collect::<Vec<_>>());
        assert_eq!(of(&runs), Some(Births { born: 80, fill: 64 }));
        runs[0].workers.created = Default::default();
        runs[0].workers.fill_measured = None;
        assert_eq!((of(&runs), of(&[])), (None, None));
    }
}
