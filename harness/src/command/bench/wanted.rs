//! From flags to what is run: workloads, arms and rounds.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use iowq_contract::Role;
use iowq_workloads::{Length, Plan, grid_with};

use super::Options;
use super::arm::{Arm, arms, fidelity_arms, first_again};
use crate::{machine, workload};

/// Workloads that are run where none is named.
const WORKLOADS: [&str; 2] = ["fsync-mix", "dsync"];
/// Rounds where none is named: enough to see a range, and the whole in two minutes. A verdict takes
/// eight or more.
const PAIRS: u32 = 3;
/// Least delay of a control: less is lost in how finely the clock is read.
const PERCENT_MIN: f64 = 0.1;
/// Most delay of a control: one that anything finds tells nothing.
const PERCENT_MAX: f64 = 1000.0;
/// Length of a run with `--quick`: four idle timeouts of the built-in workloads.
const QUICK_SECONDS: f64 = 1.0;

/// What is run.
pub(super) struct Wanted {
    /// Workloads, each with what the command line calls it.
    pub(super) plans: Vec<(String, Plan)>,
    /// What is run on each: what is compared, and then the first of these for noise and control.
    pub(super) arms: Vec<Arm>,
    /// Rounds.
    pub(super) pairs: u32,
    /// Length of each run in seconds, if not its workload's own.
    pub(super) seconds: Option<f64>,
    /// How long idle workers of the pool wait, if not as long as the workload says.
    pub(super) idle_timeout_ms: Option<f64>,
}

/// How long idle workers of the pool wait, where that is not the workload's to say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum IdleTimeout {
    /// As long as the running kernel's.
    Kernel,
    /// So many milliseconds.
    Ms(f64),
}

impl IdleTimeout {
    fn ms(self) -> f64 {
        match self {
            IdleTimeout::Kernel => milliseconds(machine::kernel_idle_timeout()),
            IdleTimeout::Ms(ms) => ms,
        }
    }
}

/// What the flags ask for.
pub(super) fn wanted(options: &Options) -> anyhow::Result<Wanted> {
    let seconds = if options.quick { Some(QUICK_SECONDS) } else { options.seconds };
    if options.fidelity {
        return fidelity(options, seconds);
    }
    let idle_timeout_ms = options.idle_timeout.map(IdleTimeout::ms);
    let plan = |name: String| {
        let plan = with_seconds(workload::load(&name)?, seconds)?;
        let plan = match idle_timeout_ms {
            Some(ms) => plan.with_idle_timeout_ms(ms).context("--idle-timeout")?,
            None => plan,
        };
        Ok((name, plan))
    };
    let mut arms = arms(&options.engine, &options.policy, options.blocking)?;
    let noise = options.noise.then_some(Role::Noise);
    let control = options.control.map(|_| Role::Control);
    let roles: Vec<Role> = noise.into_iter().chain(control).collect();
    arms.extend(first_again(&arms, &roles));
    Ok(Wanted {
        plans: workloads(&[&options.workload[..], &options.fio].concat())
            .into_iter()
            .map(plan)
            .collect::<anyhow::Result<_>>()?,
        arms,
        pairs: options.pairs.unwrap_or(if options.quick { 1 } else { PAIRS }),
        seconds,
        idle_timeout_ms,
    })
}

/// The grid, on the running kernel and on the pool, whose idle workers wait as long as its own do.
fn fidelity(options: &Options, seconds: Option<f64>) -> anyhow::Result<Wanted> {
    let idle_timeout_ms = IdleTimeout::Kernel.ms();
    let plan = |plan: Plan| {
        // By its name, as its runs do: limits may be the kernel's own. A number of ops stays one,
        // whatever --seconds says, because its counts are of so many rings or blocks.
        let timed = matches!(plan.length, Length::Time(_));
        let plan = with_seconds(workload::load(&plan.name)?, seconds.filter(|_| timed))?
            .with_idle_timeout_ms(idle_timeout_ms)
            .context("the idle timeout of the running kernel")?;
        Ok((plan.name.clone(), plan))
    };
    Ok(Wanted {
        plans: grid_with(&options.grid)?.into_iter().map(plan).collect::<anyhow::Result<_>>()?,
        arms: fidelity_arms()?,
        // Two hundred workloads with little between them make up for rounds.
        pairs: options.pairs.unwrap_or(1),
        seconds,
        idle_timeout_ms: Some(idle_timeout_ms),
    })
}

fn with_seconds(plan: Plan, seconds: Option<f64>) -> anyhow::Result<Plan> {
    Ok(match seconds {
        Some(seconds) => plan.with_seconds(seconds)?,
        None => plan,
    })
}

/// What was named, without repeats, or else the default.
fn workloads(named: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in named {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    if names.is_empty() { WORKLOADS.map(str::to_owned).to_vec() } else { names }
}

/// The path of a fio job file, which only its name tells from a spec.
pub(super) fn fio_file(path: &str) -> Result<String, &'static str> {
    let is_fio = Path::new(path).extension().is_some_and(|extension| extension == "fio");
    if is_fio { Ok(path.to_owned()) } else { Err("name a job file that ends in .fio") }
}

/// The size of an injected delay, in percent of a median.
pub(super) fn percent(text: &str) -> Result<f64, String> {
    let percent = text.parse().map_err(|_| "give a number, such as 5".to_owned())?;
    if (PERCENT_MIN..=PERCENT_MAX).contains(&percent) {
        Ok(percent)
    } else {
        Err(format!("it is a percentage of the median, from {PERCENT_MIN} to {PERCENT_MAX}"))
    }
}

