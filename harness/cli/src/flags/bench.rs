//! Flags of `bench`, and the request that they come to.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use clap::builder::TypedValueParser as _;
use iowq_contract::{
    BenchRequest, Blocking, EngineName, IdleTimeout, Role, Tier, Variant, WantBlocking, WantProbes,
    Workload,
};
use iowq_harness::engine::uring;
use iowq_harness::workload;
use iowq_pool::policy::Registry;
use iowq_reports::compare::rerun::Rerun;
use iowq_workloads::{Engines, Length, Plan, grid_with};

use super::variants::{fidelity_variants, first_again, variants};
use super::{Format, choice, settings};
use crate::print::note;

/// Rounds at most. A run takes seconds, so more would take days.
const PAIRS_MAX: u32 = 10_000;
/// Workloads that are run where none is named.
const WORKLOADS: [&str; 2] = ["fsync-mix", "dsync"];
/// Rounds where none is named: enough to see a range, and the whole in two minutes. A verdict takes
/// eight or more.
const PAIRS: u32 = 3;
/// Least delay of a control: less is lost in how finely the clock is read.
const PERCENT_MIN: f64 = 0.1;
/// Most delay of a control: one that anything finds tells nothing.
const PERCENT_MAX: f64 = 1000.0;
/// Delay of a control in percent if none is named; as in the help of `--control`.
const CONTROL_PERCENT: f64 = 5.0;
/// Length of a run with `--quick`: four idle timeouts of the built-in workloads.
const QUICK_SECONDS: f64 = 1.0;

/// Flags for what `--fidelity` sets itself. `--grid` does not go with them either, because what it
/// requires is no longer asked for beside a flag that conflicts with it.
const SET_BY_FIDELITY: [&str; 10] = [
    "workload",
    "fio",
    "as_io_uring",
    "engine",
    "policy",
    "set",
    "idle_timeout",
    "quick",
    "noise",
    "control",
];

/// Flags of `bench`.
#[derive(Args, Clone, Debug)]
pub(crate) struct BenchFlags {
    /// Built-in workload, or path of a spec (.toml) or fio job file (.fio); may be repeated
    /// [default: fsync-mix dsync]
    #[arg(long, value_name = "NAME|FILE")]
    workload: Vec<OsString>,
    /// A fio job file, whose name ends in .fio: each of its stages is a workload, or the one that is
    /// named behind it, as in mine.fio:verify; may be repeated
    #[arg(long, value_name = "FILE", value_parser = clap::builder::OsStringValueParser::new().try_map(fio_file))]
    fio: Vec<OsString>,
    /// Take fio jobs of other engines, such as libaio, to see what io_uring does with them
    #[arg(long)]
    as_io_uring: bool,
    /// What carries out the ops; may be repeated
    #[arg(long, value_parser = choice::engine(), default_value = "pool")]
    engine: Vec<EngineName>,
    /// Rules of the pool, such as 6.12 or 6.16+recheck-free-worker; may be repeated
    /// [default: 6.12 6.16 6.17 exit-on-idle]
    #[arg(long, value_name = "NAME")]
    policy: Vec<String>,
    /// A field of the workloads' specs and values for it, each a variant, such as
    /// workers.bounded=4,64 or files.open=buffered,dsync; may be repeated, for all combinations.
    /// `--list` names the fields
    #[arg(long, value_name = "KEY=VALUE,…")]
    set: Vec<String>,
    /// Hold the pool against the running kernel: the fidelity grid on io_uring and under every
    /// preset
    #[arg(long, conflicts_with_all = SET_BY_FIDELITY)]
    pub(crate) fidelity: bool,
    /// Only the workloads of the grid whose names contain this, such as f4- or reopen-; again for
    /// more [default: all]
    #[arg(long, value_name = "PART", requires = "fidelity", conflicts_with_all = SET_BY_FIDELITY)]
    grid: Vec<String>,
    /// Rounds; each runs every variant on every workload once, in an order of its own. Three are a look; a verdict takes
    /// 8 or more: 10 as a rule, 20 for effects near 5 %. More must not be added afterwards
    /// [default: 3, with --quick or --fidelity 1]
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(PAIRS_MAX))
    )]
    pairs: Option<u32>,
    /// Run the first variant once more in each round: what differs between the two is noise
    #[arg(long)]
    noise: bool,
    /// Run the first variant once more in each round with a delay of PCT percent of its median
    /// response time, which must be found. The median is that of a pilot run before the first
    /// round, which is not kept [default without PCT: 5]
    #[arg(
        long,
        value_name = "PCT",
        num_args = 0..=1,
        default_missing_value = "5",
        allow_negative_numbers = true,
        value_parser = percent
    )]
    control: Option<f64>,
    /// Length of each run, instead of the workload's own; with --fidelity, of those whose length is
    /// a time
    #[arg(long, value_name = "S", conflicts_with = "quick", allow_negative_numbers = true)]
    seconds: Option<f64>,
    /// How long idle workers of the pool wait, in milliseconds, or `kernel` for as long as the
    /// running kernel's own [default: the workload's own]
    #[arg(long, value_name = "MS|kernel", value_parser = idle_timeout)]
    idle_timeout: Option<IdleTimeout>,
    /// Seed of the order of runs and of the streams of ops [default: 1, or the workload's own]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<u64>,
    /// Folder for the files under test [default: bench-files, in the folder for results]
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
    /// Folder for the results, new or empty
    /// [default: bench/UTC-TIME, in the folder for results]
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
    /// One round of one-second runs: a look, not a measurement
    #[arg(long)]
    quick: bool,
    /// What watches the workers
    #[arg(long, value_parser = choice::probes(), default_value = "auto")]
    probes: WantProbes,
    /// What reports that a worker blocks in its work
    #[arg(long, value_parser = choice::blocking(), default_value = "auto")]
    blocking: WantBlocking,
    /// Name the workloads, engines, policies and patches, and run nothing
    #[arg(long)]
    pub(crate) list: bool,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

