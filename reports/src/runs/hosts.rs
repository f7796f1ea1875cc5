//! Hosts: which runs were made on the same one, and what each is called where there are several.

use std::collections::{BTreeSet, HashMap};

use iowq_contract::Record;

use crate::format;
use crate::runs::differences;

/// What a field of a host says that could not be read.
const UNKNOWN: &str = "unknown";

/// Characters of one value in the name of a host.
const VALUE_CHARS_MAX: usize = 32;

/// What tells hosts apart, in the order in which it is tried as a name.
const NAMES: [fn(&Record) -> String; 10] = [
    |run| format::release(&run.host.kernel),
    |run| run.host.cpu.clone(),
    |run| format::count(u64::from(run.host.cpus), "processor", "processors"),
    |run| format::bytes(run.host.memory_bytes),
    |run| run.host.filesystem.clone(),
    |run| run.host.device.clone(),
    |run| run.host.governor.clone(),
    |run| run.host.accelerator.clone(),
    |run| run.host.kernel.clone(),
    |run| run.host.mount_options.clone(),
];

/// The hosts of some runs. Builds and commits are no part of a host.
#[derive(Debug, Default)]
pub struct Hosts<'a> {
    /// A run of each.
    runs: Vec<&'a Record>,
    /// Their places by what is the same in all runs of one: see [`words`].
    by_words: HashMap<[&'a str; 7], Vec<usize>>,
    /// What each is called.
    names: Vec<String>,
}

impl<'a> Hosts<'a> {
    /// In the order in which they are first seen, those of finished runs first.
    pub fn of(records: impl IntoIterator<Item = &'a Record> + Clone) -> Self {
        let mut hosts = Self::default();
        let failed = records.clone().into_iter().filter(|run| run.error.is_some());
        for run in records.into_iter().filter(|run| run.error.is_none()).chain(failed) {
            if hosts.position(run).is_none() {
                let words = words(run, run.key.boot.is_some());
                hosts.by_words.entry(words).or_default().push(hosts.runs.len());
                hosts.runs.push(run);
            }
        }
        hosts.names = names(&hosts.runs);
        hosts
    }

    /// The host of a run, by its place.
    pub fn at(&self, run: &Record) -> usize {
        self.position(run).unwrap_or(0)
    }

    /// What the host of a run is called; none if there is only one.
    pub fn name(&self, run: &Record) -> Option<&str> {
        self.names().get(self.at(run)).map(String::as_str)
    }

    /// The names of several hosts; none of a single one.
    pub fn names(&self) -> &[String] {
        if self.runs.len() > 1 { &self.names } else { &[] }
    }

    /// In what the hosts differ, with the values.
    pub fn differences(&self) -> Vec<String> {
        differences::machines(&self.runs)
    }

    /// The first host that a run may have been made on.
    fn position(&self, run: &Record) -> Option<usize> {
        if knows_little(run) {
            return self.runs.iter().position(|known| is_same(known, run));
        }
        let like = |is_booted| self.by_words.get(&words(run, is_booted)).into_iter().flatten();
        let like = like(true).chain(like(false)).copied();
        like.filter(|at| self.runs.get(*at).is_some_and(|known| is_same(known, run))).min()
    }
}

/// What the host of a run has in words, which is the same in all runs on it, but for the kernel if
/// kernels were booted.
fn words(run: &Record, is_booted: bool) -> [&str; 7] {
    let host = &run.host;
    let kernel = if is_booted { "" } else { &host.kernel };
    [
        kernel,
        &host.cpu,
        &host.filesystem,
        &host.mount_options,
        &host.device,
        &host.governor,
        &host.accelerator,
    ]
}

/// Whether it failed before all was known of its host.
fn knows_little(run: &Record) -> bool {
    let is_unknown = |word: &str| [UNKNOWN, ""].contains(&word);
    let is_less = run.host.cpus == 0 || run.host.memory_bytes == 0;
    run.error.is_some() && (is_less || words(run, false).into_iter().any(is_unknown))
}

