//! The commands that read records, as a person types them: report, compare, export, import.

mod compare;
mod confirm;
mod export;
mod fidelity;
mod import;
mod kernels;
mod report;

/// The program under test.
const IOWQ: &str = env!("CARGO_BIN_EXE_iowq");
