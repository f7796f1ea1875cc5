//! The harness: engines that run a workload, what watches them, and the record they leave.

pub mod clock;
pub mod files;
pub mod io;
pub mod sync;
pub mod workload;
