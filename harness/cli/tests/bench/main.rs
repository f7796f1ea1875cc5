//! The command line, end to end: the built `iowq` on real files, with real signals.

mod blocks;
mod dirs;
mod dispatch;
mod failing;
mod fidelity;
mod forced;
mod guide;
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
mod settings;
mod spec_once;
mod support;
mod tasks;
mod threads;
mod timing;
mod trace;
mod user;
