//! `iowq bench`: every cell once per round, each in a process of its own, a record line for each.

mod child;
mod folder;
mod list;
mod order;
mod output;
mod progress;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use iowq_record::Record;
use iowq_workloads::{Arrival, Length, Plan};

use crate::cell::{self, EngineName, Probes, WantBlocking};
use crate::clock;
use crate::pool::policy;
use crate::sync::atomic::Ordering;
use crate::sync::{Arc, SignalFlag};
use crate::workload;

use child::Ended;
use folder::OwnFolder;
use order::Place;
use output::Output;
use progress::Progress;

/// Workloads that are run where none is named.
const WORKLOADS: [&str; 2] = ["fsync-mix", "dsync"];
/// Policies that are run where none is named.
const POLICIES: [&str; 4] = ["6.12", "6.16", "6.17", "exit-on-idle"];
/// Rounds where none is named: enough to see a range, and the whole in two minutes.
const PAIRS: u32 = 3;
/// Rounds at most. A run takes seconds, so more would take days.
const PAIRS_MAX: u32 = 10_000;
/// Seed of the order where none is named.
const SEED: u64 = 1;
/// Length of a run with `--quick`: four idle timeouts of the built-in workloads.
const QUICK_SECONDS: f64 = 1.0;
/// Failures in a row after which the rest is not tried: the cause is then none of the runs.
const FAILURES_IN_A_ROW_MAX: u32 = 3;
/// How long a run may take beyond what its workload says, before it counts as hung.
const GRACE: Duration = Duration::from_secs(60);
/// What a run whose workload is a number of ops is taken to last until one shows how long it does.
const OPS_TIME: Duration = Duration::from_secs(1);
/// How long a run may take whose workload is a number of ops, before it counts as hung.
const OPS_TIME_MAX: Duration = Duration::from_secs(600);

/// How long a plan may make itself wait, at most: a year, so that sums stay in range.
const TIME_MAX: Duration = Duration::from_secs(365 * 86_400);

/// Flags of `bench`.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Built-in workload or path of a spec; again for more [default: fsync-mix dsync]
    #[arg(long, value_name = "NAME|FILE")]
    workload: Vec<String>,
    /// What carries out the ops; again for more
    #[arg(long, value_enum, default_values_t = [EngineName::Pool])]
    engine: Vec<EngineName>,
    /// Rules of the pool, such as 6.12 or 6.16+recheck-free-worker; again for more
    /// [default: 6.12 6.16 6.17 exit-on-idle]
    #[arg(long, value_name = "NAME")]
    policy: Vec<String>,
    /// Rounds; each runs every cell once, in an order of its own [default: 3, with --quick 1]
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(PAIRS_MAX))
    )]
    pairs: Option<u32>,
    /// Length of each run, instead of the workload's own
    #[arg(long, value_name = "S", conflicts_with = "quick", allow_negative_numbers = true)]
    seconds: Option<f64>,
    /// Seed of the order of runs and of the streams of ops [default: 1, or the workload's own]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<u64>,
    /// Folder for the files under test [default: target/bench-files]
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Folder for the results; its record.jsonl must not exist yet
    /// [default: target/bench/UTC-TIME]
    #[arg(long)]
    out: Option<PathBuf>,
    /// One round of one-second runs: a look, not a measurement
    #[arg(long)]
    quick: bool,
    /// What watches the workers
    #[arg(long, value_enum, default_value_t = Probes::Auto)]
    probes: Probes,
    /// Who tells that a worker sleeps in its work
    #[arg(long, value_enum, default_value_t = WantBlocking::Auto)]
    blocking: WantBlocking,
    /// Name the workloads, policies and switches, and run nothing
    #[arg(long)]
    list: bool,
}

/// Runs the bench. Success only if every run was.
///
/// # Errors
/// Where nothing can be run, in words for a person. What was finished before stays in the record.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    if options.list {
        list::print()?;
        return Ok(ExitCode::SUCCESS);
    }
    let plans = plans(options)?;
    let policies = or_default(&options.policy, &POLICIES);
    for name in &policies {
        policy::parse(name)?;
    }
    let pairs = options.pairs.unwrap_or(if options.quick { 1 } else { PAIRS });
    let places = order::places(plans.len(), policies.len(), pairs, options.seed.unwrap_or(SEED));
    let stop = stop_flag()?;
    // Before the results, so that what is no good leaves nothing at all behind.
    check(options, &plans)?;
    let folder = OwnFolder::make(options.dir.as_deref())?;
    let mut output = Output::create(&options.out.clone().unwrap_or_else(default_out))?;
    let lengths = places.iter().map(|place| length(&plans[place.workload].1)).collect();
    let mut progress = Progress::new(lengths);
    let bench = Bench { options, plans: &plans, policies: &policies, folder: &folder, stop: &stop };
    let tally = bench.run_all(&places, &mut output, &mut progress)?;
    progress.finish();
    folder.remove()?;
    tally.report(places.len(), output.path())
}

