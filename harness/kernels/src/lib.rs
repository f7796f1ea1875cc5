//! Kernels: boots several kernels in turn in virtual machines, has each run the same workloads, and
//! keeps what came back. The guest is `iowq guest`, which this crate carries in and never links.

pub mod accel;
pub mod boot;
mod child;
pub mod console;
pub mod disk;
pub mod from_source;
pub mod image;
pub mod initramfs;
pub mod job;
pub mod label;
mod lines;
pub mod machine;
pub mod options;
pub mod order;
mod program;
pub mod results;
pub mod run;
mod sha256;
pub mod stop;
pub mod subject;
mod watch;
