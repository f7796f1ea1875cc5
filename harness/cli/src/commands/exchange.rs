//! `export` and `import`: runs as text that other tools read, and what other tools measured as runs.

use iowq_contract::is_stream;
use iowq_reports::export::Table;
use iowq_reports::format;
use iowq_reports::output::{self, ExportRequest, ImportRequest};
use serde_json::json;

use crate::exit::Exit;
use crate::flags::Format;
use crate::flags::exchange::{ExportFlags, ImportFlags};
use crate::print::{note, print, print_bytes, print_json};

/// Runs `export`.
pub(crate) fn export(flags: &ExportFlags) -> anyhow::Result<Exit> {
    if flags.table != Table::default() && !flags.format.is_table() {
        anyhow::bail!("--table is for --format csv: the others have no tables");
    }
    let exported = output::export(&ExportRequest {
        records: &flags.records,
        workloads: &flags.workloads,
        format: flags.format,
        table: flags.table,
        out: flags.out.as_deref(),
    })?;
    for one in &exported.notes {
        note(&one.text);
    }
    if exported.failed > 0 {
        note(&format!("omitted because they failed: {}", exported.failed));
    }
    match &flags.out {
        // It may be what is printed to.
        Some(out) if is_stream(out) => {}
        Some(out) => print(&format!("export   {}\n", out.display()))?,
        None => print_bytes(&exported.bytes)?,
    }
    Ok(Exit::Fine)
}

/// Runs `import`.
pub(crate) fn import(flags: &ImportFlags) -> anyhow::Result<Exit> {
    let (tool, files) = flags.source.files();
    let imported = output::import(&ImportRequest {
        files,
        tool,
        unit: flags.unit,
        workload: flags.workload.as_deref(),
        out: &flags.out,
    })?;
    for text in &imported.notes {
        note(text);
    }
    if imported.failed > 0 {
        note(&format!("runs that failed, which reports name and leave out: {}", imported.failed));
    }
    match flags.format {
        _ if is_stream(&flags.out) => {}
        Format::Text => {
            let runs = format::count(imported.runs as u64, "run", "runs");
            print(&format!("record   {}, {runs}\n", flags.out.display()))?;
        }
        Format::Json => print_json(&json!({
            "record": flags.out.display().to_string(),
            "runs": imported.runs,
            "failed": imported.failed,
            "notes": imported.notes,
        }))?,
    }
    Ok(Exit::Fine)
}
