//! The summary of a trace: what each process did, and what it means.

use comfy_table::{Cell, CellAlignment, Table, TableStyle};
use iowq_contract::Code;
use iowq_contract::trace::{Finding, Snapshot, TraceCause, TraceFile, TraceOp, TraceProcess, Way};

use crate::story::Story;
use crate::words::{self, counted};

/// Processes that are told of one by one.
const PROCESSES_MAX: usize = 20;
/// Files and causes that are listed for each.
const ROWS_MAX: usize = 5;

/// A column of the table of ops: its title, its figure, and whether it is left out where all are 0.
type Column = (&'static str, fn(&TraceOp) -> Option<u64>, bool);

/// The columns; times are in µs, from queueing to completion and to the start in a worker.
const COLUMNS: [Column; 11] = [
    ("submitted", |op| Some(op.submitted), false),
    ("forced", |op| Some(op.forced), false),
    ("to io-wq", |op| Some(op.queued), false),
    ("hashed", |op| Some(op.hashed), true),
    ("unbounded", |op| Some(op.unbounded), true),
    ("failed", |op| Some(op.failed), true),
    ("p50 µs", |op| (op.done > 0).then_some(op.time.p50_ns / 1000), false),
    ("p99 µs", |op| (op.done > 0).then_some(op.time.p99_ns / 1000), false),
    ("max µs", |op| (op.done > 0).then_some(op.time.max_ns / 1000), false),
    ("wait p50", |op| Some(op.wait.as_ref()?.p50_ns / 1000), true),
    ("wait p99", |op| Some(op.wait.as_ref()?.p99_ns / 1000), true),
];

/// The summary, with its findings.
#[must_use]
pub fn summary(story: &Story, findings: &[Finding]) -> String {
    let Some(start) = &story.start else { return String::new() };
    let kernel = start.host.kernel.split_whitespace().next().unwrap_or("unknown");
    let mut text = format!(
        "{} for {:.1} s on Linux {kernel}, tier {}\n",
        start.target,
        story.last.at_ns as f64 / 1e9,
        words::tier(start.tier)
    );
    if !start.reason.is_empty() {
        text += &format!("not by bpf: {}\n", start.reason);
    }
    let processes = &story.last.processes;
    if processes.is_empty() {
        text += "no process used an io_uring\n";
    }
    for process in processes.iter().take(PROCESSES_MAX) {
        text += &of_process(process, story.is_lower_bound());
    }
    let more = processes.len().saturating_sub(PROCESSES_MAX) as u64 + story.last.ended.count;
    if more > 0 {
        text += &format!("\nand {} more\n", counted(more, "process"));
    }
    if !findings.is_empty() {
        text += "\nwhat it means\n";
    }
    for (finding, number) in findings.iter().zip(1..) {
        text += &format!(
            "{number:>3}. {}: {}.\n     {}.\n",
            finding.statement, finding.cause, finding.remedy
        );
    }
    text += &limits(story);
    text += &cost(&story.last);
    text
}

fn of_process(process: &TraceProcess, is_lower_bound: bool) -> String {
    let idle = match process.samples {
        0 => String::new(),
        samples => format!(", idle {:.0} %", 100.0 * process.samples_idle as f64 / samples as f64),
    };
    let limit = match (process.limits_told, process.limits_set, process.limits.bounded) {
        (true, _, Some(limit)) => format!(" (limit {limit})"),
        (_, Some(true), _) => " (limits of its own)".to_owned(),
        (_, _, Some(limit)) => format!(" (default limit {limit})"),
        (_, _, None) => String::new(),
    };
    let ended = if process.ended { ", over" } else { "" };
    let rings = counted(process.rings.len() as u64, "ring");
    let (alive, peak) = (process.alive.total(), process.peak);
    let (born, exited) = (process.born, process.exited);
    let workers = if is_lower_bound {
        // Then requests are not seen.
        format!("at least {peak} at one time, {born} born and {exited} gone{idle}")
    } else {
        let in_flight = counted(process.in_flight, "request");
        format!("most {peak}, {born} born, {exited} gone{idle}; {in_flight} in io-wq")
    };
    let mut text = format!(
        "\n{}[{}]{ended}: {rings}; workers {alive}{limit}, {workers}\n",
        process.comm, process.pid
    );
    if !process.ops.is_empty() {
        text += &ops(process);
    }
    for cause in process.causes.iter().take(ROWS_MAX) {
        text += &format!("  {}\n", of_cause(cause));
    }
    for file in process.files.iter().take(ROWS_MAX) {
        text += &format!("  {}\n", of_file(file));
    }
    let files_more = process.files.len().saturating_sub(ROWS_MAX) as u64 + process.files_more;
    if files_more > 0 {
        text += &format!("  and {} more\n", counted(files_more, "file"));
    }
    text
}

/// What workers were born for.
pub(crate) fn of_cause(cause: &TraceCause) -> String {
    let why = match &cause.op {
        Some(op) => format!("for {op}{}", in_words(cause.way)),
        None => "for work queued earlier, when a worker went to sleep".to_owned(),
    };
    let paid = match cause.paid_ns {
        0 => String::new(),
        ns => format!(", {} µs of the submitter's time each", ns / cause.born.max(1) / 1000),
    };
    format!("{} born {why}{paid}", cause.born)
}

/// What requests worked on.
pub(crate) fn of_file(file: &TraceFile) -> String {
    format!("{} {}{} on {}", file.queued, file.op, in_words(file.way), file.file)
}

fn ops(process: &TraceProcess) -> String {
    let says = |value: fn(&TraceOp) -> Option<u64>| {
        process.ops.iter().any(|op| value(op).is_some_and(|value| value > 0))
    };
    let columns: Vec<_> =
        COLUMNS.iter().filter(|(_, value, optional)| !optional || says(*value)).collect();
    let mut table = Table::new();
    table.load_style(TableStyle::new());
    table.set_header(["  op"].into_iter().chain(columns.iter().map(|(title, ..)| *title)));
    for op in &process.ops {
        let cells = columns.iter().map(|(_, value, _)| {
            let text = value(op).map_or_else(|| "-".to_owned(), |value| value.to_string());
            Cell::new(text).set_alignment(CellAlignment::Right)
        });
        table.add_row([Cell::new(format!("  {}", op.op))].into_iter().chain(cells));
    }
    table.trim_fmt() + "\n"
}

/// How requests came to io-wq, in words.
fn in_words(way: Way) -> String {
    let words = [(way.forced, "forced"), (way.hashed, "hashed"), (way.unbounded, "unbounded")];
    let words: Vec<_> = words.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
    if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) }
}

