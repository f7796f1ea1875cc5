//! Births: what it takes the submitter to have the kernel create a worker of io-wq.

use std::io;
use std::os::fd::AsRawFd as _;
use std::time::Duration;

use io_uring::types::Fd;
use io_uring::{IoUring, opcode, squeue};

use crate::clock;
use crate::sync::thread;

/// Workers that are created to find out.
const BIRTHS: u32 = 15;

/// How long a new worker has to take up its request. Until then it counts as free, and the next
/// request would make none.
const SETTLE: Duration = Duration::from_micros(300);

/// By how much io_uring_enter takes longer if it creates a worker, for each of a few workers, in
/// nanoseconds. In a thread of its own, with which the kernel ends them before this returns.
///
/// Each is made for a read of an empty pipe with `IOSQE_ASYNC`, which the submitter queues without
/// trying it; a read of nothing that is tried shows what the call takes without a worker.
///
/// # Errors
/// If the kernel has no ring or pipe.
pub fn kernel_creation_ns() -> io::Result<Vec<u64>> {
    let measured = thread::Builder::new().name("iowq-births".to_owned()).spawn(measure)?;
    measured.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))
}

fn measure() -> io::Result<Vec<u64>> {
    let mut ring = IoUring::new(BIRTHS.next_power_of_two())?;
    let without = (0..BIRTHS).map(|_| enter(&mut ring, &opcode::Nop::new().build()));
    let mut without: Vec<u64> = without.collect::<io::Result<_>>()?;
    without.sort_unstable();
    let (mut readers, mut writers, mut taken) = (Vec::new(), Vec::new(), Vec::new());
    let mut bytes = [0u8; BIRTHS as usize];
    let start = bytes.as_mut_ptr();
    for place in 0..BIRTHS as usize {
        let (reader, writer) = io::pipe()?;
        let read = opcode::Read::new(Fd(reader.as_raw_fd()), start.wrapping_add(place), 1).build();
        readers.push(reader);
        writers.push(writer);
        let took_ns = enter(&mut ring, &read.flags(squeue::Flags::ASYNC))?;
        taken.push(took_ns.saturating_sub(without[without.len() / 2]));
        thread::sleep(SETTLE);
    }
    // The end of its pipe ends each read; their bytes are here until then.
    drop(writers);
    let all = 2 * BIRTHS as usize;
    while ring.completion().len() < all {
        ring.submit_and_wait(all)?;
    }
    Ok(taken)
}

/// Submits one request, and says how many nanoseconds that took.
fn enter(ring: &mut IoUring, entry: &squeue::Entry) -> io::Result<u64> {
    // SAFETY: a request without a buffer, or with one that is there until it ended.
    let pushed = unsafe { ring.submission().push(entry) };
    pushed.map_err(|_| io::ErrorKind::OutOfMemory)?;
    let began = clock::now();
    ring.submit()?;
    Ok(clock::now().since(began))
}
