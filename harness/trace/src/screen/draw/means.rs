//! What the trace means so far: its findings.

use iowq_contract::trace::Finding;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::lines::{cut, width, wrap};
use super::style::Style;
use crate::screen::state::State;

/// Rows that the findings leave to the rest.
const REST_MIN: u16 = 6;
/// What stands in place of findings while there are none.
const NOTHING: &str = "what it means: nothing to remark so far";

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
    if findings.is_empty() {
        return vec![title(NOTHING, columns, style)];
    }
    let mut lines = vec![title("what it means", columns, style)];
    let mut full: Vec<_> = findings.iter().flat_map(|one| of(one, columns, style)).collect();
    if full.len() + 1 > room {
        // The statements first, if not all of it fits.
        full = findings.iter().flat_map(|one| statement(one, columns, style)).collect();
        full.truncate(room.saturating_sub(2));
        let more = format!("f: all of {} findings, with causes and remedies", findings.len());
        full.push(Line::styled(cut(&more, columns), style.dim()));
    }
    lines.extend(full);
    lines
}

/// All findings in full.
pub(super) fn all(state: &State, columns: u16, style: Style) -> Vec<Line<'static>> {
    let columns = usize::from(columns);
    let findings = &state.figures().findings;
    if findings.is_empty() {
        return vec![title(NOTHING, columns, style)];
    }
    let mut lines = vec![title("what it means", columns, style)];
    for finding in findings {
        lines.extend(of(finding, columns, style));
        lines.push(Line::default());
    }
    lines
}

/// A line across the screen with a title in it.
pub(super) fn title(text: &str, columns: usize, style: Style) -> Line<'static> {
    let text = format!("── {text} ");
    let rest = columns.saturating_sub(width(&text));
    Line::styled(cut(&text, columns) + &"─".repeat(rest), style.dim())
}

fn of(finding: &Finding, columns: usize, style: Style) -> Vec<Line<'static>> {
    let mut lines = statement(finding, columns, style);
    for (name, text) in [("why:  ", &finding.cause), ("help: ", &finding.remedy)] {
        let text = wrap(&format!("{name}{text}."), columns.saturating_sub(2), "     ");
        lines.extend(text.into_iter().map(|line| Line::raw(format!("  {line}"))));
    }
    lines
}

fn statement(finding: &Finding, columns: usize, style: Style) -> Vec<Line<'static>> {
    let text = wrap(&format!("{}.", finding.statement), columns, "   ");
    text.into_iter().map(|line| Line::styled(line, style.bold())).collect()
}
