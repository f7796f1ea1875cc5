//! Kernels that were booted against each other, as a page and a text.

pub mod boots;
pub mod charts;
pub mod config;
pub mod dumps;
pub mod fault_rates;
pub mod floor;
pub mod nearest;
pub mod outcome;
pub mod page;
pub mod read;
pub mod sets;
pub mod table;
pub mod text;
