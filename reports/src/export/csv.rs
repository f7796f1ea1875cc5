//! CSV: a table as RFC 4180 has it, with a line of names first. What is null is empty.
//!
//! A text that a spreadsheet would run as a formula has an apostrophe in front, as in the table of a
//! page.

use std::io;

use csv::{Terminator, WriterBuilder};

use crate::export::table::{Cell, Rows};
use crate::format;

/// A table as text.
///
/// # Errors
///
/// Those of its rows.
pub(super) fn bytes(table: Rows<'_>) -> io::Result<Vec<u8>> {
    let mut writer =
        WriterBuilder::new().terminator(Terminator::Any(b'\n')).from_writer(Vec::new());
    writer.write_record(&table.columns)?;
    for row in table.rows {
        for cell in row? {
            writer.write_field(text(cell))?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    writer.into_inner().map_err(|error| io::Error::other(error.to_string()))
}

fn text(cell: Cell) -> String {
    match cell {
        Cell::Count(count) => count.to_string(),
        Cell::Number(number) => number.to_string(),
        Cell::Flag(flag) => flag.to_string(),
        Cell::Text(text) if format::is_formula(&text) => format!("'{text}"),
        Cell::Text(text) => text,
        Cell::Null => String::new(),
    }
}
