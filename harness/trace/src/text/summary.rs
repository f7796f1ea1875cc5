//! The summary of a trace: what each process did, and what it means.

use comfy_table::{Cell, CellAlignment, Table, TableStyle};
use iowq_contract::Quantiles;
use iowq_contract::trace::{Finding, Snapshot, TraceCause, TraceFile, TraceOp, TraceProcess, Way};

use crate::story::Story;
use crate::words::counted;

/// Processes that are told of one by one.
const PROCESSES_MAX: usize = 20;
/// Files and causes that are listed for each.
const ROWS_MAX: usize = 5;

/// Columns of the table of ops, times from queueing to completion.
const TITLES: [&str; 10] = [
    "  op",
    "submitted",
    "forced",
    "to io-wq",
    "hashed",
    "unbounded",
    "failed",
    "p50 µs",
    "p99 µs",
    "max µs",
];
/// Further ones where it is seen how long requests waited for a worker.
const WAIT_TITLES: [&str; 2] = ["wait p50", "wait p99"];

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
    let waits = process.ops.iter().any(|op| op.wait.is_some());
    let mut table = Table::new();
    table.load_style(TableStyle::new());
    table.set_header(TITLES.iter().chain(if waits { &WAIT_TITLES[..] } else { &[] }));
    for op in &process.ops {
        let times = [op.time.p50_ns, op.time.p99_ns, op.time.max_ns].map(|ns| match op.done {
            0 => "-".to_owned(),
            _ => (ns / 1000).to_string(),
        });
        let counts = [op.submitted, op.forced, op.queued, op.hashed, op.unbounded, op.failed];
        let waits = if waits { wait_cells(op) } else { Vec::new() };
        let cells = counts.iter().map(u64::to_string).chain(times).chain(waits);
        let cells = cells.map(|cell| Cell::new(cell).set_alignment(CellAlignment::Right));
        table.add_row([Cell::new(format!("  {}", op.op))].into_iter().chain(cells));
    }
    table.trim_fmt() + "\n"
}

fn wait_cells(op: &TraceOp) -> Vec<String> {
    let cell = |ns: fn(&Quantiles) -> u64| {
        op.wait.as_ref().map_or_else(|| "-".to_owned(), |wait| (ns(wait) / 1000).to_string())
    };
    vec![cell(|wait| wait.p50_ns), cell(|wait| wait.p99_ns)]
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
