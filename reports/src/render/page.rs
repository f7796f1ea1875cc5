//! What pages have in common: their size, room for charts, marks in legends, and downloads.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use iowq_contract::Record;
use serde::Serialize;

use crate::format;
use crate::render::chart::ChartSet;
use crate::render::marker;
use crate::render::palette::{COLOURS, Colours};
use crate::render::plot::ChartError;
use crate::runs::group::Group;

/// Bytes of a whole page at most: it is mailed and opened on phones.
pub const PAGE_BYTES_MAX: usize = 3_000_000;

/// Bytes of all charts: what is left is for tables and raw numbers.
pub(crate) const CHART_BYTES_MAX: usize = 1_500_000;

/// Bytes that are kept free for the words around a download.
const MARGIN_BYTES: usize = 4_000;

/// A page could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// A chart could not be drawn.
    #[error(transparent)]
    Chart(#[from] ChartError),
    /// The template could not be filled.
    #[error("the page could not be written: {0}")]
    Template(#[from] askama::Error),
    /// A run could not be read again.
    #[error(transparent)]
    Read(#[from] io::Error),
}

/// A policy in a legend.
pub(crate) struct Mark {
    pub(crate) colour: usize,
    pub(crate) sign: &'static str,
    pub(crate) policy: String,
}

impl Mark {
    /// Of a variant, by its name.
    pub(crate) fn of(variant: &str, colours: &Colours<'_>) -> Self {
        Self::at(colours.place(variant), variant.to_owned())
    }

    /// Of a group: the colour of its variant, and its label.
    pub(crate) fn of_group(group: &Group<'_>, colours: &Colours<'_>) -> Self {
        Self::at(colours.place(&group.variant), group.label.to_string())
    }

    /// The mark of what is drawn at a place.
    pub(crate) fn at(place: usize, policy: String) -> Self {
        Self { colour: place % COLOURS, sign: marker::sign(place), policy }
    }
}

/// Bytes that are left for charts.
pub(crate) struct Room {
    bytes_left: usize,
    pub(crate) left_out: bool,
}

impl Room {
    /// All that a page has.
    pub(crate) fn new() -> Self {
        Self { bytes_left: CHART_BYTES_MAX, left_out: false }
    }

    /// The charts that fit. Once the room is gone no further one is drawn.
    pub(crate) fn draw(
        &mut self,
        draw: impl FnOnce() -> Result<Vec<ChartSet>, ChartError>,
    ) -> Result<Vec<ChartSet>, ChartError> {
        let drawn = if self.left_out { Vec::new() } else { draw()? };
        Ok(drawn.into_iter().filter_map(|set| self.take(set)).collect())
    }

    /// The charts, if they fit.
    pub(crate) fn take(&mut self, set: ChartSet) -> Option<ChartSet> {
        let bytes: usize = set.figures.iter().map(|figure| figure.svg.len()).sum();
        match self.bytes_left.checked_sub(bytes) {
            Some(left) => {
                self.bytes_left = left;
                Some(set)
            }
            None => {
                self.left_out = true;
                None
            }
        }
    }
}

/// What a page says first of the machine of a run, and when the run started.
pub(crate) fn machine(run: &Record) -> String {
    let host = &run.host;
    let cpus = match host.cpus {
        0 => "processors unknown".to_owned(),
        cpus => format::count(u64::from(cpus), "processor", "processors"),
    };
    let filesystem = format::clip(&host.filesystem, 40);
    let (kernel, started) = (format::clip(&host.kernel, 60), format::clip(&run.started, 40));
    format!("Linux {kernel} · {cpus}, {filesystem} · {started}")
}

/// One figure of a table, with what is said below it.
#[derive(Clone)]
pub(crate) struct Cell {
    pub(crate) label: &'static str,
    pub(crate) value: String,
    pub(crate) below: String,
}

impl Cell {
    /// A figure alone; one that is not there is n/a.
    pub(crate) fn alone(label: &'static str, value: Option<String>) -> Self {
        let value = value.unwrap_or_else(|| "n/a".to_owned());
        Self { label, value, below: String::new() }
    }
}

/// A file inside the page.
pub(crate) struct Download {
    pub(crate) name: &'static str,
    pub(crate) about: String,
    pub(crate) mime: &'static str,
    pub(crate) base64: String,
}

impl Download {
    /// A value as JSON, if it fits into `room` bytes with the words around it.
    pub(crate) fn json(
        name: &'static str,
        about: &str,
        value: &impl Serialize,
        room: usize,
    ) -> Option<Self> {
        let base64 = STANDARD.encode(serde_json::to_vec(value).ok()?);
        let (about, mime) = (about.to_owned(), "application/json");
        (base64.len() + MARGIN_BYTES <= room).then_some(Self { name, about, mime, base64 })
    }
}
