//! What the thread probes saw in the end, and what of it was lost.

use std::collections::HashSet;

use iowq_ebpf::{ACCOUNTS, LOST_CAUSES, LOST_SWITCHES, THREAD_BORN, THREAD_EXITED, ThreadEvent};

/// Everything that was seen from start to finish.
#[derive(Clone, Default)]
pub struct Census {
    /// Oldest first. Not among them: the probes' own threads. A thread that was there before has
    /// an exit without a birth.
    pub events: Vec<ThreadEvent>,
    /// What was lost, by cause: `LOST_THREADS`, `LOST_BLOCKS`, `LOST_UNREADABLE` and
    /// `LOST_SWITCHES` of [`iowq_ebpf`].
    pub lost: [u64; LOST_CAUSES as usize],
    /// Requests that were queued for workers of io-wq, bounded and unbounded, with
    /// [`BpfOptions::requests`](super::BpfOptions::requests).
    pub queued: [u64; ACCOUNTS],
}

impl Census {
    /// Records lost for any cause; with any lost, counts are lower bounds. Without
    /// `LOST_SWITCHES`, which are no records and were repaired.
    #[must_use]
    pub fn lost_total(&self) -> u64 {
        self.lost.iter().sum::<u64>() - self.lost[LOST_SWITCHES as usize]
    }

    /// Births and exits.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts::of(&self.events)
    }
}

/// How many threads came and went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Threads that were born.
    pub births: u64,
    /// Threads that were born and are gone.
    pub exits: u64,
}

impl Counts {
    /// Counts events. The exit of a thread whose birth is not among them does not count.
    #[must_use]
    pub fn of(events: &[ThreadEvent]) -> Counts {
        let mut alive = HashSet::new();
        let mut counts = Counts::default();
        for event in events {
            match event.kind {
                THREAD_BORN => {
                    counts.births += 1;
                    alive.insert(event.tid);
                }
                THREAD_EXITED if alive.remove(&event.tid) => counts.exits += 1,
                _ => {}
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: u32, tid: u32) -> ThreadEvent {
        ThreadEvent { time_ns: 0, clone_flags: 0, tid, by_tid: 1, kind, account: 0, comm: [0; 16] }
    }

    #[test]
    fn an_exit_counts_only_after_its_birth() {
        let events = [
            event(THREAD_EXITED, 5),
            event(THREAD_BORN, 6),
            event(THREAD_BORN, 7),
            event(THREAD_EXITED, 6),
        ];
        assert_eq!(Counts::of(&events), Counts { births: 2, exits: 1 });
    }

    #[test]
    fn a_thread_id_can_be_used_again() {
        let events: Vec<_> = [THREAD_BORN, THREAD_EXITED, THREAD_BORN, THREAD_EXITED]
            .map(|kind| event(kind, 9))
            .into();
        assert_eq!(Counts::of(&events), Counts { births: 2, exits: 2 });
    }
}
