//! What the trace means so far: its findings.

use iowq_contract::trace::Finding;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::REST_MIN;
use super::lines::{cut, left, wrap};
use super::style::Style;
use crate::screen::state::State;

/// As much of the findings as there is room for below the rest: of all processes, or of one.
pub(super) fn short(
    state: &State,
    pid: Option<u32>,
    area: Rect,
    style: Style,
) -> Vec<Line<'static>> {
    let all = state.figures().findings.iter();
    let findings: Vec<_> = all.filter(|one| pid.is_none() || one.pid == pid).collect();
    let columns = usize::from(area.width);
    let room = usize::from((area.height / 3).min(area.height.saturating_sub(REST_MIN)));
    let mut lines = vec![title("what it means", columns, style)];
    if findings.is_empty() {
        lines.push(Line::styled("nothing to remark so far", style.dim()));
    }
    let mut full: Vec<_> = findings.iter().flat_map(|one| of(one, columns, style)).collect();
    if full.len() + 1 > room {
        // The statements first, if not all of it fits.
        full = findings.iter().map(|one| statement(one, columns)).collect();
        full.truncate(room.saturating_sub(2));
        full.push(Line::styled(
            cut(&format!("f: causes and remedies of all {}", findings.len()), columns),
            style.dim(),
        ));
    }
    lines.extend(full);
    lines
}

/// All findings in full.
pub(super) fn all(state: &State, columns: u16, style: Style) -> Vec<Line<'static>> {
    let columns = usize::from(columns);
    let findings = &state.figures().findings;
    let mut lines = vec![title("what it means", columns, style)];
    if findings.is_empty() {
        lines.push(Line::raw("nothing to remark so far"));
    }
    for finding in findings {
        lines.extend(of(finding, columns, style));
        lines.push(Line::default());
    }
    lines
}

/// A line across the screen with a title in it.
pub(super) fn title(text: &str, columns: usize, style: Style) -> Line<'static> {
    let text = format!("── {text} ");
    Line::styled(
        left(&text, columns.min(text.chars().count()))
            + &"─".repeat(columns.saturating_sub(text.chars().count())),
        style.dim(),
    )
}

fn of(finding: &Finding, columns: usize, style: Style) -> Vec<Line<'static>> {
    let text = format!("{}.", finding.statement);
    let mut lines: Vec<_> = wrap(&text, columns, "  ").into_iter().map(Line::raw).collect();
    lines[..].iter_mut().for_each(|line| line.style = style.bold());
    for (name, text) in [("why:  ", &finding.cause), ("help: ", &finding.remedy)] {
        let text = wrap(&format!("{name}{text}."), columns.saturating_sub(2), "      ");
        lines.extend(text.into_iter().map(|line| Line::raw(format!("  {line}"))));
    }
    lines
}

fn statement(finding: &Finding, columns: usize) -> Line<'static> {
    Line::raw(cut(&finding.statement, columns))
}
