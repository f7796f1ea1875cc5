//! How it was measured: hosts, settings, probes, and every run with its counts.

use std::collections::{BTreeSet, HashMap};

use iowq_contract::{
    BlockSize, Blocking, Counts, Host, LaterSettings, PlanSettings, Record, Settings, TaskSettings,
};

use crate::bench::analysis::Analysis;
use crate::bench::page::birth;
use crate::format;
use crate::runs::births::Births;
use crate::runs::group::Section;
use crate::runs::{group, plans, set};

/// Runs that are listed one by one; the rest is in the raw numbers.
const RUNS_MAX: usize = 400;

/// Hosts that are described.
const HOSTS_MAX: usize = 8;

/// Characters of one fact.
const FACT_CHARS_MAX: usize = 300;

/// Facts of the same name; the rest is in the raw numbers.
const ALIKE_MAX: usize = 24;

/// A list of names and values under a heading.
pub(crate) struct Facts {
    pub(crate) heading: String,
    pub(crate) facts: Vec<(&'static str, String)>,
}

/// The hosts that runs were made on, each once.
pub(crate) fn hosts(records: &[Record]) -> Vec<Facts> {
    let mut runs: HashMap<&Host, u64> = HashMap::new();
    for record in records {
        *runs.entry(&*record.host).or_default() += 1;
    }
    let several = runs.len() > 1;
    let hosts = format::distinct(records.iter().map(|record| &*record.host));
    let facts = hosts.iter().take(HOSTS_MAX).filter_map(|host| Some((host, runs.get(host)?)));
    let facts = facts.map(|(host, runs)| {
        let heading = if several {
            format!("Host of {}", format::count(*runs, "run", "runs"))
        } else {
            "Host".to_owned()
        };
        Facts { heading, facts: host_facts(host) }
    });
    facts.collect()
}

fn host_facts(host: &Host) -> Vec<(&'static str, String)> {
    let text = |text: &str| format::clip(text, FACT_CHARS_MAX);
    vec![
        ("kernel", text(&host.kernel)),
        ("processor", text(&host.cpu)),
        ("processors", format::known(host.cpus)),
        ("memory", format::known_as(host.memory_bytes, format::bytes)),
        ("file system", format!("{} ({})", text(&host.filesystem), text(&host.mount_options))),
        ("device", text(&host.device)),
        ("governor", text(&host.governor)),
        ("hypervisor", text(&host.accelerator)),
        ("commit", text(&host.commit)),
        ("built by", format!("{}, {}", text(&host.rustc), text(&host.profile))),
    ]
}

/// What a workload asks for beside what is in the settings of every record.
fn plan(plan: &PlanSettings) -> Vec<(&'static str, String)> {
    let mut facts = vec![("length asked for", plans::length(plan))];
    if plan.tasks.is_empty() {
        facts.extend(stream(plan));
    }
    facts.extend(plan.tasks.iter().map(|one| ("task", task(one))));
    facts.push(("digest of the plan", format::clip(&plan.digest, 12)));
    facts
}

/// A task in a line: what differs between tasks comes first.
fn task(task: &TaskSettings) -> String {
    let facts = stream(&task.plan).into_iter().map(|(name, value)| format!("{name} {value}"));
    let facts: Vec<String> = facts.collect();
    let forced = if task.plan.force_async { ", forced" } else { "" };
    let text = format!(
        "{} ×{}: depth {}{forced}, {}, limits {} and {}, {}",
        task.name,
        task.count,
        task.depth,
        match task.plan.sockets {
            Some(_) => format::count(task.files.into(), "connection", "connections"),
            None => format::count(task.files.into(), "file", "files"),
        },
        task.limit_bounded,
        task.limit_unbounded,
        facts.join(", ")
    );
    format::clip(&text, FACT_CHARS_MAX)
}

/// What a stream of it does.
fn stream(plan: &PlanSettings) -> Vec<(&'static str, String)> {
    let mix = &plan.mix;
    let kinds = mix.weights().into_iter().filter(|(_, weight)| *weight > 0);
    let mut done: Vec<String> = kinds.map(|(kind, weight)| format!("{weight} {kind}")).collect();
    if mix.writes_per_fsync > 0 {
        let kind = if mix.data_only { "fdatasync" } else { "fsync" };
        let linked = if mix.linked { ", linked" } else { "" };
        done.push(format!("{kind} after {} writes of a file{linked}", mix.writes_per_fsync));
    }
    if let Some(log) = &plan.log {
        done.push(format!("{} append, fsync after {}", log.weight, log.writes_per_fsync));
    }
    done.extend(plan.ring.iter().map(|it| it.replace('_', " ")));
    if !plan.worker_cpus.is_empty() {
        let cpus: Vec<String> = plan.worker_cpus.iter().map(u32::to_string).collect();
        done.push(format!("workers on processors {}", cpus.join(", ")));
    }
    if let Some(LaterSettings { after_ns, bounded, unbounded }) = plan.later {
        let [bounded, unbounded] = [bounded, unbounded]
            .map(|limit| limit.map_or("as before".to_owned(), |it| it.to_string()));
        let after = format::duration(after_ns as f64);
        done.push(format!("limits {bounded} and {unbounded} after {after}"));
    }
    let mix = ("mix", format::clip(&done.join(", "), FACT_CHARS_MAX));
    if let Some(sockets) = &plan.sockets {
        let answer = format!(
            "{}, answered after {}",
            sockets.kind,
            format::duration(sockets.answer_ns as f64)
        );
        return vec![("connected by", format::clip(&answer, FACT_CHARS_MAX)), mix];
    }
    vec![
        ("file", format::bytes(plan.file_bytes)),
        ("opened", format::clip(&plan.open.join(", "), FACT_CHARS_MAX)),
        ("blocks visited", format::clip(&plan.order, FACT_CHARS_MAX)),
        mix,
    ]
}

/// The size of operations, or all of them by their weights.
fn blocks(settings: &Settings) -> String {
    let plan = settings.plan.as_ref().filter(|plan| plan.tasks.is_empty());
    let sizes = plan.map_or(&[][..], |plan| &plan.block_sizes);
    if sizes.is_empty() {
        return format::known_as(settings.block_bytes, format::bytes);
    }
    let size = |size: &BlockSize| format!("{} of {}", size.weight, format::bytes(size.bytes));
    format::clip(&sizes.iter().map(size).collect::<Vec<_>>().join(", "), FACT_CHARS_MAX)
}

fn is_on_sockets(settings: &Settings) -> bool {
    settings.plan.as_ref().is_some_and(|plan| plan.sockets.is_some())
}

/// What one run was told, each with its name.
fn told(record: &Record) -> Vec<(&'static str, String)> {
    let settings = &record.settings;
    let [bounded, unbounded] =
        [settings.limit_bounded, settings.limit_unbounded].map(format::known);
    let mut facts = vec![
        (
            if is_on_sockets(settings) { "connections" } else { "files" },
            format::known(settings.files),
        ),
        ("block", blocks(settings)),
        ("depth", format::known(settings.depth)),
        ("arrival", format::clip(&settings.arrival, FACT_CHARS_MAX)),
        ("worker limit", format!("{bounded} bounded, {unbounded} unbounded")),
        ("idle timeout", format::known_as(settings.idle_timeout_ms, |ms| format!("{ms} ms"))),
    ];
    facts.extend(settings.plan.iter().flat_map(plan));
    if let Some(cpus) = settings.cpus {
        facts.push(("confined to", format::count(u64::from(cpus), "processor", "processors")));
    }
    facts
}

/// The same of runs that were meant to differ, with each value once.
fn told_all<'a>(runs: impl Iterator<Item = &'a Record>) -> Vec<(&'static str, String)> {
    let mut all: Vec<(&'static str, Vec<String>)> = Vec::new();
    for (name, value) in runs.flat_map(told) {
        match all.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => all.push((name, vec![value])),
        }
    }
    let shown = |values| format::first_of(format::distinct(values), ALIKE_MAX);
    all.into_iter().map(|(name, values)| (name, shown(values))).collect()
}

