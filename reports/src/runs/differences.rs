//! Differences between runs: hosts, settings and builds, field by field.

use std::collections::BTreeMap;

use iowq_contract::{Blocking, Overrides, Record};

use crate::format;
use crate::runs::{plans, set};

/// Share by which memory may differ: kernels keep unlike parts of it for themselves.
const MEMORY_SHARE_MAX: f64 = 0.05;

/// Values of a field that are named; the others are counted.
const VALUES_MAX: usize = 3;

/// A field of a run, by the name that readers know, as text.
pub type Field = (&'static str, fn(&Record) -> String);

/// The machine, which must be alike in all runs.
const MACHINE: [Field; 7] = [
    ("processor", |run| run.host.cpu.clone()),
    ("processors", |run| format::known(run.host.cpus)),
    ("file system", |run| run.host.filesystem.clone()),
    ("mount options", |run| run.host.mount_options.clone()),
    ("device", |run| run.host.device.clone()),
    ("governor", |run| run.host.governor.clone()),
    ("accelerator", |run| run.host.accelerator.clone()),
];

/// How it was built and watched, which must be alike as well.
const MEASURED: [Field; 2] = [
    ("profile", |run| run.host.profile.clone()),
    ("probes", |run| format!("{:?}", run.probe.tier).to_lowercase()),
];

/// What the workload and the engines were told, and must be alike in all runs. What a policy
/// switches on is its own, and who sees that a worker blocks is the engine's.
const SETTINGS: [Field; 9] = [
    ("blocking", blocking),
    ("files", |run| format::known(run.settings.files)),
    ("bytes per op", |run| format::known(run.settings.block_bytes)),
    ("depth", |run| format::known(run.settings.depth)),
    ("limit of bounded workers", |run| format::known(run.settings.limit_bounded)),
    ("limit of unbounded workers", |run| format::known(run.settings.limit_unbounded)),
    ("idle timeout in ms", idle_timeout),
    ("arrival", |run| run.settings.arrival.clone()),
    ("processors it was confined to", confined),
];

/// What a control run has and no other.
pub const DELAY: Field =
    ("injected delay in ns", |run| format!("{:?}", run.settings.injected_delay_ns));

/// What a policy consists of, which its name says: runs under one name have the same.
pub const PATCHES: Field = ("patches", |run| match run.settings.patches.as_slice() {
    [] => "none".to_owned(),
    patches => patches.join(", "),
});

/// What may differ and should be known.
pub const BUILD: [Field; 2] =
    [("commit", |run| run.host.commit.clone()), ("compiler", |run| run.host.rustc.clone())];

/// The kernel, which may differ between the sides of a comparison.
pub const KERNEL: Field = ("kernel", |run| run.host.kernel.clone());

fn confined(run: &Record) -> String {
    run.settings.cpus.map_or_else(|| "none".to_owned(), |cpus| cpus.to_string())
}

/// What a field is of a run that it says nothing of.
const OF_NOTHING: &str = "nothing";

fn idle_timeout(run: &Record) -> String {
    if run.blocking == Blocking::None {
        return OF_NOTHING.to_owned();
    }
    format::known(run.settings.idle_timeout_ms)
}

/// The kernel's own io-wq observes blocking by itself, as the scheduler's probe does.
fn blocking(run: &Record) -> String {
    match run.blocking {
        Blocking::Sched | Blocking::Kernel => "seen by the scheduler".to_owned(),
        Blocking::None => OF_NOTHING.to_owned(),
        Blocking::Declared => "declared".to_owned(),
    }
}

/// What differs between the hosts of runs, each with its values.
pub fn hosts(runs: &[&Record]) -> Vec<String> {
    let unlike = MACHINE.iter().chain(&MEASURED).filter_map(|field| differs(field, runs));
    unlike.chain(memory_differs(runs)).collect()
}

/// Settings that differ, each with its values, but for what was set to differ; lengths stand apart.
pub fn settings(runs: &[&Record]) -> Vec<String> {
    beside_set(runs, |runs| {
        let unlike = SETTINGS.iter().filter_map(|field| differs(field, runs));
        unlike.chain(plans::unlike(runs)).collect()
    })
}

/// The lengths that runs were asked for, if they differ and were not set to.
pub fn lengths(runs: &[&Record]) -> Vec<String> {
    beside_set(runs, |runs| plans::lengths(runs).into_iter().collect())
}

/// In what runs differ beside what was set to differ: those that had the same set, and then all as
/// if nothing had been.
pub fn beside_set(runs: &[&Record], find: impl Fn(&[&Record]) -> Vec<String>) -> Vec<String> {
    if !set::is_varied(runs) {
        return find(runs);
    }
    let mut by_set: BTreeMap<&Overrides, Vec<&Record>> = BTreeMap::new();
    for run in runs {
        by_set.entry(&run.key.set).or_default().push(run);
    }
    let mut found: Vec<String> = by_set.values().flat_map(|runs| find(runs)).collect();
    let first = by_set.values().filter_map(|runs| runs.first());
    let unset: Vec<Record> = first.map(|run| unset(run)).collect();
    found.extend(find(&unset.iter().collect::<Vec<_>>()));
    format::distinct(found)
}

/// A run as if nothing had been set for it.
fn unset(run: &Record) -> Record {
    let settings = run.settings_unset.as_ref().unwrap_or(&run.settings).clone();
    Record { settings, ..run.clone() }
}

/// What differs between runs that are to be like each other in all but their time: first runs, and
/// fresh ones that confirm them. Their kernel must be the same too, and so must their length.
pub fn all(runs: &[&Record]) -> Vec<String> {
    let mut unlike = hosts(runs);
    unlike.extend(differs(&KERNEL, runs));
    unlike.extend(settings(runs));
    unlike.extend([&DELAY, &PATCHES].into_iter().filter_map(|field| differs(field, runs)));
    unlike.extend(lengths(runs));
    unlike
}

/// `device: nvme0n1, sda`, if not all runs that the field says something of have the same value.
pub fn differs((name, read): &Field, runs: &[&Record]) -> Option<String> {
    let values = runs.iter().map(|run| read(run)).filter(|value| value != OF_NOTHING);
    let values = format::distinct(values);
    let shown = || values.iter().map(|value| format::clip(value, 60)).collect();
    (values.len() > 1).then(|| format!("{name}: {}", format::first_of(shown(), VALUES_MAX)))
}

/// In what machines and their kernels differ, whatever was built and run on them.
pub fn machines(runs: &[&Record]) -> Vec<String> {
    let unlike = [&KERNEL].into_iter().chain(&MACHINE).filter_map(|field| differs(field, runs));
    unlike.chain(memory_differs(runs)).collect()
}

/// Whether memory differs by more than what kernels keep for themselves.
pub fn is_memory_unlike(one: u64, other: u64) -> bool {
    one.abs_diff(other) > (one.max(other) as f64 * MEMORY_SHARE_MAX) as u64
}

fn memory_differs(runs: &[&Record]) -> Option<String> {
    let bytes = || runs.iter().map(|run| run.host.memory_bytes);
    let (least, most) = (bytes().min()?, bytes().max()?);
    is_memory_unlike(least, most)
        .then(|| format!("memory: {} and {}", format::bytes(least), format::bytes(most)))
}
