//! The view of a process: all that is known of it, in lines.

use iowq_contract::Quantiles;
use iowq_contract::trace::{TraceOp, TraceProcess, TraceSubmitter};
use ratatui::text::Line;

use super::bars;
use super::lines::{cut, left, right, wrap};
use super::means::title;
use super::style::Style;
use crate::screen::state::State;
use crate::screen::units::{count, percent, time};
use crate::text::{of_cause, of_file};

/// Titles of the table of ops after the first.
const TITLES: [&str; 12] = [
    "submit", "forced", "iowq", "hashed", "unbnd", "done", "failed", "p50", "p99", "max", "wait50",
    "wait99",
];
/// Those of how long requests waited for a worker, where any is known.
const WAITS: [&str; 2] = ["wait50", "wait99"];
/// Columns of a figure.
const FIGURE: usize = 5;
/// Files that are listed.
const FILES_MAX: usize = 8;
/// Columns of the longest name of an op.
const NAME: usize = 16;
/// Columns from which on all figures are shown, and titles of those that are left out below.
const ALL_FROM: usize = 72;
const LEFT_OUT: [&str; 2] = ["done", "failed"];
/// Columns from which on the times of waiting are shown, too.
const WAITS_FROM: usize = 92;

pub(super) fn lines(state: &State, pid: u32, columns: u16, style: Style) -> Vec<Line<'static>> {
    let columns = usize::from(columns);
    let figures = state.figures();
    let Some(process) = figures.process(pid) else {
        return vec![Line::raw(format!("process {pid} is over and no longer listed; esc: back"))];
    };
    let mut lines = Vec::new();
    let over = if process.ended { " (over)" } else { "" };
    lines.push(Line::styled(cut(&format!("{}[{pid}]{over}", process.comm), columns), style.bold()));
    for text in [rings(process), workers(process)] {
        lines.extend(
            wrap(&text, columns.saturating_sub(2), "    ")
                .into_iter()
                .map(|line| Line::raw(format!("  {line}"))),
        );
    }
    let lives = figures.lives.of(pid);
    lines.extend(lives.map(|lives| bars::alive(lives, columns, style)));
    let parts = [
        ("requests since the start", ops(&process.ops, columns.saturating_sub(2))),
        ("threads that submit", submitters(process)),
        ("workers were born", process.causes.iter().map(of_cause).collect()),
        ("files in io-wq", process.files.iter().take(FILES_MAX).map(of_file).collect()),
    ];
    for (name, texts) in parts {
        if !texts.is_empty() {
            lines.push(title(name, columns, style));
        }
        lines.extend(texts.iter().map(|text| Line::raw(cut(&format!("  {text}"), columns))));
    }
    let more = process.files.len().saturating_sub(FILES_MAX) as u64 + process.files_more;
    if more > 0 {
        lines.push(Line::raw(format!("  and {more} more")));
    }
    let told = (figures.lives.now_ns, !figures.story.is_lower_bound());
    let bars = lives.map(|lives| bars::bars(lives, told, columns, style)).unwrap_or_default();
    if !bars.is_empty() {
        lines.push(title("latest workers, newest first", columns, style));
        lines.extend(bars);
    }
    lines
}

fn rings(process: &TraceProcess) -> String {
    let ring = |ring: &iowq_contract::trace::TraceRing| match ring.entries {
        Some(entries) => format!("fd {} ({entries} entries)", ring.fd),
        None => format!("fd {}", ring.fd),
    };
    let open: Vec<_> = process.rings.iter().map(ring).collect();
    let opened = match process.rings_opened {
        0 => String::new(),
        opened => format!(", {opened} opened since the start"),
    };
    format!("rings: {} open{opened}: {}", open.len(), open.join(", "))
        .trim_end_matches([':', ' '])
        .to_owned()
}

