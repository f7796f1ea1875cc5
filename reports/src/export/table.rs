//! Tables of runs and of their timelines, for programs that read CSV.
//!
//! The columns of runs are the fields of the published schema of records, each by its path with
//! underscores between, so that `ops.per_s` is `ops_per_s` and what is of a kind of operation has it in
//! its name (`latency_response_write_p99_ns`). `key.` is left out. Types are those of the schema. A
//! field that is not known is null, and so is a quantile with fewer than 100 samples beyond it.

mod columns;
mod known;
mod runs;
mod timelines;

use std::io;

use iowq_contract::Record;

use crate::export::run::Whole;

/// Which table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Table {
    /// A row for each run, failed ones among them.
    #[default]
    Runs,
    /// A row for each sample of each run: workers alive, or born and gone in a slice of time.
    Timelines,
}

/// The type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Count,
    Number,
    Flag,
    Text,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Count(u64),
    Number(f64),
    Flag(bool),
    Text(String),
    Null,
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Cell {
        value.map_or(Cell::Null, Into::into)
    }
}

impl From<u64> for Cell {
    fn from(value: u64) -> Cell {
        Cell::Count(value)
    }
}

impl From<u32> for Cell {
    fn from(value: u32) -> Cell {
        Cell::Count(value.into())
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Cell {
        Cell::Number(value)
    }
}

impl From<&str> for Cell {
    fn from(value: &str) -> Cell {
        Cell::Text(iowq_contract::clean(value).into_owned())
    }
}

/// A table: the names of its columns, and its rows one after the other, each with a cell for each column.
pub(super) struct Rows<'r> {
    pub(super) columns: Vec<String>,
    pub(super) rows: Box<dyn Iterator<Item = io::Result<Vec<Cell>>> + 'r>,
}

impl Table {
    /// All of them, with the names that users give.
    pub const ALL: [(&'static str, Self); 2] =
        [("runs", Self::Runs), ("timelines", Self::Timelines)];

    /// The table of some runs.
    pub(super) fn of<'r>(self, records: &'r [Record], whole: Whole<'r>) -> Rows<'r> {
        match self {
            Self::Runs => runs::rows(records),
            Self::Timelines => timelines::rows(records, whole),
        }
    }
}
