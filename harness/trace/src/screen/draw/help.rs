//! The help: keys and columns.

use ratatui::text::Line;

use super::lines::left;
use super::style::Style;
use crate::screen::column::COLUMNS;
use crate::screen::keys::KEYS;

pub(super) fn lines(style: Style) -> Vec<Line<'static>> {
    let about = |(name, about): (&str, &str)| Line::raw(format!("  {}  {about}", left(name, 8)));
    let columns = COLUMNS.iter().map(|column| {
        let from = match column.from {
            0..=80 => String::new(),
            from => format!(" (from {from} columns on)"),
        };
        (column.title, format!("{}{from}", column.about))
    });
    let mut lines = vec![Line::styled("keys", style.bold())];
    lines.extend(KEYS.into_iter().map(about));
    lines.push(Line::styled("columns, of the last interval", style.bold()));
    lines.extend(columns.map(|(title, text)| about((title, &text))));
    lines
}
