//! `doctor`: what this machine can do, and the exact command that fixes what it cannot.
//!
//! It reads and never changes anything, needs no privilege, and always ends well: a machine that
//! can do less is not an error.

mod capacity;
mod kernel;
mod tools;
mod tracing;

use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;

use crate::machine::rights::Rights;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// In order.
    Ok,
    /// It works, with less to see or more noise.
    Less,
    /// Something that the lab can do is not possible here.
    Missing,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked.
    pub name: &'static str,
    /// How it came out.
    pub state: State,
    /// What was found, and what follows from it.
    pub meaning: String,
    /// The command that fixes it, if there is one.
    pub fix: Option<String>,
}

impl Check {
    fn ok(name: &'static str, meaning: impl Into<String>) -> Check {
        Check { name, state: State::Ok, meaning: meaning.into(), fix: None }
    }

    fn less(name: &'static str, meaning: impl Into<String>) -> Check {
        Check { state: State::Less, ..Check::ok(name, meaning) }
    }

    fn missing(name: &'static str, meaning: impl Into<String>) -> Check {
        Check { state: State::Missing, ..Check::ok(name, meaning) }
    }

    fn fix(self, command: impl Into<String>) -> Check {
        Check { fix: Some(command.into()), ..self }
    }
}

/// All checks, for files under test in `dir` and this program that measures.
#[must_use]
pub fn examine(dir: &Path, program: &Path) -> Vec<Check> {
    let rights = Rights::of(program);
    vec![
        tracing::privilege(&rights),
        tracing::tracefs(&rights),
        tracing::lockdown(&rights),
        tracing::confinement(&rights),
        tracing::settings(&rights),
        kernel::io_uring(),
        kernel::kvm(),
        capacity::cpus(),
        capacity::governor(),
        capacity::filesystem(dir),
        capacity::threads(),
        tools::qemu(),
        tools::bpf_toolchain(),
    ]
}

/// The checks as text for a terminal.
#[must_use]
pub fn text(checks: &[Check]) -> String {
    let mut text = String::new();
    for Check { name, state, meaning, fix } in checks {
        let word = match state {
            State::Ok => "ok",
            State::Less => "limited",
            State::Missing => "missing",
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{word:<8} {name:<14} {meaning}");
        if let Some(fix) = fix {
            let _ = writeln!(text, "{:23} fix: {fix}", "");
        }
    }
    let of = |state| checks.iter().filter(|check| check.state == state).count();
    let (ok, less, missing) = (of(State::Ok), of(State::Less), of(State::Missing));
    let _ = writeln!(text, "\n{ok} in order, {less} limited, {missing} missing");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_a_name_of_its_own_and_says_what_it_means() {
        let checks = examine(Path::new("."), Path::new("iowq-measure"));
        assert!(checks.iter().all(|check| !check.meaning.is_empty()));
        let mut names: Vec<_> = checks.iter().map(|check| check.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), checks.len());
    }

    #[test]
    fn a_fix_stands_under_its_check_and_the_last_line_counts() {
        let checks = [
            Check::ok("tmpfs", "found"),
            Check::less("cpus", "1"),
            Check::missing("tracefs", "not mounted").fix("sudo mount -t tracefs"),
        ];
        let expected = "\
ok       tmpfs          found
limited  cpus           1
missing  tracefs        not mounted
                        fix: sudo mount -t tracefs

1 in order, 1 limited, 1 missing
";
        assert_eq!(text(&checks), expected);
    }

    #[test]
    fn a_folder_that_is_not_there_is_a_finding_and_no_panic() {
        let checks = examine(Path::new("/not/there"), Path::new("iowq-measure"));
        assert!(checks.iter().any(|c| c.name == "file system" && c.state == State::Missing));
    }
}
