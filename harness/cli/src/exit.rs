//! Exit codes: what a script learns from a command, from best to worst.

use std::process::ExitCode;

/// How a command ended. The order is by how bad it is, not by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// 0: fine, or no regression.
    Fine,
    /// 3: no verdict.
    NoVerdict,
    /// 1: a regression.
    Regression,
    /// 2: bad input, an I/O error, a failed run.
    Trouble,
}

impl Exit {
    /// What the number that a comparison ends with says.
    #[must_use]
    pub fn of(code: u8) -> Exit {
        match code {
            0 => Exit::Fine,
            1 => Exit::Regression,
            3 => Exit::NoVerdict,
            _ => Exit::Trouble,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Fine => 0,
            Exit::Regression => 1,
            Exit::Trouble => 2,
            Exit::NoVerdict => 3,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_worse_than_a_regression_and_that_is_worse_than_no_verdict() {
        assert_eq!(Exit::Regression.max(Exit::Trouble), Exit::Trouble);
        assert_eq!(Exit::NoVerdict.max(Exit::Regression), Exit::Regression);
        assert_eq!(Exit::Fine.max(Exit::NoVerdict), Exit::NoVerdict);
    }
}
