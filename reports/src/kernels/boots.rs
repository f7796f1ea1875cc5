//! Boots that went wrong: panics, hangs, oopses and stalls are findings about a kernel, and boots
//! that failed for another reason are trouble.

use iowq_contract::{Boot, Code, Complaint, ComplaintKind, Ended, Kernels, Role};
use serde::Serialize;

use crate::format;
use crate::stats::fisher::Share;
use crate::stats::{adjust, fisher};

/// Boots that are named in a sentence.
const NAMED_MAX: usize = 6;

/// Something that went wrong in boots of one kernel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BootFinding {
    /// The kernel.
    pub kernel: String,
    /// Short and stable, such as `hung`.
    pub code: Code,
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
    /// The test does so, and the base never did, or more seldom than chance explains.
    Regression,
    /// No boot of a kernel finished, and not by its own fault as far as is known.
    Trouble,
    /// The base does so as well, or some boots are missing.
    Caveat,
    /// Something that a reader should look at.
    Note,
}

/// A kind of what can go wrong: by how a boot ended, by what its kernel complained of, or both.
struct Kind {
    code: Code,
    /// What a kernel did, such as `hung`.
    words: &'static str,
    ended: Option<Ended>,
    complaint: Option<ComplaintKind>,
}

const fn ended(code: Code, words: &'static str, ended: Ended) -> Kind {
    Kind { code, words, ended: Some(ended), complaint: None }
}

const fn complained(code: Code, words: &'static str, complaint: ComplaintKind) -> Kind {
    Kind { code, words, ended: None, complaint: Some(complaint) }
}

/// Faults of a kernel.
const FAULTS: [Kind; 5] = [
    Kind {
        code: Code::Panic,
        words: "panicked",
        ended: Some(Ended::Panicked),
        complaint: Some(ComplaintKind::Panic),
    },
    ended(Code::Hung, "hung", Ended::Hung),
    complained(Code::Oops, "had an oops", ComplaintKind::Oops),
    complained(Code::SoftLockup, "had a soft lockup", ComplaintKind::SoftLockup),
    complained(Code::RcuStall, "had an RCU stall", ComplaintKind::RcuStall),
];

/// What need not be the kernel's fault.
const TROUBLES: [Kind; 3] = [
    ended(Code::MissingFeature, "lacked what is needed", Ended::MissingFeature),
    ended(Code::Failed, "failed", Ended::Failed),
    ended(Code::Died, "died with its virtual machine", Ended::Died),
];

/// What is worth a look.
const NOTES: [Kind; 3] = [
    complained(Code::HungTask, "had a task that hung", ComplaintKind::HungTask),
    complained(Code::OutOfMemory, "ran out of memory", ComplaintKind::OutOfMemory),
    complained(Code::Warning, "printed a warning", ComplaintKind::Warning),
];

impl Kind {
    fn happened(&self, boot: &Boot) -> bool {
        self.ended == Some(boot.ended) || self.complaint(boot).is_some()
    }

    /// The first complaint of this kind.
    fn complaint<'a>(&self, boot: &'a Boot) -> Option<&'a Complaint> {
        boot.complaints.iter().find(|complaint| Some(complaint.kind) == self.complaint)
    }
}

impl BootFinding {
    /// What is known of a kernel without a boot that shows it.
    fn of_no_boot(label: &str, code: Code, class: Class, text: String) -> Self {
        let kernel = label.to_owned();
        Self { kernel, code, class, boots: Vec::new(), text, said: String::new() }
    }

    /// The finding with what was said first.
    pub fn sentence(&self) -> String {
        let Self { text, said, .. } = self;
        if said.is_empty() { format!("{text}.") } else { format!("{text}: {said}") }
    }
}

