//! Reports: records of runs in, one offline page and one text summary out.
//!
//! Everything here is a pure function of the record: the same record gives the same bytes.

pub mod analysis;
pub mod chart;
pub mod compare;
pub mod export;
pub mod format;
pub mod import;
pub mod kernels;
pub mod load;
pub mod output;
pub mod page;
pub mod sample;
pub mod stats;
pub mod summary;
