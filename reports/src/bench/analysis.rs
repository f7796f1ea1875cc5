//! Analysis: runs in, figures and plain sentences out. The unit is a run, never an operation.

use crate::bench::answer::Answer;
use crate::bench::side_by_side::SideBySide;
use crate::bench::{answer, caveats, fidelity};
use crate::fidelity::analysis::Fidelity;
use crate::load::Loaded;
use crate::runs::caveat::ScopedCaveat;
use crate::runs::group::{self, Section};
use crate::runs::hosts::Hosts;

/// Workloads that a page shows one by one, if they are judged together as well: some screens.
const GRID_WORKLOADS: usize = 12;

/// All that the page and the summary say, before it is laid out.
#[derive(Debug)]
pub struct Analysis<'a> {
    /// One per workload and host, in the order in which workloads first ran.
    pub sections: Vec<Section<'a>>,
    /// The answers of each section, in the same order.
    pub answers: Vec<Vec<Answer>>,
    /// How near the presets come to the running kernel; none if they did not run side by side.
    pub fidelity: Option<Fidelity<'a>>,
    /// What a reader must know before believing anything.
    pub caveats: Vec<ScopedCaveat>,
    /// The hosts, beside each other; none if there is only one.
    pub hosts: Option<SideBySide>,
    /// What was read.
    pub loaded: &'a Loaded,
}

impl Analysis<'_> {
    /// Whether there are too many workloads beside the kernel to show each: they are judged as a
    /// grid, and a report of some of them shows the rest.
    pub fn is_grid(&self) -> bool {
        self.fidelity.is_some() && self.sections.len() > GRID_WORKLOADS
    }
}

/// One answer per metric, and some on the running kernel if it ran beside presets.
fn answers(section: &Section<'_>) -> Vec<Answer> {
    answer::answers(section).into_iter().chain(fidelity::answers(section)).collect()
}

/// Groups the runs, compares policies and collects the caveats.
pub fn analyse(loaded: &Loaded) -> Analysis<'_> {
    let hosts = Hosts::of(&loaded.records);
    let sections = group::sections_by_host(&loaded.records, &hosts);
    let answers = sections.iter().map(answers).collect();
    let caveats = caveats::collect(loaded, &hosts);
    let hosts = SideBySide::of(&sections, &hosts);
    // Each kernel has its own nearest preset, and each host its own kernel.
    let fidelity = if hosts.is_none() { Fidelity::of(&sections) } else { None };
    Analysis { sections, answers, fidelity, caveats, hosts, loaded }
}
