//! Commands: each from its flags to an exit code.

pub(crate) mod bench;
pub(crate) mod compare;
pub(crate) mod doctor;
pub(crate) mod exchange;
pub(crate) mod kernels;
mod list;
pub(crate) mod report;
pub(crate) mod shell;
pub(crate) mod trace;
