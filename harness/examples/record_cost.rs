//! What recording latencies costs: `cargo run --release --example record_cost [ROUNDS [SECONDS]]`.
//!
//! Runs of `fsync-mix` with and without it alternate, because a machine's speed drifts; the second
//! round has them the other way round, and so on. All are in this process.

use anyhow::Context as _;
use iowq_contract::{RunMessage, RunRequest, Variant};
use iowq_harness::recorder::Recorder;
use iowq_harness::{clock, run};
use iowq_pool::policy::Registry;
use iowq_workloads::{OpKind, builtin};

const POLICIES: [&str; 3] = ["6.12", "6.16", "6.17"];

/// Ops per second and workers made of one run.
type Figures = [f64; 2];

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let rounds: u32 = arguments.next().as_deref().unwrap_or("20").parse().context("ROUNDS")?;
    let seconds: f64 = arguments.next().as_deref().unwrap_or("3").parse().context("SECONDS")?;
    println!("recording both times of an op takes {:.1} ns", record_ns());
    println!(
        "medians of {rounds} rounds of {seconds} s, without recording, with it, difference of each round"
    );
    for policy in POLICIES {
        let mut runs: [Vec<Figures>; 2] = Default::default();
        for round in 0..rounds {
            for turn in 0..2 {
                let with = (round + turn) % 2 == 1;
                runs[usize::from(with)].push(measure(policy, seconds, round.into(), with)?);
            }
        }
        for (place, what) in ["ops/s", "workers"].into_iter().enumerate() {
            let of = |with: usize| runs[with].iter().map(move |figures| figures[place]);
            let percent = of(0).zip(of(1)).map(|(without, with)| 100.0 * (with / without - 1.0));
            let [without, with, percent] =
                [of(0).collect(), of(1).collect(), percent.collect()].map(median);
            println!("{policy:6} {what:8} {without:9.0} {with:9.0} {percent:+6.1} %");
        }
    }
    Ok(())
}

/// Nanoseconds that it takes to record the response and service time of one op.
fn record_ns() -> f64 {
    const OPS: u64 = 20_000_000;
    let mut recorder = Recorder::of([OpKind::Write]);
    let start = clock::now();
    for op in 0..OPS {
        // Latencies of 2 to 2,000,000 ns, of each magnitude as many.
        let response_ns = 2 << (op * 7 % 20);
        recorder.record(OpKind::Write, response_ns, response_ns - 1);
    }
    clock::now().since(start) as f64 / OPS as f64
}

fn measure(policy: &str, seconds: f64, seed: u64, with: bool) -> anyhow::Result<Figures> {
    let plan = builtin("fsync-mix")?.with_seconds(seconds)?;
    let request =
        RunRequest { seed, records_latency: with, ..RunRequest::new(plan, Variant::pool(policy)) };
    let mut last = None;
    run::run(&request, &Registry::builtin(), |_| (), &mut |message| {
        // The record comes once more when what was written has been read back; the last one holds.
        if let RunMessage::Record { record } = message {
            last = Some(record);
        }
        Ok(())
    })?;
    let record = last.context("no record")?;
    let made = record.workers.created.best().context("workers were not counted")?;
    Ok([record.ops.per_s, made as f64])
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}
