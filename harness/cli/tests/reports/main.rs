//! The commands that read records, as a person types them: report, compare, export, import.

mod compare;
mod confirm;
mod export;
mod fidelity;
mod import;
mod kernels;
mod report;
mod writing;

/// Says that a test was skipped, straight to the descriptor: the test harness swallows `eprintln!`.
fn skipped(test: &str, reason: impl std::fmt::Display) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {reason}");
}

/// The program under test.
const IOWQ: &str = env!("CARGO_BIN_EXE_iowq");