/// Finds out once, and not in every run, what would keep all of them from being made.
fn check(options: &Options, plans: &[(String, Plan)]) -> anyhow::Result<()> {
    for (place, (name, plan)) in plans.iter().enumerate() {
        if let Some((other, _)) = plans[..place].iter().find(|(_, other)| other.name == plan.name) {
            anyhow::bail!(
                "--workload: {other} and {name} have the same name, {}, and would be taken for one \
                 another in the record; rename one",
                plan.name
            );
        }
        cell::check_files(options.dir.as_deref(), plan)?;
    }
    cell::check_probes(options.probes, options.blocking)
}

/// All that stays the same from run to run.
struct Bench<'a> {
    options: &'a Options,
    plans: &'a [(String, Plan)],
    policies: &'a [String],
    folder: &'a OwnFolder,
    stop: &'a SignalFlag,
}

/// How the runs went.
#[derive(Default)]
struct Tally {
    finished: usize,
    failed: usize,
    failed_in_a_row: u32,
    interrupted: bool,
}

impl Bench<'_> {
    fn run_all(
        &self,
        places: &[Place],
        output: &mut Output,
        progress: &mut Progress,
    ) -> anyhow::Result<Tally> {
        let mut tally = Tally::default();
        for place in places {
            let (name, plan) = &self.plans[place.workload];
            let policy = &self.policies[place.policy];
            progress.start(&plan.name, policy);
            let (arguments, time_max) = (self.arguments(place), time_max(plan));
            let ended = child::run(&arguments, time_max, self.stop, || progress.look())?;
            let record = match ended {
                Ended::Record(record) => {
                    tally.finished += 1;
                    tally.failed_in_a_row = 0;
                    *record
                }
                Ended::Failed(error) => {
                    tally.failed += 1;
                    tally.failed_in_a_row += 1;
                    output::failed(plan, policy, place, self.seed(place), self.folder.path(), error)
                }
                Ended::Interrupted => {
                    tally.interrupted = true;
                    break;
                }
            };
            output.append(&record)?;
            progress.done(&record, name);
            // A process that was killed leaves its files; one that ended has removed them.
            self.folder.clear()?;
            if tally.failed_in_a_row == FAILURES_IN_A_ROW_MAX {
                break;
            }
        }
        Ok(tally)
    }

    /// The seed of a run's stream: the same for all cells of a round, another in the next round.
    fn seed(&self, place: &Place) -> u64 {
        let first = self.options.seed.unwrap_or(self.plans[place.workload].1.seed);
        first.wrapping_add(u64::from(place.pair))
    }

    /// The command line of the process that runs a cell.
    fn arguments(&self, place: &Place) -> Vec<String> {
        let mut arguments = vec![
            "cell".to_owned(),
            format!("--parent={}", std::process::id()),
            format!("--workload={}", self.plans[place.workload].0),
            format!("--policy={}", self.policies[place.policy]),
            format!("--seed={}", self.seed(place)),
            format!("--pair={}", place.pair),
            format!("--position={}", place.position),
            format!("--dir={}", self.folder.path().display()),
            format!("--probes={}", value_name(&self.options.probes)),
            format!("--blocking={}", value_name(&self.options.blocking)),
        ];
        let seconds = if self.options.quick { Some(QUICK_SECONDS) } else { self.options.seconds };
        if let Some(seconds) = seconds {
            arguments.push(format!("--seconds={seconds}"));
        }
        arguments
    }
}