/// What went wrong in the boots of all kernels, the worst first. Boots of the base for noise are
/// boots of the base. `alpha` is the error rate of the findings of one kernel together.
pub fn findings(kernels: &Kernels, boots: &[Boot], alpha: f64) -> Vec<BootFinding> {
    let base = kernels.kernels.first().map_or("", |kernel| &kernel.label);
    let of = |label: &str| boots.iter().filter(|boot| boot.kernel == label).collect::<Vec<_>>();
    let of_base = of(base);
    let mut all = Vec::new();
    for kernel in &kernels.kernels {
        let label = kernel.label.as_str();
        let of_kernel = of(label);
        let first = all.len();
        all.extend(if label == base {
            base_faults(base, &of_base)
        } else {
            test_faults([base, label], &of_base, &of_kernel, alpha)
        });
        let faulty = all.len() > first;
        let measured = || of_kernel.iter().filter(|boot| boot.role == Role::Measured);
        let finished = measured().any(|boot| boot.ended == Ended::Finished);
        let class = if finished || faulty { Class::Caveat } else { Class::Trouble };
        for kind in &TROUBLES {
            all.extend(finding(kind, label, class, &of_kernel));
        }
        for kind in &NOTES {
            all.extend(finding(kind, label, Class::Note, &of_kernel));
        }
        if label == base && faulty && !finished {
            let text = format!("no boot of {} finished", format::clip(label, 60));
            all.push(BootFinding::of_no_boot(label, Code::BaseUnfinished, Class::Trouble, text));
        }
        let again = || of_kernel.iter().filter(|boot| boot.role == Role::Noise);
        if label == base && kernels.noise && !again().any(|boot| boot.ended == Ended::Finished) {
            let text = "no boot for noise finished, so that noise is not known".to_owned();
            all.push(BootFinding::of_no_boot(label, Code::NoNoise, Class::Caveat, text));
        }
        if measured().next().is_none() {
            let text = format!("{} was not booted", format::clip(label, 60));
            all.push(BootFinding::of_no_boot(label, Code::NotBooted, Class::Trouble, text));
        }
    }
    // The sort is stable: within a class kernels stay in their order.
    all.sort_by_key(|finding| finding.class);
    all
}

/// Faults of the base, which are no finding against it.
fn base_faults(base: &str, boots: &[&Boot]) -> Vec<BootFinding> {
    let fault = |kind| finding(kind, base, Class::Caveat, &telling(kind, boots));
    FAULTS.iter().filter_map(fault).collect()
}

/// For each kind of fault the exact p that the test has it more often than the base, after Holm over
/// the kinds that both had; `None` for the others, which ask for no p.
fn more_often(base: &[Share], test: &[Share]) -> Vec<Option<f64>> {
    let both = base.iter().zip(test).map(|(base, test)| {
        let had = base.with > 0 && test.with > 0;
        had.then(|| fisher::p_more_often(*base, *test)).flatten()
    });
    adjust::holm(&both.collect::<Vec<_>>())
}

/// Faults of a test. Where the base had the same the test must have it more often than chance
/// explains.
fn test_faults(
    [base, test]: [&str; 2],
    of_base: &[&Boot],
    of_test: &[&Boot],
    alpha: f64,
) -> Vec<BootFinding> {
    let shares = |boots: &[&Boot]| FAULTS.each_ref().map(|kind| share(kind, boots));
    let (base_shares, test_shares) = (shares(of_base), shares(of_test));
    let p = more_often(&base_shares, &test_shares);
    let fault = |((kind, base_share), p): ((&Kind, &Share), &Option<f64>)| {
        let chance = p.is_some_and(|p| p >= alpha) || (p.is_none() && base_share.with > 0);
        let class = if chance { Class::Caveat } else { Class::Regression };
        let mut finding = finding(kind, test, class, &telling(kind, of_test))?;
        if let Some(p) = p {
            let may = if chance { "chance explains that" } else { "more than chance explains" };
            let Share { with, of } = base_share;
            let base = format::clip(base, 60);
            finding.text += &format!(", and {base} in {with} of {of} ({may}, p {})", format::p(*p));
        }
        Some(finding)
    };
    FAULTS.iter().zip(&base_shares).zip(&p).filter_map(fault).collect()
}

