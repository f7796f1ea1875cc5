//! Flags of `report` and `doctor`.

use std::path::PathBuf;

use clap::Args;

use super::Format;

/// Flags of `report`.
#[derive(Args, Clone, Debug)]
pub(crate) struct ReportFlags {
    /// record.jsonl files, or the folders that they are in, or one folder of boots that `kernels` made
    #[arg(required = true, value_name = "RECORD")]
    pub(crate) records: Vec<PathBuf>,
    /// Report this workload alone; may be repeated [default: all]
    #[arg(long = "workload", value_name = "NAME")]
    pub(crate) workloads: Vec<String>,
    /// Where to put the report [default: beside the first record]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// Flags of `doctor`.
#[derive(Args, Clone, Debug)]
pub(crate) struct DoctorFlags {
    /// The folder whose file system is looked at
    #[arg(long, default_value = ".")]
    pub(crate) dir: PathBuf,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}
