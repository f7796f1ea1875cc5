//! Output: a request in, files and texts out. What a program does on behalf of a user, without its
//! flags, exit codes and printing.

pub mod compare;
mod error;
pub mod export;
mod files;
pub mod import;
pub mod kernels;
pub mod report;

pub use compare::{CompareRequest, Compared, compare, reruns};
pub use error::OutputError;
pub use export::{ExportRequest, Exported, export};
pub use files::{JSON_NAME, PAGE_NAME, SUMMARY_NAME, WriteError};
pub use import::{ImportError, ImportRequest, Imported, import};
pub use kernels::{KernelsCompared, KernelsRequest, kernels};
pub use report::{ReportRequest, ReportWritten, report};