/// The boots that can tell whether a fault happens: where the guest failed or its machine was gone
/// it is not known what would have come.
fn telling<'a>(kind: &Kind, boots: &[&'a Boot]) -> Vec<&'a Boot> {
    let untold = [Ended::Failed, Ended::Died, Ended::MissingFeature];
    let tells = |boot: &&Boot| kind.happened(boot) || !untold.contains(&boot.ended);
    boots.iter().copied().filter(tells).collect()
}

fn share(kind: &Kind, boots: &[&Boot]) -> Share {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let telling = telling(kind, boots);
    let with = telling.iter().filter(|boot| kind.happened(boot)).count();
    Share { with: number(with), of: number(telling.len()) }
}

/// Takes back what reruns of the same kernels did not show again: it is a caveat then.
pub fn confirm(finding: &mut [BootFinding], rerun: &[BootFinding]) {
    for one in finding.iter_mut().filter(|one| one.class == Class::Regression) {
        let again = |other: &&BootFinding| other.kernel == one.kernel && other.code == one.code;
        let found = rerun.iter().find(again);
        one.text += &match found {
            Some(again) => format!("; booted once more, {}", again.text),
            None => "; booted once more, it did not".to_owned(),
        };
        if found.is_none_or(|again| again.class != Class::Regression) {
            one.class = Class::Caveat;
        }
    }
    finding.sort_by_key(|one| one.class);
}

fn finding(kind: &Kind, label: &str, class: Class, boots: &[&Boot]) -> Option<BootFinding> {
    let found: Vec<&Boot> = boots.iter().copied().filter(|boot| kind.happened(boot)).collect();
    let first = found.first()?;
    let said = match kind.complaint(first) {
        Some(complaint) => &complaint.line,
        None => &first.reason,
    };
    let numbers: Vec<u32> = found.iter().map(|boot| boot.number).collect();
    let name = |boot: &&Boot| match boot.role {
        Role::Noise => format!("{} for noise", boot.number),
        _ => boot.number.to_string(),
    };
    let text = format!(
        "{} {} in {} of {} ({} {})",
        format::clip(label, 60),
        kind.words,
        found.len(),
        format::count(boots.len() as u64, "boot", "boots"),
        if numbers.len() == 1 { "boot" } else { "boots" },
        format::first_of(found.iter().map(name).collect(), NAMED_MAX)
    );
    let said = format::clip(said, 300);
    Some(BootFinding {
        kernel: label.to_owned(),
        code: kind.code.clone(),
        class,
        boots: numbers,
        text,
        said,
    })
}

#[cfg(test)]
mod tests {
    use iowq_sample as sample;

    use super::*;

    const ALPHA: f64 = 0.05;

    fn found(spoil: impl Fn(&mut Boot)) -> Vec<(Class, String)> {
        let (kernels, mut boots, _) = sample::kernels(4);
        boots.iter_mut().for_each(spoil);
        let finding = findings(&kernels, &boots, ALPHA).into_iter();
        finding.map(|finding| (finding.class, finding.text)).collect()
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
        let chance = ", and base in 1 of 4 (chance explains that, p 0.786)";
        assert!(both[2].1.ends_with(chance), "{both:?}");
    }

    /// What is said of `B` where it and the base hang in so many of the first boots of eight.
    fn hangs(base: u32, test: u32, spoil: fn(&mut Boot)) -> (Class, String) {
        let (kernels, mut boots, _) = sample::kernels_with_noise(8);
        for boot in &mut boots {
            let most = if boot.kernel == "B" { test } else { base };
            let is_it = ["base", "B"].contains(&boot.kernel.as_str());
            if is_it && boot.role == Role::Measured && boot.round < most {
                hang(boot);
            }
            spoil(boot);
        }
        let mut all = findings(&kernels, &boots, ALPHA).into_iter();
        let of_test = all.find(|one| one.kernel == "B" && one.code == Code::Hung);
        of_test.map(|one| (one.class, one.text)).expect("it hung")
    }

