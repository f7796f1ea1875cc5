//! A limit that is broken: more workers of an account than its limit allows, if the base keeps
//! to it.

use iowq_contract::{Caveat, Code, Record};

use crate::format;
use crate::runs::unit::Unit;

/// How far a peak may read over the limit: a birth is seen before the death of the worker that it
/// replaces.
const OVER_MAX: u32 = 1;

/// Units that must be over the limit, if one alone might have been misread.
const UNITS_MIN: usize = 2;

/// Whose limit it is: the limit, and the most workers alive of those that it is about, if known.
struct Account {
    name: &'static str,
    limit: fn(&Record) -> u32,
    peak: fn(&Record) -> Option<u32>,
}

const BOUNDED: Account = Account {
    name: "bounded",
    limit: |run| run.settings.limit_bounded,
    peak: |run| run.workers.peak_bounded,
};

const UNBOUNDED: Account = Account {
    name: "unbounded",
    limit: |run| run.settings.limit_unbounded,
    peak: |run| run.workers.peak_unbounded,
};

/// All workers, where a record says nothing of accounts and none is known to be unbounded: a base
/// that never has more than the limit then shows that the workload needs bounded workers alone.
const ALL_BOUNDED: Account = Account { peak: |run| run.workers.peak, ..BOUNDED };

/// Says that the test breaks a limit, and the base never does.
///
/// No rule of a kernel allows a breach, so that one unit shows it, if it cannot have been misread:
/// were every worker seen together with the one that it replaces, there would be twice the limit.
/// Up to that it takes two units and most of them.
pub fn broken(name: [&str; 2], base: &[Unit<'_>], test: &[Unit<'_>]) -> Option<Caveat> {
    let runs = || base.iter().chain(test).flat_map(|unit| &unit.runs);
    let accounts: &[Account] = if runs().all(|run| run.workers.peak_bounded.is_some()) {
        &[BOUNDED, UNBOUNDED]
    } else if runs().any(|run| has_unbounded(run)) {
        &[]
    } else {
        &[ALL_BOUNDED]
    };
    accounts.iter().find_map(|account| account.broken(name, base, test))
}

/// Whether a run had unbounded workers, or a policy that makes works on files unbounded.
fn has_unbounded(run: &Record) -> bool {
    run.workers.peak_unbounded.is_some_and(|peak| peak > 0)
        || run.settings.patches.iter().any(|switch| switch == UNBOUNDED_FILES)
}

/// The switch under which works that are forced to a worker are unbounded, by the name that it has
/// in records that say nothing of accounts.
const UNBOUNDED_FILES: &str = "forced-file-unknown";

impl Account {
    /// The highest peak over the limit. With events lost a worker may be counted that is gone.
    fn peak_over(&self, unit: &Unit<'_>) -> Option<u32> {
        let over = unit.runs.iter().filter_map(|run| {
            let limit = (self.limit)(run);
            let found = (self.peak)(run).filter(|found| *found > limit.saturating_add(OVER_MAX));
            found.filter(|_| limit > 0 && run.probe.events_lost == 0)
        });
        over.max()
    }

    /// Whether a unit is over the limit, or might be.
    fn trusts_not(&self, unit: &Unit<'_>) -> bool {
        self.peak_over(unit).is_some() || unit.runs.iter().any(|run| run.probe.events_lost > 0)
    }

    fn broken(&self, name: [&str; 2], base: &[Unit<'_>], test: &[Unit<'_>]) -> Option<Caveat> {
        let mut over: Vec<u32> = test.iter().filter_map(|unit| self.peak_over(unit)).collect();
        over.sort_unstable();
        let limit = (self.limit)(test.first()?.runs.first()?);
        let same = |unit: &Unit<'_>| unit.runs.iter().all(|run| (self.limit)(run) == limit);
        let trusts_not = |unit: &Unit<'_>| self.trusts_not(unit);
        if base.is_empty() || base.iter().any(trusts_not) || !base.iter().chain(test).all(same) {
            return None;
        }
        let surely = over.last()? > &limit.saturating_mul(2);
        let often = over.len() >= UNITS_MIN && over.len() * 2 > test.len();
        if !surely && !often {
            return None;
        }
        let [base_name, test_name] = name.map(|name| format::clip(name, 60));
        let units =
            if test.iter().any(Unit::is_boot) { ["boot", "boots"] } else { ["run", "runs"] };
        let of_test = format::count(test.len() as u64, units[0], units[1]);
        let text = format!(
            "{test_name} let {} {} workers live under a limit of {limit}, in {} of {of_test}; \
             {base_name} kept to it in all {}.",
            over.get((over.len() - 1) / 2)?,
            self.name,
            over.len(),
            base.len()
        );
        Some(Caveat::new(Code::LimitBroken, text))
    }
}

#[cfg(test)]
mod tests {
    use iowq_sample as sample;

    use super::*;
    use crate::runs::unit::units;

    fn runs(peaks: &[u32]) -> Vec<Record> {
        let run = |(at, peak): (u32, &u32)| {
            let mut run = sample::run("limit-8", "6.17", at);
            run.settings.limit_bounded = 8;
            run.workers.peak = Some(*peak);
            run
        };
        (0..).zip(peaks).map(run).collect()
    }

    /// Runs that say how many of each account lived: `[bounded, unbounded]`.
    fn known(peaks: &[[u32; 2]]) -> Vec<Record> {
        let totals: Vec<u32> = peaks.iter().map(|peaks| peaks.iter().sum()).collect();
        let mut runs = runs(&totals);
        for (run, [bounded, unbounded]) in runs.iter_mut().zip(peaks) {
            run.settings.limit_unbounded = 64;
            run.workers.peak_bounded = Some(*bounded);
            run.workers.peak_unbounded = Some(*unbounded);
        }
        runs
    }

    fn found(base: &[u32], test: &[u32]) -> Option<String> {
        between(&runs(base), &runs(test))
    }

    fn between(base: &[Record], test: &[Record]) -> Option<String> {
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
    fn unbounded_workers_break_no_limit_on_bounded_ones() {
        assert_eq!(between(&known(&[[2, 0]; 3]), &known(&[[0, 64]; 3])), None);
        assert_eq!(between(&known(&[[8, 0]; 3]), &known(&[[8, 60]; 3])), None);
    }

    #[test]
    fn each_account_has_its_own_limit_and_the_base_is_asked_about_that_one() {
        let text = between(&known(&[[8, 64]; 3]), &known(&[[61, 64]; 3])).expect("it is broken");
        assert!(text.starts_with("S let 61 bounded workers live under a limit of 8"), "{text}");
        let text = between(&known(&[[20, 64]; 3]), &known(&[[0, 200]; 3])).expect("it is broken");
        assert!(text.starts_with("S let 200 unbounded workers live under a limit of 64"), "{text}");
        assert_eq!(between(&known(&[[20, 0]; 3]), &known(&[[61, 0]; 3])), None);
    }

    #[test]
    fn records_that_say_nothing_of_accounts_show_a_breach_unless_there_were_unbounded_workers() {
        let old = runs(&[61; 3]);
        assert!(between(&runs(&[8; 3]), &old).is_some());
        assert!(between(&known(&[[8, 0]; 3]), &old).is_some());
        assert_eq!(between(&known(&[[4, 4]; 3]), &old), None);
        let mut forced = old;
        forced[0].settings.patches.push(UNBOUNDED_FILES.to_owned());
        assert_eq!(between(&runs(&[8; 3]), &forced), None);
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
