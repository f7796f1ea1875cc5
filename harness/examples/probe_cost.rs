//! What the scheduler probe costs, and how soon it reports: `cargo run --release --example
//! probe_cost`, as root.
//!
//! Two threads on one CPU pass a byte back and forth through pipes, so that each pass is a context
//! switch. Rounds with and without the probe alternate, because a machine's speed drifts.

use std::io::{PipeReader, PipeWriter, Read as _, Write as _, pipe};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use iowq_ebpf::{KEY_NONE, KEY_UNHASHED};
use iowq_harness::clock;
use iowq_harness::probes::{Bpf, BpfOptions, Page, Tracker};
use rustix::thread::{CpuSet, gettid, sched_setaffinity};

/// Passes in a round.
const PASSES: u32 = 50_000;
/// Rounds of each kind.
const ROUNDS: usize = 9;
/// Sleeps of which the report's delay is measured.
const SLEEPS: usize = 5_000;

fn main() -> anyhow::Result<()> {
    let mut rounds = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        rounds[0].push(ping_pong(None)?);
        let bpf = start()?;
        rounds[1].push(ping_pong(None)?);
        rounds[2].push(ping_pong(Some(&shared(&bpf)?))?);
    }
    let [without, unknown, workers] = rounds.map(median);
    println!("context switch without the probe   {without:.0} ns");
    for (who, ns) in [("of unknown threads", unknown), ("of busy workers   ", workers)] {
        let percent = 100.0 * (ns / without - 1.0);
        println!("  {who}               {ns:.0} ns ({percent:+.1} %)");
    }
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

fn start() -> anyhow::Result<Bpf> {
    Ok(Bpf::start(&BpfOptions { sched: true, ..BpfOptions::default() })?)
}

fn shared(bpf: &Bpf) -> anyhow::Result<(Arc<Page>, Tracker)> {
    bpf.page().zip(bpf.tracker()).context("the scheduler probe is off")
}

/// Nanoseconds per context switch; the threads are workers that execute a work if a page is given.
fn ping_pong(workers: Option<&(Arc<Page>, Tracker)>) -> anyhow::Result<f64> {
    let ((here, to_there), (there, to_here)) = (pipe()?, pipe()?);
    let player = |slot: u32, mut from: PipeReader, mut to: PipeWriter, serves: bool| {
        let workers = workers.cloned();
        thread::spawn(move || -> anyhow::Result<u64> {
            stay_on_first_cpu()?;
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
    let mut bpf = start()?;
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

fn stay_on_first_cpu() -> anyhow::Result<()> {
    let mut cpus = CpuSet::new();
    cpus.set(0);
    sched_setaffinity(None, &cpus).context("staying on one CPU")
}

fn own_tid() -> u32 {
    gettid().as_raw_nonzero().get().unsigned_abs()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
