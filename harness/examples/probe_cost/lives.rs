//! Births and exits of threads that do nothing, on one processor, so that none is hidden.

use std::io::{Read as _, pipe};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::anyhow;
use iowq_harness::clock;

use crate::spread::median;

/// Threads that are there at one time.
const THREADS: usize = 200;
/// Times that they come and go.
const TIMES: usize = 21;

/// Nanoseconds of a birth, up to the thread's first sleep, and of an exit: medians. A thread has a
/// name, as workers have.
pub fn births_and_exits() -> anyhow::Result<(f64, f64)> {
    let (mut births_ns, mut exits_ns) = (Vec::new(), Vec::new());
    for _ in 0..TIMES {
        let (reader, writer) = pipe()?;
        let (reader, arrived) = (Arc::new(reader), Arc::new(AtomicUsize::new(0)));
        let from = clock::now();
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                let (reader, arrived) = (Arc::clone(&reader), Arc::clone(&arrived));
                thread::Builder::new().name("costs".to_owned()).spawn(move || {
                    arrived.fetch_add(1, Ordering::SeqCst);
                    // Until the writer is closed.
                    let _ = reader.as_ref().read(&mut [0]);
                })
            })
            .collect::<Result<_, _>>()?;
        while arrived.load(Ordering::SeqCst) < THREADS {
            thread::yield_now();
        }
        let born = clock::now();
        drop(writer);
        for thread in threads {
            thread.join().map_err(|_| anyhow!("a panic"))?;
        }
        let each = |ns: u64| ns as f64 / THREADS as f64;
        births_ns.push(each(born.since(from)));
        exits_ns.push(each(clock::now().since(born)));
    }
    Ok((median(births_ns), median(exits_ns)))
}
