//! Kernels: boots several kernels in turn in virtual machines, has each run the same workloads, and
//! keeps what came back. The guest is `iowq guest`, which this crate carries in and never links.

pub mod accel;
pub mod boot;
pub mod build;
pub mod console;
pub mod disk;
pub mod image;
pub mod initramfs;
mod lines;
pub mod machine;
mod program;
pub mod stop;
