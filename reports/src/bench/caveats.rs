//! Caveats: those that runs carry, and those that only show when runs are put side by side.

use std::collections::BTreeMap;

use iowq_contract::{Code, Record, Settings, Tier};

use crate::bench::settings;
use crate::format;
use crate::load::Loaded;
use crate::runs::caveat::ScopedCaveat;
use crate::runs::counts::{counts_disagree, switches_spoil_churn};
use crate::runs::group;
use crate::runs::hosts::Hosts;

/// All caveats, severe ones first, each once with the runs it is about.
pub(crate) fn collect(loaded: &Loaded, hosts: &Hosts<'_>) -> Vec<ScopedCaveat> {
    let mut found: BTreeMap<(Code, String), Said<'_>> = BTreeMap::new();
    let mut say = |record, code: Code, text: String| {
        let key = (code, without_figures(&text));
        let said =
            found.entry(key).or_insert_with(|| Said { text: text.clone(), ..Said::default() });
        said.varies |= said.text != text;
        said.by.push(record);
    };
    for record in &loaded.records {
        for caveat in &record.caveats {
            say(record, caveat.code.clone(), format::clip(&caveat.text, 400));
        }
        for (code, text) in seen_in(record) {
            if record.caveats.iter().all(|caveat| caveat.code != code) {
                say(record, code, text);
            }
        }
    }
    let runs = loaded.records.len();
    let mut caveats: Vec<ScopedCaveat> = found
        .into_iter()
        .map(|((code, _), Said { text, varies, by })| {
            let text = if varies { format!("{text} (figures of the first)") } else { text };
            ScopedCaveat::new(code, text, scope(&by, runs, hosts))
        })
        .collect();
    caveats.extend(between(&loaded.records, hosts));
    for note in &loaded.notes {
        caveats.push(ScopedCaveat::of_all(note.code.clone(), &*note.text));
    }
    caveats.sort_by_key(|caveat| !caveat.severe);
    caveats
}

/// A caveat as the first of some runs says it.
#[derive(Default)]
struct Said<'a> {
    text: String,
    /// Whether others have other figures.
    varies: bool,
    by: Vec<&'a Record>,
}

/// A text without its numbers, by which the same caveat of two runs is known.
fn without_figures(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_ascii_digit()).collect()
}

/// What a record shows by itself, whether or not its writer said so.
fn seen_in(record: &Record) -> Vec<(Code, String)> {
    let mut seen = Vec::new();
    if let Some(error) = &record.error {
        // It was not watched to its end, and no figure is taken from it: that is all there is.
        return vec![(Code::RunFailed, format!("a run failed: {}", format::clip(error, 300)))];
    }
    let mut say = |is: bool, code: Code, text: &str| {
        seen.extend(is.then(|| (code, text.to_owned())));
    };
    let text = "the probes lost events: no statement on churn is made for this workload";
    say(record.probe.events_lost > 0, Code::EventsLost, text);
    let text = "probe and engine count different numbers of workers: no statement on churn is made \
                for this workload";
    say(counts_disagree(record), Code::CountsDisagree, text);
    let text = "the scheduler's probe missed many switches of workers: nothing can be said about \
                the churn of this run";
    say(switches_spoil_churn(std::iter::once(record)), Code::SwitchesMissedOften, text);
    let text = "operations failed; they are in no latency figure";
    say(record.ops.failed > 0, Code::OpsFailed, text);
    if record.probe.tier != Tier::Bpf {
        let reason = format::clip(&record.probe.reason, 200);
        let why = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
        let text = match record.probe.tier {
            Tier::Tracefs => format!("workers were watched by tracepoints, not by eBPF{why}"),
            Tier::Proc => format!("workers were watched by polling /proc, not by eBPF{why}"),
            _ => format!("no probe watched the workers; the engine's own counts stand alone{why}"),
        };
        say(true, Code::NoBpf, &text);
    }
    let text = "built without optimisation: times mean nothing";
    say(record.host.profile == "debug", Code::DebugBuild, text);
    seen
}

