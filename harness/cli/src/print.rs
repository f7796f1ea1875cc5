//! Standard output: results go there, whole or with an error; notes go to standard error.

use std::io::{self, ErrorKind, IsTerminal as _, Write as _};

use anyhow::Context as _;
use iowq_contract::{clean, clean_message};

/// Prints. A reader that closed the pipe has seen enough, and files are written. Any other failure,
/// such as a full disk, is trouble: a script must not take half a text for all of it.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    print_bytes(clean(text).as_bytes())
}

/// The same of what is clean already, or no text.
pub(crate) fn print_bytes(bytes: &[u8]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("the result cannot be printed")
        }
        _ => Ok(()),
    }
}

/// Prints a value as one line of JSON.
pub(crate) fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    print(&(serde_json::to_string(value)? + "\n"))
}

/// Says something beside the result. The reader may be gone; the work goes on.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{}", clean_message(text));
}

/// Columns for a table: those of the terminal, or else as many as a summary has.
pub(crate) fn width() -> usize {
    if !io::stdout().is_terminal() {
        return iowq_reports::bench::text::WIDTH_TEXT;
    }
    let width = comfy_table::Table::new().width();
    width.map_or(iowq_reports::bench::text::WIDTH_TEXT, usize::from)
}
