//! What came of one kind of dump in all boots of a kernel: of the control, just after the close, or
//! after the idle timeout.

use iowq_contract::guest::{ControlFailure, Dump, failure};
use serde::Serialize;

use crate::format;
use crate::runs::figures::Spread;

/// Characters of criu's that are quoted.
const SAID_CHARS_MAX: usize = 300;

/// Which of the three processes was dumped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// One that never opened a ring.
    Control,
    /// One that closed its rings 200 ms before.
    JustClosed,
    /// One whose workers have had their idle timeout since.
    AfterTimeout,
}

impl When {
    /// All, in the order in which they are tried.
    pub const ALL: [When; 3] = [When::Control, When::JustClosed, When::AfterTimeout];

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            When::Control => "control, without a ring",
            When::JustClosed => "just after the close",
            When::AfterTimeout => "after the idle timeout",
        }
    }
}

/// One dump of one boot.
pub(crate) struct Try<'a> {
    pub(crate) failure: Option<ControlFailure>,
    pub(crate) took_ms: f64,
    /// Workers that were there; none in the control, which has no use for any.
    pub(crate) workers: Option<u32>,
    pub(crate) reason: &'a str,
}

impl<'a> Try<'a> {
    fn new(dumped: bool, took_ms: f64, workers: Option<u32>, reason: &'a str) -> Try<'a> {
        Try { failure: failure(dumped, took_ms, reason), took_ms, workers, reason }
    }

    /// The dump of that kind, if the boot has one.
    pub(crate) fn of(dump: &'a Dump, when: When) -> Option<Try<'a>> {
        match when {
            When::Control => dump
                .control
                .as_ref()
                .map(|one| Try::new(one.dumped, one.took_ms, None, &one.reason)),
            When::JustClosed => {
                Some(Try::new(dump.dumped, dump.took_ms, Some(dump.workers), &dump.reason))
            }
            When::AfterTimeout => dump
                .after_timeout
                .as_ref()
                .map(|one| Try::new(one.dumped, one.took_ms, Some(one.workers), &one.reason)),
        }
    }
}

/// One kind of dump in all boots of a kernel. Each boot is in one of the four counts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Case {
    /// Which.
    pub when: When,
    /// Boots in which it was tried.
    pub tried: u32,
    /// Dumps that completed.
    pub dumped: u32,
    /// Dumps that criu gave up by itself.
    pub failed: u32,
    /// Dumps that were given up because criu was still at work when its time was over.
    pub hung: u32,
    /// Boots in which criu was never started, because there was no process to be dumped.
    pub not_begun: u32,
    /// Least and most workers that were there when a dump began; null in the control.
    pub workers: Option<[u32; 2]>,
    /// Median time of the dumps that completed, in milliseconds.
    pub took_ms: Option<f64>,
    /// What criu said in the first that did not complete; empty where all did.
    pub said: String,
}

impl Case {
    /// Of boots that had a dump of that kind; none if no boot had.
    pub(crate) fn of(when: When, dumps: &[&Dump]) -> Option<Case> {
        let tries: Vec<Try<'_>> = dumps.iter().filter_map(|dump| Try::of(dump, when)).collect();
        let first = tries.iter().find(|one| one.failure.is_some());
        let count = |wanted| {
            let with = tries.iter().filter(|one| one.failure == wanted);
            u32::try_from(with.count()).unwrap_or(u32::MAX)
        };
        let workers = || tries.iter().filter_map(|one| one.workers);
        let completed = tries.iter().filter(|one| one.failure.is_none());
        (!tries.is_empty()).then(|| Case {
            when,
            tried: u32::try_from(tries.len()).unwrap_or(u32::MAX),
            dumped: count(None),
            failed: count(Some(ControlFailure::Criu)),
            hung: count(Some(ControlFailure::NotInTime)),
            not_begun: count(Some(ControlFailure::NotPrepared)),
            workers: workers().min().zip(workers().max()).map(|(least, most)| [least, most]),
            took_ms: Spread::of(completed.map(|one| one.took_ms).collect())
                .map(|spread| spread.median),
            said: first.map_or_else(String::new, |one| format::clip(one.reason, SAID_CHARS_MAX)),
        })
    }

    /// In how many boots of those tried it completed, failed and hung. A dump that had no process
    /// to take failed too.
    pub fn ends(&self) -> [String; 3] {
        let ends = [self.dumped, self.failed + self.not_begun, self.hung];
        ends.map(|boots| format!("{boots}\u{a0}of\u{a0}{}", self.tried))
    }

    /// How many workers were there, such as `15 to 23`.
    pub fn workers_text(&self) -> String {
        match self.workers {
            None => String::new(),
            Some([least, most]) if least == most => most.to_string(),
            Some([least, most]) => format!("{least} to {most}"),
        }
    }

    /// What came of it: `just after the close, 15 to 23 workers there: failed in 4 of 4 boots: …`.
    pub fn sentence(&self) -> String {
        let Case { dumped, failed, hung, not_begun, tried, .. } = *self;
        let there = match self.workers {
            None => String::new(),
            Some([0, 0]) => ", no worker there".to_owned(),
            Some([1, 1]) => ", 1 worker there".to_owned(),
            Some(_) => format!(", {} workers there", self.workers_text()),
        };
        let ends = [
            (dumped, "completed in"),
            (failed, "failed in"),
            (hung, "hung in"),
            (not_begun, "not begun in"),
        ];
        let ends = ends.iter().filter(|(boots, _)| *boots > 0);
        let ends: Vec<String> = ends.map(|(boots, words)| format!("{words} {boots}")).collect();
        let of = format::count(u64::from(tried), "boot", "boots");
        let took = self.took_ms.map_or_else(String::new, |took_ms| {
            format!(" ({} at the median)", format::duration(took_ms * 1e6))
        });
        let said = if self.said.is_empty() { String::new() } else { format!(": {}", self.said) };
        format!("{}{there}: {} of {of}{took}{said}", self.when.words(), format::list(&ends))
    }
}

#[cfg(test)]
mod tests {
    use iowq_contract::guest::Control;
    use iowq_sample as sample;

    use super::*;
    use crate::kernels::dumps::dumps;

    #[test]
    fn each_kernel_has_a_row_for_its_control_and_for_each_dump_that_was_tried() {
        let (kernels, mut boots, _) = sample::kernels(2);
        assert!(dumps(&kernels, &boots).is_empty());
        boots[0].dump = Some(Dump {
            dumped: false,
            took_ms: 900.0,
            workers: 20,
            reason: "no signals".to_owned(),
            control: Some(Control { dumped: true, took_ms: 1.0, reason: String::new() }),
            after_timeout: None,
            criu: None,
        });
        let found = dumps(&kernels, &boots);
        let rows: Vec<_> = found[0]
            .cases
            .iter()
            .map(|case| [case.when.words().to_owned(), case.workers_text(), case.ends()[1].clone()])
            .collect();
        let control = ["control, without a ring", "", "0\u{a0}of\u{a0}1"];
        assert_eq!(rows, [control, ["just after the close", "20", "1\u{a0}of\u{a0}1"]]);
        assert_eq!(found.len(), 1);
    }
}
