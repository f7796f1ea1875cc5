//! Reruns: the benches that would measure the regressions of a comparison once more.
//!
//! Here they are only described. The number of rounds is that of the first bench, whatever was
//! found, and the seed is one that it did not use.

use iowq_contract::{Blocking, Host, Record, Role, Tier};

use crate::compare::comparison::Comparisons;
use crate::compare::set::Set;
use crate::format;
use crate::runs::differences;
use crate::runs::group::{POOL, SYNC, URING};

/// Engines that a bench can be asked for.
const ENGINES: [&str; 3] = [POOL, URING, SYNC];

/// Regressions cannot be measured again from here. Each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum RerunError {
    /// The runs were made inside of kernels that were booted for them.
    #[error(
        "{workload} under {test} was measured in kernels that were booted for it, which `cargo \
         xtask kernels` does with --confirm, and not this command"
    )]
    Boots {
        /// Name of the workload.
        workload: String,
        /// Name of the test.
        test: String,
    },
    /// No bench makes such runs.
    #[error(
        "{workload} was run by {engine}, which no bench starts: measure it again as it was \
         measured, and name the record with --confirmed-by"
    )]
    Engine {
        /// Name of the workload.
        workload: String,
        /// Name of the engine.
        engine: String,
    },
    /// The record does not say how long the runs were to be, or where the workload is from.
    #[error(
        "the record does not say which flags the runs of {workload} were made with: give those to \
         `bench {flags} --out DIR`, with the workload and the length of the first \
         bench, and name DIR with --confirmed-by"
    )]
    Unasked {
        /// Name of the workload.
        workload: String,
        /// What is known of them.
        flags: String,
    },
    /// This is another host, or another kernel runs.
    #[error(
        "{workload} was measured elsewhere: {unlike}. Measure it again there, with --dir for a \
         folder on the same device"
    )]
    Host {
        /// Name of the workload.
        workload: String,
        /// What differs.
        unlike: String,
    },
}

/// A bench that measures something once more.
#[derive(Clone, Debug, PartialEq)]
pub struct Rerun {
    /// Workloads as they were named: built-in ones, or paths of specs.
    pub workloads: Vec<String>,
    /// Digests of the plans that they had, several if something was set; none in records that do
    /// not say.
    pub digests: Vec<Vec<String>>,
    /// Engines, the one to be repeated for noise or as a control first.
    pub engines: Vec<String>,
    /// Policies of the pool, in the same order.
    pub policies: Vec<String>,
    /// Fields of the workloads with the values that they had, as `--set` takes them, in the same
    /// order.
    pub set: Vec<String>,
    /// Rounds, as many as the first bench had.
    pub rounds: u32,
    /// Seed of the first round, above all seeds of the first bench.
    pub seed: u64,
    /// Length of a run; the workload's own if not given.
    pub seconds: Option<f64>,
    /// Whether the first variant runs once more in each round for noise.
    pub noise: bool,
    /// Whether it runs once more as a control, with which delay.
    pub control: Option<ControlDelay>,
    /// What watched the first runs, so that a machine without it says so before a run.
    pub probes: Option<Tier>,
    /// Who told the pool that a worker sleeps.
    pub blocking: Option<Blocking>,
}

/// The delay of a control run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ControlDelay {
    /// In percent of the median response time; the bench's default if not given.
    pub percent: Option<f64>,
}

impl Rerun {
    /// The same as flags of `iowq bench`.
    #[must_use]
    pub fn flags(&self) -> Vec<String> {
        let each = |flag: &str, values: &[String]| -> Vec<String> {
            values.iter().map(|value| format!("--{flag}={value}")).collect()
        };
        let mut flags = each("workload", &self.workloads);
        // Jobs of other engines are taken with it, and no others change.
        let is_job = |name: &String| name.ends_with(".fio") || name.contains(".fio:");
        flags.extend(self.workloads.iter().any(is_job).then(|| "--as-io-uring".to_owned()));
        flags.extend(each("engine", &self.engines));
        flags.extend(each("policy", &self.policies));
        flags.extend(each("set", &self.set));
        flags.push(format!("--pairs={}", self.rounds));
        flags.push(format!("--seed={}", self.seed));
        flags.extend(self.seconds.map(|seconds| format!("--seconds={seconds}")));
        flags.extend(self.noise.then(|| "--noise".to_owned()));
        flags.extend(self.control.map(|control| match control.percent {
            Some(percent) => format!("--control={percent}"),
            None => "--control".to_owned(),
        }));
        let tier = |tier| format!("--probes={tier:?}").to_lowercase();
        flags.extend(self.probes.map(tier));
        let blocking = self.blocking.filter(is_asked);
        let flag = |blocking| format!("--blocking={blocking:?}").to_lowercase();
        flags.extend(blocking.map(flag));
        flags
    }
}

