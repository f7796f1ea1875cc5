//! Flags of `export` and `import`.

use std::path::PathBuf;

use clap::Args;
use iowq_reports::export;

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
    /// Export this workload alone; may be repeated [default: all]
    #[arg(long = "workload", value_name = "NAME")]
    pub(crate) workloads: Vec<String>,
    /// Where to write it [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// Flags of `import`.
#[derive(Args, Clone, Debug)]
pub(crate) struct ImportFlags {
    /// A file that `fio --output-format=json+` wrote; may be repeated runs of the same job
    #[arg(long, required = true, value_name = "FILE")]
    pub(crate) fio: Vec<PathBuf>,
    /// What to call the workload [default: the name of the job]
    #[arg(long, value_name = "NAME")]
    pub(crate) workload: Option<String>,
    /// Where to write the records: a file that does not exist yet
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}
