//! Made-up records for tests and demonstrations: shaped like real ones, measured by no machine.

mod bench;
mod grid;
mod kernels;
mod latency;
mod noise;
mod pairs;
mod run;
mod workers;

pub use bench::{bench, bench_with_kernel, lines, long_run};
pub use grid::{LARGE, Levels, SMALL, grid, groups};
pub use kernels::{kernels, kernels_with_noise};
pub use pairs::{at, pairs, with_role};
pub use run::{kernel_run, run, run_of_ops};
pub use workers::create;