/// What the trace itself took.
fn cost(last: &Snapshot) -> String {
    let share = |ns: u64| 100.0 * ns as f64 / last.at_ns.max(1) as f64;
    let programs = last.programs_cpu_ns.map_or_else(String::new, |programs_ns| {
        format!(", its programs in the kernel about {:.1} %", share(programs_ns))
    });
    format!("\nthe trace took {:.1} % of one processor{programs}\n", share(last.own_cpu_ns))
}

/// What limits the trace.
fn limits(story: &Story) -> String {
    let lost = story.last.lost.iter().map(|(cause, count)| format!("lost: {count} {cause}\n"));
    let unseen = story.start.iter().flat_map(|start| &start.unseen);
    let unseen = unseen.map(|unseen| format!("not seen: {unseen}\n"));
    let caveats = story.start.iter().flat_map(|start| &start.caveats);
    // Why it is not by BPF programs is said above.
    let caveats = caveats.filter(|caveat| caveat.code != Code::NoBpf);
    let caveats = caveats.map(|caveat| format!("{}: {}\n", caveat.code, caveat.text));
    let limits: String = lost.chain(caveats).chain(unseen).collect();
    if limits.is_empty() { limits } else { format!("\n{limits}") }
}

#[cfg(test)]
mod tests {
    use iowq_contract::trace::{Snapshot, TraceStart};
    use iowq_contract::{Caveat, Host, Tier};

    use super::*;

    fn story(tier: Tier, reason: &str) -> Story {
        let start = TraceStart {
            schema: String::new(),
            started: String::new(),
            target: "all processes".into(),
            interval_ms: 1000,
            tier,
            reason: reason.into(),
            unseen: vec!["requests".into()],
            caveats: vec![
                Caveat::new(Code::ProcMissed, "a lower bound"),
                Caveat::new(Code::NoBpf, "of another line"),
            ],
            host: Host::default(),
        };
        let process =
            TraceProcess { pid: 7, comm: "db".into(), born: 3, ..TraceProcess::default() };
        let last = Snapshot { processes: vec![process], ..Snapshot::default() };
        Story { start: Some(start), last }
    }

    #[test]
    fn the_tier_stands_in_the_first_line_and_the_reason_for_a_lesser_one_in_the_second() {
        let text = summary(&story(Tier::Bpf, ""), &[]);
        assert!(text.lines().next().is_some_and(|line| line.ends_with(", tier bpf")), "{text}");
        assert!(!text.contains("not by bpf"), "{text}");
        let text = summary(&story(Tier::Tracefs, "setcap would help"), &[]);
        assert_eq!(text.lines().nth(1), Some("not by bpf: setcap would help"));
    }

    #[test]
    fn what_was_polled_is_told_as_at_least_so_much() {
        let text = summary(&story(Tier::Proc, "no rights"), &[]);
        for part in
            ["at least 0 at one time, 3 born and 0 gone\n", "\nproc-missed: a lower bound\n"]
        {
            assert!(text.contains(part), "{text}");
        }
        assert!(!text.contains("in io-wq") && !text.contains("of another line"), "{text}");
        let text = summary(&story(Tier::Bpf, ""), &[]);
        assert!(text.contains("most 0, 3 born, 0 gone; 0 requests in io-wq"), "{text}");
    }
}