/// Threads that have workers, with the rings that they created.
fn submitters(process: &TraceProcess) -> Vec<String> {
    let line = |it: &TraceSubmitter| {
        let rings = process.rings.iter().filter(|ring| ring.by_tid == Some(it.tid));
        let rings: String = rings.map(|ring| format!(", ring fd {}", ring.fd)).collect();
        let limit = |kind, limit: Option<u64>| {
            limit.map_or_else(String::new, |limit| format!(", limit {limit} {kind}"))
        };
        let bounded = limit("bounded", it.limits.bounded.map(u64::from));
        let unbounded = limit("unbounded", it.limits.unbounded);
        format!("{}[{}]: {} workers born{bounded}{unbounded}{rings}", it.comm, it.tid, it.born)
    };
    let more =
        (process.submitters_more > 0).then(|| format!("and {} more", process.submitters_more));
    process.submitters.iter().map(line).chain(more).collect()
}

fn workers(process: &TraceProcess) -> String {
    let alive = process.alive;
    let kinds = [
        ("bounded", alive.bounded),
        ("unbounded", alive.unbounded),
        ("of unknown account", alive.unknown),
    ];
    let kinds: Vec<_> = kinds
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
    let limit = match (process.limits_told, process.limits_set, process.limits.bounded) {
        (false, Some(true), _) => ", limits set by the program".to_owned(),
        (_, _, Some(limit)) => format!(", limit {limit} bounded"),
        _ => String::new(),
    };
    let idle = match process.samples {
        0 => String::new(),
        samples => format!(", idle {}", percent(process.samples_idle as f64 / samples as f64)),
    };
    let pinned = match process.pinned.as_str() {
        "" => String::new(),
        cpus => format!(", pinned to processors {cpus}"),
    };
    format!(
        "workers: {} alive{kinds}{limit}, most {}, {} born, {} gone{idle}{pinned}; {} requests in io-wq",
        alive.total(),
        process.peak,
        process.born,
        process.exited,
        process.in_flight
    )
}

/// The table of ops, the busiest in io-wq first.
fn ops(ops: &[TraceOp], columns: usize) -> Vec<String> {
    if ops.is_empty() {
        return Vec::new();
    }
    let mut ops: Vec<_> = ops.iter().collect();
    ops.sort_by_key(|op| std::cmp::Reverse((op.queued, op.submitted)));
    let waits = columns >= WAITS_FROM && ops.iter().any(|op| op.wait.is_some());
    let widths = TITLES.map(|title| {
        let fits = columns >= ALL_FROM || !LEFT_OUT.contains(&title);
        let shown = if WAITS.contains(&title) { waits } else { fits };
        if shown { title.len().max(FIGURE) + 1 } else { 0 }
    });
    let room = columns.saturating_sub(widths.iter().sum()).min(NAME);
    let row = |name: &str, cells: [String; TITLES.len()]| {
        let cells = cells.iter().zip(widths).filter(|(_, width)| *width > 0);
        let cells = cells.map(|(cell, width)| right(cell, width));
        left(name, room) + &cells.collect::<String>()
    };
    let mut lines = vec![row("op", TITLES.map(str::to_owned))];
    lines.extend(ops.iter().map(|op| {
        let [submitted, forced, queued, hashed, unbounded, done, failed] =
            [op.submitted, op.forced, op.queued, op.hashed, op.unbounded, op.done, op.failed]
                .map(|value| count(value as f64));
        let [p50, p99, max] =
            [op.time.p50_ns, op.time.p99_ns, op.time.max_ns].map(|ns| match op.done {
                0 => "-".to_owned(),
                _ => time(ns),
            });
        let wait = |ns: fn(&Quantiles) -> u64| {
            op.wait.as_ref().map_or_else(|| "-".to_owned(), |wait| time(ns(wait)))
        };
        let [w50, w99] = [wait(|wait| wait.p50_ns), wait(|wait| wait.p99_ns)];
        row(
            &op.op,
            [submitted, forced, queued, hashed, unbounded, done, failed, p50, p99, max, w50, w99],
        )
    }));
    lines
}
