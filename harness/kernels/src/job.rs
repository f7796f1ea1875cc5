//! The job of a boot: which benches the guest runs.

use std::collections::BTreeMap;
use std::path::Path;

use iowq_contract::guest::Bench;
use iowq_contract::{
    BenchRequest, IdleTimeout, Overrides, Variant, WantBlocking, WantProbes, Workload,
};

use crate::options::Options;
use crate::sha256;

/// Length of the bench that warms a guest up: file system, caches and, under emulation, the
/// translation of the code.
pub const WARM_UP_SECONDS: f64 = 0.5;

/// What all boots run.
#[derive(Clone, Debug)]
pub struct Workloads {
    /// Workloads, as long as they are to be.
    pub workloads: Vec<Workload>,
    /// Combinations of values that fields of them are to have; one without any for the workloads as
    /// they are.
    pub sets: Vec<Overrides>,
    /// What warms a guest up.
    pub warm_up: Workload,
    /// Names of the presets that the pool runs under, in the order of kernels.
    pub presets: Vec<String>,
}

impl Workloads {
    /// Digests of those that are files, by the names of their plans.
    ///
    /// # Errors
    ///
    /// A plan that JSON cannot represent.
    pub fn digests(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let files = self.workloads.iter().filter(|workload| is_path(&workload.name));
        let digest = |workload: &Workload| {
            let plan = serde_json::to_vec(&(&workload.plan, &workload.with_set))?;
            Ok((format!("workload {}", workload.plan.name), sha256::of_bytes(&plan)))
        };
        files.map(digest).collect()
    }

    /// Names as a reader knows them.
    #[must_use]
    pub fn shown(&self) -> Vec<String> {
        self.workloads.iter().map(|workload| workload.plan.name.clone()).collect()
    }

    /// The benches of a boot: one that warms up, the kernel's own io-wq, and the pool under every
    /// preset if this boot shows what the presets do.
    #[must_use]
    pub fn benches(&self, options: &Options, round: u32, with_presets: bool) -> Vec<Bench> {
        let with_sets =
            |variant: Variant| self.sets.iter().map(move |set| variant.clone().with(set));
        let kernel = BenchRequest {
            workloads: self.workloads.clone(),
            variants: with_sets(Variant::kernel()).collect(),
            rounds: options.repeats,
            seed: Some(options.seed.wrapping_add(u64::from(round))),
            seconds: options.seconds,
            idle_timeout: None,
            control_percent: None,
            probes: WantProbes::Auto,
            blocking: WantBlocking::Auto,
            drops_histograms: false,
        };
        let warm_up = BenchRequest {
            workloads: vec![self.warm_up.clone()],
            variants: vec![Variant::kernel()],
            rounds: 1,
            seed: None,
            seconds: Some(WARM_UP_SECONDS),
            ..kernel.clone()
        };
        let presets = with_presets.then(|| BenchRequest {
            variants: self.presets.iter().flat_map(|name| with_sets(Variant::pool(name))).collect(),
            rounds: 1,
            // The pool's idle workers wait as long as the kernel's do, or nothing could be alike.
            idle_timeout: Some(IdleTimeout::Kernel),
            ..kernel.clone()
        });
        let bench = |request, warm_up| Bench { request, warm_up };
        let kept = [kernel].into_iter().chain(presets).map(|request| bench(request, false));
        [bench(warm_up, true)].into_iter().chain(kept).collect()
    }
}

/// A bench in one line, for a reader.
#[must_use]
pub fn in_words(bench: &Bench) -> String {
    let BenchRequest { workloads, variants, rounds, seed, seconds, .. } = &bench.request;
    let list = |names: Vec<String>| names.join(", ");
    let mut text = list(workloads.iter().map(|workload| workload.plan.name.clone()).collect());
    text += " ";
    text += &list(variants.iter().map(Variant::to_string).collect());
    if let Some(seconds) = seconds {
        text += &format!(", {seconds} s");
    }
    if let Some(seed) = seed {
        text += &format!(", {rounds} times, seed {seed}");
    }
    text + if bench.warm_up { ", to warm up" } else { "" }
}

/// Whether a workload was named by the path of a file, by the same signs as `bench` has for it.
fn is_path(name: &str) -> bool {
    let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
    // A stage of a job file is named behind it.
    let is_file = |extension: &str| matches!(extension.split(':').next(), Some("toml" | "fio"));
    extension.is_some_and(is_file) || name.contains('/')
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use iowq_workloads::builtin;

    use super::*;

    fn workload(name: &str) -> Workload {
        let plan = builtin(name.trim_end_matches(".toml")).expect("a built-in workload");
        Workload::new(name.to_owned(), plan)
    }

    fn workloads() -> Workloads {
        Workloads {
            workloads: vec![workload("dsync"), workload("fsync-mix.toml")],
            sets: vec![Overrides::default()],
            warm_up: workload("fsync-mix"),
            presets: ["6.12", "6.17"].map(str::to_owned).to_vec(),
        }
    }

    fn benches(flags: &[&str], round: u32, with_presets: bool) -> Vec<Bench> {
        let given = ["kernels", "--base", "a", "--test", "b"];
        let options = Options::try_parse_from([&given, flags].concat()).expect("valid flags");
        workloads().benches(&options, round, with_presets)
    }

    #[test]
    fn a_boot_warms_up_and_then_runs_all_workloads_on_the_kernel() {
        let benches = benches(&["--repeats", "2"], 3, false);
        assert_eq!(benches.len(), 2);
        assert!(benches[0].warm_up && !benches[1].warm_up);
        let request = &benches[1].request;
        assert_eq!((request.rounds, request.seed), (2, Some(4)));
        assert_eq!(request.variants, [Variant::kernel()]);
        assert_eq!(in_words(&benches[1]), "dsync, fsync-mix on io_uring, 2 times, seed 4");
    }

    #[test]
    fn presets_come_last_and_each_once() {
        let benches = benches(&["--repeats", "5"], 0, true);
        assert_eq!(benches.len(), 3);
        let request = &benches[2].request;
        assert_eq!(request.variants, ["6.12", "6.17"].map(Variant::pool));
        assert_eq!((request.rounds, request.idle_timeout), (1, Some(IdleTimeout::Kernel)));
    }

    #[test]
    fn every_value_that_is_set_runs_on_the_kernel_and_under_every_preset() {
        let options = Options::try_parse_from(["kernels", "--base", "a", "--test", "b"]);
        let set = |limit: &str| {
            Overrides([("workers.bounded".to_owned(), limit.to_owned())].into_iter().collect())
        };
        let workloads = Workloads { sets: vec![set("4"), set("64")], ..workloads() };
        let benches = workloads.benches(&options.expect("valid flags"), 0, true);
        let variants = |at: usize| -> Vec<String> {
            benches[at].request.variants.iter().map(Variant::to_string).collect()
        };
        assert_eq!(variants(0), ["on io_uring"], "to warm up");
        assert_eq!(variants(1), ["on io_uring bounded=4", "on io_uring bounded=64"]);
        assert_eq!(variants(2).len(), 4);
        assert!(in_words(&benches[1]).contains("on io_uring bounded=4, on io_uring bounded=64"));
    }

    #[test]
    fn what_is_a_file_has_a_digest() {
        let digests = workloads().digests().expect("they are plain");
        assert_eq!(digests.into_keys().collect::<Vec<_>>(), ["workload fsync-mix"]);
    }
}
