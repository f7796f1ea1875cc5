//! What a trace told so far, kept small: what the findings are drawn from.

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
    /// Takes a line.
    pub fn take(&mut self, line: &TraceLine) {
        match line {
            TraceLine::Start(start) => self.start = Some((**start).clone()),
            TraceLine::Snapshot(snapshot) => self.last = snapshot.clone(),
            _ => {}
        }
    }
}
