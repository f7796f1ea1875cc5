//! What a trace told so far, kept small: what the findings are drawn from.

use iowq_contract::Tier;
use iowq_contract::trace::{Snapshot, TraceLine, TraceStart};

/// The first line and the last snapshot.
#[derive(Clone, Debug, Default)]
pub struct Story {
    /// Who traced what.
    pub start: Option<TraceStart>,
    /// The latest figures.
    pub last: Snapshot,
}

impl Story {
    /// Whether births and exits are at least as many as counted, and not as many.
    #[must_use]
    pub(crate) fn is_lower_bound(&self) -> bool {
        self.start.as_ref().is_some_and(is_lower_bound)
    }

    /// Takes a line.
    pub fn take(&mut self, line: &TraceLine) {
        match line {
            TraceLine::Start(start) => self.start = Some((**start).clone()),
            TraceLine::Snapshot(snapshot) => self.last = snapshot.clone(),
            _ => {}
        }
    }
}

/// Whether a trace that begins so counts births and exits at least, and not exactly.
pub(crate) fn is_lower_bound(start: &TraceStart) -> bool {
    start.tier == Tier::Proc
}
