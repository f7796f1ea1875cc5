//! The cost of a worker: what creating one takes on this machine while nothing else runs.

use iowq_contract::Birth;

use crate::clock;
use crate::engine::uring::kernel_creation_ns;
use crate::probes::median;
use crate::sync::thread;
use iowq_pool::STACK_BYTES;

/// Threads that are created to find out what one takes.
const THREADS: usize = 15;

/// What a birth takes on this machine while nothing else runs. Before the probes watch, because it
/// creates workers of its own.
pub(super) fn before() -> Birth {
    Birth {
        before_thread_ns_p50: median(thread_creation_ns()),
        // Without io_uring there is nothing to compare with.
        before_kernel_ns_p50: kernel_creation_ns().ok().and_then(median),
        ..Birth::default()
    }
}

/// What creating threads like the pool's takes, one after the other.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_can_be_made_and_the_kernel_asked_before_a_run() {
        let birth = before();
        assert!(birth.before_thread_ns_p50 > Some(0), "{birth:?}");
        if birth.before_kernel_ns_p50.is_none() {
            eprintln!("skipped: the kernel's births: there is no io_uring here");
        }
    }
}
