//! The pool beside other pools and the running kernel's io-wq: the same ops, in turn.
//!
//! `cargo bench -p iowq-harness --bench peers -- --rounds 5 --millis 200`

mod births;
mod contender;
mod measure;
mod record;
mod spread;
mod table;
mod task;

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Parser;
use contender::Wait;
use iowq_contract::order::rounds;
use measure::{Figures, Order, Point};
use record::Run;
use task::Work;

/// Name of the variable that tells a process to make one run.
const ORDER: &str = "IOWQ_PEERS_ORDER";

/// Holds the pool beside its peers.
#[derive(Parser)]
struct Options {
    /// Rounds; each has every contender once at every point
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Length of each run in milliseconds, after a quarter of that as warm-up
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=600_000))]
    millis: u64,
    /// What the ops do; may be repeated
    #[arg(long, value_enum, default_values_t = [Work::Nop])]
    work: Vec<Work>,
    /// Folders for the files of `hashed` and `mix`; may be repeated
    #[arg(long, default_values = ["/dev/shm", env!("CARGO_TARGET_TMPDIR")])]
    dir: Vec<PathBuf>,
    /// Ops in flight; may be repeated
    #[arg(long, default_values_t = [1, 4, 32, 256, 1024])]
    depth: Vec<u32>,
    /// Workers at most; may be repeated
    #[arg(long, default_values_t = [1, 2, 8, 64])]
    workers: Vec<u32>,
    /// How the submitter waits; may be repeated
    #[arg(long, value_enum, default_values_t = [Wait::Polling, Wait::Sleeping])]
    wait: Vec<Wait>,
    /// Contenders; may be repeated. All but those under probes (`-probed`) if none is named
    #[arg(long)]
    contender: Vec<String>,
    /// Measure births of workers instead
    #[arg(long)]
    births: bool,
    /// Seed of the order of runs
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder for peers.txt and record.jsonl
    #[arg(long, default_value = concat!(env!("CARGO_TARGET_TMPDIR"), "/peers"))]
    out: PathBuf,
    /// Set by `cargo bench`; without it this is a test of all targets, which measures nothing
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    if let Some(order) = std::env::var_os(ORDER) {
        return one_run(order.to_str().context("the order is no text")?);
    }
    let options = Options::parse();
    if !options.bench {
        println!("skipped: run it with `cargo bench -p iowq-harness --bench peers`");
        return Ok(());
    }
    if options.births {
        print!("{}", births::text(options.rounds)?);
        return Ok(());
    }
    let contenders = contenders(&options)?;
    let points = points(&options)?;
    std::fs::create_dir_all(&options.out)?;
    let mut runs = Vec::new();
    for scheduled in rounds(points.len(), contenders.len(), options.rounds, options.seed) {
        let order = Order {
            point: points[scheduled.group].clone(),
            contender: contenders[scheduled.variant].clone(),
            length: Duration::from_millis(options.millis),
        };
        let started = iowq_harness::clock::wall_clock();
        let figures = run_apart(&order)?;
        runs.push(Run { order, scheduled, started, figures });
    }
    record::write(&options.out, options.seed, &runs)?;
    let text = table::text(&options, &contenders, &points, &runs);
    print!("{text}");
    std::fs::write(options.out.join("peers.txt"), text)?;
    println!("written to {}", options.out.display());
    Ok(())
}

/// The contenders that were named, or all.
fn contenders(options: &Options) -> anyhow::Result<Vec<String>> {
    let known = contender::names();
    for name in &options.contender {
        ensure!(known.contains(name), "--contender {name}: there are {}", known.join(", "));
    }
    if !options.contender.is_empty() {
        return Ok(options.contender.clone());
    }
    // Takes root, and is no other pool.
    Ok(known.into_iter().filter(|name| !name.ends_with("-probed")).collect())
}

fn points(options: &Options) -> anyhow::Result<Vec<Point>> {
    let mut points = Vec::new();
    for &work in &options.work {
        let nowhere = vec![(String::new(), PathBuf::new())];
        let places = if work == Work::Nop { nowhere } else { places(&options.dir)? };
        for (place, dir) in &places {
            for &wait in &options.wait {
                for &workers in &options.workers {
                    for &depth in &options.depth {
                        let (place, dir) = (place.clone(), dir.clone());
                        points.push(Point { work, place, dir, wait, workers, depth });
                    }
                }
            }
        }
    }
    Ok(points)
}

/// The folders, each once, by names that differ: the last one of the path, with a number behind it
/// if an earlier folder has that name.
fn places(dirs: &[PathBuf]) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let mut places: Vec<(String, PathBuf)> = Vec::new();
    for dir in dirs {
        let dir = dir.canonicalize().with_context(|| format!("--dir {}", dir.display()))?;
        if places.iter().any(|(_, other)| *other == dir) {
            continue;
        }
        let last = dir.file_name().map_or("root".into(), |name| name.to_string_lossy());
        let mut name = last.to_string();
        let mut number = 1;
        while places.iter().any(|(other, _)| *other == name) {
            number += 1;
            name = format!("{last}-{number}");
        }
        places.push((name, dir));
    }
    Ok(places)
}

/// Makes a run in a process of its own, so that no thread of one contender is there with another.
fn run_apart(order: &Order) -> anyhow::Result<Figures> {
    let child = Command::new(std::env::current_exe()?)
        .env(ORDER, serde_json::to_string(order)?)
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(child.status.success(), "{order:?} failed: {}", child.status);
    Ok(serde_json::from_slice(&child.stdout)?)
}

/// Is such a process.
fn one_run(order: &str) -> anyhow::Result<()> {
    let figures = measure::run(&serde_json::from_str(order)?)?;
    serde_json::to_writer(std::io::stdout().lock(), &figures)?;
    Ok(())
}
