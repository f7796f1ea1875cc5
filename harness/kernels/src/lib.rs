//! Kernels: boots several kernels in turn in virtual machines, has each run the same workloads, and
//! keeps what came back. The guest is `iowq guest`, which this crate carries in and never links.

#![cfg_attr(not(test), warn(clippy::print_stdout, clippy::print_stderr))]

pub mod accelerator;
pub mod boot;
mod child;
pub mod console;
pub mod disk;
pub mod from_source;
mod host_tool;
pub mod image;
pub mod initramfs;
pub mod job;
pub mod kernel;
pub mod label;
mod lines;
pub mod machine;
mod note;
pub mod options;
pub mod order;
pub mod results;
pub mod run;
mod sha256;
pub mod stop;
mod stopwatch;
