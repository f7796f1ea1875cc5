//! The command line, end to end: the built `iowq` on real files, with real signals.

mod dirs;
mod dispatch;
mod failing;
mod fidelity;
mod forced;
mod input;
mod interrupted;
mod kernel_limits;
mod killed;
mod paths;
mod questions;
mod reading_back;
mod records;
mod replaced;
mod rights;
mod roles;
mod spec_once;
mod support;
mod threads;
mod timing;
mod trace;
mod user;
