//! Births: what a worker costs, in the run and beside it, for the record.

use std::collections::HashMap;

use iowq_contract::Birth;
use iowq_ebpf::{THREAD_BORN, THREAD_NAMED, ThreadEvent};

use super::lives::is_worker;
use crate::clock;
use crate::engine::uring::kernel_creation_ns;
use crate::sync::thread;
use iowq_pool::STACK_BYTES;

/// Threads that are made to find out what one takes.
const THREADS: usize = 15;

/// What a birth takes on this machine while nothing else runs. Before the probes watch, because it
/// makes workers of its own.
pub(super) fn before() -> Birth {
    Birth {
        before_thread_ns_p50: median(thread_creation_ns()),
        // Without io_uring there is nothing to compare with.
        before_kernel_ns_p50: kernel_creation_ns().ok().and_then(median),
        ..Birth::default()
    }
}

/// What making threads like the pool's takes, one after the other.
fn thread_creation_ns() -> Vec<u64> {
    let mut taken = Vec::new();
    for number in 0..THREADS {
        let began = clock::now();
        let made = thread::Builder::new()
            .name(format!("iowq-birth-{number}"))
            .stack_size(STACK_BYTES)
            .spawn(|| {});
        let took_ns = clock::now().since(began);
        if made.is_ok_and(|made| made.join().is_ok()) {
            taken.push(took_ns);
        }
    }
    taken
}

/// From the creation of each worker to its naming, which is the first thing that it does.
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

/// The one in the middle; none of none.
pub(super) fn median(mut values: Vec<u64>) -> Option<u64> {
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

    #[test]
    fn threads_can_be_made_and_the_kernel_asked_before_a_run() {
        let birth = before();
        assert!(birth.before_thread_ns_p50 > Some(0), "{birth:?}");
        if birth.before_kernel_ns_p50.is_none() {
            eprintln!("skipped: the kernel's births: there is no io_uring here");
        }
    }
}
