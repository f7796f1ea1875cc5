//! How fuzzing a target went, from libFuzzer's output.

use std::fmt;

/// Lines that are shown of a failure.
const LINES_MAX: usize = 40;

/// How it went.
pub(super) struct Outcome {
    pub(super) target: String,
    pub(super) failed: bool,
    /// What libFuzzer said.
    pub(super) log: String,
}

impl Outcome {
    /// A number that follows a word in a line that has it, the last such line.
    fn last(&self, word: &str) -> Option<u64> {
        let mut lines = self.log.lines().rev();
        lines.find_map(|line| line.split_once(word)?.1.split_whitespace().next()?.parse().ok())
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Outcome { target, failed, log } = self;
        if *failed {
            // What comes first says why, and what comes last where the input is.
            let lines: Vec<_> = log.lines().filter(|line| !line.starts_with('#')).collect();
            let shown = &lines[lines.len().saturating_sub(LINES_MAX)..];
            writeln!(f, "{}", shown.join("\n"))?;
            return write!(f, "{target:<10} FAILED");
        }
        let executions = self.last("number_of_executed_units:").unwrap_or(0);
        let features = self.last(" ft: ").unwrap_or(0);
        let slowest = self.last("slowest_unit_time_sec:").unwrap_or(0);
        write!(
            f,
            "{target:<10} ok {executions:>12} executions, {features:>6} features of the code"
        )?;
        if slowest > 0 { write!(f, ", slowest {slowest} s") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(failed: bool, log: &str) -> String {
        Outcome { target: "spec".into(), failed, log: log.into() }.to_string()
    }

    #[test]
    fn executions_and_features_are_those_of_the_end() {
        let log = "#2 INITED cov: 3 ft: 4 corp: 1/1b\n#9 DONE cov: 5 ft: 67 corp: 2/2b\n\
                   stat::number_of_executed_units: 89\nstat::slowest_unit_time_sec:    2\n";
        let line =
            "spec       ok           89 executions,     67 features of the code, slowest 2 s";
        assert_eq!(shown(false, log), line);
    }

    #[test]
    fn a_failure_shows_the_end_of_the_output_without_libfuzzers_progress() {
        let log = "#1 NEW\nthread panicked\n#2 NEW\nTest unit written to ./crash-1\n";
        assert_eq!(
            shown(true, log),
            "thread panicked\nTest unit written to ./crash-1\nspec       FAILED"
        );
    }
}
