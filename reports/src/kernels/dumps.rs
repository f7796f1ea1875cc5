//! Dumps: whether `criu dump` of a process that closed its rings completed, kernel by kernel, and
//! what that says about the worker that a kernel keeps.
//!
//! Just after the close many workers are there that leave by themselves, and each of them is in
//! criu's way. So what is said of the kept worker is said by the dump after the idle timeout alone.

pub mod case;

use std::collections::BTreeMap;

use crate::format;
use crate::kernels::dumps::case::Try;
pub use crate::kernels::dumps::case::{Case, When};
use iowq_contract::guest::{CRIU_OPTIONS, ControlFailure, Dump, WORKER_IN_THE_WAY};
use iowq_contract::{Boot, Kernel, Kernels};
use serde::Serialize;

/// The dumps that were tried in the boots of one kernel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Dumps {
    /// The kernel.
    pub kernel: String,
    /// Versions of criu, as it said.
    pub criu: Vec<String>,
    /// Boots in which dumps were tried.
    pub tried: u32,
    /// What came of each process, in the order in which they are tried.
    pub cases: Vec<Case>,
    /// What these boots say about the worker that is kept.
    pub answers: Vec<Answered>,
    /// How the control failed in boots that are void for that; null if there are none, or it
    /// failed differently from boot to boot.
    pub control: Option<ControlFailure>,
    /// Options that criu looks for and this kernel lacks, if boots are void because criu cannot
    /// work on it, and its configuration is known.
    pub lacks: Vec<String>,
}

/// How many boots say the same about the worker that their kernel keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Answered {
    /// What they say.
    pub answer: Answer,
    /// How many.
    pub boots: u32,
}

/// What one boot says about the worker that its kernel keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Exactly one worker was left after the idle timeout, and criu failed on it, or hung.
    KeptWorkerBlocks,
    /// No worker was left, and the dump completed.
    NoneKept,
    /// Workers were left after the idle timeout, and the dump completed all the same.
    KeptAndDumped,
    /// The dump failed with more than one worker left after the idle timeout.
    Several,
    /// The dump failed, and workers were still leaving.
    Unsettled,
    /// The dump failed for a reason that says nothing about workers.
    Other,
    /// The dump failed just after the close, and none was tried after the idle timeout.
    NotTried,
    /// The control failed, so nothing is known.
    Void,
}

impl Answer {
    fn of(dump: &Dump) -> Answer {
        let answer = Answer::without_control(dump);
        let completed = matches!(answer, Answer::NoneKept | Answer::KeptAndDumped);
        if !completed && control_failure(dump).is_some() { Answer::Void } else { answer }
    }

    fn without_control(dump: &Dump) -> Answer {
        let Some(late) = Try::of(dump, When::AfterTimeout) else {
            // Without a ring no worker comes, so if there is none, none is kept.
            let none = dump.dumped && dump.workers == 0;
            return if none { Answer::NoneKept } else { Answer::NotTried };
        };
        let settled = dump.after_timeout.as_ref().is_some_and(|late| late.settled);
        let in_the_way = late.failure == Some(ControlFailure::NotInTime)
            || late.reason.contains(WORKER_IN_THE_WAY);
        match (late.failure, late.workers.unwrap_or_default()) {
            (None, 0) => Answer::NoneKept,
            (None, _) => Answer::KeptAndDumped,
            (Some(_), 0) => Answer::Other,
            (Some(_), _) if !in_the_way => Answer::Other,
            (Some(_), _) if !settled => Answer::Unsettled,
            (Some(_), 1) => Answer::KeptWorkerBlocks,
            (Some(_), _) => Answer::Several,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Answer::KeptWorkerBlocks => {
                "the kept worker blocks the checkpoint: with exactly one worker left after the \
                 idle \
                 timeout, and a control that was dumped, criu dump did not complete"
            }
            Answer::NoneKept => "no worker is kept, and the process is dumped",
            Answer::KeptAndDumped => {
                "the process is dumped, though workers are left after the idle timeout"
            }
            Answer::Several => {
                "nothing is known of a last worker: more than one was left after the idle timeout"
            }
            Answer::Unsettled => {
                "nothing is known of a last worker: workers were still leaving when the dump began"
            }
            Answer::Other => "criu dump failed for a reason that says nothing about workers",
            Answer::NotTried => {
                "nothing is known of a last worker: no dump was tried after the idle timeout, and \
                 just after the close there are workers that exit by themselves"
            }
            Answer::Void => "nothing is known, because the control was not dumped",
        }
    }
}

