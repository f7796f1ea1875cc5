//! Draws the screen: a function of what is to be shown.

mod bars;
mod header;
mod help;
mod lines;
mod means;
mod process;
mod style;
mod table;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Wrap};

use super::column::COLUMNS;
use super::state::{State, View};
use style::Style;

/// The smallest screen that is drawn on.
const WIDTH_MIN: u16 = 60;
const HEIGHT_MIN: u16 = 10;

/// Draws, and returns how many lines are scrolled over: no more than there are.
pub(super) fn draw(frame: &mut Frame, state: &State) -> u16 {
    let area = frame.area();
    if area.width < WIDTH_MIN || area.height < HEIGHT_MIN {
        let text = format!(
            "too small: {WIDTH_MIN}x{HEIGHT_MIN} needed, {}x{} here; q quits",
            area.width, area.height
        );
        frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }), area);
        return 0;
    }
    let style = Style { colour: state.colour };
    let head = header::lines(state, area.width, style);
    let pid = match state.view {
        View::Process(pid) => Some(pid),
        _ => None,
    };
    let means = match state.view {
        View::Table | View::Process(_) => means::short(state, pid, area, style),
        View::Findings | View::Help => Vec::new(),
    };
    let heights = [head.len(), means.len()].map(|lines| u16::try_from(lines).unwrap_or(0));
    let [top, middle, below, foot] = Layout::vertical([
        Constraint::Length(heights[0]),
        Constraint::Min(1),
        Constraint::Length(heights[1]),
        Constraint::Length(1),
    ])
    .areas(area);
    frame.render_widget(Paragraph::new(head), top);
    frame.render_widget(Paragraph::new(means), below);
    frame.render_widget(footer(state, style), foot);
    match state.view {
        View::Table => {
            table::draw(frame, middle, state, style);
            0
        }
        View::Process(pid) => {
            scrolled(frame, middle, process::lines(state, pid, middle.width, style), state.scroll)
        }
        View::Findings => {
            scrolled(frame, middle, means::all(state, middle.width, style), state.scroll)
        }
        View::Help => scrolled(frame, middle, help::lines(style), state.scroll),
    }
}

fn scrolled(frame: &mut Frame, area: Rect, lines: Vec<Line>, scroll: u16) -> u16 {
    let beyond = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_sub(area.height);
    let scroll = scroll.min(beyond);
    frame.render_widget(Paragraph::new(lines).scroll((scroll, 0)), area);
    scroll
}

fn footer(state: &State, style: Style) -> Line<'static> {
    if state.typing {
        return Line::from(format!("name has: {}_   enter: keep  esc: all names", state.filter));
    }
    let keys = match state.view {
        View::Table => {
            let order = if state.reversed { " reversed" } else { "" };
            let sort = format!("s sort: {}{order}", COLUMNS[state.sort].title);
            let filter = if state.filter.is_empty() {
                "/ filter".to_owned()
            } else {
                format!("/ filter: {} (esc: all)", state.filter)
            };
            format!("q quit  enter open  {sort}  {filter}  f findings  p pause  ? help")
        }
        _ => "q quit  esc back  ↑↓ scroll  p pause  ? help".to_owned(),
    };
    Line::styled(keys, style.dim())
}

#[cfg(test)]
mod tests;