/// Whether a bench is asked who reports blocking: only of the pool.
fn is_asked(blocking: &Blocking) -> bool {
    matches!(blocking, Blocking::Sched | Blocking::Declared)
}

/// The benches that are needed, if there are regressions. `here` is the host that they would run
/// on. Workloads with the same variants share a bench.
///
/// # Errors
///
/// Runs that cannot be made again, or not on this host.
pub fn reruns(
    comparisons: &Comparisons,
    sets: &[Set<'_>],
    here: &Host,
) -> Result<Vec<Rerun>, RerunError> {
    let mut benches: Vec<Rerun> = Vec::new();
    for one in regressed(comparisons, sets) {
        let rerun = one.rerun();
        let (workload, digests) = (one.check(here, &rerun)?, one.digests());
        let bare = |bench: &Rerun| {
            let (workloads, digests) = (Vec::new(), Vec::new());
            Rerun { workloads, digests, ..bench.clone() }
        };
        match benches.iter_mut().find(|bench| bare(bench) == rerun) {
            Some(bench) => {
                bench.workloads.push(workload);
                bench.digests.push(digests);
            }
            None => {
                benches.push(Rerun { workloads: vec![workload], digests: vec![digests], ..rerun });
            }
        }
    }
    Ok(benches)
}

/// What is measured again on a workload: the base, and every test that is worse.
struct Regressed<'a> {
    workload: &'a str,
    test: &'a str,
    /// All runs of the file.
    records: &'a [Record],
    /// Measured runs of each variant.
    variants: Vec<Vec<&'a Record>>,
}

/// One for each base and workload, because the tests of a workload belong into the same rounds.
fn regressed<'a>(comparisons: &'a Comparisons, sets: &'a [Set<'_>]) -> Vec<Regressed<'a>> {
    let mut all: Vec<Regressed<'a>> = Vec::new();
    let set = |name: &str| sets.iter().find(|set| set.name == name);
    for one in comparisons.all.iter().filter(|one| one.got_worse()) {
        let (Some(base), Some(test)) = (set(&one.base), set(&one.test)) else { continue };
        let runs = test.of(&one.workload);
        match all.iter_mut().find(|known| known.workload == one.workload) {
            Some(known) => known.variants.push(runs),
            None => all.push(Regressed {
                workload: &one.workload,
                test: &one.test,
                records: &base.loaded.records,
                variants: vec![base.of(&one.workload), runs],
            }),
        }
    }
    all
}

