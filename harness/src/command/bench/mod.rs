//! `iowq bench`: every cell once per round, each in a process of its own, a record line for each.

mod arm;
mod child;
mod folder;
mod length;
mod list;
mod order;
mod output;
mod pilot;
mod progress;
mod silence;
mod unverified;
mod wanted;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Parser as _};
use iowq_contract::{Record, Role};
use iowq_workloads::{Length, Plan};

use crate::cell::{self, EngineName, InjectedDelay, Probes, WantBlocking};
use crate::clock;
use crate::engine::uring;
use crate::sync::atomic::Ordering;
use crate::sync::{Arc, SignalFlag};

use arm::Arm;
use child::{Ended, Message};
use folder::OwnFolder;
use length::{length, time_max};
use order::Place;
use output::Output;
use progress::Progress;
use wanted::{IdleTimeout, Wanted, wanted};

/// Rounds at most. A run takes seconds, so more would take days.
const PAIRS_MAX: u32 = 10_000;
/// Seed of the order where none is named.
const SEED: u64 = 1;
/// How long it may take to begin, also on an emulated processor: flags, files and probes are
/// checked.
const START_TIME_MAX: Duration = Duration::from_secs(60);
/// Failures in a row after which the rest is not tried: the cause is then none of the runs.
const FAILURES_IN_A_ROW_MAX: u32 = 3;

/// Flags for what `--fidelity` sets itself. `--grid` does not go with them either, because what it
/// requires is no longer asked for beside a flag that conflicts with it.
const SET_BY_FIDELITY: [&str; 8] =
    ["workload", "fio", "engine", "policy", "idle_timeout", "quick", "noise", "control"];

/// Flags of `bench`.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Built-in workload, or path of a spec (.toml) or fio job file (.fio); again for more
    /// [default: fsync-mix dsync]
    #[arg(long, value_name = "NAME|FILE")]
    workload: Vec<String>,
    /// A fio job file of one job, as a workload; its name ends in .fio; again for more
    #[arg(long, value_name = "FILE", value_parser = wanted::fio_file)]
    fio: Vec<String>,
    /// What carries out the ops; again for more
    #[arg(long, value_enum, default_values_t = [EngineName::Pool])]
    engine: Vec<EngineName>,
    /// Rules of the pool, such as 6.12 or 6.16+recheck-free-worker; again for more
    /// [default: 6.12 6.16 6.17 exit-on-idle]
    #[arg(long, value_name = "NAME")]
    policy: Vec<String>,
    /// Hold the pool against the running kernel: the fidelity grid on io_uring and under every
    /// preset
    #[arg(long, conflicts_with_all = SET_BY_FIDELITY)]
    fidelity: bool,
    /// Only the workloads of the grid whose names contain this, such as f4- or reopen-; again for
    /// more [default: all]
    #[arg(long, value_name = "PART", requires = "fidelity", conflicts_with_all = SET_BY_FIDELITY)]
    grid: Vec<String>,
    /// Rounds; each runs every cell once, in an order of its own. Three are a look; a verdict takes
    /// 8 or more: 10 as a rule, 20 for effects near 5 %. More must not be added afterwards
    /// [default: 3, with --quick or --fidelity 1]
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(PAIRS_MAX))
    )]
    pairs: Option<u32>,
    /// Run the first arm once more in each round: what differs between the two is noise
    #[arg(long)]
    noise: bool,
    /// Run the first arm once more in each round with a delay of so many percent of its median
    /// response time, which must be found. The median is that of a pilot run before the first
    /// round, which is not kept [default without PCT: 5]
    #[arg(
        long,
        value_name = "PCT",
        num_args = 0..=1,
        default_missing_value = "5",
        allow_negative_numbers = true,
        value_parser = wanted::percent
    )]
    control: Option<f64>,
    /// Length of each run, instead of the workload's own; with --fidelity, of those whose length is
    /// a time
    #[arg(long, value_name = "S", conflicts_with = "quick", allow_negative_numbers = true)]
    seconds: Option<f64>,
    /// How long idle workers of the pool wait, in milliseconds, or `kernel` for as long as the
    /// running kernel's own [default: the workload's own]
    #[arg(long, value_name = "MS|kernel", value_parser = wanted::idle_timeout)]
    idle_timeout: Option<IdleTimeout>,
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
    /// Name the workloads, engines, policies and switches, and run nothing
    #[arg(long)]
    list: bool,
    /// Check workloads and flags, and run nothing
    #[arg(long, hide = true)]
    check: bool,
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
    let wanted = wanted(options)?;
    if options.check {
        return Ok(ExitCode::SUCCESS);
    }
    let (plans, arms) = (&wanted.plans, &wanted.arms);
    let seed = options.seed.unwrap_or(SEED);
    let places = order::places(plans.len(), arms.len(), wanted.pairs, seed);
    let stop = stop_flag()?;
    // Before the results, so that what is no good leaves nothing at all behind.
    check(options, &wanted)?;
    let folder = OwnFolder::make(options.dir.as_deref())?;
    let mut output = Output::create(&options.out.clone().unwrap_or_else(default_out))?;
    let mut bench =
        Bench { options, wanted: &wanted, folder: &folder, stop: &stop, delays: Vec::new() };
    if let Some(percent) = options.control {
        bench.delays = pilot::delays(&bench, percent)?;
    }
    let lengths = places.iter().map(|place| length(&plans[place.workload].1)).collect();
    let mut progress = Progress::new(lengths);
    let tally = bench.run_all(&places, &mut output, &mut progress)?;
    progress.finish();
    folder.remove()?;
    tally.report(places.len(), output.path())
}

