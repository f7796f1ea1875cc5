//! Analysis: runs in, figures and plain sentences out. The unit is a run, never an operation.

pub mod answer;
pub mod compare;
pub mod doubts;
pub mod figures;
pub mod group;
pub mod histogram;
pub mod metric;
pub mod thin;

use crate::load::Loaded;
use answer::Answer;
use doubts::Doubt;
use group::Section;

/// All that the page and the summary say, before it is laid out.
#[derive(Debug)]
pub struct Analysis<'a> {
    /// One per workload and engine, in the order in which they first ran.
    pub sections: Vec<Section<'a>>,
    /// The answers of each section, in the same order.
    pub answers: Vec<Vec<Answer>>,
    /// What a reader must know before believing anything.
    pub doubts: Vec<Doubt>,
    /// What was read.
    pub loaded: &'a Loaded,
}

/// Groups the runs, compares policies and collects the doubts.
#[must_use]
pub fn analyse(loaded: &Loaded) -> Analysis<'_> {
    let sections = group::sections(&loaded.records);
    let answers = sections.iter().map(answer::answers).collect();
    let doubts = doubts::collect(loaded);
    Analysis { sections, answers, doubts, loaded }
}
