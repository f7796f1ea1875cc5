//! The engine `uring` beside fio: the same job files, on the same folder, in turn.
//!
//! `cargo bench -p iowq --bench fio -- --rounds 5 --seconds 3`

mod run;
#[path = "../../../benches/peers/spread.rs"]
mod spread;
mod table;

use std::path::{Path, PathBuf};

use clap::Parser;
use run::{Job, Run, Tool};

/// The jobs, as in workloads/fio; the lines that are appended to them win over their own.
const JOBS: [(&str, &str); 3] = [
    ("writes-fsync", include_str!("../../../../workloads/fio/writes-fsync.fio")),
    ("writes-dsync", include_str!("../../../../workloads/fio/writes-dsync.fio")),
    ("reads-async", include_str!("../../../../workloads/fio/reads-async.fio")),
];

/// Holds the engine `uring` beside fio.
#[derive(Parser)]
struct Options {
    /// Rounds; each runs every job at every depth once with fio and once with iowq
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Length of each run, after a warm-up of one second
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: u32,
    /// Ops in flight; may be repeated
    #[arg(long, default_values_t = [1, 32, 128])]
    depth: Vec<u32>,
    /// Seed of the order of runs
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder for the files under test
    #[arg(long, default_value = concat!(env!("CARGO_TARGET_TMPDIR"), "/fio-files"))]
    dir: PathBuf,
    /// Folder for fio-comparison.txt and fio-comparison.json
    #[arg(long, default_value = concat!(env!("CARGO_TARGET_TMPDIR"), "/fio"))]
    out: PathBuf,
    /// Set by `cargo bench`; without it this is a test of all targets, which measures nothing
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    if !options.bench {
        println!("skipped: run it with `cargo bench -p iowq --bench fio`");
        return Ok(());
    }
    let Some(version) = run::fio_version() else {
        println!("skipped: fio is not installed");
        return Ok(());
    };
    std::fs::create_dir_all(&options.dir)?;
    std::fs::create_dir_all(&options.out)?;
    // Both tools are started in other folders than this one's.
    let dir = options.dir.canonicalize()?;
    let mut runs = Vec::new();
    for (position, (round, tool, job)) in order(&options).into_iter().enumerate() {
        let run = run::run(&dir, &job, tool, round, position, options.seconds)?;
        eprintln!("round {round} {} depth {} {tool:?}: {:.0}/s", job.name, job.depth, run.iops);
        runs.push(run);
    }
    write(&options.out, &version, &options, &runs)
}

/// All runs in the order they are made. In a round the jobs come in an order drawn from the seed,
/// and so does which tool is first; the two runs of a job follow each other.
fn order(options: &Options) -> Vec<(u32, Tool, Job)> {
    let mut seed = options.seed;
    let mut order = Vec::new();
    for round in 0..options.rounds {
        let jobs = JOBS.iter().flat_map(|(name, text)| {
            options.depth.iter().map(move |&depth| Job { name, text, depth })
        });
        let mut jobs: Vec<(u64, Job)> = jobs.map(|job| (draw(&mut seed), job)).collect();
        jobs.sort_by_key(|(drawn, _)| *drawn);
        for (_, job) in jobs {
            let tools = [Tool::Fio, Tool::Iowq];
            let first = usize::from(draw(&mut seed) & 1 == 1);
            order.push((round, tools[first], job));
            order.push((round, tools[1 - first], job));
        }
    }
    order
}

/// The next of a sequence of numbers that look random (SplitMix64).
fn draw(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *seed;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn write(out: &Path, version: &str, options: &Options, runs: &[Run]) -> anyhow::Result<()> {
    let text = table::text(version, options.rounds, options.seconds, runs);
    print!("{text}");
    std::fs::write(out.join("fio-comparison.txt"), text)?;
    let json = serde_json::json!({
        "fio": version,
        "rounds": options.rounds,
        "seconds": options.seconds,
        "seed": options.seed,
        "runs": runs.iter().map(Run::json).collect::<Vec<_>>(),
    });
    std::fs::write(out.join("fio-comparison.json"), serde_json::to_vec_pretty(&json)?)?;
    println!("written to {}", out.display());
    Ok(())
}