fn control_failure(dump: &Dump) -> Option<ControlFailure> {
    dump.control.as_ref()?.failure()
}

/// Options that criu looks for and a kernel lacks; none if its configuration is not known.
fn lacks(kernel: &Kernel) -> Vec<String> {
    let Some(config) = &kernel.config else { return Vec::new() };
    let has = |option: &str, module: Option<&str>| match config.get(option).map(String::as_str) {
        Some("y") => true,
        // A guest loads what the host gave it, and nothing else.
        Some("m") => module.is_some_and(|module| kernel.modules.contains(&format!("{module}.ko"))),
        _ => false,
    };
    let lacking = CRIU_OPTIONS.iter().filter(|(option, module)| !has(option, *module));
    lacking.map(|(option, _)| format!("CONFIG_{option}")).collect()
}

/// The dumps of each kernel that had any.
pub fn dumps(kernels: &Kernels, boots: &[Boot]) -> Vec<Dumps> {
    let of_kernel = |label: &str| -> Vec<&Dump> {
        let boots = boots.iter().filter(|boot| boot.kernel == label);
        boots.filter_map(|boot| boot.dump.as_ref()).collect()
    };
    let kernels = kernels.kernels.iter();
    kernels.filter_map(|kernel| Dumps::of(kernel, &of_kernel(&kernel.label))).collect()
}

impl Dumps {
    fn of(kernel: &Kernel, dumps: &[&Dump]) -> Option<Self> {
        let mut answers: BTreeMap<Answer, u32> = BTreeMap::new();
        for dump in dumps {
            *answers.entry(Answer::of(dump)).or_default() += 1;
        }
        let void = dumps.iter().filter(|dump| Answer::of(dump) == Answer::Void);
        let mut controls = void.map(|dump| control_failure(dump));
        let control =
            controls.next().flatten().filter(|first| controls.all(|one| one == Some(*first)));
        let mut criu: Vec<String> =
            dumps.iter().filter_map(|dump| Some(format::clip(dump.criu.as_ref()?, 20))).collect();
        criu.sort();
        criu.dedup();
        let answered = |(answer, boots)| Answered { answer, boots };
        (!dumps.is_empty()).then(|| Self {
            kernel: kernel.label.clone(),
            criu,
            tried: u32::try_from(dumps.len()).unwrap_or(u32::MAX),
            cases: When::ALL.into_iter().filter_map(|when| Case::of(when, dumps)).collect(),
            answers: answers.into_iter().map(answered).collect(),
            control,
            lacks: match control {
                Some(ControlFailure::Criu) => lacks(kernel),
                _ => Vec::new(),
            },
        })
    }

    /// The kernel, as a reader sees it.
    pub fn kernel_name(&self) -> String {
        format::clip(&self.kernel, 60)
    }

    /// Kernel and criu, as a reader finds them: `base, criu 3.17.1`.
    pub fn name(&self) -> String {
        let kernel = self.kernel_name();
        match self.criu.is_empty() {
            true => kernel,
            false => format!("{kernel}, criu {}", format::list(&self.criu)),
        }
    }

    /// What all of it says about the worker that is kept, for a reader.
    pub fn sentence(&self) -> String {
        let name = self.name();
        let boots = format::count(u64::from(self.tried), "boot", "boots");
        match self.answers.as_slice() {
            [Answered { answer: Answer::Void, .. }] => match self.control {
                Some(ControlFailure::Criu) => self.cannot_work(&name, &boots),
                _ => self.not_known(&name, &boots),
            },
            [Answered { answer: Answer::KeptWorkerBlocks, .. }] => {
                let words = Answer::KeptWorkerBlocks.words();
                format!("{name}: {words} in {boots}: {}.", self.how_it_ended())
            }
            [one] => format!("{name}: {}, in {boots}.", one.answer.words()),
            answers => {
                let part = |one: &Answered| format!("in {} {}", one.boots, one.answer.words());
                let parts: Vec<String> = answers.iter().map(part).collect();
                format!("{name}, {boots} that do not agree: {}.", parts.join("; "))
            }
        }
    }

