//! Boots that went wrong: panics, hangs, oopses and stalls are findings about a kernel, and boots
//! that failed for another reason are trouble.

use iowq_record::{Boot, Complaint, ComplaintKind, Ended, Kernels};
use serde::Serialize;

use crate::format;

/// Boots that are named in a sentence.
const NAMED_MAX: usize = 6;

/// Something that went wrong in boots of one kernel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Went {
    /// The kernel.
    pub kernel: String,
    /// Short and stable, such as `hung`.
    pub code: &'static str,
    /// What it means for the comparison.
    pub class: Class,
    /// Numbers of the boots.
    pub boots: Vec<u32>,
    /// The finding for a reader, without a full stop.
    pub text: String,
    /// What the kernel or the host said first; may be empty.
    pub said: String,
}

/// What it means for the comparison, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// The test does so and the base never did.
    Regression,
    /// No boot of a kernel finished, and not by its own fault as far as is known.
    Trouble,
    /// The base does so as well, or some boots are missing.
    Caveat,
    /// Something that a reader should look at.
    Note,
}

/// A kind of what can go wrong.
struct Kind {
    code: &'static str,
    /// What a kernel did, such as `hung`.
    words: &'static str,
    happened: fn(&Boot) -> bool,
    /// The kind of the complaint that says so.
    complaint: Option<ComplaintKind>,
}

const fn complained(
    code: &'static str,
    words: &'static str,
    kind: ComplaintKind,
    happened: fn(&Boot) -> bool,
) -> Kind {
    Kind { code, words, happened, complaint: Some(kind) }
}

const fn ended(code: &'static str, words: &'static str, happened: fn(&Boot) -> bool) -> Kind {
    Kind { code, words, happened, complaint: None }
}

/// Faults of a kernel.
const FAULTS: [Kind; 5] = [
    complained("panic", "panicked", ComplaintKind::Panic, |boot| {
        boot.ended == Ended::Panicked || has(boot, ComplaintKind::Panic)
    }),
    ended("hung", "hung", |boot| boot.ended == Ended::Hung),
    complained("oops", "had an oops", ComplaintKind::Oops, |boot| has(boot, ComplaintKind::Oops)),
    complained("soft-lockup", "had a soft lockup", ComplaintKind::SoftLockup, |boot| {
        has(boot, ComplaintKind::SoftLockup)
    }),
    complained("rcu-stall", "had an RCU stall", ComplaintKind::RcuStall, |boot| {
        has(boot, ComplaintKind::RcuStall)
    }),
];

/// What need not be the kernel's fault.
const TROUBLES: [Kind; 3] = [
    ended("lacks", "lacked what is needed", |boot| boot.ended == Ended::Lacks),
    ended("failed", "failed", |boot| boot.ended == Ended::Failed),
    ended("died", "died with its virtual machine", |boot| boot.ended == Ended::Died),
];

/// What is worth a look.
const NOTES: [Kind; 3] = [
    complained("hung-task", "had a task that hung", ComplaintKind::HungTask, |boot| {
        has(boot, ComplaintKind::HungTask)
    }),
    complained("out-of-memory", "ran out of memory", ComplaintKind::OutOfMemory, |boot| {
        has(boot, ComplaintKind::OutOfMemory)
    }),
    complained("warning", "printed a warning", ComplaintKind::Warning, |boot| {
        has(boot, ComplaintKind::Warning)
    }),
];

fn has(boot: &Boot, kind: ComplaintKind) -> bool {
    complaint(boot, kind).is_some()
}

fn complaint(boot: &Boot, kind: ComplaintKind) -> Option<&Complaint> {
    boot.complaints.iter().find(|complaint| complaint.kind == kind)
}

impl Went {
    /// The finding with what was said first.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Self { text, said, .. } = self;
        if said.is_empty() { format!("{text}.") } else { format!("{text}: {said}") }
    }
}

/// What went wrong in the boots of all kernels, the worst first.
#[must_use]
pub fn went(kernels: &Kernels, boots: &[Boot]) -> Vec<Went> {
    let base = kernels.kernels.first().map_or("", |kernel| &kernel.label);
    let mut all = Vec::new();
    for kernel in &kernels.kernels {
        let label = kernel.label.as_str();
        let of_kernel: Vec<&Boot> = boots.iter().filter(|boot| boot.kernel == label).collect();
        let first = all.len();
        for kind in &FAULTS {
            let base_has = boots.iter().any(|boot| boot.kernel == base && (kind.happened)(boot));
            let class = if base_has { Class::Caveat } else { Class::Regression };
            all.extend(finding(kind, label, class, &of_kernel));
        }
        let faulty = all.len() > first;
        let finished = of_kernel.iter().any(|boot| boot.ended == Ended::Finished);
        let class = if finished || faulty { Class::Caveat } else { Class::Trouble };
        for kind in &TROUBLES {
            all.extend(finding(kind, label, class, &of_kernel));
        }
        for kind in &NOTES {
            all.extend(finding(kind, label, Class::Note, &of_kernel));
        }
        if label == base && faulty && !finished {
            let text = format!("no boot of {} finished", format::clip(label, 60));
            let (kernel, said) = (label.to_owned(), String::new());
            let (code, class) = ("base-unfinished", Class::Trouble);
            all.push(Went { kernel, code, class, boots: Vec::new(), text, said });
        }
        if of_kernel.is_empty() {
            let text = format!("{} was not booted", format::clip(label, 60));
            let (kernel, said) = (label.to_owned(), String::new());
            let (code, class) = ("not-booted", Class::Trouble);
            all.push(Went { kernel, code, class, boots: Vec::new(), text, said });
        }
    }
    // The sort is stable: within a class kernels stay in their order.
    all.sort_by_key(|went| went.class);
    all
}