impl BenchFlags {
    /// What the flags ask for.
    ///
    /// # Errors
    /// What is wrong with them, in words for a person.
    pub(crate) fn request(&self, registry: &Registry) -> anyhow::Result<BenchRequest> {
        let seconds = if self.quick { Some(QUICK_SECONDS) } else { self.seconds };
        let request = if self.fidelity {
            self.grid(registry, seconds)?
        } else {
            self.named(registry, seconds)?
        };
        if let Some(IdleTimeout::Ms(ms)) = request.idle_timeout {
            for workload in &request.workloads {
                let change = |plan: &Plan| plan.clone().with_idle_timeout_ms(ms);
                workload.try_map(change).context("--idle-timeout")?;
            }
        }
        Ok(request)
    }

    fn named(&self, registry: &Registry, seconds: Option<f64>) -> anyhow::Result<BenchRequest> {
        let sets = settings::combinations(&self.set)?;
        settings::refuse_set_twice(&sets, seconds.is_some(), self.idle_timeout.is_some())?;
        let mut variants = variants(&self.engine, &self.policy, &sets, registry, self.blocking)?;
        let noise = self.noise.then_some(Role::Noise);
        let control = self.control.map(|_| Role::Control);
        let roles: Vec<Role> = noise.into_iter().chain(control).collect();
        variants.extend(first_again(&variants, &roles));
        Ok(BenchRequest {
            workloads: workloads(
                &[&self.workload[..], &self.fio].concat(),
                engines(self.as_io_uring),
                seconds,
                &variants,
            )?,
            variants,
            rounds: self.pairs.unwrap_or(if self.quick { 1 } else { PAIRS }),
            seed: self.seed,
            seconds,
            idle_timeout: self.idle_timeout,
            control_percent: self.control,
            probes: self.probes,
            blocking: self.blocking,
            drops_histograms: false,
        })
    }