    /// The same with what came of each process.
    pub fn lines(&self) -> Vec<String> {
        let kernel = self.kernel_name();
        let cases = self.cases.iter().map(|case| format!("{kernel}, {}", case.sentence()));
        std::iter::once(self.sentence()).chain(cases).collect()
    }

    /// Whether criu failed or hung on the worker that is kept.
    fn how_it_ended(&self) -> String {
        let late = self.cases.iter().find(|case| case.when == When::AfterTimeout);
        let count = |boots: u32| if boots == 0 { "none".to_owned() } else { boots.to_string() };
        let [failed, hung] = late.map_or([0, 0], |late| [late.failed, late.hung]).map(count);
        format!("it failed in {failed} and hung in {hung}")
    }

    /// What criu said of the control.
    fn said(&self) -> &str {
        let control = self.cases.iter().find(|case| case.when == When::Control);
        control.map_or("", |control| &control.said)
    }

    /// Where criu never worked, nothing is known about workers.
    fn cannot_work(&self, kernel: &str, boots: &str) -> String {
        let text = format!(
            "{kernel}: criu does not work on this kernel, so nothing is known: in {boots} it did \
             not dump even a process that never opened a ring: {}",
            self.said()
        );
        if self.lacks.is_empty() {
            return text;
        }
        let lacks = format::list(&self.lacks);
        let text = text.trim_end_matches('.');
        format!(
            "{text}. This kernel lacks {lacks}, which criu looks for and the configuration that \
             comes with --build sets"
        )
    }

    /// Where criu did not come to its end, or not even to its beginning, that may be no fault of the
    /// kernel's.
    fn not_known(&self, kernel: &str, boots: &str) -> String {
        let (how, advice) = match self.control {
            Some(ControlFailure::NotInTime) => {
                ("did not complete in its time", ". A larger --criu gives it more")
            }
            Some(ControlFailure::NotPrepared) => ("could not be prepared", ""),
            Some(ControlFailure::Criu) | None => ("did not complete", ""),
        };
        let said = self.said().trim_end_matches('.');
        format!(
            "{kernel}: nothing is known, because the control, a dump of a process that never \
             opened a ring, {how} in {boots}: {said}{advice}"
        )
    }
}

#[cfg(test)]
mod tests {
    use iowq_contract::AfterTimeout;
    use iowq_contract::guest::Control;
    use iowq_sample as sample;

    use super::*;

    const WORKER: &str = "Can't block signals for 264: Operation not permitted";
    const LATE: &str = "not done after 20 s: Waiting for 9 to stop";

    fn after(workers: u32, reason: &str) -> AfterTimeout {
        AfterTimeout {
            dumped: reason.is_empty(),
            took_ms: 700.0,
            workers,
            reason: reason.to_owned(),
            workers_at_close: 20,
            idle_timeout_ms: 5_000,
            waited_ms: 11_400.0,
            settled: true,
        }
    }

    /// A boot whose control was dumped, and so many workers and words after the idle timeout.
    fn dump(workers: u32, reason: &str) -> Dump {
        let just = if workers == 0 { 0 } else { 15 + workers };
        Dump { after_timeout: Some(after(workers, reason)), ..before(just, reason) }
    }

    /// The same of before there was a dump after the idle timeout.
    fn before(workers: u32, reason: &str) -> Dump {
        Dump {
            dumped: reason.is_empty(),
            took_ms: 1_500.0,
            workers,
            reason: reason.to_owned(),
            control: Some(Control { dumped: true, took_ms: 1_400.0, reason: String::new() }),
            after_timeout: None,
            criu: Some("3.17.1".to_owned()),
        }
    }

