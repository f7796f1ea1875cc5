//! Dumps: whether `criu dump` of a process that closed its rings completed, kernel by kernel.

use iowq_record::guest::{CRIU_OPTIONS, ControlFailure, Dump, WORKER_IN_THE_WAY};
use iowq_record::{Boot, Kernel, Kernels};
use serde::Serialize;

use crate::analysis::figures::Spread;
use crate::format;

/// Characters of criu's that are quoted.
const SAID_CHARS_MAX: usize = 300;

/// The dumps that were tried in the boots of one kernel. Each is in one of the four counts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Dumps {
    /// The kernel.
    pub kernel: String,
    /// Boots in which a dump was tried.
    pub tried: u32,
    /// Dumps that completed within their time.
    pub dumped: u32,
    /// Dumps that a worker kept from completing.
    pub kept_by_worker: u32,
    /// Dumps that failed in boots in which no process without a ring was dumped either.
    pub void: u32,
    /// How that other dump failed in those boots; null where there are none, or it failed
    /// differently from boot to boot.
    pub control: Option<ControlFailure>,
    /// Dumps that failed for any other reason.
    pub other: u32,
    /// Most workers that were there when a dump began.
    pub workers_max: u32,
    /// Median time of those that completed, in milliseconds.
    pub took_ms: Option<f64>,
    /// What criu said in the first that did not complete, those that a worker kept before others;
    /// of a void one, what it said of the process without a ring. Empty where all completed.
    pub said: String,
    /// Options that criu looks for and this kernel lacks, where dumps are void because criu cannot
    /// work on it, and its configuration is known.
    pub lacks: Vec<String>,
}

/// What one dump says of its kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Dumped,
    KeptByWorker,
    Other,
    Void,
}

fn control_failure(dump: &Dump) -> Option<ControlFailure> {
    dump.control.as_ref()?.failure()
}

fn answer(dump: &Dump) -> Answer {
    if dump.dumped {
        Answer::Dumped
    } else if control_failure(dump).is_some() {
        Answer::Void
    } else if dump.workers > 0 && dump.reason.contains(WORKER_IN_THE_WAY) {
        Answer::KeptByWorker
    } else {
        Answer::Other
    }
}

/// What criu said of that which decided the answer.
fn said(dump: &Dump) -> &str {
    match (answer(dump), &dump.control) {
        (Answer::Void, Some(control)) => &control.reason,
        _ => &dump.reason,
    }
}

/// Options that criu looks for and a kernel lacks; none where its configuration is not known.
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
#[must_use]
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
        let with = |wanted| dumps.iter().filter(move |dump| answer(dump) == wanted);
        let count = |wanted| u32::try_from(with(wanted).count()).unwrap_or(u32::MAX);
        let telling = [Answer::KeptByWorker, Answer::Other, Answer::Void];
        let failed = telling.into_iter().find_map(|answer| with(answer).next());
        let mut controls = with(Answer::Void).map(|dump| control_failure(dump));
        let control =
            controls.next().flatten().filter(|first| controls.all(|one| one == Some(*first)));
        Some(Self {
            kernel: kernel.label.clone(),
            tried: u32::try_from(dumps.len()).unwrap_or(u32::MAX),
            dumped: count(Answer::Dumped),
            kept_by_worker: count(Answer::KeptByWorker),
            void: count(Answer::Void),
            control,
            other: count(Answer::Other),
            workers_max: dumps.iter().map(|dump| dump.workers).max()?,
            took_ms: Spread::of(with(Answer::Dumped).map(|dump| dump.took_ms).collect())
                .map(|spread| spread.median),
            said: failed.map_or_else(String::new, |dump| format::clip(said(dump), SAID_CHARS_MAX)),
            lacks: match control {
                Some(ControlFailure::Criu) => lacks(kernel),
                _ => Vec::new(),
            },
        })
    }

    /// What came of them, for a reader.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Self { tried, dumped, kept_by_worker, void, other, .. } = *self;
        let kernel = format::clip(&self.kernel, 60);
        let boots = format::count(u64::from(tried), "boot", "boots");
        if void == tried {
            return match self.control {
                Some(ControlFailure::Criu) => self.cannot_work(&kernel, &boots),
                _ => self.not_known(&kernel, &boots),
            };
        }
        let mut text = format!("{kernel}: criu dump completed in {dumped} of {boots}");
        if let Some(took_ms) = self.took_ms {
            text += &format!(", in {} at the median", format::duration(took_ms * 1e6));
        }
        if kept_by_worker > 0 {
            text += &format!("; a worker was in the way in {kept_by_worker}");
        }
        if other > 0 {
            text += &format!("; it failed for another reason in {other}");
        }
        if void > 0 {
            text += &match self.control {
                Some(ControlFailure::Criu) => format!("; criu itself did not work in {void}"),
                _ => {
                    format!("; a process that never opened a ring was not dumped in {void} either")
                }
            };
            text += ", which say nothing";
        }
        if self.said.is_empty() { text + "." } else { format!("{text}: {}", self.said) }
    }

    /// Where criu never worked, nothing is known about workers.
    fn cannot_work(&self, kernel: &str, boots: &str) -> String {
        let text = format!(
            "{kernel}: criu itself cannot work on this kernel, so nothing is known: in {boots} it \
             did not even dump a process that never opened a ring: {}",
            self.said
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
        let said = self.said.trim_end_matches('.');
        format!(
            "{kernel}: nothing is known, because the control, a dump of a process that never \
             opened a ring, {how} in {boots}: {said}{advice}"
        )
    }
}

