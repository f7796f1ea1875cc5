//! What was booted on what: kernels, their options, the machine, the order of boots and the last
//! lines of those that went wrong.

use iowq_contract::{Boot, Ended, Role};

use crate::format;
use crate::kernels::config::Changed;
use crate::kernels::outcome::KernelsOutcome;
use crate::kernels::page::mark::{mark, name};
use crate::render::page::Mark;

/// Options that are listed; the others are counted.
const OPTIONS_MAX: usize = 60;

/// Consoles whose end is shown, and lines of each.
const CONSOLES_MAX: usize = 12;
const LINES_MAX: usize = 30;

/// What it is, and the fact.
pub(crate) type Fact = (&'static str, String);

/// A kernel with its facts.
pub(crate) struct KernelView {
    pub(crate) mark: Mark,
    pub(crate) facts: Vec<Fact>,
}

/// The end of a console.
pub(crate) struct Console {
    pub(crate) title: String,
    pub(crate) about: String,
    pub(crate) text: String,
}

pub(crate) fn lead(outcome: &KernelsOutcome<'_>) -> String {
    let machine = &outcome.kernels.machine;
    let boots = format::count(outcome.boots.len() as u64, "boot", "boots");
    let noise = match outcome.boots_for_noise() {
        0 => String::new(),
        boots => format!(", {boots} of them for noise"),
    };
    let cpus = format::count(u64::from(machine.cpus), "processor", "processors");
    let mut parts = vec![
        format!("{boots} of {} kernels{noise}", outcome.kernels.kernels.len()),
        machine.accelerator.to_uppercase(),
        format!("{cpus}, {}", format::clip(&machine.disk.filesystem, 20)),
    ];
    parts.extend(outcome.boots.first().map(|boot| format::clip(&boot.started, 40)));
    parts.join(" · ")
}

fn fact(what: &'static str, text: &str) -> Option<Fact> {
    (!text.is_empty()).then(|| (what, format::clip(text, 300)))
}

pub(crate) fn kernels(outcome: &KernelsOutcome<'_>) -> Vec<KernelView> {
    let view = |kernel: &iowq_contract::Kernel| KernelView {
        mark: mark(outcome, &kernel.label),
        facts: [
            fact("release", kernel.release.as_deref().unwrap_or("unknown")),
            fact("image", &kernel.image),
            fact("SHA-256", &kernel.sha256),
            fact("command line", &kernel.command_line),
            fact("patches", &format::list(&kernel.patches)),
            fact("modules", &format::list(&kernel.modules)),
        ]
        .into_iter()
        .flatten()
        .collect(),
    };
    outcome.kernels.kernels.iter().map(view).collect()
}

/// Options that bear on io-wq.
/// The options that bear on io-wq and differ from the base's: name, kernel, base, kernel's, why.
pub(crate) fn options(outcome: &KernelsOutcome<'_>) -> Vec<[String; 5]> {
    let of = |one: &Changed| {
        let [base, value] = [&one.base, &one.value].map(|value| format::clip(value, 40));
        Some([format::clip(&one.option, 60), name(&one.test), base, value, one.why?.to_owned()])
    };
    outcome.config.iter().filter_map(of).take(OPTIONS_MAX).collect()
}

/// How many other options differ, and of which kernels nothing is known.
pub(crate) fn options_text(outcome: &KernelsOutcome<'_>) -> String {
    let matter = outcome.config.iter().filter(|one| one.why.is_some()).count();
    let others = (outcome.config.len() - matter) as u64;
    let unknown = outcome.kernels.kernels.iter().filter(|kernel| kernel.config.is_none());
    let unknown: Vec<String> = unknown.map(|kernel| name(&kernel.label)).collect();
    let mut parts = Vec::new();
    if matter == 0 {
        parts.push("No option that is known to bear on io-wq differs from the base's.".to_owned());
    }
    if matter > OPTIONS_MAX {
        parts.push(format!("{} more bear on io-wq.", matter - OPTIONS_MAX));
    }
    if others > 0 {
        let others = format::count(others, "other option differs", "other options differ");
        parts.push(format!("{others}; compare.json has them."));
    }
    if !unknown.is_empty() {
        parts.push(format!("The configuration of {} is not known.", format::list(&unknown)));
    }
    parts.join(" ")
}

pub(crate) fn facts(outcome: &KernelsOutcome<'_>) -> Vec<Fact> {
    let kernels = outcome.kernels;
    let machine = &kernels.machine;
    let disk = &machine.disk;
    let delay = match disk.delay_us {
        0 => "not delayed".to_owned(),
        delay_us => {
            let delay = format::duration(delay_us as f64 * 1e3);
            format!("each write and flush held back {delay} by dm-delay")
        }
    };
    let iops =
        disk.iops_max.map_or_else(String::new, |most| format!(", at most {most} requests/s"));
    let size = format::bytes(u64::from(disk.size_mib) << 20);
    let asked = format!(
        "{} rounds{}, {} of each workload in a boot, seed {}",
        kernels.boots,
        if kernels.noise { ", each with the base once more for noise" } else { "" },
        format::count(u64::from(kernels.repeats), "run", "runs"),
        kernels.seed
    );
    [
        fact("accelerator", &machine.accelerator.to_uppercase()),
        fact("why not KVM", &machine.accelerator_reason),
        fact("QEMU", &machine.qemu),
        fact("processors", &machine.cpus.to_string()),
        fact("memory", &format::bytes(u64::from(machine.memory_mib) << 20)),
        fact("disk", &format!("{}, {size}, new in each boot, {delay}{iops}", disk.filesystem)),
        fact("boots", &asked),
        fact("again", &kernels.command),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The kernels in the order in which they were booted, by round.
pub(crate) fn order(outcome: &KernelsOutcome<'_>) -> Vec<Vec<Mark>> {
    let mut rounds: Vec<Vec<Mark>> = Vec::new();
    let mut last = None;
    for boot in outcome.boots {
        if last != Some(boot.round) {
            rounds.push(Vec::new());
            last = Some(boot.round);
        }
        let mut mark = Mark { policy: booted(boot), ..mark(outcome, &boot.kernel) };
        if boot.ended != Ended::Finished {
            mark.policy = format!("{} {}", mark.policy, ended(boot));
        }
        if let Some(round) = rounds.last_mut() {
            round.push(mark);
        }
    }
    rounds
}

/// What a boot is called: its kernel, and that it was for noise.
fn booted(boot: &Boot) -> String {
    let again = if boot.role == Role::Noise { " again" } else { "" };
    format!("{}{again}", name(&boot.kernel))
}

fn ended(boot: &Boot) -> &'static str {
    match boot.ended {
        Ended::Finished => "finished",
        Ended::MissingFeature => "lacked something",
        Ended::Failed => "failed",
        Ended::Panicked => "panicked",
        Ended::Hung => "hung",
        Ended::Died => "died",
    }
}

/// The last lines of boots that did not finish or whose kernel complained, the worst first.
pub(crate) fn consoles(outcome: &KernelsOutcome<'_>) -> Vec<Console> {
    let numbers = format::distinct(outcome.findings.iter().flat_map(|finding| &finding.boots));
    let boots = numbers
        .iter()
        .filter_map(|number| outcome.boots.iter().find(|boot| boot.number == **number));
    let console = |boot: &Boot| {
        let from = boot.console_tail.len().saturating_sub(LINES_MAX);
        let lines = boot.console_tail[from..].iter().map(|line| format::clip(line, 200));
        let log = format::clip(&boot.console, 100);
        Console {
            title: format!("{}, boot {}: {}", booted(boot), boot.number, ended(boot)),
            about: match boot.reason.as_str() {
                "" => format!("The whole log is {log}."),
                reason => format!("{}; the whole log is {log}.", format::clip(reason, 300)),
            },
            text: lines.collect::<Vec<_>>().join("\n"),
        }
    };
    boots.take(CONSOLES_MAX).map(console).collect()
}
