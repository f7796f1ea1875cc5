//! The harness: engines that run a workload, what watches them, and the record they leave.

pub mod clock;
pub mod doctor;
pub mod machine;
pub mod sync;
