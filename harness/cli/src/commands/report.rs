//! `report`: draws the page and the summary of records that exist.

use std::path::{Path, PathBuf};

use iowq_reports::output::{self, Request, Written};
use serde_json::json;

use crate::exit::Exit;
use crate::flags::Format;
use crate::flags::report::ReportFlags;
use crate::print::{print, print_json, width};

/// A report that was drawn.
pub(crate) struct Drawn {
    pub(crate) page: PathBuf,
    pub(crate) fidelity: Option<PathBuf>,
    pub(crate) summary: PathBuf,
    text: String,
}

impl Drawn {
    /// The summary and where the files are, for a terminal.
    pub(crate) fn shown(&self) -> String {
        let fidelity = self.fidelity.as_ref().map(|path| format!("fidelity {}\n", path.display()));
        format!(
            "{}\nreport   {}\n{}summary  {}\n",
            self.text,
            self.page.display(),
            fidelity.unwrap_or_default(),
            self.summary.display()
        )
    }
}

/// Runs the command.
pub(crate) fn run(flags: &ReportFlags) -> anyhow::Result<Exit> {
    let drawn = draw(&flags.records, &flags.workloads, flags.out.as_deref())?;
    match flags.format {
        Format::Text => print(&drawn.shown())?,
        Format::Json => print_json(&json!({
            "report": drawn.page,
            "fidelity": drawn.fidelity,
            "summary": drawn.summary,
        }))?,
    }
    Ok(Exit::Fine)
}

/// Draws it.
pub(crate) fn draw(
    records: &[PathBuf],
    workloads: &[String],
    out: Option<&Path>,
) -> anyhow::Result<Drawn> {
    let request = Request { records, workloads, out, text_width: width() };
    let Written { page, fidelity, summary, text } = output::report(&request)?;
    Ok(Drawn { page, fidelity, summary, text })
}
