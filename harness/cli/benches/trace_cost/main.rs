//! What `iowq trace` costs those that it watches: the same load with no trace, with one, and with a
//! script of bpftrace that counts the same, in turn.
//!
//! `cargo bench -p iowq --bench trace_cost -- --rounds 10 --seconds 2`

mod load;
#[path = "../../../benches/peers/spread.rs"]
mod spread;
mod table;
mod watch;

use std::path::PathBuf;

use clap::Parser;
use iowq_contract::order::rounds;
use iowq_harness::machine;
use load::Load;
use serde_json::json;
use watch::Watch;

/// Holds loads under a trace beside the same without one.
#[derive(Parser)]
struct Options {
    /// Rounds; each runs every load once without a trace and once with each
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Length of each run
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: u32,
    /// Only the loads whose names contain this
    #[arg(long, default_value = "")]
    only: String,
    /// Seed of the order of runs
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder for trace-cost.txt and trace-cost.json
    #[arg(long, default_value = concat!(env!("CARGO_TARGET_TMPDIR"), "/trace-cost"))]
    out: PathBuf,
    /// Set by `cargo bench`; without it this is a test of all targets, which measures nothing
    #[arg(long, hide = true)]
    bench: bool,
    /// Set for the process that carries out a load
    #[arg(long, hide = true)]
    carry_out: Option<u32>,
}

/// A load that was carried out under a watch.
struct Run {
    round: u32,
    position: usize,
    load: &'static str,
    watch: &'static str,
    ops_per_second: f64,
    /// Load averages before it, as in proc_loadavg(5).
    load_average: String,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    if let Some(processors) = options.carry_out {
        println!("{}", load::flood(processors, options.seconds)?);
        return Ok(());
    }
    if !options.bench {
        println!("skipped: run it with `cargo bench -p iowq --bench trace_cost`");
        return Ok(());
    }
    let watches: Vec<&Watch> = watch::ALL.iter().filter(|watch| watch.is_here()).collect();
    std::fs::create_dir_all(&options.out)?;
    let mut runs = Vec::new();
    for (position, (round, load, watch)) in order(&options, &watches).into_iter().enumerate() {
        let load_average = std::fs::read_to_string("/proc/loadavg")?;
        let watching = watch.start()?;
        let ops_per_second = load.run(options.seconds, u64::from(round) + 1)?;
        watching.stop()?;
        eprintln!("round {round} {} {}: {ops_per_second:.0}/s", load.name, watch.name);
        let (load, watch) = (load.name, watch.name);
        runs.push(Run { round, position, load, watch, ops_per_second, load_average });
    }
    write(&options, &runs)
}

/// All runs in the order they are made. In a round, the runs of a load follow each other, in an order
/// drawn from the seed.
fn order<'a>(options: &Options, watches: &[&'a Watch]) -> Vec<(u32, &'static Load, &'a Watch)> {
    let loads: Vec<_> = load::ALL.iter().filter(|load| load.name.contains(&options.only)).collect();
    let runs = rounds(loads.len(), watches.len(), options.rounds, options.seed);
    runs.into_iter().map(|run| (run.round, loads[run.group], watches[run.variant])).collect()
}

fn write(options: &Options, runs: &[Run]) -> anyhow::Result<()> {
    let text = table::text(options.rounds, options.seconds, runs);
    print!("{text}");
    std::fs::write(options.out.join("trace-cost.txt"), text)?;
    let of = |run: &Run| {
        json!({
            "round": run.round, "position": run.position, "load": run.load, "watch": run.watch,
            "ops_per_second": run.ops_per_second, "load_average": run.load_average,
        })
    };
    let json = json!({
        "host": machine::describe("/".as_ref()),
        "rounds": options.rounds,
        "seconds": options.seconds,
        "seed": options.seed,
        "runs": runs.iter().map(of).collect::<Vec<_>>(),
    });
    std::fs::write(options.out.join("trace-cost.json"), serde_json::to_vec_pretty(&json)?)?;
    println!("written to {}", options.out.display());
    Ok(())
}