impl Tally {
    /// Says what is missing, if anything, and how that counts.
    fn report(&self, wanted: usize, record: &Path) -> anyhow::Result<ExitCode> {
        let record = record.display();
        if self.interrupted && self.finished + self.failed == 0 {
            anyhow::bail!("interrupted before the first of {wanted} runs finished");
        }
        if self.interrupted {
            anyhow::bail!("interrupted: {} of {wanted} runs finished, in {record}", self.finished);
        }
        if self.failed > 0 {
            let stopped = if self.failed_in_a_row == FAILURES_IN_A_ROW_MAX {
                format!("; stopped after {FAILURES_IN_A_ROW_MAX} failures in a row")
            } else {
                String::new()
            };
            anyhow::bail!(
                "{} of {wanted} runs failed, {} finished, in {record}{stopped}",
                self.failed,
                self.finished
            );
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn plans(options: &Options) -> anyhow::Result<Vec<(String, Plan)>> {
    let seconds = if options.quick { Some(QUICK_SECONDS) } else { options.seconds };
    let plan = |name: String| {
        let plan = workload::load(&name)?;
        let plan = match seconds {
            Some(seconds) => plan.with_seconds(seconds)?,
            None => plan,
        };
        Ok((name, plan))
    };
    or_default(&options.workload, &WORKLOADS).into_iter().map(plan).collect()
}

/// What was named, without repeats, or else the default.
fn or_default(named: &[String], default: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in named {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    if names.is_empty() { default.iter().map(|&name| name.to_owned()).collect() } else { names }
}

/// A folder named by the time, so that each bench has its own.
fn default_out() -> PathBuf {
    Path::new("target/bench").join(clock::wall_clock().replace(':', "-"))
}

/// A flag that ^C and its like set; the run under way is then ended and nothing is left behind.
fn stop_flag() -> anyhow::Result<Arc<SignalFlag>> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let stop = Arc::new(SignalFlag::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    Ok(stop)
}

/// How long a run is meant to be, as far as that is known.
fn length(plan: &Plan) -> Duration {
    let length = match plan.length {
        Length::Time(time) => time,
        Length::Ops(_) => OPS_TIME,
    };
    plan.warmup + length + plan.life.linger
}

/// How long a run may take before it counts as hung.
fn time_max(plan: &Plan) -> Duration {
    let length = match plan.length {
        Length::Time(time) => time,
        Length::Ops(ops) => OPS_TIME_MAX + waits(plan, ops),
    };
    plan.warmup + length + plan.life.linger + GRACE
}

/// How long the plan itself waits over so many ops, at worst.
fn waits(plan: &Plan, ops: u64) -> Duration {
    let ops = ops as f64;
    let arrivals = match plan.arrival {
        // A round may end a single op.
        Arrival::Closed { pause } => pause.as_secs_f64() * ops,
        Arrival::Rate { per_s } | Arrival::Poisson { per_s } => ops / per_s,
        Arrival::Bursts { ops: burst, gap } => gap.as_secs_f64() * ops / f64::from(burst),
    };
    let rings = match plan.life.reopen_after_ops {
        0 => 0.0,
        each => plan.life.closed.as_secs_f64() * ops / each as f64,
    };
    Duration::try_from_secs_f64(arrivals + rings).unwrap_or(TIME_MAX).min(TIME_MAX)
}

fn value_name(value: &impl clap::ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

/// Whether a stop was asked for.
fn stopped(stop: &SignalFlag) -> bool {
    stop.load(Ordering::Relaxed)
}

/// What a run wrote, as a record.
fn parse(line: &[u8]) -> Result<Box<Record>, serde_json::Error> {
    serde_json::from_slice(line).map(Box::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(arrival: &str, ring: &str) -> Plan {
        let text = format!("[arrival]\n{arrival}\n[ring]\n{ring}\n[run]\nops = 1000");
        Plan::parse("slow", "slow.toml", &text).expect("a valid spec")
    }

    #[test]
    fn a_run_that_waits_because_its_workload_says_so_does_not_count_as_hung() {
        let slow = [
            ("pattern = \"rate\"\nper_s = 0.5", "", 2_000),
            ("pattern = \"bursts\"\nburst_ops = 1\ngap_ms = 5000", "", 5_000),
            ("pause_ms = 3000", "depth = 1", 3_000),
            ("", "reopen_after_ops = 2\nclosed_ms = 4000", 2_000),
        ];
        for (arrival, ring, seconds) in slow {
            let time_max = time_max(&plan(arrival, ring));
            assert!(time_max > Duration::from_secs(seconds), "{arrival} {ring}: {time_max:?}");
        }
        assert_eq!(time_max(&plan("", "")), OPS_TIME_MAX + GRACE);
    }
}
