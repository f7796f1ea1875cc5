//! The commands of `iowq`: what a person types, turned into calls of the harness.

pub mod bench;
pub mod cell;
