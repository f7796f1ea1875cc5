//! What recording latencies costs: `cargo run --release --example record_cost [ROUNDS [SECONDS]]`.
//!
//! Runs of `fsync-mix` with and without it alternate, because a machine's speed drifts; the second
//! round has them the other way round, and so on. Each is a process of its own, as in a bench.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;
use iowq_contract::Record;

const POLICIES: [&str; 3] = ["6.12", "6.16", "6.17"];

/// Ops per second and workers made of one run.
type Figures = [f64; 2];

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let rounds: u32 = arguments.next().as_deref().unwrap_or("20").parse().context("ROUNDS")?;
    let seconds = arguments.next().unwrap_or_else(|| "3".to_owned());
    println!(
        "medians of {rounds} rounds of {seconds} s, without recording, with it, difference of each round"
    );
    for policy in POLICIES {
        let mut runs: [Vec<Figures>; 2] = Default::default();
        for round in 0..rounds {
            for turn in 0..2 {
                let with = (round + turn) % 2 == 1;
                runs[usize::from(with)].push(run(policy, &seconds, round, with)?);
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

fn run(policy: &str, seconds: &str, seed: u32, with: bool) -> anyhow::Result<Figures> {
    let mut command = Command::new(program()?);
    command.args(["cell", "--workload", "fsync-mix", "--policy", policy, "--seconds", seconds]);
    command.args(["--seed", &(seed + 1).to_string()]);
    if !with {
        command.arg("--no-latency");
    }
    let output = command.output().context("starting iowq")?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // The record comes once more when what was written has been read back; the last one holds.
    let last = output.stdout.trim_ascii_end().rsplit(|byte| *byte == b'\n').next();
    let record: Record = serde_json::from_slice(last.unwrap_or_default())?;
    let made = record.workers.created.best().context("workers were not counted")?;
    Ok([record.ops.per_s, made as f64])
}

/// The program beside this example's folder.
fn program() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.parent().and_then(|examples| examples.parent()).context("no folder")?;
    let program = folder.join("iowq");
    anyhow::ensure!(program.exists(), "build it first: cargo build --release -p iowq-harness");
    Ok(program)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}