    /// The grid, on the running kernel and on the pool, whose idle workers wait as long as its own
    /// do.
    fn grid(&self, registry: &Registry, seconds: Option<f64>) -> anyhow::Result<BenchRequest> {
        const WHY: &str =
            "--fidelity counts the kernel's workers through eBPF, and by nothing else";
        if matches!(self.probes, WantProbes::Proc | WantProbes::Off) {
            anyhow::bail!("{WHY}; omit --probes");
        }
        let workload = |plan: Plan| {
            // A length in ops is kept, whatever --seconds says, because counts refer to that many
            // rings or blocks.
            let timed = matches!(plan.length, Length::Time(_));
            let plan = with_seconds(plan, seconds.filter(|_| timed))?;
            Ok(Workload::new(plan.name.clone(), plan))
        };
        Ok(BenchRequest {
            workloads: of_this_kernel(grid_with(&self.grid)?)
                .into_iter()
                .map(workload)
                .collect::<anyhow::Result<_>>()?,
            variants: fidelity_variants(registry),
            // Two hundred workloads with little between them make up for rounds.
            rounds: self.pairs.unwrap_or(1),
            seed: self.seed,
            seconds,
            idle_timeout: Some(IdleTimeout::Kernel),
            control_percent: None,
            probes: WantProbes::Bpf,
            blocking: self.blocking,
            drops_histograms: true,
        })
    }
}

/// The plans whose ops the running kernel's io_uring has, those it lacks being said; all if it has
/// none, which is then an error of its own.
fn of_this_kernel(plans: Vec<Plan>) -> Vec<Plan> {
    let lacks = |plan: &Plan| uring::check(plan).err();
    let Some(missing) = plans.iter().find_map(lacks) else { return plans };
    if plans.iter().all(|plan| lacks(plan).is_some()) {
        return plans;
    }
    let all = plans.len();
    let plans: Vec<Plan> = plans.into_iter().filter(|plan| lacks(plan).is_none()).collect();
    note(&format!("{} of {all} workloads are omitted: {missing}", all - plans.len()));
    plans
}

/// The bench that measures once more what got worse.
///
/// # Errors
/// A workload or a policy that is not there any more.
pub(crate) fn request_of(rerun: &Rerun, registry: &Registry) -> anyhow::Result<BenchRequest> {
    let engine = |name: &String| {
        let found = EngineName::ALL.into_iter().find(|engine| engine.name() == name);
        found.with_context(|| format!("engine {name}: no bench starts it"))
    };
    let engines = rerun.engines.iter().map(engine).collect::<anyhow::Result<Vec<_>>>()?;
    let blocking = match rerun.blocking {
        Some(Blocking::Sched) => WantBlocking::Sched,
        Some(Blocking::Declared) => WantBlocking::Declared,
        Some(Blocking::Kernel | Blocking::None) | None => WantBlocking::Auto,
    };
    let control_percent = rerun.control.map(|it| it.percent.unwrap_or(CONTROL_PERCENT));
    let sets = settings::combinations(&rerun.set)?;
    let mut variants = variants(&engines, &rerun.policies, &sets, registry, blocking)?;
    let noise = rerun.noise.then_some(Role::Noise);
    let control = control_percent.map(|_| Role::Control);
    let roles: Vec<Role> = noise.into_iter().chain(control).collect();
    variants.extend(first_again(&variants, &roles));
    let named: Vec<OsString> = rerun.workloads.iter().map(OsString::from).collect();
    Ok(BenchRequest {
        // That the plans are those of the first runs is checked after this.
        workloads: workloads(&named, Engines::AsIoUring, rerun.seconds, &variants)?,
        variants,
        rounds: rerun.rounds,
        seed: Some(rerun.seed),
        seconds: rerun.seconds,
        idle_timeout: None,
        control_percent,
        probes: match rerun.probes {
            Some(Tier::Bpf) => WantProbes::Bpf,
            Some(Tier::Proc) => WantProbes::Proc,
            Some(Tier::Off) => WantProbes::Off,
            // No bench is watched by records of tracepoints.
            Some(Tier::Tracefs) | None => WantProbes::Auto,
        },
        blocking,
        drops_histograms: false,
    })
}

fn with_seconds(plan: Plan, seconds: Option<f64>) -> anyhow::Result<Plan> {
    Ok(match seconds {
        Some(seconds) => plan.with_seconds(seconds)?,
        None => plan,
    })
}

