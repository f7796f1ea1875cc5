//! Groups: the runs of one policy, inside a section of one workload on one engine.

use std::collections::BTreeMap;

use iowq_record::Record;

use super::figures::Figures;

/// Policies that come first, in this order: each adds something to the one before.
const ORDER: [&str; 6] = ["6.1", "6.12", "6.16", "6.17", "6.17-as-posted", "exit-on-idle"];

/// One workload on one engine: what may be compared with each other.
#[derive(Debug)]
pub struct Section<'a> {
    /// Name of the workload.
    pub workload: &'a str,
    /// Name of the engine.
    pub engine: &'a str,
    /// The workload, and the engine where there are several.
    pub title: String,
    /// One per policy: known ones in the order of kernels, then the others as they came.
    pub groups: Vec<Group<'a>>,
}

/// The runs of one policy on one workload and engine.
#[derive(Debug)]
pub struct Group<'a> {
    /// Name of the policy.
    pub policy: &'a str,
    /// Runs that finished.
    pub runs: Vec<&'a Record>,
    /// Runs that did not; they are counted and shown, and take part in no figure.
    pub failed: Vec<&'a Record>,
    /// Medians and ranges of the runs that finished.
    pub figures: Figures,
}

impl Section<'_> {
    /// The group that others are compared with: the first that has a finished run.
    #[must_use]
    pub fn base(&self) -> Option<usize> {
        self.groups.iter().position(|group| !group.runs.is_empty())
    }

    /// All runs, failed ones too.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.groups.iter().flat_map(|group| group.runs.iter().chain(&group.failed).copied())
    }

    /// Kinds of operation that some run has a histogram of, without `all`.
    #[must_use]
    pub fn kinds(&self) -> Vec<String> {
        let mut kinds: Vec<String> = Vec::new();
        for record in self.records() {
            for kind in record.latency.response.keys() {
                if kind != "all" && !kinds.contains(kind) {
                    kinds.push(kind.clone());
                }
            }
        }
        kinds.sort();
        kinds
    }
}

impl Group<'_> {
    /// How many runs finished: `3`, or `2 of 3` where some did not.
    #[must_use]
    pub fn runs_text(&self) -> String {
        let finished = self.runs.len();
        match self.failed.len() {
            0 => finished.to_string(),
            failed => format!("{finished} of {}", finished + failed),
        }
    }
}

/// Sorts runs into sections and groups.
pub(super) fn sections(records: &[Record]) -> Vec<Section<'_>> {
    let mut places: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut sections: Vec<Section<'_>> = Vec::new();
    for record in records {
        let key = (record.cell.workload.as_str(), record.cell.engine.as_str());
        let place = *places.entry(key).or_insert_with(|| {
            let (workload, engine) = key;
            sections.push(Section { workload, engine, title: String::new(), groups: Vec::new() });
            sections.len() - 1
        });
        if let Some(section) = sections.get_mut(place) {
            add(section, record);
        }
    }
    let engine = records.first().map_or("", |record| &record.cell.engine);
    let several = records.iter().any(|record| record.cell.engine != engine);
    for section in &mut sections {
        section.groups.sort_by_key(|group| rank(group.policy));
        section.title = section.workload.to_owned();
        if several {
            section.title = format!("{} on {}", section.workload, section.engine);
        }
        for group in &mut section.groups {
            group.figures = Figures::of(&group.runs);
        }
    }
    sections
}

fn add<'a>(section: &mut Section<'a>, record: &'a Record) {
    let policy = record.cell.policy.as_str();
    let at = section.groups.iter().position(|group| group.policy == policy).unwrap_or_else(|| {
        let figures = Figures::default();
        section.groups.push(Group { policy, runs: Vec::new(), failed: Vec::new(), figures });
        section.groups.len() - 1
    });
    if let Some(group) = section.groups.get_mut(at) {
        let runs = if record.error.is_none() { &mut group.runs } else { &mut group.failed };
        runs.push(record);
    }
}

/// Place of a policy; the sort is stable, so that unknown ones stay in the order of the record.
fn rank(policy: &str) -> usize {
    ORDER.iter().position(|known| *known == policy).unwrap_or(ORDER.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

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
    fn engines_are_never_compared_with_each_other() {
        let mut records = vec![sample::run("nop", "6.12", 0), sample::run("nop", "6.12", 0)];
        records[1].cell.engine = "uring".to_owned();
        let titles: Vec<String> = sections(&records).into_iter().map(|one| one.title).collect();
        assert_eq!(titles, ["nop on pool", "nop on uring"]);
    }

    #[test]
    fn a_failed_run_is_kept_apart_and_cannot_be_the_base() {
        let mut records = vec![sample::run("nop", "6.12", 0), sample::run("nop", "6.17", 0)];
        records[0].error = Some("disk full".to_owned());
        let sections = sections(&records);
        assert_eq!(sections[0].groups[0].runs_text(), "0 of 1");
        assert!(sections[0].groups[0].figures.created_per_1000_ops.is_none());
        assert_eq!(sections[0].base(), Some(1));
    }
}
