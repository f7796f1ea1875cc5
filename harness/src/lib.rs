//! The harness: engines that run a workload, what watches them, and the record they leave.

pub mod clock;
pub mod doctor;
pub mod files;
pub mod io;
pub mod machine;
pub mod pool;
pub mod probes;
pub mod procfs;
pub mod recorder;
pub mod sync;
pub mod timeline;
pub mod workload;
