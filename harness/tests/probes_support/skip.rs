//! Saying that a test is skipped.

use std::io::Write as _;

/// Says that a test is skipped, and why.
pub(crate) fn skip(test: &str, reason: &str) {
    // Not `eprintln`, whose output the test runner hides if a test passes. In one write and on
    // a line of its own, whatever the runner prints at the same time.
    let line = format!("\nskipped: {test}: {reason}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}