#[cfg(test)]
mod tests {
    use iowq_record::guest::Control;

    use super::*;
    use crate::sample;

    const WORKER: &str = "Can't block signals for 264: Operation not permitted";

    fn dump(dumped: bool, reason: &str) -> Option<Dump> {
        let (took_ms, workers) = if dumped { (1_500.0, 0) } else { (900.0, 4) };
        let control = Some(Control { dumped: true, took_ms: 1_400.0, reason: String::new() });
        Some(Dump { dumped, took_ms, workers, reason: reason.to_owned(), control })
    }

    /// A dump that failed, as it had to: without a ring it failed for the reason that is given.
    fn void(reason: &str) -> Option<Dump> {
        let control = Some(Control { dumped: false, took_ms: 1.0, reason: reason.to_owned() });
        dump(false, WORKER).map(|dump| Dump { control, ..dump })
    }

    /// The same, but that criu was not done with that other process, or never had it.
    fn void_after(took_ms: f64, reason: &str) -> Option<Dump> {
        let control = Some(Control { dumped: false, took_ms, reason: reason.to_owned() });
        void("").map(|dump| Dump { control, ..dump })
    }

    fn of(kernel: &str, dump_of: impl Fn(&Boot) -> Option<Dump>) -> Option<Dumps> {
        with_config(kernel, &[], dump_of)
    }

    /// The kernel's configuration is what criu needs, but for what is given.
    fn with_config(
        kernel: &str,
        without: &[&str],
        dump_of: impl Fn(&Boot) -> Option<Dump>,
    ) -> Option<Dumps> {
        let (mut kernels, mut boots, _) = sample::kernels(4);
        let needed = CRIU_OPTIONS.iter().filter(|(option, _)| !without.contains(option));
        let config = needed.map(|(option, _)| ((*option).to_owned(), "y".to_owned())).collect();
        let tested = kernels.kernels.iter_mut().find(|one| one.label == kernel);
        tested.expect("a kernel of the sample").config = Some(config);
        for boot in &mut boots {
            boot.dump = if boot.kernel == kernel { dump_of(boot) } else { None };
        }
        let mut found = dumps(&kernels, &boots);
        assert!(found.len() <= 1, "kernels without a dump have no row");
        found.pop()
    }

    #[test]
    fn a_kernel_of_which_every_process_was_dumped_says_how_long_it_took() {
        let found = of("X", |_| dump(true, "")).expect("there were dumps");
        assert_eq!(
            found.sentence(),
            "X: criu dump completed in 4 of 4 boots, in 1.5\u{a0}s at the median."
        );
    }

