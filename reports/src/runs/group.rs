//! Groups: the runs of one variant, inside a section of one workload: of one policy on one engine
//! with what was set. Runs that a bench
//! made for noise and control are groups of their own and stand for no policy.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use iowq_contract::{Overrides, Record, Role};

use crate::format;
use crate::runs::figures::Figures;
use crate::runs::hosts::Hosts;
use crate::runs::set;

/// The presets, in the order of kernels: each adds something to the one before.
pub const PRESETS: [&str; 7] =
    ["6.1", "6.12.0", "6.12", "6.16", "6.17", "6.17-as-posted", "exit-on-idle"];

/// The engine that stands for the kernels: its policies are compared with each other.
pub(crate) const POOL: &str = "pool";

/// The engine that the running kernel's own io-wq is behind.
pub(crate) const URING: &str = "uring";

/// The engine without a ring.
pub(crate) const SYNC: &str = "sync";

/// What it is called.
const SYNC_LABEL: &str = "no-ring";

/// The name of the running kernel's own rules.
const KERNEL: &str = "kernel";

/// What the running kernel's own io-wq is called.
const URING_LABEL: &str = "io_uring";

/// One workload on one host: policies that may be compared with each other, and the kernel as their
/// reference.
#[derive(Debug)]
pub struct Section<'a> {
    /// Name of the workload.
    pub workload: &'a str,
    /// Name of the host; none if all runs were made on one.
    pub host: Option<String>,
    /// One per variant and role: presets in the order of kernels, then the others as they came,
    /// and the running kernel last; noise and control follow what they repeat.
    pub groups: Vec<Group<'a>>,
}

/// The runs of one variant.
#[derive(Debug)]
pub struct Group<'a> {
    /// Name of the engine.
    pub engine: &'a str,
    /// Name of the policy.
    pub policy: &'a str,
    /// Fields of the workload that were set.
    pub set: &'a Overrides,
    /// What the runs are for.
    pub role: Role,
    /// What the group is called: its variant, and `on HOST` if there are several hosts.
    pub label: Cow<'a, str>,
    /// Its policy, or `io_uring`, and what makes it differ from that.
    pub variant: Cow<'a, str>,
    /// Runs that finished.
    pub runs: Vec<&'a Record>,
    /// Runs that did not; they are counted and shown, and take part in no figure.
    pub failed: Vec<&'a Record>,
    /// Medians and ranges of the runs that finished.
    pub figures: Figures,
}

impl<'a> Section<'a> {
    /// `fsync-mix`, and `fsync-mix on HOST` if there are several hosts.
    pub fn title(&self) -> Cow<'a, str> {
        on(Cow::Borrowed(self.workload), self.host.as_deref())
    }

    /// The group that others are compared with: the first of the pool that has a finished run, or
    /// the first at all.
    pub fn base(&self) -> Option<usize> {
        let finished = |group: &Group<'_>| group.is_measured() && !group.runs.is_empty();
        let pool = self.groups.iter().position(|group| group.engine == POOL && finished(group));
        pool.or_else(|| self.groups.iter().position(finished))
    }

    /// The running kernel's own io-wq, if it ran.
    pub fn kernel(&self) -> Option<&Group<'a>> {
        self.groups.iter().find(|group| group.is_kernel())
    }

    /// The engines of the groups, each once.
    pub fn engines(&self) -> Vec<String> {
        format::distinct(self.groups.iter().map(|group| group.engine.to_owned()))
    }

    /// All runs, failed ones too.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.groups.iter().flat_map(|group| group.runs.iter().chain(&group.failed).copied())
    }

    /// Kinds of operation that some run has a histogram of, without `all`.
    pub fn kinds(&self) -> Vec<String> {
        let kinds = self.records().flat_map(|record| record.latency.response.keys());
        let kinds: BTreeSet<&String> = kinds.filter(|kind| *kind != "all").collect();
        kinds.into_iter().cloned().collect()
    }
}

impl Group<'_> {
    /// Whether these are runs to be compared, and not such that show noise or a known delay.
    pub fn is_measured(&self) -> bool {
        self.role == Role::Measured
    }

    /// Whether these are runs of the running kernel's own io-wq: a reference for the policies.
    pub fn is_kernel(&self) -> bool {
        self.engine == URING && self.is_measured()
    }

    /// Whether these are runs of the pool under a policy that stands for a kernel.
    pub fn is_preset(&self) -> bool {
        self.engine == POOL && self.is_measured() && PRESETS.contains(&self.policy)
    }

    /// How many runs finished: `3`, or `2 of 3` where some did not.
    pub fn runs_text(&self) -> String {
        let finished = self.runs.len();
        match self.failed.len() {
            0 => finished.to_string(),
            failed => format!("{finished} of {}", finished + failed),
        }
    }
}

