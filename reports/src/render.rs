//! Rendering: charts, pages and texts, whatever they are about.

pub(crate) mod axis;
pub(crate) mod chart;
pub(crate) mod marker;
pub mod page;
pub(crate) mod palette;
pub(crate) mod percentiles;
pub(crate) mod plot;
pub(crate) mod run_order;
pub(crate) mod text;
pub(crate) mod workers;
