//! Counts of workers: whether they can be believed.

use iowq_contract::{Record, SPOILED_MAX};

use crate::runs::group::Section;

/// Why no statement on churn may be made about a section, if so.
pub fn churn_blocker(section: &Section<'_>) -> Option<&'static str> {
    let lost = section.records().any(|record| record.probe.events_lost > 0);
    let disagree = section.records().any(counts_disagree);
    let missed = switches_spoil_churn(section.records());
    match (lost, disagree) {
        (true, _) => Some("the probes lost events, so births may be missing from the counts"),
        (_, true) => Some("the sources that counted workers do not agree with each other"),
        _ if missed => Some(
            "the scheduler's probe missed so many switches of workers that more than 1 % of \
             decisions whether to make one may have been wrong",
        ),
        _ => None,
    }
}

/// Whether missed switches forbid a statement on the churn of these runs. They are taken together: a
/// short run has few decisions, so that one spoiled decision may exceed 1 % of them.
pub fn switches_spoil_churn<'a>(records: impl Iterator<Item = &'a Record>) -> bool {
    let (mut spoiled, mut decisions) = (0.0, 0);
    for record in records {
        let Some(switches) = record.probe.switches else { continue };
        let peak = record.workers.peak.unwrap_or_default();
        spoiled += switches.spoiled_decisions(peak, record.host.cpus);
        decisions += record.workers.sleeps.unwrap_or_default();
    }
    spoiled > SPOILED_MAX * decisions as f64
}

/// Whether the sources that counted workers disagree.
pub fn counts_disagree(record: &Record) -> bool {
    !(record.workers.created.trusted() && record.workers.exited.trusted())
}