    #[test]
    fn a_worker_in_the_way_is_told_from_a_failure_of_criu() {
        let found = of("base", |boot| match boot.round {
            0 => dump(false, "memfd_create failed"),
            1 => void("memfd_create failed"),
            _ => dump(false, WORKER),
        });
        let found = found.expect("there were dumps");
        let counts = [found.tried, found.dumped, found.kept_by_worker, found.other, found.void];
        assert_eq!(counts, [4, 0, 2, 1, 1]);
        let expected = "base: criu dump completed in 0 of 4 boots; a worker was in the way in 2; \
                        it failed for another reason in 1; criu itself did not work in 1, which \
                        say nothing: ";
        assert_eq!(found.sentence(), format!("{expected}{WORKER}"));
    }

    #[test]
    fn where_no_worker_was_left_none_was_in_the_way() {
        let found = of("X", |_| dump(false, WORKER).map(|dump| Dump { workers: 0, ..dump }));
        assert_eq!(found.map(|found| (found.kept_by_worker, found.other)), Some((0, 4)));
    }

    #[test]
    fn a_criu_that_cannot_dump_a_process_without_a_ring_says_nothing_about_workers() {
        let found = with_config("base", &["HUGETLBFS", "TUN"], |_| void("memfd_create failed."));
        let text = found.expect("there were dumps").sentence();
        assert!(text.contains("criu itself cannot work on this kernel, so nothing is"), "{text}");
        let lacks = "memfd_create failed. This kernel lacks CONFIG_HUGETLBFS and CONFIG_TUN, which criu \
                     looks for and the configuration that comes with --build sets";
        assert!(text.ends_with(lacks), "{text}");
        assert!(!text.contains("signals") && !text.contains("in the way"), "{text}");
    }

    #[test]
    fn a_control_that_was_given_up_is_not_said_to_be_criu_that_cannot_work() {
        let late = "not done after 20 s: Waiting for 9 to stop";
        let found = with_config("base", &["TUN"], |_| void_after(20_000.0, late));
        let text = found.expect("there were dumps").sentence();
        let expected = "base: nothing is known, because the control, a dump of a process that never \
                        opened a ring, did not complete in its time in 4 boots: not done after 20 s: \
                        Waiting for 9 to stop. A larger --criu gives it more";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_control_that_criu_never_saw_is_not_said_to_be_criu_that_cannot_work() {
        let never = "the process to be dumped was not ready after 60 s";
        let found = of("base", |_| void_after(0.0, never)).expect("there were dumps");
        let expected = format!("opened a ring, could not be prepared in 4 boots: {never}");
        assert!(found.sentence().ends_with(&expected), "{}", found.sentence());
    }

    #[test]
    fn controls_that_failed_in_different_ways_are_not_told_apart() {
        let late = || void_after(20_000.0, "not done after 20 s");
        let found = of("base", |boot| if boot.round == 0 { void("no memfd") } else { late() });
        let text = found.expect("there were dumps").sentence();
        assert!(text.ends_with("opened a ring, did not complete in 4 boots: no memfd"), "{text}");
        let found = of("base", |boot| if boot.round == 0 { late() } else { dump(true, "") });
        let text = found.expect("there were dumps").sentence();
        let expected = "; a process that never opened a ring was not dumped in 1 either, which";
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn a_kernel_that_lacks_nothing_that_criu_needs_is_not_said_to() {
        let found = of("base", |_| void("no reason")).expect("there were dumps");
        assert!(found.sentence().ends_with("a ring: no reason"), "{}", found.sentence());
    }

    #[test]
    fn a_boot_of_before_the_control_is_read_by_what_criu_said() {
        let found = of("base", |_| dump(false, WORKER).map(|dump| Dump { control: None, ..dump }));
        assert_eq!(found.map(|found| found.kept_by_worker), Some(4));
    }

    #[test]
    fn without_a_dump_nothing_is_said() {
        assert_eq!(of("base", |_| None), None);
    }
}