/// What shows only between runs that were made: unlike hosts, unlike settings.
fn between(records: &[Record], hosts: &Hosts<'_>) -> Vec<ScopedCaveat> {
    let mut caveats = Vec::new();
    let made = records.iter().filter(|record| record.error.is_none());
    if !hosts.names().is_empty() {
        let text = "runs come from different hosts, which stand side by side: policies are \
                    compared on the same host only, and a difference between hosts need not be \
                    one of policies";
        caveats.push(ScopedCaveat::of_all(Code::HostsDiffer, text));
    }
    let mut first = BTreeMap::new();
    if made.clone().any(|run| run.host != first.entry(hosts.at(run)).or_insert(run).host) {
        let text = "runs come from different hosts, kernels, builds or commits: \
                    a difference between policies may be one between hosts";
        caveats.push(ScopedCaveat::of_all(Code::HostsDiffer, text));
    }
    caveats.extend(settings::caveats(made));
    if beside_kernel_unlike(records, hosts) {
        let text = "io_uring and the pool ran the same workload with different settings (limit, \
                    depth, files, idle timeout or arrival): what differs between them need not be \
                    the rules";
        caveats.push(ScopedCaveat::of_all(Code::KernelSettingsDiffer, text));
    }
    caveats
}

/// Whether a workload had other settings on one engine than on another. Who sees that a worker
/// blocks differs between them by nature.
fn beside_kernel_unlike(records: &[Record], hosts: &Hosts<'_>) -> bool {
    let mut first: BTreeMap<(&str, usize), &Record> = BTreeMap::new();
    records.iter().filter(|record| record.error.is_none()).any(|record| {
        let first = first.entry((&record.key.workload, hosts.at(record))).or_insert(record);
        let settings = |record: &Record| {
            let patches = Vec::new();
            Settings { patches, watched_ms: None, ..undelayed(record) }
        };
        first.key.engine != record.key.engine && settings(first) != settings(record)
    })
}

/// Settings without what was set, without an injected delay, and without the plan, of which older
/// records say nothing.
fn undelayed(record: &Record) -> Settings {
    Settings {
        injected_delay_ns: None,
        injected_delay_percent: None,
        plan: None,
        ..(**record.settings_unset.as_ref().unwrap_or(&record.settings)).clone()
    }
}

/// Places that a caveat names; the others are counted.
const PLACES_MAX: usize = 4;

/// `all 24 runs`, or how many of them and under which policies.
fn scope(records: &[&Record], runs: usize, hosts: &Hosts<'_>) -> String {
    if records.len() == runs {
        return format!("all {}", format::count(runs as u64, "run", "runs"));
    }
    let place = |record: &&Record| {
        let label = group::on(group::label(record), hosts.name(record));
        format!("{} under {label}", record.key.workload)
    };
    let places = format::distinct(records.iter().map(place));
    format!("{} of {runs} runs: {}", records.len(), format::first_of(places, PLACES_MAX))
}

#[cfg(test)]
mod tests {
    use iowq_contract::{Blocking, Caveat};
    use iowq_sample as sample;

    use super::*;

    fn collected(records: Vec<Record>) -> Vec<ScopedCaveat> {
        let loaded = Loaded { records, ..Loaded::default() };
        collect(&loaded, &Hosts::of(&loaded.records))
    }

    #[test]
    fn a_clean_bench_raises_no_caveat() {
        assert_eq!(collected(sample::bench(2)), []);
    }

    #[test]
    fn the_same_caveat_of_many_runs_is_said_once_with_its_scope() {
        let mut records = sample::bench(1);
        for record in &mut records[..3] {
            let (code, text) = (Code::VirtualMachine, "measured in a VM".to_owned());
            record.caveats.push(Caveat { code, text });
        }
        let caveats = collected(records);
        assert_eq!(caveats.len(), 1);
        assert_eq!(
            caveats[0].scope,
            "3 of 8 runs: fsync-mix under 6.12, fsync-mix under 6.16 and fsync-mix under 6.17"
        );
        assert!(!caveats[0].severe);
    }

    #[test]
    fn a_caveat_whose_figures_differ_from_run_to_run_is_said_once() {
        let mut records = sample::bench(1);
        for (record, percent) in records.iter_mut().zip([126, 99]) {
            let text = format!("others used {percent} % of a processor");
            record.caveats.push(Caveat { code: iowq_contract::Code::BusyMachine, text });
        }
        let caveats = collected(records);
        assert_eq!(caveats.len(), 1);
        assert_eq!(caveats[0].text, "others used 126 % of a processor (figures of the first)");
        assert!(caveats[0].scope.starts_with("2 of 8 runs"), "{}", caveats[0].scope);
    }

