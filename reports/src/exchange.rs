//! The commands `export` and `import`: their flags, and the files they read and write.

use std::path::PathBuf;

use iowq_reports::export::Format;
use iowq_reports::format;
use iowq_reports::output::{self, ExportRequest, ImportRequest};

/// Flags of `export`.
#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    /// record.jsonl files, or the folders that they are in.
    #[arg(required = true, value_name = "RECORD")]
    records: Vec<PathBuf>,

    /// What to write: benchstat, bmf, openmetrics, hlog or fio.
    #[arg(long, value_name = "FORMAT", value_parser = exported)]
    format: Format,

    /// Export this workload alone, or again for more [default: all].
    #[arg(long = "workload", value_name = "NAME")]
    workloads: Vec<String>,

    /// Where to write it [default: standard output].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Flags of `import`.
#[derive(Debug, clap::Args)]
pub(crate) struct Import {
    /// A file that `fio --output-format=json+` wrote; again for more runs of the same job.
    #[arg(long, required = true, value_name = "FILE")]
    fio: Vec<PathBuf>,

    /// What to call the workload [default: the name of the job].
    #[arg(long, value_name = "NAME")]
    workload: Option<String>,

    /// Where to write the records: a file that does not exist yet.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// A format by its name.
fn exported(name: &str) -> Result<Format, String> {
    let known = Format::ALL.iter().find(|(known, _)| *known == name).map(|(_, format)| *format);
    let names = Format::ALL.map(|(name, _)| name.to_owned());
    known.ok_or_else(|| format!("{} are allowed", format::list(&names)))
}

/// Exports; gives back what is to be printed.
pub(crate) fn export(options: &Export) -> anyhow::Result<String> {
    let exported = output::export(&ExportRequest {
        records: &options.records,
        workloads: &options.workloads,
        format: options.format,
        out: options.out.as_deref(),
    })?;
    for note in &exported.notes {
        eprintln!("iowq-report: {}", note.text);
    }
    if exported.failed > 0 {
        eprintln!("iowq-report: omitted because they failed: {}", exported.failed);
    }
    Ok(match &options.out {
        Some(out) => format!("export   {}\n", out.display()),
        None => exported.text,
    })
}

/// Imports; gives back what is to be printed.
pub(crate) fn import(options: &Import) -> anyhow::Result<String> {
    let imported = output::import(&ImportRequest {
        fio: &options.fio,
        workload: options.workload.as_deref(),
        out: &options.out,
    })?;
    let runs = format::count(imported.runs as u64, "run", "runs");
    Ok(format!("record   {}, {runs}\n", options.out.display()))
}