/// A time in milliseconds, whose limits are a spec's, or the word for the kernel's own.
pub(super) fn idle_timeout(text: &str) -> Result<IdleTimeout, &'static str> {
    if text == "kernel" {
        return Ok(IdleTimeout::Kernel);
    }
    text.parse().map(IdleTimeout::Ms).map_err(|_| "give milliseconds, such as 250, or `kernel`")
}

/// A time as flags have it.
pub(super) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::command::bench::length::length as estimate;
    use iowq_pool::policy::PRESETS;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        options: Options,
    }

    fn of(flags: &[&str]) -> Wanted {
        let cli = Cli::try_parse_from([&["bench"], flags].concat()).expect("valid flags");
        wanted(&cli.options).expect("something to run")
    }

    #[test]
    fn fidelity_is_the_whole_grid_on_every_arm_once() {
        let wanted = of(&["--fidelity"]);
        assert_eq!((wanted.arms.len(), wanted.pairs), (1 + PRESETS.len(), 1));
        assert_eq!(wanted.plans.len(), iowq_workloads::grid().expect("it is valid").len());
        assert_eq!(wanted.seconds, None);
    }

    /// What a run takes beside what it measures: a process, probes, files. Measured on two
    /// processors and ext4; the first is what it is for all, the second for each MiB that is
    /// written before the run.
    const OVERHEAD: [f64; 2] = [0.45, 0.01];

    #[test]
    fn the_whole_grid_takes_less_than_forty_minutes_under_eight_presets() {
        let wanted = of(&["--fidelity"]);
        let seconds = |plan: &Plan| {
            let bytes = u64::from(plan.files) * plan.file_blocks * u64::from(plan.block_bytes);
            let written_mib = if bytes < 256 << 20 { bytes >> 20 } else { 0 };
            let [fixed, per_mib] = OVERHEAD;
            estimate(plan).as_secs_f64() + fixed + per_mib * written_mib as f64
        };
        let an_arm: f64 = wanted.plans.iter().map(|(_, plan)| seconds(plan)).sum();
        let arms = 1 + PRESETS.len().max(8);
        let minutes = an_arm * arms as f64 / 60.0;
        assert!(minutes < 40.0, "{minutes:.1} minutes");
    }

    #[test]
    fn fidelity_can_be_a_part_of_the_grid_for_longer_and_in_rounds() {
        let flags = ["--fidelity", "--grid", "f4-", "--grid", "f8-", "--seconds", "2"];
        let wanted = of(&[&flags[..], &["--pairs", "3"]].concat());
        assert!(wanted.plans.iter().all(|(name, _)| name.contains("f4-") || name.contains("f8-")));
        assert_eq!((wanted.pairs, wanted.seconds), (3, Some(2.0)));
    }

    #[test]
    fn cells_that_are_a_number_of_ops_stay_so() {
        let wanted = of(&["--fidelity", "--grid", "reopen-c50-f4-", "--seconds", "2"]);
        assert_eq!(wanted.plans[0].1.length, Length::Ops(320));
        let wanted = of(&["--fidelity", "--grid", "limits-f4-d4-s4-", "--seconds", "2"]);
        assert_eq!(wanted.plans[0].1.length, Length::Time(Duration::from_secs(2)));
        assert_eq!(wanted.plans[0].1.limits[0], 4, "the kernel's own");
    }

    #[test]
    fn idle_workers_of_the_pool_wait_as_long_as_the_kernels_where_fidelity_is_asked_for() {
        let wanted = of(&["--fidelity"]);
        let idle_timeout = machine::kernel_idle_timeout();
        assert_eq!(wanted.idle_timeout_ms, Some(milliseconds(idle_timeout)));
        assert!(wanted.plans.iter().all(|(_, plan)| plan.idle_timeout == idle_timeout));
        let like_kernel = of(&["--workload", "dsync", "--idle-timeout", "kernel"]);
        assert_eq!(like_kernel.plans[0].1.idle_timeout, idle_timeout);
        assert_eq!(of(&["--workload", "dsync"]).idle_timeout_ms, None);
    }

    #[test]
    fn an_idle_timeout_is_a_time_that_a_spec_may_have() {
        let plan = |ms: &str| {
            let cli =
                Cli::try_parse_from(["bench", "--idle-timeout", ms]).map_err(|e| e.to_string());
            cli.and_then(|cli| wanted(&cli.options).map_err(|error| format!("{error:#}")))
        };
        let wanted = plan("120").expect("it is a time");
        assert!(wanted.plans.iter().all(|(_, plan)| plan.idle_timeout.as_millis() == 120));
        assert!(plan("soon").is_err_and(|error| error.contains("`kernel`")));
        assert!(plan("1e12").is_err_and(|error| error.contains("--idle-timeout")));
    }

    #[test]
    fn noise_and_control_are_an_arm_each_and_no_arm_of_fidelity() {
        let roles = |flags: &[&str]| -> Vec<Role> {
            of(&[&["--policy", "6.17"], flags].concat()).arms.iter().map(|arm| arm.role).collect()
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
    fn a_delay_is_a_percentage_of_some_size() {
        assert_eq!(percent("5"), Ok(5.0));
        for text in ["0", "-5", "1001", "nan", "inf", "5%", ""] {
            assert!(percent(text).is_err(), "{text}");
        }
    }

    #[test]
    fn without_flags_two_workloads_run_under_four_policies_three_times() {
        let wanted = of(&[]);
        assert_eq!((wanted.plans.len(), wanted.arms.len(), wanted.pairs), (2, 4, 3));
        assert_eq!(of(&["--quick"]).pairs, 1);
    }
}
