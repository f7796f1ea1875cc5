//! Lives of workers, as one source saw them: births and deaths in order of time.

use std::collections::HashMap;

use iowq_ebpf::{THREAD_BORN, THREAD_EXITED, THREAD_NAMED, ThreadEvent};

use crate::clock::Nanos;
use crate::procfs::Found;
use crate::timeline::Event;

/// Births (true) and deaths (false).
#[derive(Clone, Debug, Default)]
pub(super) struct Lives(pub(super) Vec<(Nanos, bool)>);

impl Lives {
    pub(super) fn of_census(found: &Found) -> Lives {
        Lives(found.lives.clone())
    }

    pub(super) fn created(&self) -> u64 {
        self.0.iter().filter(|(_, born)| *born).count() as u64
    }

    pub(super) fn exited(&self) -> u64 {
        self.0.iter().filter(|(_, born)| !*born).count() as u64
    }

    /// Births from `from` on.
    pub(super) fn born_since(&self, from: Nanos) -> u64 {
        self.0.iter().filter(|(at, born)| *born && from <= *at).count() as u64
    }

    /// When the last worker was gone, if that was before `until` and nobody was left.
    pub(super) fn all_gone(&self, until: Nanos) -> Option<Nanos> {
        let seen = self.0.iter().filter(|(at, _)| *at < until);
        let (mut alive, mut last) = (0i64, None);
        for &(at, born) in seen {
            alive += if born { 1 } else { -1 };
            if !born {
                last = Some(at);
            }
        }
        last.filter(|_| alive <= 0)
    }

    /// The same for a timeline that starts at `origin`.
    pub(super) fn events(&self, origin: Nanos) -> Vec<Event> {
        self.0.iter().map(|&(at, born)| Event { at_ns: at.since(origin), born }).collect()
    }
}

/// The lives of workers among all thread events: those that were given a worker's name.
pub(super) fn of_events(events: &[ThreadEvent]) -> Lives {
    let mut births: HashMap<u32, u64> = HashMap::new();
    let mut workers: HashMap<u32, ()> = HashMap::new();
    let mut lives = Vec::new();
    for event in events {
        match event.kind {
            THREAD_BORN => {
                births.insert(event.tid, event.time_ns);
            }
            THREAD_NAMED if is_worker(&event.comm) => {
                if let Some(born_ns) = births.remove(&event.tid) {
                    workers.insert(event.tid, ());
                    lives.push((Nanos(born_ns), true));
                }
            }
            THREAD_EXITED => {
                births.remove(&event.tid);
                if workers.remove(&event.tid).is_some() {
                    lives.push((Nanos(event.time_ns), false));
                }
            }
            _ => {}
        }
    }
    // A name comes a little after its birth, so births may be out of order by now.
    lives.sort_by_key(|&(at, born)| (at, !born));
    Lives(lives)
}

/// Whether a thread of this name is a worker: the pool's, or the kernel's.
fn is_worker(comm: &[u8; 16]) -> bool {
    comm.starts_with(b"wq-") || comm.starts_with(b"iou-wrk-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(time_ns: u64, kind: u32, tid: u32, name: &str) -> ThreadEvent {
        let mut comm = [0; 16];
        comm[..name.len()].copy_from_slice(name.as_bytes());
        ThreadEvent { time_ns, clone_flags: 0, tid, by_tid: 1, kind, reserved: 0, comm }
    }

    #[test]
    fn only_threads_with_a_workers_name_are_workers_and_they_count_from_their_birth() {
        let events = [
            event(1, THREAD_BORN, 7, "iowq"),
            event(2, THREAD_BORN, 8, "iowq"),
            event(3, THREAD_NAMED, 8, "wq-pool-0"),
            event(4, THREAD_NAMED, 7, "census"),
            event(5, THREAD_EXITED, 7, "census"),
            event(6, THREAD_EXITED, 8, "wq-pool-0"),
        ];
        assert_eq!(of_events(&events).0, [(Nanos(2), true), (Nanos(6), false)]);
    }

    #[test]
    fn a_thread_number_that_is_used_again_is_another_worker() {
        let events = [
            event(1, THREAD_BORN, 8, "iowq"),
            event(2, THREAD_NAMED, 8, "wq-pool-0"),
            event(3, THREAD_EXITED, 8, "wq-pool-0"),
            event(4, THREAD_BORN, 8, "iowq"),
            event(5, THREAD_NAMED, 8, "wq-pool-3"),
        ];
        let lives = of_events(&events);
        assert_eq!((lives.created(), lives.exited()), (2, 1));
    }

    #[test]
    fn workers_have_all_gone_only_if_nobody_is_left_before_the_end() {
        let lives = Lives(vec![(Nanos(1), true), (Nanos(2), true), (Nanos(5), false)]);
        assert_eq!(lives.all_gone(Nanos(9)), None);
        let lives = Lives(vec![(Nanos(1), true), (Nanos(5), false)]);
        assert_eq!(lives.all_gone(Nanos(9)), Some(Nanos(5)));
        assert_eq!(lives.all_gone(Nanos(5)), None, "it left when it was sent away");
    }
}
