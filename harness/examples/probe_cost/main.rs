//! What the probes cost per birth, exit, request and switch, and how soon a sleep is reported:
//! `cargo run --release --example probe_cost [ROUNDS]`, as root.
//!
//! Rounds without and with the probes, and with a script of bpftrace that writes down the same,
//! alternate, because a machine's speed drifts.

mod bpftrace;
mod lives;
mod requests;
#[path = "../../benches/peers/spread.rs"]
mod spread;
mod switches;

use std::sync::Arc;

use anyhow::Context as _;
use bpftrace::Script;
use iowq_harness::probes::{Bpf, BpfOptions, Page, Tracker};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use spread::{median, range};

/// Events of a round, in nanoseconds each: births, exits, requests on one processor and on all, and
/// switches.
type Figures = [f64; 5];

/// What they are called.
const NAMES: [&str; 5] = ["birth", "exit", "request", "request, all processors", "switch"];

/// What is on in a round.
#[derive(Clone, Copy, PartialEq)]
enum Watch {
    Off,
    Probes,
    Bpftrace,
}

fn main() -> anyhow::Result<()> {
    let rounds = std::env::args().nth(1).map_or(Ok(9), |it| it.parse()).context("rounds")?;
    let mut watches = vec![Watch::Off, Watch::Probes];
    watches.extend(Script::is_here().then_some(Watch::Bpftrace));
    let mut figures = vec![Vec::new(); watches.len()];
    for round in 0..rounds {
        // The second round backwards, so that none is always first.
        let order =
            (0..watches.len()).map(|at| if round % 2 == 0 { at } else { watches.len() - 1 - at });
        for at in order {
            figures[at].push(measure(watches[at])?);
        }
    }
    println!(
        "{:<24} {:>7}  {:>28}  {:>28}",
        "ns, median of rounds", "off", "probes add", "bpftrace adds"
    );
    for (event, name) in NAMES.iter().enumerate() {
        let of = |figures: &[Figures]| figures.iter().map(|it| it[event]).collect::<Vec<f64>>();
        let off = of(&figures[0]);
        let added = figures[1..].iter().map(|on| {
            let more = of(on).iter().zip(&off).map(|(on, off)| on - off).collect();
            format!("  {:>28}", range(more, 0))
        });
        println!("{name:<24} {:>7.0}{}", median(off.clone()), added.collect::<String>());
    }
    switches::print_report_delays()
}

/// One round of all events.
fn measure(watch: Watch) -> anyhow::Result<Figures> {
    let start = |options: BpfOptions, script: &str| {
        let bpf = (watch == Watch::Probes).then(|| Bpf::start(&options)).transpose();
        let script = (watch == Watch::Bpftrace).then(|| Script::start(script)).transpose()?;
        anyhow::Ok((bpf.context("starting the probes, which takes root")?, script))
    };
    let options = BpfOptions { requests: requests::DEPTH, ..BpfOptions::default() };
    let (bpf, script) = start(options, bpftrace::LIVES_AND_REQUESTS)?;
    let (birth, exit) = on_first_cpu(lives::births_and_exits)?;
    let seen = bpf.as_ref().and_then(Bpf::requests);
    let request = on_first_cpu(|| requests::flood(seen.as_deref(), 1))?;
    let everywhere = requests::flood(seen.as_deref(), 0)?;
    drop(bpf);
    script.map(Script::stop).transpose()?;
    let options = BpfOptions { sched: true, ..BpfOptions::default() };
    let (bpf, script) = start(options, bpftrace::SWITCHES)?;
    let workers = bpf.as_ref().map(shared).transpose()?;
    let switch = on_first_cpu(|| switches::ping_pong(workers.as_ref()))?;
    script.map(Script::stop).transpose()?;
    Ok([birth, exit, request, everywhere, switch])
}

/// What the scheduler's probe shares.
fn shared(bpf: &Bpf) -> anyhow::Result<(Arc<Page>, Tracker)> {
    bpf.page().zip(bpf.tracker()).context("the scheduler probe is off")
}

/// Does something on the first processor alone.
fn on_first_cpu<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let before = sched_getaffinity(None).context("reading the affinity")?;
    let mut cpus = CpuSet::new();
    cpus.set(0);
    sched_setaffinity(None, &cpus).context("staying on one processor")?;
    let done = work();
    sched_setaffinity(None, &before).context("leaving it")?;
    done
}