/// What a run and its like are called: `6.12`, `6.12 bounded=4`, `6.12 again` for noise, `6.12 +5 % delay` for control.
/// A run of io_uring in a boot is called as the kernel.
pub fn label(run: &Record) -> Cow<'_, str> {
    let variant = measured_label(run);
    match (run.key.role, run.settings.injected_delay_percent) {
        (Role::Measured, _) => variant,
        (Role::Noise, _) => Cow::Owned(format!("{variant} again")),
        (Role::Control, Some(percent)) => Cow::Owned(format!("{variant} +{percent} % delay")),
        (Role::Control, None) => Cow::Owned(format!("{variant} delayed")),
    }
}

/// What the measured runs of the same variant are called.
pub(crate) fn measured_label(run: &Record) -> Cow<'_, str> {
    let rules = rules(run);
    if run.key.set.is_empty() { rules } else { Cow::Owned(format!("{rules} {}", run.key.set)) }
}

/// The same without what was set: a policy, a kernel that was booted, or `io_uring`.
pub(crate) fn rules(run: &Record) -> Cow<'_, str> {
    match &run.key.boot {
        Some(boot) if run.key.engine == URING => Cow::Borrowed(boot.kernel.as_str()),
        _ => variant(&run.key.engine, &run.key.policy),
    }
}

/// What an engine under a policy is called: where the engine is the pool, its policy.
pub(crate) fn variant<'a>(engine: &str, policy: &'a str) -> Cow<'a, str> {
    match (engine, policy) {
        (POOL, _) => Cow::Borrowed(policy),
        (URING, KERNEL) => Cow::Borrowed(URING_LABEL),
        (SYNC, _) => Cow::Borrowed(SYNC_LABEL),
        (URING, _) => Cow::Owned(format!("{URING_LABEL}, {policy}")),
        _ => Cow::Owned(format!("{policy} on {engine}")),
    }
}

/// A name with the host behind it, if there are several.
pub(crate) fn on<'a>(name: Cow<'a, str>, host: Option<&str>) -> Cow<'a, str> {
    match host {
        Some(host) => Cow::Owned(format!("{name} on {host}")),
        None => name,
    }
}

/// Sorts runs of one host, or of kernels that are compared with each other, into sections and
/// groups.
pub(crate) fn sections<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<Section<'a>> {
    sections_by_host(records, &Hosts::default())
}

/// The same of any hosts: those of a workload follow each other.
pub(crate) fn sections_by_host<'a>(
    records: impl IntoIterator<Item = &'a Record>,
    hosts: &Hosts<'_>,
) -> Vec<Section<'a>> {
    let mut workloads: BTreeMap<&str, usize> = BTreeMap::new();
    let mut sections: BTreeMap<(usize, usize), Section<'_>> = BTreeMap::new();
    let mut places = BTreeMap::new();
    for record in records {
        let workload = record.key.workload.as_str();
        let next = workloads.len();
        let key = (*workloads.entry(workload).or_insert(next), hosts.at(record));
        let section = sections.entry(key).or_insert_with(|| {
            let host = hosts.name(record).map(str::to_owned);
            Section { workload, host, groups: Vec::new() }
        });
        let (engine, policy) = (record.key.engine.as_str(), record.key.policy.as_str());
        let next = section.groups.len();
        let place = *places.entry((key, engine, policy, label(record))).or_insert(next);
        if place == next {
            section.groups.push(empty(record, section.host.as_deref()));
        }
        if let Some(group) = section.groups.get_mut(place) {
            let runs = if record.error.is_none() { &mut group.runs } else { &mut group.failed };
            runs.push(record);
        }
    }
    let mut sections: Vec<Section<'_>> = sections.into_values().collect();
    for section in &mut sections {
        let policies = format::distinct(section.groups.iter().map(|group| group.policy));
        // Those that are no presets stay as they came.
        let came = |policy: &str| policies.iter().position(|known| *known == policy);
        let place =
            |group: &Group<'_>| (engine_rank(group.engine), rank(group.policy), came(group.policy));
        section.groups.sort_by(|one, other| {
            let places = place(one).cmp(&place(other));
            places.then_with(|| set::order(one.set, other.set)).then(one.role.cmp(&other.role))
        });
        for group in &mut section.groups {
            group.figures = Figures::new(&group.runs);
        }
    }
    sections
}

/// The group of a run, before it has any.
fn empty<'a>(record: &'a Record, host: Option<&str>) -> Group<'a> {
    let variant = label(record);
    Group {
        engine: &record.key.engine,
        policy: &record.key.policy,
        set: &record.key.set,
        role: record.key.role,
        label: on(variant.clone(), host),
        variant,
        runs: Vec::new(),
        failed: Vec::new(),
        figures: Figures::default(),
    }
}

/// Place of an engine: the pool, then others, and the kernel last as their reference.
fn engine_rank(engine: &str) -> u8 {
    match engine {
        POOL => 0,
        URING => 2,
        _ => 1,
    }
}

/// Place of a policy; the sort is stable, so that unknown ones stay in the order of the record.
pub(crate) fn rank(policy: &str) -> usize {
    PRESETS.iter().position(|known| *known == policy).unwrap_or(PRESETS.len())
}

#[cfg(test)]
mod tests {
    use iowq_sample as sample;

    use super::*;
    use crate::runs::metric::Metric;