/// The settings of a section, taken from its first run with each value that was set; a caveat says
/// where other runs differ.
pub(crate) fn settings(section: &Section<'_>) -> Facts {
    let Some(record) = section.records().next() else {
        return Facts { heading: section.workload.to_owned(), facts: Vec::new() };
    };
    let mut firsts: Vec<&Record> = Vec::new();
    for run in section.records() {
        if firsts.iter().all(|first| first.key.set != run.key.set) {
            firsts.push(run);
        }
    }
    let set = set::fields(section.records()).into_iter();
    let mut facts: Vec<_> = set.take(ALIKE_MAX).map(|field| ("set", field)).collect();
    facts.extend(told_all(firsts.into_iter()));
    facts.extend([
        ("seed", seed(section)),
        ("blocking seen by", blocking(record.blocking).to_owned()),
        ("probe", probe(record)),
    ]);
    if section.kernel().is_some() && record.blocking != Blocking::Kernel {
        facts.push(("blocking on io_uring seen by", blocking(Blocking::Kernel).to_owned()));
    }
    facts.extend(birth::facts(section));
    let unseen: BTreeSet<&String> = section.records().flat_map(|run| &run.probe.unseen).collect();
    let clipped = unseen.into_iter().map(|text| format::clip(text, FACT_CHARS_MAX));
    facts.extend(clipped.take(ALIKE_MAX).map(|text| ("not seen", text)));
    for group in section.groups.iter().take(ALIKE_MAX) {
        if let Some(run) = group.runs.first().or(group.failed.first())
            && !run.settings.patches.is_empty()
        {
            let switches = run.settings.patches.join(", ");
            let text = format!("{}: {}", group.label, format::clip(&switches, FACT_CHARS_MAX));
            facts.push(("switches", text));
        }
    }
    Facts { heading: format!("{} · {}", section.title(), section.engines().join(", ")), facts }
}

