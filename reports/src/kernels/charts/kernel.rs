//! What is drawn of one kernel on one workload.

use std::borrow::Cow;
use std::io;

use iowq_contract::Record;

use crate::compare::set::Set;
use crate::format;
use crate::render::chart::LABEL_CHARS_MAX;
use crate::runs::metric::Metric;
use crate::runs::unit::Unit;

/// What is drawn of one kernel on one workload.
pub(crate) struct Kernel<'a> {
    /// All its runs.
    pub(crate) set: &'a Set<'a>,
    /// Its boots.
    pub(crate) boots: Vec<Unit<'a>>,
}

impl<'a> Kernel<'a> {
    /// A run of the boot in which a middle number of workers was created, read again, and its boot.
    pub(crate) fn typical(&self) -> io::Result<Option<(u32, Cow<'a, Record>)>> {
        let run = |(boot, run)| Ok((boot, self.set.loaded.whole(run)?));
        self.middle().map(run).transpose()
    }

    fn middle(&self) -> Option<(u32, &'a Record)> {
        let created = |unit: &Unit<'_>| unit.value(Metric::CreatedPer1000).unwrap_or(0.0);
        let mut boots: Vec<&Unit<'a>> = self.boots.iter().collect();
        boots.sort_by(|a, b| created(a).total_cmp(&created(b)));
        let middle = boots.get(boots.len().checked_sub(1)? / 2)?;
        Some((middle.position(), middle.runs.first().copied()?))
    }

    pub(crate) fn label(&self) -> String {
        format::clip(&self.set.name, LABEL_CHARS_MAX)
    }
}
