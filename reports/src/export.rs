//! Exports: runs as text or tables that other tools read, one format per file below.
//!
//! Every format is a pure function of the runs. Runs that failed are in the tables alone, because
//! none of the other formats has a place for why.

pub(crate) mod benchstat;
pub(crate) mod bmf;
mod csv;
pub(crate) mod fio;
pub(crate) mod hlog;
pub(crate) mod openmetrics;
pub(crate) mod perfetto;
mod run;
mod table;

use std::borrow::Cow;
use std::io;

use iowq_contract::{Record, clean};

pub use table::Table;

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
    /// A table as CSV.
    Csv,
}

impl Format {
    /// All of them, with the names that users give.
    pub const ALL: [(&'static str, Self); 7] = [
        ("benchstat", Self::Benchstat),
        ("bmf", Self::Bmf),
        ("openmetrics", Self::Openmetrics),
        ("hlog", Self::Hlog),
        ("fio", Self::Fio),
        ("perfetto", Self::Perfetto),
        ("csv", Self::Csv),
    ];

    /// Whether it is a table, which has runs that failed as well.
    #[must_use]
    pub fn is_table(self) -> bool {
        self == Self::Csv
    }

    /// The runs in this format; `whole` gets one with its histograms and its timeline, and `table`
    /// is what a table has.
    ///
    /// # Errors
    ///
    /// Those of `whole`.
    pub fn bytes(
        self,
        records: &[Record],
        whole: &dyn for<'a> Fn(&'a Record) -> io::Result<Cow<'a, Record>>,
        table: Table,
    ) -> io::Result<Vec<u8>> {
        let text = match self {
            Self::Benchstat => benchstat::text(records),
            Self::Bmf => bmf::text(records),
            Self::Openmetrics => openmetrics::text(records),
            Self::Hlog => hlog::text(records, whole)?,
            Self::Fio => fio::text(records, whole)?,
            Self::Perfetto => perfetto::text(records, whole)?,
            Self::Csv => return csv::bytes(table.of(records, whole)),
        };
        Ok(clean(&text).into_owned().into_bytes())
    }
}
