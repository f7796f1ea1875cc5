//! Hosts side by side: which there are, in what they differ, and the figures of what ran on several.

use std::collections::BTreeMap;

use crate::format;
use crate::runs::group::{Group, Section};
use crate::runs::hosts::Hosts;
use crate::runs::metric::Metric;

/// Rows that are kept; the others are counted.
const ROWS_MAX: usize = 60;

/// Hosts that are named; the others are counted.
const NAMED_MAX: usize = 8;

/// What is compared between hosts.
pub(crate) const METRICS: [(Metric, &str); 3] =
    [(Metric::OpsPerS, "ops/s"), (Metric::CreatedPer1000, "created"), (Metric::ResponseP50, "p50")];

/// Hosts whose runs are not pooled.
#[derive(Clone, Debug)]
pub struct SideBySide {
    /// How many there are.
    pub hosts: usize,
    /// Their names, each with its runs.
    pub names: String,
    /// In what they differ.
    pub differences: String,
    /// A row per host of each workload and policy that ran on several.
    pub rows: Vec<Row>,
    /// Rows that were left out.
    pub left_out: usize,
}

/// A policy on one of its hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Name of the workload.
    pub workload: String,
    /// The policy.
    pub variant: String,
    /// Name of the host.
    pub host: String,
    /// The median of each metric, and how many times that of the first host it is.
    pub cells: [(String, String); METRICS.len()],
}

impl SideBySide {
    /// Of sections; none if all are of one host.
    pub(crate) fn of(sections: &[Section<'_>], hosts: &Hosts<'_>) -> Option<Self> {
        let mut runs: BTreeMap<&str, u64> = BTreeMap::new();
        for section in sections {
            let host = section.host.as_deref().unwrap_or_default();
            *runs.entry(host).or_default() += section.records().count() as u64;
        }
        let count = |name: &String| {
            let runs = runs.get(name.as_str()).copied().unwrap_or_default();
            format!("{name} ({})", format::count(runs, "run", "runs"))
        };
        let names = hosts.names();
        let first = format::first_of(names.iter().map(count).collect(), NAMED_MAX);
        let mut rows = rows(sections);
        let left_out = rows.len().saturating_sub(ROWS_MAX);
        rows.truncate(ROWS_MAX);
        let differences = hosts.differences().join("; ");
        let hosts = names.len();
        (hosts > 1).then_some(Self { hosts, names: first, differences, rows, left_out })
    }

    /// `2 hosts: ext4 (8 runs) and xfs (8 runs)`, in what they differ, and what follows from that.
    pub fn words(&self) -> String {
        format!(
            "{} hosts, side by side and never pooled: {}. They differ in {}. Answers below compare \
             policies on the same host.",
            self.hosts, self.names, self.differences
        )
    }

    /// What the table shows.
    pub fn of_table(&self) -> String {
        if self.rows.is_empty() {
            return "No workload ran under the same policy on several of them.".to_owned();
        }
        let more = match self.left_out {
            0 => String::new(),
            more => format!(" {more} more rows are omitted."),
        };
        format!(
            "Medians of runs, and how many times those of the first host they are: what differs \
             here need not be the policy.{more}"
        )
    }
}

fn rows(sections: &[Section<'_>]) -> Vec<Row> {
    let mut rows = Vec::new();
    // Those of a workload follow each other.
    for hosts in sections.chunk_by(|one, next| one.workload == next.workload) {
        let mut variants: BTreeMap<&str, Vec<(&Section<'_>, &Group<'_>)>> = BTreeMap::new();
        let groups = hosts.iter().flat_map(|one| one.groups.iter().map(move |group| (one, group)));
        let measured = |group: &Group<'_>| group.is_measured() && !group.runs.is_empty();
        let mut order = Vec::new();
        for (section, group) in groups.filter(|(_, group)| measured(group)) {
            let same = variants.entry(&group.variant).or_default();
            if same.is_empty() {
                order.push(group.variant.as_ref());
            }
            same.push((section, group));
        }
        for variant in order {
            let same = variants.get(variant).map_or(&[][..], Vec::as_slice);
            if let [(_, first), _, ..] = same {
                rows.extend(same.iter().map(|(section, group)| row(section, group, first)));
            }
        }
    }
    rows
}

fn row(section: &Section<'_>, group: &Group<'_>, first: &Group<'_>) -> Row {
    let cells = METRICS.map(|(metric, _)| {
        let of = |group: &Group<'_>| group.figures.of(metric).map(|spread| spread.median);
        let value = of(group).map_or_else(|| "n/a".to_owned(), |value| metric.show(value));
        let ratio = of(group).zip(of(first).filter(|first| *first > 0.0));
        let times = ratio.filter(|_| !std::ptr::eq(group, first));
        let times = times.map(|(value, first)| format!("{}×", format::number(value / first)));
        (value, times.unwrap_or_default())
    });
    Row {
        workload: format::clip(section.workload, 40),
        variant: format::clip(&group.variant, 40),
        host: section.host.clone().unwrap_or_default(),
        cells,
    }
}

#[cfg(test)]
mod tests {
    use iowq_contract::Record;
    use iowq_sample as sample;

    use crate::bench::analysis::analyse;
    use crate::bench::text;
    use crate::load::Loaded;

    /// A bench, and once more on another host at half the rate.
    fn two_hosts() -> Loaded {
        let mut records = sample::bench(2);
        let other = records.clone().into_iter().map(|mut run| {
            run.host.kernel = "6.18.44 #1 SMP".to_owned();
            run.host.filesystem = "xfs".to_owned();
            run.ops.per_s /= 2.0;
            run
        });
        let other: Vec<Record> = other.collect();
        records.extend(other);
        Loaded { records, ..Loaded::default() }
    }

    #[test]
    fn hosts_are_named_with_what_differs_and_by_how_much() {
        let loaded = two_hosts();
        let analysis = analyse(&loaded);
        let found = analysis.hosts.as_ref().expect("there are two hosts");
        let words = found.words();
        for part in [
            "2 hosts",
            "Linux 6.12.117 (16 runs) and Linux 6.18.44 (16 runs)",
            "kernel: 6.12.117",
            "file system: ext4 and xfs",
        ] {
            assert!(words.contains(part), "{part} is not in {words}");
        }
        assert_eq!((found.rows.len(), found.left_out), (16, 0));
        let hosts: Vec<&str> = found.rows.iter().take(2).map(|row| row.host.as_str()).collect();
        assert_eq!(hosts, ["Linux 6.12.117", "Linux 6.18.44"]);
        assert_eq!(found.rows[0].cells[0].1, "");
        assert_eq!(found.rows[1].cells.clone().map(|cell| cell.1), ["0.5×", "1×", "1×"]);
    }

    #[test]
    fn an_answer_is_about_one_host_and_its_runs() {
        let loaded = two_hosts();
        let text = text::text(&analyse(&loaded), 200);
        for part in [
            "2 hosts, side by side",
            "6.17 on Linux 6.18.44",
            "2 runs each",
            "On fsync-mix on Linux 6.18.44, 6.17 created",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert!(!text.contains("4 runs"), "{text}");
    }

    #[test]
    fn one_host_has_nothing_beside_it() {
        let loaded = Loaded { records: sample::bench(1), ..Loaded::default() };
        assert!(analyse(&loaded).hosts.is_none());
    }
}
