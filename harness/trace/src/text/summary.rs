//! The summary of a trace: what each process did, and what it means.

use comfy_table::{Cell, CellAlignment, Table, TableStyle};
use iowq_contract::trace::{Finding, Snapshot, TraceCause, TraceFile, TraceOp, TraceProcess, Way};

use crate::story::Story;
use crate::words::counted;

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
    let mut text =
        format!("{} for {:.1} s on Linux {kernel}\n", start.target, story.last.at_ns as f64 / 1e9);
    let processes = &story.last.processes;
    if processes.is_empty() {
        text += "no process used an io_uring\n";
    }
    for process in processes.iter().take(PROCESSES_MAX) {
        text += &of_process(process);
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

fn of_process(process: &TraceProcess) -> String {
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
    let mut text = format!(
        "\n{}[{}]{ended}: {}; workers {}{limit}, most {}, {} born, {} gone{idle}; {} in io-wq\n",
        process.comm,
        process.pid,
        counted(process.rings.len() as u64, "ring"),
        process.alive.total(),
        process.peak,
        process.born,
        process.exited,
        counted(process.in_flight, "request"),
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
    let limits: String = lost.chain(unseen).collect();
    if limits.is_empty() { limits } else { format!("\n{limits}") }
}
