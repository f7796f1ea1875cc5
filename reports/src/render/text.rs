//! Plain text: tables without lines, paragraphs of a width, and signs that every terminal has.

use std::ops::RangeInclusive;

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

/// A line below the heads and nothing else: the columns stand apart by themselves.
const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('-').junction('-'));

/// A table of which no cell is broken, with `padding` left and right of each column, and with the
/// columns of `right` set to the right.
pub(crate) fn table<'a>(
    heads: impl IntoIterator<Item = &'a str>,
    padding: (u16, u16),
    right: RangeInclusive<usize>,
) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(heads);
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding(padding);
        if right.contains(&at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Breaks cells of a table that would not fit; whether it did so.
pub(crate) fn break_to(table: &mut Table, width: usize) -> bool {
    let broken = !fits(table, width);
    if broken {
        let width = u16::try_from(width).unwrap_or(u16::MAX);
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    broken
}

/// A table without what stands empty at the end of its lines.
pub(crate) fn trimmed(table: &Table) -> String {
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

pub(crate) fn fits(table: &Table, width: usize) -> bool {
    table.lines().all(|line| line.trim_end().chars().count() <= width)
}

/// Breaks a paragraph into lines; those after the first are indented two further.
pub(crate) fn wrap(paragraph: &str, width: usize, indent: &str) -> String {
    let mut text = String::new();
    let mut line = indent.to_owned();
    let mut empty = true;
    // Some signs take more room once a terminal can show them.
    for word in ascii(paragraph).split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > width {
            text.push_str(&line);
            text.push('\n');
            line = format!("{indent}  ");
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    text.push_str(&line);
    text.push('\n');
    text
}

/// Without the few signs of ours that a terminal may not have, and without control characters,
/// which a name in a record could bring along to steer it.
pub(crate) fn ascii(text: &str) -> String {
    let clean = |char: char| if char.is_control() && char != '\n' { ' ' } else { char };
    let text: String = text.chars().map(clean).collect();
    text.replace('\u{a0}', " ")
        .replace('µ', "u")
        .replace('×', "x")
        .replace('–', "-")
        .replace('…', "...")
}