    /// A boot whose control failed after so long, for this reason.
    fn void(took_ms: f64, reason: &str) -> Dump {
        let control = Some(Control { dumped: false, took_ms, reason: reason.to_owned() });
        Dump { control, ..dump(1, WORKER) }
    }

    fn of(dump_of: impl Fn(&Boot) -> Dump) -> Dumps {
        without(&[], dump_of)
    }

    /// The base's configuration is what criu needs, but for what is given.
    fn without(lacks: &[&str], dump_of: impl Fn(&Boot) -> Dump) -> Dumps {
        let (mut kernels, mut boots, _) = sample::kernels(4);
        let needed = CRIU_OPTIONS.iter().filter(|(option, _)| !lacks.contains(option));
        let config = needed.map(|(option, _)| ((*option).to_owned(), "y".to_owned())).collect();
        kernels.kernels[0].config = Some(config);
        for boot in &mut boots {
            boot.dump = (boot.kernel == "base").then(|| dump_of(boot));
        }
        let mut found = dumps(&kernels, &boots);
        assert_eq!(found.len(), 1, "kernels without a dump have no row");
        found.remove(0)
    }

    /// All four boots say the same.
    fn all(answer: Answer) -> [Answered; 1] {
        [Answered { answer, boots: 4 }]
    }

    #[test]
    fn one_worker_that_is_left_and_in_the_way_blocks_the_checkpoint() {
        let found = of(|_| dump(1, WORKER));
        assert_eq!(found.answers, all(Answer::KeptWorkerBlocks));
        let lines = found.lines();
        let expected = "base, criu 3.17.1: the kept worker blocks the checkpoint: with exactly one \
                        worker left after the idle timeout, and a control that was dumped, criu \
                        dump \
                        did not complete in 4 boots: it failed in 4 and hung in none.";
        assert_eq!(lines[0], expected);
        assert_eq!(lines.len(), 4, "{lines:?}");
        let late = format!(
            "base, after the idle timeout, 1 worker there: failed in 4 of 4 boots: {WORKER}"
        );
        assert_eq!(lines[3], late);
    }

    #[test]
    fn workers_that_leave_by_themselves_say_nothing_about_one_that_is_kept() {
        // What a kernel does that keeps no last worker: many just after the close, none later.
        let none_kept = of(|_| Dump { dumped: false, reason: WORKER.to_owned(), ..dump(0, "") });
        assert_eq!(none_kept.answers, all(Answer::NoneKept));
        // Boots of before there was a dump after the idle timeout.
        let not_tried = of(|_| before(20, WORKER));
        assert_eq!(not_tried.answers, all(Answer::NotTried));
        for found in [none_kept, not_tried] {
            assert!(!found.lines().join("\n").contains("blocks"), "{:?}", found.lines());
        }
    }

    #[test]
    fn the_kept_worker_is_blamed_only_where_it_is_the_only_one_and_has_settled() {
        let answer = |dump: Dump| of(|_| dump.clone()).answers[0].answer;
        let unsettled = |workers| {
            let after_timeout = Some(AfterTimeout { settled: false, ..after(workers, WORKER) });
            Dump { after_timeout, ..dump(workers, WORKER) }
        };
        assert_eq!(answer(dump(2, WORKER)), Answer::Several);
        assert_eq!(answer(unsettled(1)), Answer::Unsettled);
        assert_eq!(answer(dump(1, "memfd_create failed")), Answer::Other);
        assert_eq!(answer(dump(0, WORKER)), Answer::Other);
        assert_eq!(answer(dump(1, "")), Answer::KeptAndDumped);
        assert_eq!(answer(dump(1, LATE)), Answer::KeptWorkerBlocks);
    }

    #[test]
    fn whether_criu_hangs_or_fails_is_told_apart() {
        let found = of(|boot| dump(1, if boot.round == 0 { LATE } else { WORKER }));
        let late = &found.cases[2];
        let ends = [late.tried, late.dumped, late.failed, late.hung, late.not_begun];
        assert_eq!(ends, [4, 0, 3, 1, 0]);
        let text = late.sentence();
        assert!(text.contains("1 worker there: failed in 3 and hung in 1 of 4 boots"), "{text}");
    }

