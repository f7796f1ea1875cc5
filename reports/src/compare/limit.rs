//! A limit that is broken: workers beyond the limit on bounded ones, where the base keeps to it.

use super::Bar;
use super::boots::Unit;
use crate::format;

/// How far a peak may read over the limit: a birth is seen before the death of the worker that it
/// replaces.
const OVER_MAX: u32 = 1;

/// Units that must be over the limit, where one alone might have been misread.
const UNITS_MIN: usize = 2;

/// Says that the test breaks the limit, and the base never does. A peak counts unbounded workers as
/// well, and which account work went to is in no record: a base that never has more than the limit
/// shows that the workload needs bounded workers alone.
///
/// No rule of a kernel allows a breach, so that one unit shows it, if it cannot have been misread:
/// were every worker seen together with the one that it replaces, there would be twice the limit.
/// Up to that it takes two units and most of them.
#[must_use]
pub fn broken(name: [&str; 2], base: &[Unit<'_>], test: &[Unit<'_>]) -> Option<Bar> {
    let mut over: Vec<u32> = test.iter().filter_map(peak_over).collect();
    over.sort_unstable();
    let limit = test.first()?.runs.first()?.settings.limit_bounded;
    let same = |unit: &Unit<'_>| unit.runs.iter().all(|run| run.settings.limit_bounded == limit);
    if base.is_empty() || base.iter().any(trusts_not) || !base.iter().chain(test).all(same) {
        return None;
    }
    let surely = over.last()? > &limit.saturating_mul(2);
    let often = over.len() >= UNITS_MIN && over.len() * 2 > test.len();
    if !surely && !often {
        return None;
    }
    let [base_name, test_name] = name.map(|name| format::clip(name, 60));
    let units = if test.iter().any(Unit::is_boot) { ["boot", "boots"] } else { ["run", "runs"] };
    let of_test = format::count(test.len() as u64, units[0], units[1]);
    let text = format!(
        "{test_name} let {} bounded workers live under a limit of {limit}, in {} of {of_test}; \
         {base_name} kept to it in all {}.",
        over.get((over.len() - 1) / 2)?,
        over.len(),
        base.len()
    );
    Some(Bar { code: "limit-broken".to_owned(), text })
}

/// Whether a unit is over the limit, or might be.
fn trusts_not(unit: &Unit<'_>) -> bool {
    peak_over(unit).is_some() || unit.runs.iter().any(|run| run.probe.events_lost > 0)
}

/// The highest peak over the limit. With events lost a worker may be counted that is gone.
fn peak_over(unit: &Unit<'_>) -> Option<u32> {
    let over = unit.runs.iter().filter(|run| {
        let limit = run.settings.limit_bounded;
        limit > 0 && run.probe.events_lost == 0 && run.workers.peak > limit.saturating_add(OVER_MAX)
    });
    over.map(|run| run.workers.peak).max()
}

#[cfg(test)]
mod tests {
    use iowq_record::Record;

    use super::*;
    use crate::compare::boots::units;
    use crate::sample;

    fn runs(peaks: &[u32]) -> Vec<Record> {
        let run = |(at, peak): (u32, &u32)| {
            let mut run = sample::run("limit-8", "6.17", at);
            run.settings.limit_bounded = 8;
            run.workers.peak = *peak;
            run
        };
        (0..).zip(peaks).map(run).collect()
    }

    fn found(base: &[u32], test: &[u32]) -> Option<String> {
        let (base, test) = (runs(base), runs(test));
        let (base, test): (Vec<&Record>, Vec<&Record>) =
            (base.iter().collect(), test.iter().collect());
        broken(["base", "S"], &units(&base), &units(&test)).map(|bar| bar.text)
    }

    #[test]
    fn most_runs_over_the_limit_where_the_base_keeps_to_it_break_it() {
        let text = found(&[8, 9, 8], &[60, 61, 65]).expect("it is broken");
        assert_eq!(
            text,
            "S let 61 bounded workers live under a limit of 8, in 3 of 3 runs; base kept to it in \
             all 3."
        );
    }

    #[test]
    fn what_no_late_death_explains_breaks_the_limit_in_a_single_run() {
        for (test, runs) in [(&[61][..], "in 1 of 1 run;"), (&[8, 8, 61, 8], "in 1 of 4 runs;")] {
            let text = found(&[8], test).expect("it is broken");
            assert!(text.starts_with("S let 61 bounded") && text.contains(runs), "{text}");
        }
        assert!(found(&[3], &[17]).is_some());
    }

    #[test]
    fn up_to_twice_the_limit_it_takes_two_runs_and_most_of_them() {
        assert_eq!(found(&[8], &[16]), None);
        assert_eq!(found(&[8, 8, 8, 8], &[16, 10, 8, 8]), None);
        assert!(found(&[8], &[16, 10]).is_some());
        assert!(found(&[8, 8, 8], &[16, 8, 10]).is_some());
    }

    #[test]
    fn one_over_or_a_base_that_does_so_too_is_no_broken_limit() {
        assert_eq!(found(&[8, 8], &[9, 9]), None);
        assert_eq!(found(&[8, 20], &[61, 61]), None);
        assert_eq!(found(&[], &[61, 61]), None);
    }

    #[test]
    fn lost_events_make_no_breach_and_a_base_that_lost_some_shows_nothing() {
        let with_lost = |of_base: u64, of_test: u64| {
            let (mut base, mut test) = (runs(&[8, 8]), runs(&[61, 61]));
            base[0].probe.events_lost = of_base;
            test.iter_mut().for_each(|run| run.probe.events_lost = of_test);
            let (base, test) = (base.iter().collect::<Vec<_>>(), test.iter().collect::<Vec<_>>());
            broken(["base", "S"], &units(&base), &units(&test)).is_some()
        };
        assert_eq!([with_lost(0, 0), with_lost(1, 0), with_lost(0, 1)], [true, false, false]);
    }
}
