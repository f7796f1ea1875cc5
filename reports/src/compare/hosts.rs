//! Hosts and settings: in what two sets of runs are unlike that could explain a difference.

use iowq_contract::{Blocking, Caveat, Code, Record};

use crate::analysis::plans;
use crate::format;

/// Share by which memory may differ: kernels keep unlike parts of it for themselves.
const MEMORY_SHARE_MAX: f64 = 0.05;

/// Values of a field that are named; the others are counted.
const VALUES_MAX: usize = 3;

/// A field of a run, by the name that readers know, as text.
type Field = (&'static str, fn(&Record) -> String);

/// What must be alike in all runs.
const HOST: [Field; 9] = [
    ("processor", |run| run.host.cpu.clone()),
    ("processors", |run| run.host.cpus.to_string()),
    ("file system", |run| run.host.filesystem.clone()),
    ("mount options", |run| run.host.mount_options.clone()),
    ("device", |run| run.host.device.clone()),
    ("governor", |run| run.host.governor.clone()),
    ("accelerator", |run| run.host.accelerator.clone()),
    ("profile", |run| run.host.profile.clone()),
    ("probes", |run| format!("{:?}", run.probe.tier).to_lowercase()),
];

/// What the workload and the engines were told, and must be alike in all runs. What a policy
/// switches on is its own, and who sees that a worker blocks is the engine's.
const SETTINGS: [Field; 9] = [
    ("blocking", blocking),
    ("files", |run| run.settings.files.to_string()),
    ("bytes per op", |run| run.settings.block_bytes.to_string()),
    ("depth", |run| run.settings.depth.to_string()),
    ("limit of bounded workers", |run| run.settings.limit_bounded.to_string()),
    ("limit of unbounded workers", |run| run.settings.limit_unbounded.to_string()),
    ("idle timeout in ms", |run| run.settings.idle_timeout_ms.to_string()),
    ("arrival", |run| run.settings.arrival.clone()),
    ("processors it was confined to", confined),
];

/// What a control run has and no other.
const DELAY: Field =
    ("injected delay in ns", |run| format!("{:?}", run.settings.injected_delay_ns));

/// What may differ and should be known.
const BUILD: [Field; 2] =
    [("commit", |run| run.host.commit.clone()), ("compiler", |run| run.host.rustc.clone())];

const KERNEL: Field = ("kernel", |run| run.host.kernel.clone());

fn confined(run: &Record) -> String {
    run.settings.cpus.map_or_else(|| "none".to_owned(), |cpus| cpus.to_string())
}

/// The kernel's own io-wq needs nobody to tell it, so it is like either way of the pool.
fn blocking(run: &Record) -> String {
    match run.blocking {
        Blocking::Sched | Blocking::Kernel => "seen by the scheduler".to_owned(),
        Blocking::Declared => "declared".to_owned(),
    }
}

/// What differs and forbids a verdict.
#[must_use]
pub fn blockers(base: &[&Record], test: &[&Record]) -> Vec<Caveat> {
    let both = [base, test].concat();
    let mut hosts = unlike_hosts(&both);
    for (runs, side) in [(base, "base"), (test, "test")] {
        hosts.extend(differs(&KERNEL, runs).map(|text| format!("{text} within the {side}")));
    }
    let mut settings = unlike_settings(&both);
    settings.extend(differs(&DELAY, &both));
    bars_of(&hosts, &settings, plans::lengths(&both), "The runs were made", "policy")
}

/// The same for runs that stand beside the comparison: they are to be like the base in all but
/// the delay that is injected into some.
#[must_use]
pub fn bars_beside(base: &[&Record], beside: &[&Record]) -> Vec<Caveat> {
    let both = [base, beside].concat();
    let mut hosts = unlike_hosts(&both);
    hosts.extend(differs(&KERNEL, &both));
    let runs = "The base and its noise and control runs were made";
    bars_of(&hosts, &unlike_settings(&both), plans::lengths(&both), runs, "noise")
}

fn unlike_hosts(runs: &[&Record]) -> Vec<String> {
    let unlike = HOST.iter().filter_map(|field| differs(field, runs));
    unlike.chain(memory_differs(runs)).collect()
}

/// Settings that differ, each with its values; lengths stand apart.
pub(crate) fn unlike_settings(runs: &[&Record]) -> Vec<String> {
    let unlike = SETTINGS.iter().filter_map(|field| differs(field, runs));
    unlike.chain(plans::unlike(runs)).collect()
}

/// The blockers, where there is anything unlike; `cause` is what the difference was to show.
fn bars_of(
    hosts: &[String],
    settings: &[String],
    lengths: Option<String>,
    runs: &str,
    cause: &str,
) -> Vec<Caveat> {
    let mut blockers = Vec::new();
    if !hosts.is_empty() {
        let text = format!(
            "{runs} on unlike hosts, and what differs need not be the {cause}: {}. Measure them on \
             one machine.",
            hosts.join("; ")
        );
        blockers.push(Caveat::new(Code::HostsDiffer, text));
    }
    if !settings.is_empty() {
        let text = format!(
            "{runs} with unlike settings, and what differs need not be the {cause}: {}. Measure \
             them with the same ones.",
            settings.join("; ")
        );
        blockers.push(Caveat::new(Code::SettingsDiffer, text));
    }
    if let Some(lengths) = lengths {
        let text = format!(
            "{runs} for unlike times or numbers of ops, on which figures depend: {lengths}. Measure \
             them for as long."
        );
        blockers.push(Caveat::new(Code::LengthsDiffer, text));
    }
    blockers
}

/// What differs between runs that are to be like each other in all but their time: first runs, and
/// fresh ones that confirm them. Their kernel must be the same too, and so must their length.
#[must_use]
pub fn unlike(runs: &[&Record]) -> Vec<String> {
    let mut unlike = unlike_hosts(runs);
    unlike.extend(differs(&KERNEL, runs));
    unlike.extend(unlike_settings(runs));
    unlike.extend(differs(&DELAY, runs));
    unlike.extend(plans::lengths(runs));
    unlike
}

/// What differs and forbids nothing.
#[must_use]
pub fn notes(both: &[&Record]) -> Vec<Caveat> {
    let unlike: Vec<String> = BUILD.iter().filter_map(|field| differs(field, both)).collect();
    if unlike.is_empty() {
        return Vec::new();
    }
    let text = format!("The runs were made by unlike builds: {}.", unlike.join("; "));
    vec![Caveat::new(Code::BuildsDiffer, text)]
}

/// `device: nvme0n1, sda`, where not all runs have the same value.
fn differs((name, read): &Field, runs: &[&Record]) -> Option<String> {
    let mut values: Vec<String> = Vec::new();
    for value in runs.iter().map(|run| format::clip(&read(run), 60)) {
        if !values.contains(&value) {
            values.push(value);
        }
    }
    let more = values.len().saturating_sub(VALUES_MAX);
    let unlike = values.len() > 1;
    values.truncate(VALUES_MAX);
    if more > 0 {
        values.push(format!("{more} more"));
    }
    unlike.then(|| format!("{name}: {}", format::list(&values)))
}

fn memory_differs(runs: &[&Record]) -> Option<String> {
    let bytes = || runs.iter().map(|run| run.host.memory_bytes);
    let (least, most) = (bytes().min()?, bytes().max()?);
    let unlike = most - least > (most as f64 * MEMORY_SHARE_MAX) as u64;
    unlike.then(|| format!("memory: {} and {}", format::bytes(least), format::bytes(most)))
}

#[cfg(test)]
mod tests {
    use iowq_contract::{Host, Tier};

    use super::*;
    use crate::sample;

    /// Codes and texts of the blockers after the test's second run was spoilt.
    fn after(spoil: impl Fn(&mut Record)) -> String {
        let base = [sample::run("dsync", "6.12", 0), sample::run("dsync", "6.12", 1)];
        let mut test = [sample::run("dsync", "6.17", 0), sample::run("dsync", "6.17", 1)];
        spoil(&mut test[1]);
        let found = blockers(&base.each_ref(), &test.each_ref());
        found.into_iter().map(|one| format!("{} {}", one.code, one.text)).collect()
    }

    #[test]
    fn whatever_differs_between_hosts_is_named_with_its_values() {
        assert_eq!(after(|_| ()), "");
        let spoilt = after(|run| {
            run.host = Host { device: "sda".to_owned(), memory_bytes: 1 << 30, ..run.host.clone() };
            run.probe.tier = Tier::Proc;
        });
        assert!(spoilt.starts_with("hosts-differ"), "{spoilt}");
        for part in ["device: nvme0n1 and sda", "memory: 1\u{a0}GiB and 16", "probes: bpf and proc"]
        {
            assert!(spoilt.contains(part), "{part} is not in {spoilt}");
        }
    }

    #[test]
    fn settings_that_differ_bar_and_the_switches_of_a_policy_do_not() {
        let spoilt = after(|run| run.settings.depth = 64);
        assert!(spoilt.starts_with("settings-differ"), "{spoilt}");
        assert!(spoilt.contains("depth: 16 and 64"), "{spoilt}");
        assert!(after(|run| run.blocking = Blocking::Declared).contains("blocking: "));
        let confined = after(|run| run.settings.cpus = Some(1));
        assert!(confined.contains("processors it was confined to"), "{confined}");
        assert_eq!(after(|run| run.settings.patches = vec!["exit-on-idle".to_owned()]), "");
        assert_eq!(after(|run| run.host.memory_bytes -= 1 << 25), "");
    }

    #[test]
    fn plans_that_differ_bar_with_the_fields_and_lengths_by_themselves() {
        let plan = |run: &mut Record, seconds: u64, write: u32| {
            let mut plan = iowq_contract::PlanSettings {
                digest: format!("{seconds} {write}"),
                length_ns: Some(seconds * 1_000_000_000),
                ..Default::default()
            };
            plan.mix.write = write;
            run.settings.plan = Some(plan);
        };
        let between = |seconds, write| {
            let (mut base, mut test) =
                (sample::run("dsync", "6.12", 0), sample::run("dsync", "6.17", 0));
            plan(&mut base, 1, 1);
            plan(&mut test, seconds, write);
            let found = blockers(&[&base], &[&test]);
            found.into_iter().map(|one| format!("{} {}", one.code, one.text)).collect::<String>()
        };
        assert_eq!(between(1, 1), "");
        let (longer, other) = (between(9, 1), between(1, 2));
        assert!(longer.starts_with("lengths-differ"), "{longer}");
        assert!(longer.contains("length: 1 s and 9 s"), "{longer}");
        assert!(other.starts_with("settings-differ"), "{other}");
        assert!(other.contains("mix.write: 1 and 2"), "{other}");
    }

    #[test]
    fn kernels_may_differ_between_the_sets_and_not_within_one() {
        let kernel = |run: &mut Record| run.host.kernel = "6.18".to_owned();
        assert!(after(kernel).contains("within the test"));
        let base = [sample::run("dsync", "6.12", 0)];
        let mut test = [sample::run("dsync", "6.12", 0)];
        kernel(&mut test[0]);
        assert!(blockers(&base.each_ref(), &test.each_ref()).is_empty());
    }

    #[test]
    fn another_build_is_a_note() {
        let (a, mut b) = (sample::run("dsync", "6.12", 0), sample::run("dsync", "6.12", 1));
        assert!(notes(&[&a, &b]).is_empty());
        b.host.commit = "1111111".to_owned();
        assert!(notes(&[&a, &b])[0].text.contains("commit: 0000000 and 1111111"));
    }
}
