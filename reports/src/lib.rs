//! Reports: records of runs in, one offline page and one text summary out.
//!
//! Everything here is a pure function of the record: the same record gives the same bytes.

pub mod bench;
pub mod compare;
pub mod export;
pub(crate) mod fidelity;
pub mod format;
pub mod import;
pub mod kernels;
pub mod load;
pub mod output;
pub mod render;
pub mod runs;
pub mod stats;
