//! Output: a request in, files and texts out. What a program does on behalf of a user, without its
//! flags, exit codes and printing.

pub mod compare;
pub mod export;
mod files;
pub mod import;
pub mod kernels;
pub mod report;

pub use compare::{CompareError, CompareRequest, Compared, compare, reruns};
pub use export::{ExportError, ExportRequest, Exported, export};
pub use files::{JSON_NAME, PAGE_NAME, SUMMARY_NAME, WriteError};
pub use import::{ImportError, ImportRequest, Imported, import};
pub use kernels::{KernelsCompared, KernelsError, KernelsRequest, kernels};
pub use report::{ReportError, ReportRequest, ReportWritten, report};