impl<'a> Regressed<'a> {
    /// The first run of each variant.
    fn first_runs(&self) -> impl Iterator<Item = &'a Record> {
        self.variants.iter().filter_map(|runs| runs.first().copied())
    }

    /// The digests of the plans that its runs had.
    fn digests(&self) -> Vec<String> {
        let plans = self.first_runs().filter_map(|run| run.settings.plan.as_ref());
        format::distinct(plans.map(|plan| plan.digest.clone()))
    }

    /// The first run of the workload that has a role.
    fn of_role(&self, role: Role) -> Option<&'a Record> {
        let mut runs = self.records.iter().filter(|run| run.key.workload == self.workload);
        runs.find(|run| run.key.role == role)
    }

    /// The bench, without a workload. The variant that ran once more for noise or as a control comes
    /// first, because that is the one that a bench repeats.
    fn rerun(&self) -> Rerun {
        let (noise, control) = (self.of_role(Role::Noise), self.of_role(Role::Control));
        let runs: Vec<&Record> = noise.or(control).into_iter().chain(self.first_runs()).collect();
        let of_pool = runs.iter().filter(|run| run.key.engine == POOL);
        let policies = format::distinct(of_pool.map(|run| run.key.policy.clone()));
        let engines = format::distinct(runs.iter().map(|run| run.key.engine.clone()));
        let keys = format::distinct(runs.iter().flat_map(|run| run.key.set.0.keys()));
        let set = keys.into_iter().map(|key| {
            let values = runs.iter().filter_map(|run| run.key.set.0.get(key).cloned());
            format!("{key}={}", format::distinct(values).join(","))
        });
        let rounds = self.variants.iter().flatten().map(|run| run.key.round).max();
        let seeds = self.records.iter().map(|run| run.key.seed);
        let blocking = |run: &Record| Some(run.blocking).filter(is_asked);
        Rerun {
            workloads: Vec::new(),
            digests: Vec::new(),
            engines,
            policies,
            set: set.collect(),
            rounds: rounds.unwrap_or(0).saturating_add(1),
            seed: seeds.max().and_then(|seed| seed.checked_add(1)).unwrap_or(1),
            seconds: self.first_runs().find_map(|run| run.asked.as_ref()?.seconds),
            noise: noise.is_some(),
            control: control
                .map(|run| ControlDelay { percent: run.settings.injected_delay_percent }),
            probes: self.first_runs().next().map(|run| run.probe.tier),
            blocking: self.first_runs().find_map(blocking),
        }
    }

    /// The workload as a bench is asked for it, if one can be and this is the host for it.
    fn check(&self, here: &Host, rerun: &Rerun) -> Result<String, RerunError> {
        let workload = || format::clip(self.workload, 60);
        if self.first_runs().any(|run| run.key.boot.is_some()) {
            let test = format::clip(self.test, 60);
            return Err(RerunError::Boots { workload: workload(), test });
        }
        let engines = self.first_runs().map(|run| run.key.engine.as_str());
        if let Some(engine) = engines.into_iter().find(|engine| !ENGINES.contains(engine)) {
            let engine = format::clip(engine, 60);
            return Err(RerunError::Engine { workload: workload(), engine });
        }
        let asked: Option<Vec<_>> = self.first_runs().map(|run| run.asked.as_ref()).collect();
        let Some([asked, ..]) = asked.as_deref() else {
            let flags = rerun.flags().join(" ");
            return Err(RerunError::Unasked { workload: workload(), flags });
        };
        for run in self.first_runs() {
            let now = Record { host: here.clone().into(), ..run.clone() };
            let unlike = differences::all(&[run, &now]);
            if !unlike.is_empty() {
                let unlike = unlike.join("; ");
                return Err(RerunError::Host { workload: workload(), unlike });
            }
        }
        Ok(asked.workload.clone())
    }
}

#[cfg(test)]
mod tests {
    use iowq_contract::InBoot;
    use iowq_sample as sample;

    use super::*;
    use crate::compare::judge::Rules;
    use crate::compare::test_sets;
    use crate::compare::verdict::compare;
    use crate::load::Loaded;

    const RULES: Rules = Rules { threshold: 0.05, alpha: 0.05 };

    fn here() -> Host {
        (*sample::run("dsync", "6.12", 0).host).clone()
    }

    fn worse(run: &mut Record) {
        run.ops.per_s *= 0.8;
    }

    fn benches_of(records: Vec<Record>, here: &Host) -> Result<Vec<String>, String> {
        let loaded = Loaded { records, ..Loaded::default() };
        let sets = test_sets::sets(&loaded);
        let found = reruns(&compare(&sets, RULES), &sets, here);
        let found = found.map_err(|error| error.to_string())?;
        Ok(found.iter().map(|rerun| rerun.flags().join(" ")).collect())
    }

    fn regressed(change: impl Fn(&mut Record)) -> Result<Vec<String>, String> {
        let mut records = sample::pairs(10, worse);
        records.iter_mut().for_each(change);
        benches_of(records, &here())
    }

    #[test]
    fn a_regression_is_measured_again_as_often_and_with_a_seed_of_its_own() {
        let last = sample::pairs(10, worse).iter().map(|run| run.key.seed).max();
        let seed = last.expect("there are runs") + 1;
        let flags = format!(
            "--workload=dsync --engine=pool --policy=6.12 --policy=6.17 --pairs=10 --seed={seed} \
             --probes=bpf --blocking=sched"
        );
        assert_eq!(regressed(|_| ()), Ok(vec![flags]));
    }

    #[test]
    fn a_fio_job_is_measured_again_whatever_its_engine() {
        let of_job = |run: &mut Record| {
            if let Some(asked) = &mut run.asked {
                asked.workload = "mine.fio:fill".to_owned();
            }
        };
        let flags = regressed(of_job).expect("it can be measured again");
        assert!(flags[0].starts_with("--workload=mine.fio:fill --as-io-uring "), "{flags:?}");
    }

    #[test]
    fn a_broken_limit_is_measured_again_though_no_metric_is_worse() {
        let flags = benches_of(sample::pairs(10, |run| run.workers.peak = Some(200)), &here());
        assert_eq!(flags.map(|benches| benches.len()), Ok(1));
    }

