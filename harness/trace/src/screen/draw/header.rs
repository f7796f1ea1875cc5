//! The header: what is traced, totals, what it costs, what was lost and what is not seen.

use iowq_contract::Tier;
use ratatui::text::Line;

use super::lines::{cut, width};
use super::style::Style;
use crate::screen::row::Row;
use crate::screen::state::State;
use crate::screen::units::count;
use crate::words::{self, counted};

/// The lines of the header.
pub(super) fn lines(state: &State, columns: u16, style: Style) -> Vec<Line<'static>> {
    let columns = usize::from(columns);
    let figures = state.figures();
    let (start, last) = (&figures.story.start, &figures.story.last);
    let kernel = start.as_ref().and_then(|start| start.host.kernel.split_whitespace().next());
    let target = start.as_ref().map_or("", |start| start.target.as_str());
    let paused = if state.is_paused() { "  PAUSED" } else { "" };
    // They run in the time of others: a share of one processor, as of the tracer.
    let programs = last.programs_cpu_ns.map(|programs_ns| {
        format!("+{:.1}%", 100.0 * programs_ns as f64 / last.at_ns.max(1) as f64)
    });
    let tier = start.as_ref().map(|start| start.tier).filter(|tier| *tier != Tier::Bpf);
    let tier = tier.map_or_else(String::new, |tier| format!("  tier {}", words::tier(tier)));
    let tail = format!(
        "{tier}  Linux {}  {:.0} s  own CPU {:.1}%{}{paused}",
        kernel.unwrap_or("unknown"),
        last.at_ns as f64 / 1e9,
        100.0 * figures.own_cpu,
        programs.unwrap_or_default(),
    );
    let room = columns.saturating_sub("iowq trace  ".len() + width(&tail));
    let first = format!("iowq trace  {}{tail}", cut(target, room));
    let mut lines = vec![
        Line::styled(cut(&first, columns), style.bold()),
        Line::raw(cut(&totals(&figures.rows, last.ended.count), columns)),
    ];
    if !last.lost.is_empty() {
        let lost = last.lost.iter().map(|(cause, count)| format!("{count} {cause}"));
        let lost = format!("LOST {}", lost.collect::<Vec<_>>().join("; "));
        lines.push(Line::styled(cut(&lost, columns), style.alarm()));
    }
    if figures.story.is_lower_bound() {
        let text = "births, exits and peaks are AT LEAST these: /proc is polled";
        lines.push(Line::styled(cut(text, columns), style.alarm()));
    }
    if let Some(start) = start.as_ref().filter(|start| !start.reason.is_empty()) {
        let reason = format!("not by bpf: {}", start.reason);
        lines.push(Line::styled(cut(&reason, columns), style.dim()));
    }
    let unseen = start.as_ref().map_or(&[][..], |start| &start.unseen[..]);
    if !unseen.is_empty() {
        let unseen = format!("not seen: {}", unseen.join("; "));
        lines.push(Line::styled(cut(&unseen, columns), style.dim()));
    }
    lines
}

fn totals(rows: &[Row], ended: u64) -> String {
    let sum = |of: fn(&Row) -> f64| count(rows.iter().map(of).sum());
    let over = rows.iter().filter(|row| row.ended).count() as u64 + ended;
    let over = if over > 0 { format!(" ({over} over)") } else { String::new() };
    format!(
        "{}{over}  workers {} +{}/s -{}/s  submitted {}/s  io-wq {}/s  now {}",
        counted(rows.iter().filter(|row| !row.ended).count() as u64, "process"),
        sum(|row| row.alive.total().into()),
        sum(|row| row.born),
        sum(|row| row.exited),
        sum(|row| row.submitted),
        sum(|row| row.queued),
        sum(|row| if row.ended { 0.0 } else { row.in_flight as f64 }),
    )
}
