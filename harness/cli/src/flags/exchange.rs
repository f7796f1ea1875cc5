//! Flags of `export` and `import`.

use std::path::PathBuf;

use clap::Args;
use iowq_reports::export;
use iowq_reports::import::{Tool, Unit};

use super::{Format, choice};

/// Flags of `export`.
#[derive(Args, Clone, Debug)]
pub(crate) struct ExportFlags {
    /// record.jsonl files, or the folders that they are in
    #[arg(required = true, value_name = "RECORD")]
    pub(crate) records: Vec<PathBuf>,
    /// What to write
    #[arg(long, value_parser = choice::export_format())]
    pub(crate) format: export::Format,
    /// Which table to write as csv: a row for each run, or for each sample of its workers
    #[arg(long, value_parser = choice::table(), default_value = "runs")]
    pub(crate) table: export::Table,
    /// Export this workload alone; may be repeated [default: all]
    #[arg(long = "workload", value_name = "NAME")]
    pub(crate) workloads: Vec<String>,
    /// Where to write it [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// What is imported: files of one tool, each a round of its own.
#[derive(Args, Clone, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct Source {
    /// A file that fio wrote with --output-format=json+, or json; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) fio: Vec<PathBuf>,
    /// An interval log of HdrHistogram; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) hlog: Vec<PathBuf>,
    /// What bpftrace or a tool of bcc printed, with histograms in it; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) histogram: Vec<PathBuf>,
}

impl Source {
    /// The tool whose files are named, and the files.
    pub(crate) fn files(&self) -> (Tool, &[PathBuf]) {
        let all = [(Tool::Fio, &self.fio), (Tool::Hlog, &self.hlog)];
        let named = all.into_iter().find(|(_, files)| !files.is_empty());
        let (tool, files) = named.unwrap_or((Tool::Histogram, &self.histogram));
        (tool, files)
    }
}

/// Flags of `import`.
#[derive(Args, Clone, Debug)]
pub(crate) struct ImportFlags {
    #[command(flatten)]
    pub(crate) source: Source,
    /// The unit of latencies in an interval log [default: ns], or in histograms that do not say it
    #[arg(long, conflicts_with = "fio", value_parser = choice::unit())]
    pub(crate) unit: Option<Unit>,
    /// What to call the workload [default: the name of the job, tag or histogram]
    #[arg(long, value_name = "NAME")]
    pub(crate) workload: Option<String>,
    /// Where to write the records: a file that does not exist yet
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}