/// The seed of the stream of operations, if all runs had the same.
fn seed(section: &Section<'_>) -> String {
    let mut seeds = section.records().map(|record| record.key.seed);
    match seeds.next() {
        Some(first) if seeds.all(|seed| seed == first) => first.to_string(),
        _ => "one per run, in the raw numbers".to_owned(),
    }
}

fn blocking(blocking: Blocking) -> &'static str {
    match blocking {
        Blocking::Sched => "the scheduler, through a probe on sched_switch",
        Blocking::Declared => "the worker itself, around calls that may block",
        Blocking::Kernel => "the kernel's own hooks",
        Blocking::None => "nothing: there are no workers",
    }
}

/// The tier, and why not a better one.
fn probe(record: &Record) -> String {
    let tier = format!("{:?}", record.probe.tier).to_lowercase();
    if record.probe.reason.is_empty() {
        tier
    } else {
        format!("{tier}: {}", format::clip(&record.probe.reason, FACT_CHARS_MAX))
    }
}

/// The runs in the order in which they were made, and how many are left out.
pub(crate) fn runs(analysis: &Analysis<'_>) -> (Vec<[String; 13]>, usize) {
    let mut all: Vec<(&Section<'_>, &Record)> = Vec::new();
    for section in &analysis.sections {
        all.extend(section.records().map(|record| (section, record)));
    }
    all.sort_by_key(|(_, record)| record.key.position);
    let left_out = all.len().saturating_sub(RUNS_MAX);
    (
        all.into_iter().take(RUNS_MAX).map(|(section, record)| row(section, record)).collect(),
        left_out,
    )
}

/// One run, with the counts of each source, in the order of the template's heads.
fn row(section: &Section<'_>, record: &Record) -> [String; 13] {
    let workers = &record.workers;
    let agree = workers.created.trusted() && workers.exited.trusted();
    let state = match (&record.error, agree) {
        (Some(_), _) => "failed",
        (None, false) => "counts disagree",
        (None, true) => "fine",
    };
    [
        section.workload.to_owned(),
        group::on(group::label(record), section.host.as_deref()).into_owned(),
        record.key.round.saturating_add(1).to_string(),
        format::number(record.ops.done as f64),
        record.ops.failed.to_string(),
        format::number(record.ops.per_s),
        counts(&workers.created),
        counts(&workers.exited),
        Births::of(record).map_or_else(|| "–".to_owned(), Births::text),
        pair(workers.causes.map(|causes| (causes.enqueue, causes.request))),
        pair(workers.causes.map(|causes| (causes.request_woken, causes.request_dropped))),
        format!("{} / {}", record.probe.events_seen, record.probe.events_lost),
        state.to_owned(),
    ]
}

/// Probe, engine and /proc, with a dash for a source that was off.
fn counts(counts: &Counts) -> String {
    let show = |count: Option<u64>| count.map_or_else(|| "–".to_owned(), |count| count.to_string());
    format!("{} / {} / {}", show(counts.probe), show(counts.engine), show(counts.proc))
}

/// Two counts, with a dash if they were not counted.
fn pair(counts: Option<(u64, u64)>) -> String {
    counts.map_or_else(|| "–".to_owned(), |(first, second)| format!("{first} / {second}"))
}
