//! What a run says on standard output, a line of JSON each: how many ops are done, how far a step
//! beside the measured part is, and its record, once when that part is over and once more when what
//! was written has been read back.

use std::io::Write as _;
use std::time::Duration;

use iowq_contract::Record;
use serde::{Deserialize, Serialize};

use crate::cell::Told;
use crate::clock::{self, Nanos};
use crate::files::Step;

/// How often it says how far it is: often enough to look alive.
const PERIOD: Duration = Duration::from_millis(250);

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Progress {
    pub(super) step: Step,
    pub(super) done_bytes: u64,
    pub(super) all_bytes: u64,
}

/// How a line begins that tells how many ops are done; other lines begin otherwise.
const OPS_START: &[u8] = b"{\"ops_done\":";

/// Says that so many ops are done.
pub(super) fn say_ops(ops: u64) {
    // In one write, so that it does not mix with others. A closed pipe is no failure of the run.
    let line = [OPS_START, ops.to_string().as_bytes(), b"}\n"].concat();
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(&line).and_then(|()| out.flush());
}

/// A line of it.
pub(super) enum Said {
    /// That ops are done.
    Ops,
    Progress(Progress),
    Record(Box<Record>),
}

impl Said {
    /// What a line says.
    pub(super) fn parse(line: &[u8]) -> Result<Said, serde_json::Error> {
        if line.starts_with(OPS_START) {
            return Ok(Said::Ops);
        }
        if let Ok(progress) = serde_json::from_slice(line) {
            return Ok(Said::Progress(progress));
        }
        serde_json::from_slice(line).map(|record| Said::Record(Box::new(record)))
    }
}

/// Says it.
pub(super) struct Saying {
    /// Whether to say how far it is, which only a program listens to.
    pub(super) progress: bool,
    last: Nanos,
}

impl Saying {
    pub(super) fn new(progress: bool) -> Saying {
        Saying { progress, last: Nanos::default() }
    }

    /// Says a line, or leaves out a step that was said a moment before.
    ///
    /// # Errors
    /// Where standard output takes nothing.
    pub(super) fn say(&mut self, told: &Told<'_>) -> anyhow::Result<()> {
        let mut line = match *told {
            Told::Record(record) => serde_json::to_vec(record)?,
            Told::Progress(step, done_bytes, all_bytes) => {
                let now = clock::now();
                if !self.progress || now < self.last.after(PERIOD) {
                    return Ok(());
                }
                self.last = now;
                serde_json::to_vec(&Progress { step, done_bytes, all_bytes })?
            }
        };
        line.push(b'\n');
        let mut out = std::io::stdout().lock();
        out.write_all(&line)?;
        out.flush()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_step_or_a_record_and_what_is_neither_says_why() {
        let line = br#"{"step":"verifying","done_bytes":1,"all_bytes":2}"#;
        let wanted = Progress { step: Step::Verifying, done_bytes: 1, all_bytes: 2 };
        assert!(matches!(Said::parse(line), Ok(Said::Progress(found)) if found == wanted));
        assert!(matches!(Said::parse(b"{\"ops_done\":7}"), Ok(Said::Ops)));
        let error = Said::parse(b"{\"schema\": 1}").err().expect("no record");
        assert!(error.to_string().contains("invalid type"), "{error}");
    }
}