/// Workloads by name or file, without repeats, or else the default; each with what the variants set.
///
/// # Errors
/// A workload that is not there or invalid, a length that none may have, or a setting that one of
/// them cannot have.
pub(crate) fn workloads(
    named: &[OsString],
    engines: Engines,
    seconds: Option<f64>,
    variants: &[Variant],
) -> anyhow::Result<Vec<Workload>> {
    let defaults = WORKLOADS.map(OsString::from);
    let names = if named.is_empty() { &defaults[..] } else { named };
    let mut workloads: Vec<Workload> = Vec::new();
    for named in names {
        for (name, source) in workload::sources(named, engines)? {
            if workloads.iter().all(|other| other.name != name) {
                let change = |plan| with_seconds(plan, seconds);
                workloads.push(settings::workload(name, &source, variants, change)?);
            }
        }
    }
    Ok(workloads)
}

/// Which fio jobs are taken.
pub(crate) fn engines(as_io_uring: bool) -> Engines {
    if as_io_uring { Engines::AsIoUring } else { Engines::IoUring }
}

/// The path of a fio job file, which only its name tells from a spec.
fn fio_file(path: OsString) -> Result<OsString, &'static str> {
    let extension = Path::new(&path).extension().and_then(|extension| extension.to_str());
    let is_fio = extension.is_some_and(|extension| extension.split(':').next() == Some("fio"));
    if is_fio { Ok(path) } else { Err("name a job file that ends in .fio") }
}

/// The size of an injected delay, in percent of a median.
fn percent(text: &str) -> Result<f64, String> {
    let percent = text.parse().map_err(|_| "give a number, such as 5".to_owned())?;
    if (PERCENT_MIN..=PERCENT_MAX).contains(&percent) {
        Ok(percent)
    } else {
        Err(format!("it is a percentage of the median, from {PERCENT_MIN} to {PERCENT_MAX}"))
    }
}