/// Whether a run was made on the host of another. A run that failed may know less of its host, a
/// confined one had not all processors, and a kernel that was booted is what was measured.
fn is_same(known: &Record, run: &Record) -> bool {
    let failed = run.error.is_some();
    let text = |one: &str, other: &str| one == other || (failed && [UNKNOWN, ""].contains(&other));
    let (one, other) = (&known.host, &run.host);
    let booted = known.key.boot.is_some() && run.key.boot.is_some();
    let confined = known.settings.cpus.is_some() || run.settings.cpus.is_some();
    (booted || text(&one.kernel, &other.kernel))
        && text(&one.cpu, &other.cpu)
        && (confined || one.cpus == other.cpus || (failed && other.cpus == 0))
        && (!differences::is_memory_unlike(one.memory_bytes, other.memory_bytes)
            || (failed && other.memory_bytes == 0))
        && text(&one.filesystem, &other.filesystem)
        && text(&one.mount_options, &other.mount_options)
        && text(&one.device, &other.device)
        && text(&one.governor, &other.governor)
        && text(&one.accelerator, &other.accelerator)
}

/// As few values as tell each host from all others; a number where even all of them do not.
fn names(runs: &[&Record]) -> Vec<String> {
    let distinct = |names: &[String]| names.iter().collect::<BTreeSet<_>>().len();
    let mut names = vec![String::new(); runs.len()];
    for field in NAMES {
        let with = |(name, run): (&String, &&Record)| {
            let value = format::clip(&field(run), VALUE_CHARS_MAX);
            if name.is_empty() { value } else { format!("{name}, {value}") }
        };
        let longer: Vec<String> = names.iter().zip(runs).map(with).collect();
        if distinct(&longer) > distinct(&names) {
            names = longer;
        }
    }
    if distinct(&names) < runs.len() {
        let numbered = names.iter().zip(1..).map(|(name, at)| format!("{name} (host {at})"));
        names = numbered.collect();
    }
    names
}

#[cfg(test)]
mod tests {
    use iowq_contract::InBoot;
    use iowq_sample as sample;

    use super::*;

    /// Names after the second of two runs was changed.
    fn named(change: impl Fn(&mut Record)) -> Vec<String> {
        let mut runs = [sample::run("dsync", "6.12", 0), sample::run("dsync", "6.12", 1)];
        change(&mut runs[1]);
        Hosts::of(&runs).names().to_vec()
    }

    #[test]
    fn hosts_are_named_by_what_tells_them_apart() {
        let none: [&str; 0] = [];
        assert_eq!(named(|_| ()), none);
        assert_eq!(named(|run| run.host.filesystem = "xfs".to_owned()), ["ext4", "xfs"]);
        let kernel = named(|run| {
            run.host.kernel = "6.18.44 #2".to_owned();
            run.host.filesystem = "xfs".to_owned();
        });
        assert_eq!(kernel, ["Linux 6.12.117", "Linux 6.18.44"]);
        let options = named(|run| run.host.mount_options = "rw,noatime".to_owned());
        assert_eq!(options, ["rw,relatime", "rw,noatime"]);
    }

    #[test]
    fn another_build_or_a_little_less_memory_is_the_same_host() {
        let none: [&str; 0] = [];
        assert_eq!(named(|run| run.host.commit = "1111111".to_owned()), none);
        assert_eq!(named(|run| run.host.profile = "debug".to_owned()), none);
        assert_eq!(named(|run| run.host.memory_bytes -= 1 << 25), none);
        assert_eq!(named(|run| run.host.memory_bytes /= 2), ["16\u{a0}GiB", "8\u{a0}GiB"]);
    }

    #[test]
    fn what_a_run_could_not_know_or_was_to_vary_is_no_other_host() {
        let none: [&str; 0] = [];
        let failed = named(|run| {
            run.error = Some("it was killed".to_owned());
            (run.host.filesystem, run.host.cpus) = (UNKNOWN.to_owned(), 0);
        });
        assert_eq!(failed, none);
        assert_eq!(
            named(|run| (run.host.cpus, run.settings.cpus) = (1, Some(1))),
            none,
            "it was confined"
        );
        let mut runs = [sample::run("dsync", "6.12", 0), sample::run("dsync", "6.12", 1)];
        for (number, run) in (0..).zip(&mut runs) {
            run.host.kernel = number.to_string();
            run.key.boot = Some(InBoot { kernel: number.to_string(), number, round: 0, repeat: 0 });
        }
        assert_eq!(Hosts::of(&runs).names(), none, "kernels are what was measured");
    }
}
