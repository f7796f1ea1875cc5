//! Kernels: boots several kernels in turn in virtual machines, has each run the same workloads, and
//! keeps what came back. The guest is `iowq guest`, which this crate carries in and never links.

pub mod accel;
pub mod boot;
pub mod build;
pub mod disk;
pub mod image;
pub mod initramfs;
pub mod job;
pub mod label;
pub mod machine;
pub mod options;
pub mod order;
pub mod results;
