//! Switches of workers, and how soon a sleep is reported.
//!
//! Two threads on one CPU pass a byte back and forth through pipes, so that each pass is a context
//! switch.

use std::io::{PipeReader, PipeWriter, Read as _, Write as _, pipe};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use iowq_ebpf::{KEY_NONE, KEY_UNHASHED};
use iowq_harness::clock;
use iowq_harness::probes::{Bpf, BpfOptions, Page, Tracker};
use rustix::thread::gettid;

use crate::shared;

/// Passes in a round.
const PASSES: u32 = 50_000;
/// Sleeps of which the report's delay is measured.
const SLEEPS: usize = 5_000;

/// Prints how long the report of a sleep takes.
pub fn print_report_delays() -> anyhow::Result<()> {
    let mut delays = report_delays()?;
    delays.sort_unstable();
    let at = |percent: usize| delays[(delays.len() - 1) * percent / 100] as f64 / 1000.0;
    println!(
        "from falling asleep to the report's reader: {:.1} us median, {:.1} us p99, {} sleeps",
        at(50),
        at(99),
        delays.len()
    );
    Ok(())
}

/// Nanoseconds per context switch; the threads are workers that execute a work if a page is given.
pub fn ping_pong(workers: Option<&(Arc<Page>, Tracker)>) -> anyhow::Result<f64> {
    let ((here, to_there), (there, to_here)) = (pipe()?, pipe()?);
    let player = |slot: u32, mut from: PipeReader, mut to: PipeWriter, serves: bool| {
        let workers = workers.cloned();
        thread::spawn(move || -> anyhow::Result<u64> {
            if let Some((page, tracker)) = &workers {
                page.claim(slot, 0);
                tracker.track(own_tid(), slot)?;
                page.set_work(slot, KEY_UNHASHED);
            }
            let start = clock::now();
            let mut byte = [0];
            for _ in 0..PASSES {
                if serves {
                    to.write_all(&byte)?;
                    from.read_exact(&mut byte)?;
                } else {
                    from.read_exact(&mut byte)?;
                    to.write_all(&byte)?;
                }
            }
            Ok(clock::now().since(start))
        })
    };
    let (one, two) = (player(0, here, to_here, true), player(1, there, to_there, false));
    let joined = |player: thread::JoinHandle<_>| player.join().map_err(|_| anyhow!("a panic"))?;
    let (took, _) = (joined(one)?, joined(two)?);
    Ok(took as f64 / f64::from(2 * PASSES))
}

/// Nanoseconds from each sleep of a lone worker to its report in the reader's hands.
fn report_delays() -> anyhow::Result<Vec<u64>> {
    let options = BpfOptions { sched: true, ..BpfOptions::default() };
    let mut bpf = Bpf::start(&options)?;
    let (page, tracker) = shared(&bpf)?;
    let mut blocks = bpf.take_blocks().context("the scheduler probe is off")?;
    page.set_head(0, KEY_UNHASHED);
    page.running(0).store(1, std::sync::atomic::Ordering::SeqCst);
    let (mut from, mut to) = pipe()?;
    let own = Arc::clone(&page);
    let worker = thread::spawn(move || -> anyhow::Result<()> {
        own.claim(0, 0);
        tracker.track(own_tid(), 0)?;
        own.set_work(0, KEY_UNHASHED);
        for _ in 0..SLEEPS {
            from.read_exact(&mut [0])?;
        }
        own.set_work(0, KEY_NONE);
        Ok(())
    });
    let mut delays = Vec::new();
    while !worker.is_finished() {
        let before = delays.len();
        blocks.wait(Some(Duration::from_millis(10)))?;
        blocks.drain(|event| delays.push(clock::now().since(clock::Nanos(event.time_ns))));
        // Asleep now: wake it. It may have ended before, and then there is no reader.
        if delays.len() > before {
            // The worker to come is not created, or the next sleep would not be the last one's.
            page.take_request(0);
            page.running(0).fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
            let _ = to.write_all(&[1]);
        }
    }
    worker.join().map_err(|_| anyhow!("a panic"))??;
    Ok(delays)
}

fn own_tid() -> u32 {
    gettid().as_raw_nonzero().get().unsigned_abs()
}