    #[test]
    fn policies_come_in_the_order_of_kernels_and_others_as_they_ran() {
        let ran = ["fixed", "exit-on-idle", "6.17", "6.12+x", "6.1"];
        let records: Vec<Record> = ran.iter().map(|policy| sample::run("nop", policy, 0)).collect();
        let sections = sections(&records);
        let order: Vec<&str> = sections[0].groups.iter().map(|group| group.policy).collect();
        assert_eq!(order, ["6.1", "6.17", "exit-on-idle", "fixed", "6.12+x"]);
        assert_eq!(sections[0].base(), Some(0));
    }

    #[test]
    fn the_kernel_stands_beside_the_pool_and_is_never_the_base_while_the_pool_ran() {
        let mut records = vec![sample::run("nop", "kernel", 0), sample::run("nop", "6.17", 0)];
        records[0].key.engine = "uring".to_owned();
        let both = sections(&records);
        let labels: Vec<&str> = both[0].groups.iter().map(|group| group.label.as_ref()).collect();
        assert_eq!(labels, ["6.17", "io_uring"]);
        assert_eq!((both.len(), both[0].base()), (1, Some(0)));
        assert!(both[0].kernel().is_some_and(Group::is_kernel));
        records[1].error = Some("disk full".to_owned());
        assert_eq!(sections(&records)[0].base(), Some(1));
    }

    #[test]
    fn values_that_were_set_are_groups_in_the_order_of_their_size_within_a_policy() {
        let ran = [("mine", "64"), ("6.17", "64"), ("other", "4"), ("mine", "4"), ("6.17", "8")];
        let mut records: Vec<Record> =
            ran.iter().map(|(policy, _)| sample::run("nop", policy, 0)).collect();
        for (record, (_, limit)) in records.iter_mut().zip(ran) {
            record.key.set.0.insert("workers.bounded".to_owned(), limit.to_owned());
        }
        let mut again = records[4].clone();
        again.key.role = Role::Noise;
        records.push(again);
        let sections = sections(&records);
        let labels: Vec<&str> = sections[0].groups.iter().map(|group| &*group.label).collect();
        let expected = [
            "6.17 bounded=8",
            "6.17 bounded=8 again",
            "6.17 bounded=64",
            "mine bounded=4",
            "mine bounded=64",
            "other bounded=4",
        ];
        assert_eq!(labels, expected);
    }

    #[test]
    fn runs_of_different_hosts_are_never_in_one_group() {
        let mut records: Vec<Record> =
            (0..4).map(|pair| sample::run("nop", "6.12", pair)).collect();
        records.push(sample::run("dsync", "6.12", 0));
        records[1].host.filesystem = "xfs".to_owned();
        let sections = sections_by_host(&records, &Hosts::of(&records));
        let found: Vec<(String, &str, usize)> = sections
            .iter()
            .map(|one| (one.title().into(), &*one.groups[0].label, one.groups[0].runs.len()))
            .collect();
        let expected = [
            ("nop on ext4", "6.12 on ext4", 3),
            ("nop on xfs", "6.12 on xfs", 1),
            ("dsync on ext4", "6.12 on ext4", 1),
        ];
        assert_eq!(found, expected.map(|(title, label, runs)| (title.to_owned(), label, runs)));
    }

    #[test]
    fn an_engine_that_is_not_the_pool_is_in_the_label() {
        assert_eq!(variant("pool", "kernel"), "kernel");
        assert_eq!(variant("uring", "kernel"), "io_uring");
        assert_eq!(variant("uring", "patched"), "io_uring, patched");
        assert_eq!(variant("scripted", "6.12"), "6.12 on scripted");
    }

    #[test]
    fn noise_and_control_are_groups_of_their_own_and_never_the_base() {
        let mut records: Vec<Record> =
            (0..5).map(|pair| sample::run("nop", "6.12", pair)).collect();
        for (record, percent) in records[..3].iter_mut().zip([None, Some(5.0), Some(0.5)]) {
            record.key.role = if percent.is_some() { Role::Control } else { Role::Noise };
            record.settings.injected_delay_percent = percent;
        }
        let sections = sections(&records);
        let groups = &sections[0].groups;
        let labels: Vec<&str> = groups.iter().map(|group| group.label.as_ref()).collect();
        assert_eq!(labels, ["6.12", "6.12 again", "6.12 +5 % delay", "6.12 +0.5 % delay"]);
        assert_eq!((sections[0].base(), groups[0].runs.len()), (Some(0), 2));
        assert!(groups[1..].iter().all(|group| !group.is_preset()));
        assert_eq!(super::sections(&records[..3])[0].base(), None);
    }

    #[test]
    fn a_failed_run_is_kept_apart_and_cannot_be_the_base() {
        let mut records = vec![sample::run("nop", "6.12", 0), sample::run("nop", "6.17", 0)];
        records[0].error = Some("disk full".to_owned());
        let sections = sections(&records);
        assert_eq!(sections[0].groups[0].runs_text(), "0 of 1");
        assert!(sections[0].groups[0].figures.of(Metric::CreatedPer1000).is_none());
        assert_eq!(sections[0].base(), Some(1));
    }
}