    #[test]
    fn a_kernel_that_keeps_none_says_how_long_each_dump_took() {
        let found = of(|_| dump(0, ""));
        let lines = found.lines();
        let expected =
            "base, criu 3.17.1: no worker is kept, and the process is dumped, in 4 boots.";
        assert_eq!(lines[0], expected);
        let just = "base, just after the close, no worker there: completed in 4 of 4 boots \
                    (1.5\u{a0}s at the median)";
        assert_eq!(lines[2], just);
        // Without a ring no worker comes, so boots of before need no later look.
        assert_eq!(of(|_| before(0, "")).answers, all(Answer::NoneKept));
    }

    #[test]
    fn boots_that_do_not_agree_are_counted() {
        let found = of(|boot| match boot.round {
            0 => dump(2, WORKER),
            1 => void(1.0, "memfd_create failed"),
            _ => dump(1, WORKER),
        });
        let counts: Vec<_> = found.answers.iter().map(|one| (one.answer, one.boots)).collect();
        let expected = [(Answer::KeptWorkerBlocks, 2), (Answer::Several, 1), (Answer::Void, 1)];
        assert_eq!(counts, expected);
        let text = found.sentence();
        assert!(text.contains("4 boots that do not agree: in 2 the kept worker blocks"), "{text}");
        assert!(text.contains("; in 1 nothing is known, because the control was not"), "{text}");
        assert_eq!(found.cases[2].workers_text(), "1 to 2");
    }

    #[test]
    fn a_criu_that_cannot_dump_a_process_without_a_ring_says_nothing_about_workers() {
        let found = without(&["HUGETLBFS", "TUN"], |_| void(1.0, "memfd_create failed."));
        let text = found.sentence();
        assert!(text.contains("criu does not work on this kernel, so nothing is"), "{text}");
        let lacks = "memfd_create failed. This kernel lacks CONFIG_HUGETLBFS and CONFIG_TUN, \
                     which criu \
                     looks for and the configuration that comes with --build sets";
        assert!(text.ends_with(lacks), "{text}");
        assert!(!text.contains("signals") && !text.contains("blocks"), "{text}");
        // With all that criu needs, nothing is said of the configuration.
        let text = of(|_| void(1.0, "no reason")).sentence();
        assert!(text.ends_with("a ring: no reason"), "{text}");
    }

    #[test]
    fn a_control_that_was_given_up_or_that_criu_never_saw_is_not_said_to_be_criu_that_cannot_work()
    {
        let expected = "base, criu 3.17.1: nothing is known, because the control, a dump of a \
                        process \
                        that never opened a ring, did not complete in its time in 4 boots: not \
                        done \
                        after 20 s: Waiting for 9 to stop. A larger --criu gives it more";
        assert_eq!(without(&["TUN"], |_| void(20_000.0, LATE)).sentence(), expected);
        let never = "the process to be dumped was not ready after 60 s";
        let text = of(|_| void(0.0, never)).sentence();
        let expected = format!("opened a ring, could not be prepared in 4 boots: {never}");
        assert!(text.ends_with(&expected), "{text}");
    }

    #[test]
    fn controls_that_failed_in_different_ways_are_not_told_apart() {
        let late = || void(20_000.0, LATE);
        let found = of(|boot| if boot.round == 0 { void(1.0, "no memfd") } else { late() });
        let text = found.sentence();
        assert!(text.ends_with("opened a ring, did not complete in 4 boots: no memfd"), "{text}");
    }

    #[test]
    fn a_dump_that_completed_is_one_whatever_became_of_the_control() {
        let found = of(|_| Dump { control: void(1.0, "no memfd").control, ..dump(0, "") });
        assert_eq!(found.answers, all(Answer::NoneKept));
    }

    #[test]
    fn without_a_dump_nothing_is_said() {
        let (kernels, boots, _) = sample::kernels(1);
        assert!(dumps(&kernels, &boots).is_empty());
    }
}
