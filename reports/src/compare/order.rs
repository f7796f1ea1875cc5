//! Order: whether positions tell in which order runs were made, and how often either side was first.

use std::collections::{BTreeMap, BTreeSet};

use iowq_contract::{Caveat, Code, Record};
use jiff::Timestamp;

use crate::compare::finding::Point;
use crate::format;
use crate::runs::group;
use crate::runs::unit::Unit;

/// More than this share of pairs with the same side first is worth a note.
const FIRST_SHARE_MAX: f64 = 0.7;

/// Why runs or boots of one file are not of one bench, if they are not: a place that is there twice,
/// runs of several boots of the host, or a run that started before one of an earlier place. Two
/// benches with the same seed have the same rounds, so that nothing else tells them apart, and on two
/// hosts of one kind they may run at the same time. The clock of a booted kernel is its own.
pub fn not_one_bench(units: &[&Unit<'_>]) -> Option<String> {
    let mut places: BTreeMap<u32, &Record> = BTreeMap::new();
    for (place, run) in units.iter().filter_map(|unit| Some((unit.position(), *unit.runs.first()?)))
    {
        if places.insert(place, run).is_some_and(|other| !same_boot(other, run)) {
            return Some(format!(
                "position {place} occurs twice, so the file holds more than one bench"
            ));
        }
    }
    let runs: Vec<(u32, &Record)> =
        places.into_iter().filter(|(_, run)| run.key.boot.is_none()).collect();
    let boots = runs.iter().filter_map(|(_, run)| Some(&run.since_boot.as_ref()?.boot_id));
    if boots.collect::<BTreeSet<_>>().len() > 1 {
        return Some(
            "the runs were made in several boots, so the file holds more than one bench, or those of \
             several hosts"
                .to_owned(),
        );
    }
    let falls = runs.windows(2).find_map(|two| match two {
        [(before, early), (after, late)] if started_before(late, early) => Some((*before, *after)),
        _ => None,
    });
    falls.map(|(before, after)| {
        format!(
            "the run of position {after} started before that of position {before}, so the file \
             holds more than one bench, or the clock was set back"
        )
    })
}

/// Why the rounds of runs are not those that a bench made, if they are not: each has all rounds up to
/// its last one, with a record of each run that failed. Who leaves some out may choose them. A boot
/// that was lost leaves its round out by itself.
pub fn missing_round(runs: &[&Record]) -> Option<String> {
    let of_bench = runs.iter().filter(|run| run.key.boot.is_none());
    let rounds: BTreeSet<u32> = of_bench.map(|run| run.key.round).collect();
    let missing = (0..).zip(&rounds).find_map(|(at, round)| (at != *round).then_some(at))?;
    let policy = runs.first().map_or_else(String::new, |run| format::clip(&group::label(run), 60));
    Some(format!(
        "round {missing} of {policy} is missing, though there is a later one, so runs were left out \
         of the file"
    ))
}

/// Whether a run started before another: by the clock of their boot, which is never set, or else by
/// the wall clock.
pub(super) fn started_before(one: &Record, other: &Record) -> bool {
    let of_boot = one.since_boot.as_ref().zip(other.since_boot.as_ref());
    of_boot.and_then(|(one, other)| one.is_before(other)).unwrap_or_else(|| {
        let wall = |run: &Record| run.started.parse::<Timestamp>().ok();
        wall(one).zip(wall(other)).is_some_and(|(one, other)| one < other)
    })
}

/// Whether two variants ran in one boot.
fn same_boot(one: &Record, other: &Record) -> bool {
    let kernel = |run: &Record| run.key.boot.as_ref().map(|boot| boot.kernel.clone());
    kernel(one).is_some() && kernel(one) == kernel(other)
}

/// A note where one side ran first in nearly all pairs: what the first run of a round has to itself,
/// such as a cold cache, then looks like an effect.
pub fn unbalanced(points: &[Point]) -> Option<Caveat> {
    // Variants of one boot have its place, and an order of their own in it.
    let apart = points.iter().filter(|one| one.base_position != one.test_position);
    let base_first = apart.clone().filter(|one| one.base_position < one.test_position).count();
    let all = apart.count();
    let most = base_first.max(all - base_first);
    if all < 2 || most as f64 <= FIRST_SHARE_MAX * all as f64 {
        return None;
    }
    let side = if most == base_first { "base" } else { "test" };
    let pairs = format::count(all as u64, "pair", "pairs");
    let text = format!(
        "The {side} ran first in {most} of {pairs}, so that an effect of being first looks like \
         a difference. A bench with an even number of rounds is balanced."
    );
    Some(Caveat::new(Code::OrderUnbalanced, text))
}

#[cfg(test)]
mod tests {
    use iowq_contract::SinceBoot;
    use iowq_sample as sample;

    use super::*;
    use crate::runs::unit::units;

    fn said(change: impl Fn(&mut [Record])) -> String {
        let mut runs = sample::pairs(4, |_| ());
        change(&mut runs);
        let units = units(&runs.iter().collect::<Vec<_>>());
        not_one_bench(&units.iter().collect::<Vec<_>>()).unwrap_or_default()
    }

    #[test]
    fn places_are_there_once_and_time_goes_on_with_them() {
        assert_eq!(said(|_| ()), "");
        assert_eq!(said(<[Record]>::reverse), "", "the order of lines says nothing");
        assert!(said(|runs| runs[3].key.position = 1).contains("position 1 occurs twice"));
        let back = said(|runs| "2026-11-20T23:00:00Z".clone_into(&mut runs[3].started));
        assert!(back.contains("position 3 started before that of position 2"), "{back}");
        assert_eq!(said(|runs| "some day".clone_into(&mut runs[3].started)), "");
    }

    #[test]
    fn a_wall_clock_that_was_set_back_is_no_matter_if_the_boot_tells() {
        let since = |place: usize, boot_id: &str| {
            Some(SinceBoot { boot_id: boot_id.to_owned(), started_ns: 1_000 * place as u64 })
        };
        let back = |runs: &mut [Record]| {
            "2026-11-20T23:00:00Z".clone_into(&mut runs[3].started);
            for (place, run) in runs.iter_mut().enumerate() {
                run.since_boot = since(place, "a");
            }
        };
        assert_eq!(said(back), "");
        let swapped = said(|runs| {
            back(runs);
            runs[3].since_boot = since(1, "a");
            runs[3].started = runs[2].started.clone();
        });
        assert!(swapped.contains("position 3 started before that of position 2"), "{swapped}");
        // Two hosts may be alike in all but that, and have run at the same time.
        let rebooted = said(|runs| {
            for (place, run) in runs.iter_mut().enumerate() {
                run.since_boot = since(place, ["a", "b"][place % 2]);
            }
        });
        assert!(rebooted.contains("made in several boots"), "{rebooted}");
    }

    #[test]
    fn one_side_first_in_more_than_seven_of_ten_is_noted() {
        let point = |at: u32, first: bool| Point {
            round: at,
            base_position: 2 * at + u32::from(!first),
            test_position: 2 * at + u32::from(first),
            base: 1.0,
            test: 1.0,
        };
        let with = |base_first: u32| -> String {
            let points: Vec<Point> = (0..10).map(|at| point(at, at < base_first)).collect();
            unbalanced(&points).map_or_else(String::new, |note| note.text)
        };
        assert_eq!([with(3), with(5), with(7)], ["", "", ""]);
        assert!(with(8).starts_with("The base ran first in 8 of 10 pairs"));
        assert!(with(2).starts_with("The test ran first in 8 of 10 pairs"));
    }
}
