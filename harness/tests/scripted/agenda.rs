//! The agenda: what happens when, by a clock that jumps from event to event.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use iowq_harness::clock::Nanos;

/// Events to come. Of those for the same moment the one that was noted first comes first.
pub(crate) struct Agenda<E> {
    pub(crate) now: Nanos,
    events: BinaryHeap<Reverse<(Nanos, u64, E)>>,
    noted: u64,
    /// Where the sequence of draws is.
    draw: u64,
}

impl<E: Ord> Agenda<E> {
    pub(crate) fn new(seed: u64) -> Agenda<E> {
        Agenda { now: Nanos(0), events: BinaryHeap::new(), noted: 0, draw: seed }
    }

    /// Notes what happens that much later.
    pub(crate) fn after(&mut self, wait: Duration, event: E) {
        self.noted += 1;
        self.events.push(Reverse((self.now.after(wait), self.noted, event)));
    }

    /// The next event, at whose time it then is. None if there is none by `until`, and then it
    /// is that late.
    pub(crate) fn next(&mut self, until: Option<Nanos>) -> Option<E> {
        let next = self.events.peek().map(|Reverse((at, ..))| *at);
        let due = next.is_some_and(|at| until.is_none_or(|until| at <= until));
        if !due {
            self.now = until.unwrap_or(self.now).max(self.now);
            return None;
        }
        let Reverse((at, _, event)) = self.events.pop()?;
        self.now = at;
        Some(event)
    }

    /// Half of this to one and a half, evenly.
    pub(crate) fn around(&mut self, mean_ns: u64) -> u64 {
        // splitmix64: each state gives the next by an addition, and a number by mixing.
        self.draw = self.draw.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.draw;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mean_ns / 2 + (bits ^ (bits >> 31)) % mean_ns.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_time_and_then_in_the_order_in_which_they_were_noted() {
        let mut agenda = Agenda::new(0);
        for (wait_ns, event) in [(5, 'c'), (1, 'b'), (5, 'a')] {
            agenda.after(Duration::from_nanos(wait_ns), event);
        }
        assert_eq!((agenda.next(Some(Nanos(3))), agenda.now), (Some('b'), Nanos(1)));
        assert_eq!((agenda.next(Some(Nanos(3))), agenda.now), (None, Nanos(3)));
        assert_eq!((agenda.next(None), agenda.next(None)), (Some('c'), Some('a')));
        assert_eq!((agenda.next(None), agenda.now), (None, Nanos(5)));
    }

    #[test]
    fn draws_stay_within_half_of_the_mean() {
        let mut agenda = Agenda::<()>::new(7);
        assert!((0..1000).all(|_| (500..1500).contains(&agenda.around(1000))));
    }
}
