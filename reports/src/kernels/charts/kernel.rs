//! What is drawn of one kernel on one workload.

use iowq_contract::Record;

use crate::format;
use crate::render::chart::LABEL_CHARS_MAX;
use crate::runs::metric::Metric;
use crate::runs::unit::Unit;

/// What is drawn of one kernel on one workload.
pub(crate) struct Kernel<'a> {
    /// Its label.
    pub(crate) label: &'a str,
    /// Its boots.
    pub(crate) boots: Vec<Unit<'a>>,
}

impl<'a> Kernel<'a> {
    /// A run of the boot in which a middle number of workers was created, and its boot.
    pub(crate) fn typical(&self) -> Option<(u32, &'a Record)> {
        let created = |unit: &Unit<'_>| unit.value(Metric::CreatedPer1000).unwrap_or(0.0);
        let mut boots: Vec<&Unit<'a>> = self.boots.iter().collect();
        boots.sort_by(|a, b| created(a).total_cmp(&created(b)));
        let middle = boots.get(boots.len().checked_sub(1)? / 2)?;
        Some((middle.position(), middle.runs.first().copied()?))
    }

    pub(crate) fn label(&self) -> String {
        format::clip(self.label, LABEL_CHARS_MAX)
    }
}