/// How long a bench with this command line may take before it counts as hung; its first word is
/// the command's name.
///
/// # Errors
/// Where the flags are wrong.
pub fn whole_time_max(command: &[String]) -> anyhow::Result<Duration> {
    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }
    let Line { options } = Line::try_parse_from(command).map_err(|error| {
        // The rest is how to use it.
        let said = error.to_string();
        anyhow::anyhow!("{}", said.lines().next().unwrap_or_default().trim_start_matches("error: "))
    })?;
    let wanted = wanted(&options)?;
    let a_round: Duration = wanted.plans.iter().map(|(_, plan)| time_max(plan)).sum::<Duration>();
    let arms = u32::try_from(wanted.arms.len()).unwrap_or(u32::MAX);
    // A control has a pilot run of each workload.
    let pilots = if options.control.is_some() { a_round } else { Duration::ZERO };
    Ok(START_TIME_MAX + pilots + a_round.saturating_mul(arms).saturating_mul(wanted.pairs))
}

/// Finds out once, and not in every run, what would keep all of them from being made.
fn check(options: &Options, wanted: &Wanted) -> anyhow::Result<()> {
    for (place, (name, plan)) in wanted.plans.iter().enumerate() {
        let before = &wanted.plans[..place];
        if let Some((other, _)) = before.iter().find(|(_, other)| other.name == plan.name) {
            anyhow::bail!(
                "workloads {other} and {name} have the same name, {}, and would be taken for one \
                 another in the record; rename one",
                plan.name
            );
        }
        // Once is enough where the files are the same, as they are all over the grid.
        if !before.iter().any(|(_, other)| same_files(other, plan)) {
            cell::check_files(options.dir.as_deref(), plan)?;
        }
    }
    let runs = |engine| wanted.arms.iter().any(|arm| arm.engine == engine);
    if runs(EngineName::Uring) {
        for (_, plan) in &wanted.plans {
            uring::check(plan)?;
        }
    }
    if options.fidelity {
        return check_fidelity(options);
    }
    let pool = runs(EngineName::Pool);
    cell::check_probes(options.probes, pool.then_some(options.blocking))
}

/// A grid takes more than half an hour, and says nothing where the kernel's workers are not counted exactly.
fn check_fidelity(options: &Options) -> anyhow::Result<()> {
    const WHY: &str = "--fidelity counts the kernel's workers through eBPF, and by nothing else";
    if matches!(options.probes, Probes::Proc | Probes::Off) {
        anyhow::bail!("{WHY}; leave --probes away");
    }
    cell::check_probes(Probes::Bpf, Some(options.blocking)).context(WHY)
}

/// Whether two plans have the same files laid out and opened.
fn same_files(one: &Plan, other: &Plan) -> bool {
    let bytes = |plan: &Plan| plan.file_blocks * u64::from(plan.block_bytes);
    one.open == other.open && bytes(one) == bytes(other)
}

