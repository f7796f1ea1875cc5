//! `report`: draws the page and the summary of records that exist.

use std::path::{Path, PathBuf};

use iowq_reports::output::{self, ReportRequest, ReportWritten};
use serde_json::json;

use super::kernels;
use crate::exit::Exit;
use crate::flags::Format;
use crate::flags::compare::JudgingFlags;
use crate::flags::report::ReportFlags;
use crate::print::{print, print_json, width};

/// The summary and where the files are, for a terminal.
pub(crate) fn shown(report: &ReportWritten) -> String {
    let fidelity = report.fidelity.as_ref().map(|path| format!("fidelity {}\n", path.display()));
    format!(
        "{}\nreport   {}\n{}summary  {}\n",
        report.text,
        report.page.display(),
        fidelity.unwrap_or_default(),
        report.summary.display()
    )
}

/// Runs the command.
pub(crate) fn run(flags: &ReportFlags) -> anyhow::Result<Exit> {
    if let [dir] = flags.records.as_slice()
        && kernels::is_of_boots(dir)
    {
        let out = flags.out.as_deref().unwrap_or(dir);
        let judging = JudgingFlags::of_report(flags.format);
        return kernels::judge(dir, None, judging, Some(out)).map(|_| Exit::Fine);
    }
    let report = draw(&flags.records, &flags.workloads, flags.out.as_deref())?;
    match flags.format {
        Format::Text => print(&shown(&report))?,
        Format::Json => print_json(&json!({
            "report": report.page.display().to_string(),
            "fidelity": report.fidelity.map(|page| page.display().to_string()),
            "summary": report.summary.display().to_string(),
        }))?,
    }
    Ok(Exit::Fine)
}

/// Draws it.
pub(crate) fn draw(
    records: &[PathBuf],
    workloads: &[String],
    out: Option<&Path>,
) -> anyhow::Result<ReportWritten> {
    Ok(output::report(&ReportRequest { records, workloads, out, text_width: width() })?)
}
