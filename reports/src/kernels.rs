//! Kernels that were booted against each other, as a page and a text.

pub(crate) mod boots;
pub(crate) mod charts;
pub(crate) mod config;
pub(crate) mod dumps;
pub(crate) mod floor;
pub(crate) mod nearest;
pub mod outcome;
pub(crate) mod page;
pub mod read;
pub(crate) mod table;
pub(crate) mod text;
