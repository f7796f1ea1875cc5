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

/// A thread that is there.
#[derive(Clone, Copy)]
struct Thread {
    born_ns: u64,
    is_worker: bool,
}

/// The lives of workers among all thread events: of the pool's those that were given a worker's
/// name, of the kernel's those with the flags of its workers and no other name.
pub(super) fn of_events(events: &[ThreadEvent]) -> Lives {
    let mut threads: HashMap<u32, Thread> = HashMap::new();
    let mut lives = Vec::new();
    for event in events {
        match event.kind {
            THREAD_BORN => {
                let is_worker = event.clone_flags == IO_THREAD_FLAGS;
                threads.insert(event.tid, Thread { born_ns: event.time_ns, is_worker });
            }
            THREAD_NAMED => {
                if let Some(thread) = threads.get_mut(&event.tid) {
                    thread.is_worker = is_worker(&event.comm);
                }
            }
            THREAD_EXITED => {
                if let Some(Thread { born_ns, is_worker: true }) = threads.remove(&event.tid) {
                    lives.push((Nanos(born_ns), true));
                    lives.push((Nanos(event.time_ns), false));
                }
            }
            _ => {}
        }
    }
    let left = threads.values().filter(|thread| thread.is_worker);
    lives.extend(left.map(|thread| (Nanos(thread.born_ns), true)));
    lives.sort_by_key(|&(at, born)| (at, !born));
    Lives(lives)
}

/// Clone flags of the threads that io_uring makes: io-wq's workers, and SQPOLL's thread, which only
/// its name tells from them. `CLONE_VM`, `FS`, `FILES`, `SIGHAND`, `THREAD`, `UNTRACED` and `IO`, in
/// Linux 6.1 to 6.18.
const IO_THREAD_FLAGS: u64 = 0x8081_0f00;

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
    fn the_kernels_workers_are_known_by_their_flags_and_sqpolls_thread_is_none() {
        let born = |tid| ThreadEvent {
            clone_flags: IO_THREAD_FLAGS,
            ..event(u64::from(tid), THREAD_BORN, tid, "iowq-driver")
        };
        let events = [
            born(7),
            born(8),
            born(9),
            event(10, THREAD_NAMED, 7, "iou-wrk-3"),
            event(11, THREAD_NAMED, 8, "iou-sqp-3"),
            event(12, THREAD_EXITED, 7, "iou-wrk-3"),
            event(13, THREAD_EXITED, 8, "iou-sqp-3"),
        ];
        let expected = [(Nanos(7), true), (Nanos(9), true), (Nanos(12), false)];
        assert_eq!(of_events(&events).0, expected, "9 has no name yet and is there");
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
