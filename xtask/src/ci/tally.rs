//! The tally: what passed, failed and was skipped, read from the output of a step.
//!
//! A test that lacks root, BPF or QEMU prints `skipped: <test>: <reason>` and returns; libtest
//! counts it as passed. Here it is counted as what it is.

use std::fmt;

/// Counts of one step or of all. A step without tests counts as one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Tests, or steps without tests, that did what they are for.
    pub passed: usize,
    /// Those that did not.
    pub failed: usize,
    /// Those that could not run here, and why.
    pub skipped: Vec<String>,
}

impl Tally {
    /// One failure.
    pub(super) const FAILURE: Tally = Tally { passed: 0, failed: 1, skipped: Vec::new() };

    /// Counts the output of a step, which ended well or not.
    pub(super) fn of(output: &str, ended_well: bool) -> Tally {
        let mut tally = Tally::default();
        let mut tests = None;
        for line in output.lines() {
            if let Some(counts) = line.strip_prefix("test result: ") {
                let [passed, failed, ignored] =
                    ["passed", "failed", "ignored"].map(|word| count(counts, word));
                tests = Some(tests.unwrap_or(0) + passed + failed + ignored);
                tally.failed += failed;
                tally
                    .skipped
                    .extend((0..ignored).map(|_| "a test that is marked ignored".to_owned()));
            } else if let Some(reason) = line.trim_start().strip_prefix("skipped: ") {
                tally.skipped.push(reason.to_owned());
            }
        }
        // A step that ended badly without a failed test did not build, or its check failed.
        if !ended_well && tally.failed == 0 {
            tally.failed = 1;
        }
        let skipped = tally.skipped.len();
        tally.passed = match tests {
            Some(tests) => tests.saturating_sub(tally.failed + skipped),
            None => usize::from(ended_well && skipped == 0),
        };
        tally
    }

    /// Both together.
    #[must_use]
    pub(super) fn plus(mut self, other: &Tally) -> Tally {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped.extend(other.skipped.iter().cloned());
        self
    }

    /// The tally in one word.
    pub(super) fn word(&self) -> &'static str {
        match (self.failed, self.passed, self.skipped.len()) {
            (1.., ..) => "FAILED",
            (0, 0, 1..) => "skip",
            _ => "ok",
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let skipped = self.skipped.len();
        write!(f, "{} passed, {} failed, {skipped} skipped", self.passed, self.failed)
    }
}

/// The number before a word: 12 for `passed` in `ok. 12 passed; 0 failed`.
fn count(counts: &str, word: &str) -> usize {
    let number = counts.split([';', '.']).find_map(|part| part.trim().strip_suffix(word));
    number.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
running 3 tests
test sees_births ... ok

successes:

---- sees_births stdout ----
skipped: sees_births: needs root

test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s
test result: FAILED. 4 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.01s
";

    #[test]
    fn a_test_that_skipped_is_not_a_test_that_passed() {
        let (first, _) = OUTPUT.split_at(OUTPUT.find("test result: FAILED").unwrap_or(0));
        let tally = Tally::of(first, true);
        assert_eq!(tally.to_string(), "2 passed, 0 failed, 1 skipped");
        assert_eq!(tally.skipped, ["sees_births: needs root"]);
    }

    #[test]
    fn the_results_of_several_test_binaries_add_up_and_ignored_tests_are_skips() {
        let tally = Tally::of(OUTPUT, false);
        assert_eq!(tally.to_string(), "6 passed, 1 failed, 3 skipped");
        assert_eq!(tally.word(), "FAILED");
    }

    #[test]
    fn a_step_without_tests_counts_as_one() {
        assert_eq!(Tally::of("Checking…", true).to_string(), "1 passed, 0 failed, 0 skipped");
        assert_eq!(Tally::of("error: …", false).to_string(), "0 passed, 1 failed, 0 skipped");
        let skipped = Tally::of("skipped: probes: no linker", true);
        assert_eq!(skipped.to_string(), "0 passed, 0 failed, 1 skipped");
        assert_eq!(skipped.word(), "skip");
    }

    #[test]
    fn tests_that_do_not_build_are_a_failure_though_none_was_run() {
        assert_eq!(Tally::of("error[E0308]", false).failed, 1);
        assert_eq!(Tally::of("test result: ok. 3 passed; 0 failed;", false).failed, 1);
    }
}
