//! The timeline: from births and deaths to workers alive, the peak, and churn in slices of time.

use iowq_contract::Churn;

/// Points of a timeline in a record, at most; a chart has about a thousand pixels.
const POINTS_MAX: usize = 2000;

/// Slices that births and deaths are counted in.
const SLICES: u64 = 120;

/// A birth or death, in ns from the start of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at_ns: u64,
    /// Whether a worker was born; else one is gone.
    pub born: bool,
}

/// Workers alive after each event, in order of time. A death before any birth is taken for a
/// worker that was there before.
#[must_use]
pub fn alive(events: &mut [Event]) -> Vec<(u64, u32)> {
    // If both happen at once, the birth came first: a peak is not to be lost.
    events.sort_by_key(|event| (event.at_ns, !event.born));
    let mut alive = 0u32;
    let mut points = vec![(0, 0)];
    for event in events.iter() {
        alive = if event.born { alive + 1 } else { alive.saturating_sub(1) };
        points.push((event.at_ns, alive));
    }
    points
}

/// Most workers alive at one time.
#[must_use]
pub fn peak(points: &[(u64, u32)]) -> u32 {
    points.iter().map(|&(_, alive)| alive).max().unwrap_or(0)
}

/// Births from `from_ns` on, and those of them that raised the number alive above all before: the
/// first fill. The others replace workers that left.
#[must_use]
pub fn births(points: &[(u64, u32)], from_ns: u64) -> (u64, u64) {
    let (mut most, mut births, mut fill) = (0, 0, 0);
    for step in points.windows(2) {
        let (before, (at_ns, alive)) = (step[0].1, step[1]);
        if before < alive && from_ns <= at_ns {
            births += 1;
            fill += u64::from(most < alive);
        }
        most = most.max(alive);
    }
    (births, fill)
}

/// At most some thousand points that still hold each slice's first, last, lowest and highest.
#[must_use]
pub fn thin(points: Vec<(u64, u32)>) -> Vec<(u64, u32)> {
    if points.len() <= POINTS_MAX {
        return points;
    }
    let per_slice = points.len().div_ceil(POINTS_MAX / 4);
    let mut kept = Vec::with_capacity(POINTS_MAX);
    for slice in points.chunks(per_slice) {
        let by_height = |place: &usize| slice[*place].1;
        let lowest = (0..slice.len()).min_by_key(by_height).unwrap_or(0);
        let highest = (0..slice.len()).max_by_key(by_height).unwrap_or(0);
        let mut places = [0, lowest, highest, slice.len() - 1];
        places.sort_unstable();
        let mut last = None;
        for place in places {
            if last != Some(place) {
                kept.push(slice[place]);
                last = Some(place);
            }
        }
    }
    kept
}

/// Births and deaths in slices of a run that took `length_ns`.
#[must_use]
pub fn churn(events: &[Event], length_ns: u64) -> Churn {
    let slice_ns = length_ns.div_ceil(SLICES).max(1);
    let mut churn =
        Churn { slice_ns, births: vec![0; SLICES as usize], deaths: vec![0; SLICES as usize] };
    for event in events {
        let slice = (event.at_ns / slice_ns).min(SLICES - 1) as usize;
        let counts = if event.born { &mut churn.births } else { &mut churn.deaths };
        counts[slice] += 1;
    }
    churn
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event(at_ns: u64, born: bool) -> Event {
        Event { at_ns, born }
    }

    #[test]
    fn workers_alive_are_births_less_deaths() {
        let mut events = [event(30, false), event(10, true), event(20, true), event(20, false)];
        assert_eq!(alive(&mut events), [(0, 0), (10, 1), (20, 2), (20, 1), (30, 0)]);
    }

    #[test]
    fn an_exit_without_a_birth_does_not_go_below_zero() {
        assert_eq!(alive(&mut [event(5, false)]), [(0, 0), (5, 0)]);
    }

    #[test]
    fn a_birth_that_raises_the_most_alive_is_fill_and_one_in_place_of_another_is_churn() {
        let changes = [true, true, false, true, true, false, false, true];
        let mut events: Vec<_> =
            (1..).zip(changes).map(|(at, born)| event(at * 10, born)).collect();
        let alive = alive(&mut events);
        assert_eq!(births(&alive, 0), (5, u64::from(peak(&alive))));
        assert_eq!(births(&alive, 40), (3, 1), "what came before is known, and not counted");
        assert_eq!(births(&alive, 60), (1, 0));
    }

    #[test]
    fn every_birth_and_death_is_in_some_slice_of_the_churn() {
        let events: Vec<_> = (0..1000).map(|n| event(n * 7, n % 3 == 0)).collect();
        let churn = churn(&events, 5000);
        assert_eq!(churn.births.iter().sum::<u32>(), 334);
        assert_eq!(churn.deaths.iter().sum::<u32>(), 666);
        assert_eq!(churn.births.len(), churn.deaths.len());
    }

    proptest! {
        #[test]
        fn thinning_keeps_the_peak_the_ends_and_the_order(
            heights in prop::collection::vec(0u32..1000, 1..20_000)
        ) {
            let points: Vec<_> =
                heights.iter().enumerate().map(|(at, &alive)| (at as u64, alive)).collect();
            let thinned = thin(points.clone());
            prop_assert!(thinned.len() <= POINTS_MAX);
            prop_assert_eq!(peak(&thinned), peak(&points));
            prop_assert_eq!(thinned.first(), points.first());
            prop_assert_eq!(thinned.last(), points.last());
            prop_assert!(thinned.is_sorted_by_key(|&(at, _)| at));
        }
    }
}
