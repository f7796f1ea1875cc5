//! The table of processes.

use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Rect};
use ratatui::style::Modifier;
use ratatui::text::{Line, Text};
use ratatui::widgets::{Cell, Paragraph, Row as Cells, Table, TableState};

use super::lines::cut;
use super::style::Style;
use crate::screen::column::{COLUMNS, NAME, NAME_WIDTH};
use crate::screen::row::Row;
use crate::screen::state::State;

pub(super) fn draw(frame: &mut Frame, area: Rect, state: &State, style: Style) {
    let rows = state.rows();
    if rows.is_empty() {
        let why = if state.filter.is_empty() {
            "no process uses an io_uring"
        } else {
            "no process has such a name; esc shows all"
        };
        frame.render_widget(Paragraph::new(why), area);
        return;
    }
    let shown: Vec<_> = (0..COLUMNS.len()).filter(|nth| COLUMNS[*nth].from <= area.width).collect();
    let others = shown.iter().filter(|nth| **nth != NAME).map(|nth| COLUMNS[*nth].width + 1);
    let name = area.width.saturating_sub(others.sum()).min(NAME_WIDTH);
    let widths = shown.iter().map(|nth| if *nth == NAME { name } else { COLUMNS[*nth].width });
    let widths: Vec<_> = widths.map(Constraint::Length).collect();
    let header = shown.iter().map(|nth| {
        let sorted = if *nth == state.sort { Modifier::UNDERLINED } else { Modifier::empty() };
        cell(*nth, COLUMNS[*nth].title).style(style.bold().add_modifier(sorted))
    });
    let table = Table::new(rows.iter().map(|row| cells(row, &shown, style)), widths)
        .header(Cells::new(header))
        .row_highlight_style(style.marked());
    let mut selection = TableState::new().with_selected(state.selected());
    frame.render_stateful_widget(table, area, &mut selection);
}

fn cells(row: &Row, shown: &[usize], style: Style) -> Cells<'static> {
    let cells = shown.iter().map(|nth| cell(*nth, &(COLUMNS[*nth].cell)(row)));
    let cells = Cells::new(cells);
    if row.ended { cells.style(style.dim()) } else { cells }
}

/// Names stand at the left, figures at the right.
fn cell(nth: usize, text: &str) -> Cell<'static> {
    let alignment = if nth == NAME { Alignment::Left } else { Alignment::Right };
    let line = Line::raw(cut(text, usize::from(u16::MAX)));
    Cell::new(Text::from(line).alignment(alignment))
}
