//! First steps: how long workers take from their creation to their first instruction.

use std::collections::HashMap;

use iowq_ebpf::{THREAD_BORN, THREAD_NAMED, ThreadEvent};

use super::lives::is_worker;

/// From the creation of each worker to its naming, which is the first thing that it does; the median.
pub(super) fn start_ns(events: &[ThreadEvent]) -> Option<u64> {
    let mut born = HashMap::new();
    let mut taken = Vec::new();
    for event in events {
        match event.kind {
            THREAD_BORN => drop(born.insert(event.tid, event.time_ns)),
            THREAD_NAMED if is_worker(&event.comm) => {
                taken.extend(born.remove(&event.tid).map(|at| event.time_ns.saturating_sub(at)));
            }
            _ => {}
        }
    }
    median(taken)
}

/// The value in the middle; none of none.
#[must_use]
pub fn median(mut values: Vec<u64>) -> Option<u64> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: u32, tid: u32, time_ns: u64, name: &[u8]) -> ThreadEvent {
        let mut comm = [0; 16];
        comm[..name.len()].copy_from_slice(name);
        ThreadEvent { time_ns, clone_flags: 0, tid, by_tid: tid, kind, account: 0, comm }
    }

    #[test]
    fn a_start_is_from_birth_to_name_and_of_workers_alone() {
        let events = [
            event(THREAD_BORN, 1, 100, b"iowq"),
            event(THREAD_BORN, 2, 110, b"iowq"),
            event(THREAD_NAMED, 2, 115, b"iowq-census"),
            event(THREAD_NAMED, 1, 140, b"iou-wrk-7"),
            event(THREAD_NAMED, 9, 150, b"wq-pool-3"),
        ];
        assert_eq!(start_ns(&events), Some(40));
        assert_eq!(start_ns(&events[..3]), None);
    }
}
