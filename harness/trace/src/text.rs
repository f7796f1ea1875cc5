//! A trace as text: a line for each busy process and interval, and a summary at the end.

mod line;
mod summary;

pub use line::Lines;
pub use summary::summary;
pub(crate) use summary::{of_cause, of_file};