    #[test]
    fn what_can_make_a_figure_wrong_comes_first() {
        let mut records = sample::bench(1);
        records[0].host.kernel = "another".to_owned();
        records[1].error = Some("ENOSPC".to_owned());
        records[2].settings.limit_bounded = 8;
        let codes: Vec<Code> = collected(records).into_iter().map(|caveat| caveat.code).collect();
        assert_eq!(codes, [Code::RunFailed, Code::HostsDiffer, Code::SettingsDiffer]);
    }

    #[test]
    fn another_build_on_the_same_host_is_another_caveat_than_another_host() {
        let text = |change: fn(&mut Record)| {
            let mut records = sample::bench(1);
            change(&mut records[0]);
            collected(records).into_iter().map(|caveat| caveat.text).collect::<String>()
        };
        let build = text(|run| run.host.commit = "1111111".to_owned());
        assert!(build.starts_with("runs come from different hosts, kernels, builds"), "{build}");
        let host = text(|run| run.host.device = "sda".to_owned());
        assert!(host.starts_with("runs come from different hosts, which stand"), "{host}");
    }

    #[test]
    fn settings_and_lengths_that_differ_are_named_with_their_workload() {
        let mut records = sample::bench(1);
        records[0].settings.limit_bounded = 8;
        records[7].asked.as_mut().expect("it says").seconds = Some(9.0);
        let caveats = collected(records);
        let text = |code: Code| {
            let found = caveats.iter().find(|caveat| caveat.code == code);
            found.map(|caveat| caveat.text.clone()).unwrap_or_default()
        };
        let settings = text(Code::SettingsDiffer);
        assert!(settings.contains("fsync-mix (limit of bounded workers: 8 and 64)"), "{settings}");
        let lengths = text(Code::LengthsDiffer);
        assert!(lengths.contains("dsync (length: the workload's own and 9 s)"), "{lengths}");
    }

    #[test]
    fn what_was_set_to_differ_is_no_caveat_and_what_differs_beside_it_is() {
        let mut records = vec![sample::run("nop", "6.17", 0), sample::run("nop", "6.17", 0)];
        for (record, depth) in records.iter_mut().zip([8, 16]) {
            record.key.set.0.insert("ring.depth".to_owned(), depth.to_string());
            record.settings_unset = Some(record.settings.clone());
            record.settings.depth = depth;
        }
        assert_eq!(collected(records.clone()), []);
        records[1].settings_unset.as_mut().expect("it has them").files = 9;
        let codes: Vec<Code> = collected(records).into_iter().map(|caveat| caveat.code).collect();
        assert_eq!(codes, [Code::SettingsDiffer]);
    }

    #[test]
    fn a_kernel_that_ran_with_other_settings_than_the_pool_is_a_caveat() {
        let mut records = vec![sample::run("nop", "6.17", 0), sample::kernel_run("nop", 0)];
        records[0].host = records[1].host.clone();
        assert_eq!(collected(records.clone()), []);
        records[1].settings.idle_timeout_ms = 5_000;
        assert_eq!(collected(records)[0].code, Code::KernelSettingsDiffer);
    }

    #[test]
    fn a_run_that_failed_raises_that_caveat_and_no_other() {
        let mut records = sample::bench(1);
        records[0].error = Some("it was killed".to_owned());
        records[0].probe.tier = Tier::Off;
        records[0].blocking = Blocking::Declared;
        records[0].host.filesystem = "unknown".to_owned();
        let codes: Vec<Code> = collected(records).into_iter().map(|caveat| caveat.code).collect();
        assert_eq!(codes, [Code::RunFailed]);
    }

    #[test]
    fn a_caveat_that_the_record_states_is_not_stated_again() {
        let mut records = sample::bench(1);
        records[0].probe.events_lost = 3;
        let (code, text) = (Code::EventsLost, "3 events lost".to_owned());
        records[0].caveats.push(Caveat { code, text });
        let caveats = collected(records);
        assert_eq!(caveats.len(), 1);
        assert!(caveats[0].severe);
    }
}
