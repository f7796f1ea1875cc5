//! Workers over time: how many were alive, and from when to when each one lived.

use ratatui::text::{Line, Span};

use super::lines::{cut, left, right};
use super::style::Style;
use crate::screen::lives::{Life, Lives};
use crate::screen::units::time;

/// Time that bars go back.
const WINDOW_NS: u64 = 60_000_000_000;
/// Columns beside a bar: the number, how long it lived, and what for.
const BESIDE: usize = 8 + 8 + 18;
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// How many workers were alive, a letter for each snapshot, the latest at the right.
pub(super) fn alive(lives: &Lives, columns: usize, style: Style) -> Line<'static> {
    let kept = lives.alive.len();
    let shown = kept.min(columns.saturating_sub(32));
    let latest: Vec<_> = lives.alive.iter().skip(kept - shown).copied().collect();
    let most = latest.iter().map(|(_, alive)| *alive).max().unwrap_or(0);
    let letter = |(_, alive): &(u64, u32)| match alive {
        0 => ' ',
        _ => {
            let height = (u64::from(*alive) * 8).div_ceil(u64::from(most.max(1)));
            HEIGHTS[usize::try_from(height - 1).unwrap_or(0).min(7)]
        }
    };
    let times = latest.first().zip(latest.last());
    let span_ns = times.map_or(0, |((first, _), (last, _))| last - first);
    Line::from(vec![
        Span::raw("  alive  "),
        Span::styled(latest.iter().map(letter).collect::<String>(), style.bar()),
        Span::raw(format!("  most {most}, over {}", time(span_ns))),
    ])
}

/// When workers lived, newest first, and what they were born for if that is told.
pub(super) fn bars(
    lives: &Lives,
    (now_ns, tells_causes): (u64, bool),
    columns: usize,
    style: Style,
) -> Vec<Line<'static>> {
    let from_ns = now_ns.saturating_sub(WINDOW_NS).max(lives.all_since_ns).min(now_ns);
    let room = columns.saturating_sub(BESIDE).max(8);
    let in_window = |life: &&Life| life.exited_ns.is_none_or(|exited_ns| exited_ns >= from_ns);
    let workers = lives.workers.iter().rev().filter(in_window);
    let bar = |life: &Life| {
        let what = match (&life.op, life.born_ns) {
            (Some(op), _) => format!("for {op}"),
            (None, Some(_)) if tells_causes => "for work queued".to_owned(),
            _ => String::new(),
        };
        bar(life, (from_ns, now_ns), room, &what, style)
    };
    let mut lines: Vec<_> = workers.map(bar).collect();
    let head = format!("  {} ago", time(now_ns - from_ns));
    let head = format!("{}{}", left(&head, 10 + room - 3), "now");
    if !lines.is_empty() {
        lines.insert(0, Line::styled(head, style.dim()));
    }
    lines
}

fn bar(
    life: &Life,
    (from_ns, now_ns): (u64, u64),
    room: usize,
    what: &str,
    style: Style,
) -> Line<'static> {
    let place = |at_ns: u64| {
        let part = at_ns.saturating_sub(from_ns) as f64 / (now_ns - from_ns).max(1) as f64;
        ((part * room as f64) as usize).min(room)
    };
    let begin = place(life.born_ns.unwrap_or(0)).min(room - 1);
    // However short, it is seen.
    let end = place(life.exited_ns.unwrap_or(now_ns)).max(begin + 1);
    let lived = match life.born_ns {
        Some(born_ns) => time(life.exited_ns.unwrap_or(now_ns).saturating_sub(born_ns)),
        None => "before".to_owned(),
    };
    Line::from(vec![
        Span::raw(right(&life.tid.to_string(), 9) + " " + &" ".repeat(begin)),
        Span::styled("━".repeat(end - begin), style.bar()),
        Span::raw(" ".repeat(room - end)),
        Span::raw(right(&lived, 7) + "  " + &cut(what, 15)),
    ])
}