/// All that stays the same from run to run.
struct Bench<'a> {
    options: &'a Options,
    wanted: &'a Wanted,
    folder: &'a OwnFolder,
    stop: &'a SignalFlag,
    /// How much later ops of a control are handed over, by workload; none without a control.
    delays: Vec<InjectedDelay>,
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
            let (name, plan) = &self.wanted.plans[place.workload];
            let arm = &self.wanted.arms[place.arm];
            progress.start(&plan.name, arm);
            let arguments = self.arguments(name, arm, place);
            let ended = child::run(&arguments, plan, self.stop, &mut |message| {
                self.on_message(message, output, progress)
            })?;
            let record = match ended {
                Ended::Record(record) => {
                    tally.finished += 1;
                    tally.failed_in_a_row = 0;
                    *record
                }
                Ended::Failed(error, measured) => {
                    tally.failed += 1;
                    tally.failed_in_a_row += 1;
                    let (seed, delay) = (self.seed(place), self.delay(arm, place));
                    match measured {
                        Some(record) => Record { error: Some(error), ..*record },
                        None => {
                            output::failed(plan, arm, place, seed, delay, self.folder.path(), error)
                        }
                    }
                }
                Ended::Interrupted(measured) => {
                    tally.interrupted = true;
                    if let Some(record) = measured {
                        tally.finished += 1;
                        output.append(&record)?;
                    }
                    break;
                }
            };
            output.append(&record)?;
            progress.done(&record, name, arm);
            // A process that was killed leaves its files; one that ended has removed them.
            self.folder.clear()?;
            if tally.failed_in_a_row == FAILURES_IN_A_ROW_MAX {
                break;
            }
        }
        Ok(tally)
    }

    /// Takes in what a run says while it goes on. Once it was measured it is on the device.
    fn on_message(
        &self,
        message: Message<'_>,
        output: &mut Output,
        progress: &mut Progress,
    ) -> anyhow::Result<()> {
        match message {
            Message::Nothing => progress.look(),
            Message::Progress(said) => progress.step(said),
            Message::Record(record) => {
                if self.options.fidelity {
                    // Some thousand runs with forty kilobytes of them each.
                    record.latency.drop_histograms();
                }
                if child::is_unverified(record) {
                    output.keep_unverified(record)?;
                }
            }
        }
        Ok(())
    }

    /// The seed of a run's stream: the same for all cells of a round, another in the next round.
    fn seed(&self, place: &Place) -> u64 {
        let first = self.options.seed.unwrap_or(self.wanted.plans[place.workload].1.seed);
        first.wrapping_add(u64::from(place.pair))
    }

    /// How much later ops of a run are handed over.
    fn delay(&self, arm: &Arm, place: &Place) -> Option<InjectedDelay> {
        self.delays.get(place.workload).copied().filter(|_| arm.role == Role::Control)
    }

    /// The command line of the process that runs a cell.
    fn arguments(&self, workload: &str, arm: &Arm, place: &Place) -> Vec<String> {
        let probes = if self.options.fidelity { Probes::Bpf } else { self.options.probes };
        let mut arguments = vec![
            "cell".to_owned(),
            "--plan-on-stdin".to_owned(),
            format!("--parent={}", std::process::id()),
            format!("--workload={workload}"),
            format!("--engine={}", arm.engine.name()),
            format!("--policy={}", cell::policy_name(arm.policy.as_ref())),
            format!("--seed={}", self.seed(place)),
            format!("--pair={}", place.pair),
            format!("--position={}", place.position),
            format!("--role={}", arm.role.name()),
            format!("--dir={}", self.folder.path().display()),
            format!("--probes={}", value_name(&probes)),
        ];
        if let Some(InjectedDelay { ns, percent }) = self.delay(arm, place) {
            arguments.push(format!("--delay-ns={ns}"));
            arguments.push(format!("--delay-percent={percent}"));
        }
        // A plan that is still a number of ops is not to be run for a time.
        let timed = matches!(self.wanted.plans[place.workload].1.length, Length::Time(_));
        if let Some(seconds) = self.wanted.seconds.filter(|_| timed) {
            arguments.push(format!("--seconds={seconds}"));
        }
        arguments.extend(self.wanted.idle_timeout_ms.map(|ms| format!("--idle-timeout-ms={ms}")));
        // The kernel knows when a worker sleeps.
        if arm.engine == EngineName::Pool {
            arguments.push(format!("--blocking={}", value_name(&self.options.blocking)));
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

fn value_name(value: &impl clap::ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

/// Whether a stop was asked for.
fn stopped(stop: &SignalFlag) -> bool {
    stop.load(Ordering::Relaxed)
}