    #[test]
    fn without_a_regression_there_is_nothing_to_measure() {
        assert_eq!(benches_of(sample::pairs(10, |_| ()), &here()), Ok(vec![]));
    }

    #[test]
    fn length_spec_noise_and_control_are_those_of_the_first_bench() {
        let mut records = sample::pairs(10, worse);
        records = sample::with_role(records, Role::Noise, |_| ());
        records = sample::with_role(records, Role::Control, |run| {
            run.settings.injected_delay_percent = Some(10.0);
        });
        for run in &mut records {
            let asked = run.asked.as_mut().expect("it says");
            asked.seconds = Some(0.5);
            "specs/my dsync.toml".clone_into(&mut asked.workload);
        }
        let benches = benches_of(records, &here()).expect("it can be made again");
        for part in ["--workload=specs/my dsync.toml", "--seconds=0.5", "--noise", "--control=10"] {
            assert!(benches[0].contains(part), "{part} is not in {benches:?}");
        }
    }

    #[test]
    fn workloads_with_the_same_arms_share_a_bench() {
        let mut records = sample::pairs(10, worse);
        let mut more = records.clone();
        for run in &mut more {
            "nop".clone_into(&mut run.key.workload);
            "nop".clone_into(&mut run.asked.as_mut().expect("it says").workload);
        }
        records.extend(more);
        let benches = benches_of(records, &here()).expect("it can be made again");
        assert_eq!(benches.len(), 1);
        assert!(benches[0].starts_with("--workload=dsync --workload=nop --engine"), "{benches:?}");
    }

    #[test]
    fn the_kernels_own_io_wq_is_asked_for_by_its_engine_alone() {
        let mut records = sample::pairs(10, worse);
        for run in records.iter_mut().filter(|run| run.key.policy == "6.12") {
            "uring".clone_into(&mut run.key.engine);
            run.blocking = Blocking::Kernel;
        }
        let benches = benches_of(records, &here()).expect("it can be made again");
        let flags = "--engine=uring --engine=pool --policy=6.17 --pairs=10";
        assert!(benches[0].contains(flags), "{benches:?}");
        assert!(benches[0].ends_with("--blocking=sched"), "{benches:?}");
    }

    #[test]
    fn what_was_set_is_asked_for_again_with_the_value_of_the_base_first() {
        let mut records = sample::pairs(10, worse);
        for run in &mut records {
            let limit = if run.key.policy == "6.12" { "64" } else { "4" };
            run.key.set.0.insert("workers.bounded".to_owned(), limit.to_owned());
            run.key.set.0.insert("ring.depth".to_owned(), "8".to_owned());
            run.settings_unset = Some(run.settings.clone());
        }
        let benches = benches_of(records, &here()).expect("it can be made again");
        let flags = "--policy=6.17 --set=ring.depth=8 --set=workers.bounded=64,4 --pairs=10";
        assert!(benches[0].contains(flags), "{benches:?}");
    }

    #[test]
    fn a_record_that_does_not_say_how_it_was_made_is_told_how_to_do_it_by_hand() {
        let error = regressed(|run| run.asked = None).expect_err("it does not say");
        assert!(error.contains("`bench --engine=pool --policy=6.12"), "{error}");
        assert!(error.contains("--confirmed-by"), "{error}");
        let error = regressed(|run| "fio".clone_into(&mut run.key.engine)).expect_err("not ours");
        assert!(error.contains("dsync was run by fio"), "{error}");
    }

    #[test]
    fn another_host_and_booted_kernels_are_refused() {
        let there = Host { device: "sda".to_owned(), kernel: "6.99".to_owned(), ..here() };
        let error = benches_of(sample::pairs(10, worse), &there).expect_err("it is elsewhere");
        for part in ["device: nvme0n1 and sda", "and 6.99", "--dir"] {
            assert!(error.contains(part), "{part} is not in {error}");
        }
        let rebuilt = Host { commit: "1111111".to_owned(), ..here() };
        assert!(benches_of(sample::pairs(10, worse), &rebuilt).is_ok());
        let booted = |run: &mut Record| {
            let (number, round) = (run.key.position, run.key.round);
            let kernel = "base".to_owned();
            run.key.boot = Some(InBoot { kernel, number, round, repeat: 0 });
        };
        let error = regressed(booted).expect_err("kernels were booted");
        assert!(error.contains("kernels that were booted"), "{error}");
    }
}
