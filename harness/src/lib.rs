//! The harness: engines that run a workload, what watches them, and the record they leave.

#![cfg_attr(not(test), warn(clippy::print_stdout, clippy::print_stderr))]

pub mod bench;
pub mod child_commands;
pub mod closed_ring;
pub mod doctor;
pub mod doorbell;
pub mod drive;
pub mod engine;
pub mod far_end;
pub mod files;
pub mod guest;
pub mod io;
pub mod machine;
pub mod measured;
pub mod probes;
pub mod pulse;
pub mod recorder;
pub mod run;
pub mod workload;

pub use iowq_pool::{clock, sync};
