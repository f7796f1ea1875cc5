//! Imports: what another tool measured, as records, so that it can stand beside ours.

mod bins;
mod blank;
pub mod fio;
pub mod histogram;
pub mod hlog;
mod names;
mod unit;

use iowq_contract::Record;

pub use unit::Unit;

/// What a text of another tool came to.
#[derive(Debug, Default)]
pub struct Import {
    /// The runs in it.
    pub records: Vec<Record>,
    /// What a reader should know about the reading itself, a sentence each.
    pub notes: Vec<String>,
}

/// A tool whose texts are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// fio, JSON or JSON+.
    Fio,
    /// What writes interval logs of HdrHistogram.
    Hlog,
    /// bpftrace, or a tool of bcc.
    Histogram,
}

impl Tool {
    /// The runs in a text. `workload` is what to call the only one, and `unit` that of latencies of
    /// which the text does not say it.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, and what to do.
    pub fn records(
        self,
        text: &[u8],
        workload: Option<&str>,
        unit: Option<Unit>,
    ) -> Result<Import, String> {
        match self {
            Self::Fio => fio::records(text, workload),
            Self::Hlog => hlog::records(text, workload, unit),
            Self::Histogram => histogram::records(text, workload, unit),
        }
    }
}
