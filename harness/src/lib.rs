//! The harness: engines that run a workload, what watches them, and the record they leave.

pub mod cell;
pub mod command;
pub mod doctor;
pub mod doorbell;
pub mod drive;
pub mod engine;
pub mod files;
pub mod guest;
pub mod io;
pub mod machine;
pub mod probes;
pub mod procfs;
pub mod pulse;
pub mod recorder;
pub mod timeline;
pub mod workload;

pub use iowq_pool::{clock, sync};
