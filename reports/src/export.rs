//! Exports: finished runs as text that other tools read, one format per file below.
//!
//! Every format is a pure function of the runs. Runs that failed are left out of all of them,
//! because none of the formats has a place for why.

pub(crate) mod benchstat;
pub(crate) mod bmf;
pub(crate) mod fio;
pub(crate) mod hlog;
pub(crate) mod openmetrics;
pub(crate) mod perfetto;
mod run;

use std::borrow::Cow;
use std::io;

use iowq_contract::Record;

/// A format of runs. KTAP is not among them: it tells of comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Go's benchmark format, for `benchstat`.
    Benchstat,
    /// Bencher's metric JSON, for `bencher run --adapter json`.
    Bmf,
    /// OpenMetrics text, for Prometheus and what reads the same.
    Openmetrics,
    /// HdrHistogram's interval log.
    Hlog,
    /// JSON with the fields of fio's that its readers look for.
    Fio,
    /// A timeline that Perfetto opens.
    Perfetto,
}

impl Format {
    /// All of them, with the names that users give.
    pub const ALL: [(&'static str, Self); 6] = [
        ("benchstat", Self::Benchstat),
        ("bmf", Self::Bmf),
        ("openmetrics", Self::Openmetrics),
        ("hlog", Self::Hlog),
        ("fio", Self::Fio),
        ("perfetto", Self::Perfetto),
    ];

    /// The runs in this format; `whole` gets one with its histograms.
    ///
    /// # Errors
    ///
    /// Those of `whole`.
    pub fn text(
        self,
        records: &[Record],
        whole: &dyn for<'a> Fn(&'a Record) -> io::Result<Cow<'a, Record>>,
    ) -> io::Result<String> {
        match self {
            Self::Benchstat => Ok(benchstat::text(records)),
            Self::Bmf => Ok(bmf::text(records)),
            Self::Openmetrics => Ok(openmetrics::text(records)),
            Self::Hlog => hlog::text(records, whole),
            Self::Fio => fio::text(records, whole),
            Self::Perfetto => perfetto::text(records, whole),
        }
    }
}
