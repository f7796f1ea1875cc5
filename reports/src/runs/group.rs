//! Groups: the runs of one policy on one engine, inside a section of one workload. Runs that a bench
//! made for noise and control are groups of their own and stand for no policy.

use std::borrow::Cow;
use std::collections::BTreeMap;

use iowq_contract::{Record, Role};

use crate::format;
use crate::runs::figures::Figures;

/// The presets, in the order of kernels: each adds something to the one before.
pub const PRESETS: [&str; 7] =
    ["6.1", "6.12.0", "6.12", "6.16", "6.17", "6.17-as-posted", "exit-on-idle"];

/// The engine that stands for the kernels: its policies are compared with each other.
pub(crate) const POOL: &str = "pool";

/// The engine that the running kernel's own io-wq is behind.
pub(crate) const URING: &str = "uring";

/// The name of the running kernel's own rules.
const KERNEL: &str = "kernel";

/// What the running kernel's own io-wq is called.
const URING_LABEL: &str = "io_uring";

/// One workload: policies that may be compared with each other, and the kernel as their reference.
#[derive(Debug)]
pub struct Section<'a> {
    /// Name of the workload.
    pub workload: &'a str,
    /// One per policy, engine and role: presets in the order of kernels, then the others as they came,
    /// and the running kernel last; noise and control follow what they repeat.
    pub groups: Vec<Group<'a>>,
}

/// The runs of one policy on one engine.
#[derive(Debug)]
pub struct Group<'a> {
    /// Name of the engine.
    pub engine: &'a str,
    /// Name of the policy.
    pub policy: &'a str,
    /// What the runs are for.
    pub role: Role,
    /// What the group is called: its policy, or `io_uring`, and what makes it differ from that.
    pub label: Cow<'a, str>,
    /// Runs that finished.
    pub runs: Vec<&'a Record>,
    /// Runs that did not; they are counted and shown, and take part in no figure.
    pub failed: Vec<&'a Record>,
    /// Medians and ranges of the runs that finished.
    pub figures: Figures,
}

impl<'a> Section<'a> {
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
        let mut kinds = format::distinct(kinds.filter(|kind| *kind != "all").cloned());
        kinds.sort();
        kinds
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

/// What a run and its like are called: `6.12`, `6.12 again` for noise, `6.12 +5 % delay` for control.
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
        (URING, _) => Cow::Owned(format!("{URING_LABEL}, {policy}")),
        _ => Cow::Owned(format!("{policy} on {engine}")),
    }
}

/// Sorts runs into sections and groups.
pub(crate) fn sections<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<Section<'a>> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut sections: Vec<Section<'_>> = Vec::new();
    for record in records {
        let workload = record.key.workload.as_str();
        let place = *places.entry(workload).or_insert_with(|| {
            sections.push(Section { workload, groups: Vec::new() });
            sections.len() - 1
        });
        if let Some(section) = sections.get_mut(place) {
            add(section, record);
        }
    }
    for section in &mut sections {
        section
            .groups
            .sort_by_key(|group| (engine_rank(group.engine), rank(group.policy), group.role));
        for group in &mut section.groups {
            group.figures = Figures::new(&group.runs);
        }
    }
    sections
}

fn add<'a>(section: &mut Section<'a>, record: &'a Record) {
    let (engine, policy) = (record.key.engine.as_str(), record.key.policy.as_str());
    let label = label(record);
    let same = |group: &Group<'_>| {
        group.engine == engine && group.policy == policy && group.label == label
    };
    let at = section.groups.iter().position(same).unwrap_or_else(|| {
        section.groups.push(Group {
            engine,
            policy,
            role: record.key.role,
            label,
            runs: Vec::new(),
            failed: Vec::new(),
            figures: Figures::default(),
        });
        section.groups.len() - 1
    });
    if let Some(group) = section.groups.get_mut(at) {
        let runs = if record.error.is_none() { &mut group.runs } else { &mut group.failed };
        runs.push(record);
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
