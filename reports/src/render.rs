//! Rendering: charts, pages and texts, whatever they are about.

pub mod axis;
pub mod chart;
pub mod marker;
pub mod page;
pub mod palette;
pub mod percentiles;
pub mod plot;
pub mod run_order;
pub mod text;
pub mod workers;