    #[test]
    fn a_test_that_hangs_far_more_often_than_the_base_is_a_regression() {
        let (class, text) = hangs(1, 8, |_| ());
        assert_eq!(class, Class::Regression);
        assert!(text.contains("B hung in 8 of 8 boots"), "{text}");
        assert!(text.contains(", and base in 1 of 16 (more than chance explains, p <"), "{text}");
        assert_eq!(hangs(2, 4, |_| ()).0, Class::Caveat);
        assert_eq!(hangs(8, 6, |_| ()).0, Class::Caveat);
    }

    #[test]
    fn a_boot_of_the_base_for_noise_that_hangs_is_one_of_the_base() {
        let noisy = |boot: &mut Boot| {
            if boot.role == Role::Noise && boot.round < 1 {
                hang(boot);
            }
        };
        let (class, text) = hangs(0, 1, noisy);
        assert_eq!(class, Class::Caveat);
        assert!(text.contains("and base in 1 of 16 (chance explains that"), "{text}");
        let (kernels, mut boots, _) = sample::kernels_with_noise(4);
        boots.iter_mut().for_each(noisy);
        let finding = findings(&kernels, &boots, ALPHA);
        assert_eq!(finding.len(), 1);
        assert_eq!(finding[0].class, Class::Caveat);
        assert!(finding[0].text.starts_with("base hung in 1 of 8 boots (boot "), "{finding:?}");
        assert!(finding[0].text.ends_with(" for noise)"), "{finding:?}");
    }

    #[test]
    fn a_boot_whose_machine_was_gone_tells_nothing_of_a_hang() {
        let (_, text) = hangs(1, 7, |boot| {
            if boot.round == 7 {
                boot.ended = Ended::Died;
            }
        });
        assert!(text.contains("B hung in 7 of 7 boots"), "{text}");
        assert!(text.contains("and base in 1 of 14"), "{text}");
    }

    #[test]
    fn a_fault_that_reruns_do_not_show_is_a_caveat() {
        let findings_of = |spoil: fn(&mut Boot)| {
            let (kernels, mut boots, _) = sample::kernels(4);
            boots.iter_mut().filter(|boot| boot.kernel == "B").for_each(spoil);
            findings(&kernels, &boots, ALPHA)
        };
        let mut first = findings_of(hang);
        confirm(&mut first, &findings_of(hang));
        assert_eq!(first[0].class, Class::Regression);
        assert!(first[0].text.contains("; booted once more, B hung in 4 of 4"), "{first:?}");
        let mut first = findings_of(hang);
        confirm(&mut first, &findings_of(|_| ()));
        assert_eq!(first[0].class, Class::Caveat);
        assert!(first[0].text.ends_with("booted once more, it did not"), "{first:?}");
        let mut first = findings_of(hang);
        let mut again = findings_of(hang);
        again[0].class = Class::Caveat;
        confirm(&mut first, &again);
        assert_eq!(first[0].class, Class::Caveat, "the base did so too, there");
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

    #[test]
    fn only_what_both_had_is_asked_and_the_p_of_several_kinds_are_adjusted() {
        let share = |with| Share { with, of: 8 };
        let alone = more_often(&[share(1), share(0)], &[share(8), share(8)]);
        assert!(alone[0].is_some_and(|p| (p - 8.0 / 11_440.0).abs() < 1e-12), "{alone:?}");
        assert_eq!(alone[1], None, "a fault that the base never had needs no p");
        let two = more_often(&[share(1), share(1)], &[share(8), share(8)]);
        assert!(two[0].is_some_and(|p| (p - 16.0 / 11_440.0).abs() < 1e-12), "{two:?}");
    }
}