/// Takes back what fresh boots of the same kernels did not show again: it is a caveat then.
pub fn confirm(went: &mut [Went], fresh: &[Went]) {
    for one in went.iter_mut().filter(|one| one.class == Class::Regression) {
        let again = |other: &&Went| other.kernel == one.kernel && other.code == one.code;
        match fresh.iter().find(again) {
            Some(again) => one.text += &format!("; booted once more, {}", again.text),
            None => {
                one.class = Class::Caveat;
                one.text += "; booted once more, it did not";
            }
        }
    }
    went.sort_by_key(|one| one.class);
}

fn finding(kind: &Kind, label: &str, class: Class, boots: &[&Boot]) -> Option<Went> {
    let found: Vec<&Boot> = boots.iter().copied().filter(|boot| (kind.happened)(boot)).collect();
    let first = found.first()?;
    let said = match kind.complaint.and_then(|kind| complaint(first, kind)) {
        Some(complaint) => &complaint.line,
        None => &first.reason,
    };
    let numbers: Vec<u32> = found.iter().map(|boot| boot.number).collect();
    let mut named: Vec<String> = numbers.iter().take(NAMED_MAX).map(u32::to_string).collect();
    if numbers.len() > NAMED_MAX {
        named.push(format!("{} more", numbers.len() - NAMED_MAX));
    }
    let text = format!(
        "{} {} in {} of {} ({} {})",
        format::clip(label, 60),
        kind.words,
        found.len(),
        format::count(boots.len() as u64, "boot", "boots"),
        if numbers.len() == 1 { "boot" } else { "boots" },
        format::list(&named)
    );
    let said = format::clip(said, 300);
    Some(Went { kernel: label.to_owned(), code: kind.code, class, boots: numbers, text, said })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn found(spoil: impl Fn(&mut Boot)) -> Vec<(Class, String)> {
        let (kernels, mut boots, _) = sample::kernels(4);
        boots.iter_mut().for_each(spoil);
        let went = went(&kernels, &boots).into_iter();
        went.map(|went| (went.class, went.text)).collect()
    }

    fn hang(boot: &mut Boot) {
        boot.ended = Ended::Hung;
        boot.reason = "no message for 60 s".to_owned();
    }

    fn warn(boot: &mut Boot, kind: ComplaintKind) {
        let line = "something is wrong".to_owned();
        boot.complaints.push(Complaint { kind, line, count: 1 });
    }

    #[test]
    fn a_test_that_hangs_where_the_base_never_did_is_a_regression() {
        assert_eq!(found(|_| ()), []);
        let hung = found(|boot| {
            if boot.kernel == "B" && boot.round < 2 {
                hang(boot);
            }
        });
        assert_eq!(hung.len(), 1);
        assert_eq!(hung[0].0, Class::Regression);
        assert!(hung[0].1.starts_with("B hung in 2 of 4 boots (boots "), "{hung:?}");
    }

    #[test]
    fn what_the_base_does_too_is_a_caveat_and_another_fault_is_not() {
        let both = found(|boot| {
            if ["base", "B"].contains(&boot.kernel.as_str()) && boot.round == 1 {
                hang(boot);
            }
            if boot.kernel == "B" {
                warn(boot, ComplaintKind::Oops);
            }
        });
        let classes: Vec<Class> = both.iter().map(|one| one.0).collect();
        assert_eq!(classes, [Class::Regression, Class::Caveat, Class::Caveat]);
        assert!(both[0].1.starts_with("B had an oops in 4 of 4 boots"), "{both:?}");
    }

    #[test]
    fn a_fault_that_fresh_boots_do_not_show_is_a_caveat() {
        let went_of = |spoil: fn(&mut Boot)| {
            let (kernels, mut boots, _) = sample::kernels(4);
            boots.iter_mut().filter(|boot| boot.kernel == "B").for_each(spoil);
            went(&kernels, &boots)
        };
        let mut first = went_of(hang);
        confirm(&mut first, &went_of(hang));
        assert_eq!(first[0].class, Class::Regression);
        assert!(first[0].text.contains("; booted once more, B hung in 4 of 4"), "{first:?}");
        let mut first = went_of(hang);
        confirm(&mut first, &went_of(|_| ()));
        assert_eq!(first[0].class, Class::Caveat);
        assert!(first[0].text.ends_with("booted once more, it did not"), "{first:?}");
    }

    #[test]
    fn a_base_that_never_finished_a_boot_is_trouble() {
        let both = found(|boot| {
            if ["base", "B"].contains(&boot.kernel.as_str()) {
                hang(boot);
            }
        });
        assert_eq!(both[0], (Class::Trouble, "no boot of base finished".to_owned()));
    }

    #[test]
    fn a_kernel_of_which_no_boot_finished_is_trouble_and_a_warning_is_a_note() {
        let died = |all: bool| {
            found(|boot| {
                if boot.kernel == "A" && (all || boot.round == 0) {
                    boot.ended = Ended::Died;
                }
            })
        };
        assert_eq!(died(true)[0].0, Class::Trouble);
        assert_eq!(died(false)[0].0, Class::Caveat);
        let warned = found(|boot| {
            if boot.kernel == "X" {
                warn(boot, ComplaintKind::Warning);
            }
        });
        assert_eq!(warned[0].0, Class::Note);
    }
}