/// A time in milliseconds, whose limits are a spec's, or the word for the kernel's own.
fn idle_timeout(text: &str) -> Result<IdleTimeout, &'static str> {
    if text == "kernel" {
        return Ok(IdleTimeout::Kernel);
    }
    text.parse().map(IdleTimeout::Ms).map_err(|_| "give milliseconds, such as 250, or `kernel`")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::Parser;
    use iowq_harness::bench::length as estimate;
    use iowq_pool::policy::PRESETS;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        flags: BenchFlags,
    }

    fn of(flags: &[&str]) -> BenchRequest {
        let cli = Cli::try_parse_from([&["bench"], flags].concat()).expect("valid flags");
        cli.flags.request(&Registry::builtin()).expect("something to run")
    }

    #[test]
    fn fidelity_is_the_whole_grid_on_every_variant_once() {
        let request = of(&["--fidelity"]);
        assert_eq!((request.variants.len(), request.rounds), (1 + PRESETS.len(), 1));
        assert_eq!(request.workloads.len(), iowq_workloads::grid().expect("it is valid").len());
        assert_eq!(request.seconds, None);
    }

    /// What a run takes beside what it measures: a process, probes, files. Measured on two
    /// processors and ext4; the first is what it is for all, the second for each MiB that is
    /// written before the run.
    const OVERHEAD: [f64; 2] = [0.45, 0.01];

    #[test]
    fn the_whole_grid_takes_less_than_three_quarters_of_an_hour_under_eight_presets() {
        let request = of(&["--fidelity"]);
        let seconds = |plan: &Plan| {
            let bytes = u64::from(plan.files) * plan.file_blocks * u64::from(plan.block_bytes);
            let written_mib = if bytes < 256 << 20 { bytes >> 20 } else { 0 };
            let [fixed, per_mib] = OVERHEAD;
            estimate(plan).as_secs_f64() + fixed + per_mib * written_mib as f64
        };
        let a_variant: f64 = request.workloads.iter().map(|it| seconds(&it.plan)).sum();
        let variants = 1 + PRESETS.len().max(8);
        let minutes = a_variant * variants as f64 / 60.0;
        assert!(minutes < 45.0, "{minutes:.1} minutes");
    }

    #[test]
    fn fidelity_can_be_a_part_of_the_grid_for_longer_and_in_rounds() {
        let flags = ["--fidelity", "--grid", "f4-", "--grid", "f8-", "--seconds", "2"];
        let request = of(&[&flags[..], &["--pairs", "3"]].concat());
        let named = |part| request.workloads.iter().filter(|it| it.name.contains(part)).count();
        assert_eq!(named("f4-") + named("f8-"), request.workloads.len());
        assert_eq!((request.rounds, request.seconds), (3, Some(2.0)));
    }

    #[test]
    fn workloads_of_the_grid_that_are_a_number_of_ops_stay_so() {
        let request = of(&["--fidelity", "--grid", "reopen-c50-f4-", "--seconds", "2"]);
        assert_eq!(request.workloads[0].plan.length, Length::Ops(320));
        let request = of(&["--fidelity", "--grid", "limits-f4-d4-s4-", "--seconds", "2"]);
        assert_eq!(request.workloads[0].plan.length, Length::Time(Duration::from_secs(2)));
        let resolved = iowq_harness::bench::resolved(&request).expect("it can be had");
        assert_eq!(resolved.workloads[0].plan.limits[0], 4, "the kernel's own");
    }

    #[test]
    fn idle_workers_of_the_pool_wait_as_long_as_the_kernels_if_that_is_asked_for() {
        assert_eq!(of(&["--fidelity"]).idle_timeout, Some(IdleTimeout::Kernel));
        let like_kernel = of(&["--workload", "dsync", "--idle-timeout", "kernel"]);
        let resolved = iowq_harness::bench::resolved(&like_kernel).expect("it can be had");
        let idle_timeout = iowq_harness::machine::kernel_idle_timeout();
        assert_eq!(resolved.workloads[0].plan.idle_timeout, idle_timeout);
        assert_eq!(of(&["--workload", "dsync"]).idle_timeout, None);
    }

    #[test]
    fn an_idle_timeout_is_a_time_that_a_spec_may_have() {
        let request = |ms: &str| {
            let cli =
                Cli::try_parse_from(["bench", "--idle-timeout", ms]).map_err(|e| e.to_string());
            cli.and_then(|cli| {
                cli.flags.request(&Registry::builtin()).map_err(|error| format!("{error:#}"))
            })
        };
        assert_eq!(request("120").expect("a time").idle_timeout, Some(IdleTimeout::Ms(120.0)));
        assert!(request("soon").is_err_and(|error| error.contains("`kernel`")));
        assert!(request("1e12").is_err_and(|error| error.contains("--idle-timeout")));
    }

    #[test]
    fn noise_and_control_are_a_variant_each_and_none_of_fidelity() {
        let roles = |flags: &[&str]| -> Vec<Role> {
            let request = of(&[&["--policy", "6.17"], flags].concat());
            request.variants.iter().map(|variant| variant.role).collect()
        };
        assert_eq!(roles(&["--noise"]), [Role::Measured, Role::Noise]);
        let both = [Role::Measured, Role::Noise, Role::Control];
        assert_eq!(roles(&["--noise", "--control"]), both);
        assert_eq!(roles(&["--control", "20", "--noise"]), both);
        for flag in ["--noise", "--control"] {
            assert!(Cli::try_parse_from(["bench", "--fidelity", flag]).is_err());
        }
    }

    #[test]
    fn each_stage_of_a_fio_job_file_is_a_workload_which_its_name_selects() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("two.fio");
        let text = "[global]\nioengine=libaio\nsize=1m\n[fill]\nrw=write\n[look]\nstonewall\n";
        std::fs::write(&path, text).expect("a job file");
        let file = path.to_str().expect("a path");
        let names = |named: &str| -> Vec<String> {
            let request = of(&["--fio", named, "--as-io-uring"]);
            request.workloads.into_iter().map(|workload| workload.plan.name).collect()
        };
        assert_eq!(names(file), ["two:fill", "two:look"]);
        assert_eq!(names(&format!("{file}:look")), ["two:look"]);
    }

    #[test]
    fn a_delay_is_a_percentage_of_some_size() {
        assert_eq!(percent("5"), Ok(5.0));
        for text in ["0", "-5", "1001", "nan", "inf", "5%", ""] {
            assert!(percent(text).is_err(), "{text}");
        }
    }

    #[test]
    fn without_flags_two_workloads_run_under_four_policies_three_times() {
        let request = of(&[]);
        let size = (request.workloads.len(), request.variants.len(), request.rounds);
        assert_eq!(size, (2, 4, 3));
        assert_eq!(of(&["--quick"]).rounds, 1);
    }
}
