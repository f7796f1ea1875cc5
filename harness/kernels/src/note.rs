//! Notes: lines for people on standard error.

use std::fmt::Display;
use std::io::Write as _;

use iowq_contract::clean_message;

/// Says a line. The reader may be gone, as with `| head`; the work goes on.
pub(crate) fn note(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "{}", clean_message(&text.to_string()));
}
