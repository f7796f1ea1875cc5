//! Why a request came to nothing.

use std::io;
use std::path::PathBuf;

use crate::compare::confirm::ConfirmError;
use crate::compare::rerun::RerunError;
use crate::compare::set::SetError;
use crate::kernels::read::ReadError;
use crate::load::LoadError;
use crate::output::files::WriteError;
use crate::render::page::PageError;

/// A request came to nothing. Each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// Records could not be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// There are no such sets.
    #[error(transparent)]
    Set(#[from] SetError),
    /// The folder is not one of boots.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Reruns confirm nothing.
    #[error(transparent)]
    Confirm(#[from] ConfirmError),
    /// Regressions cannot be measured again here.
    #[error(transparent)]
    Rerun(#[from] RerunError),
    /// A page could not be made.
    #[error(transparent)]
    Page(#[from] PageError),
    /// Nothing can be put beside the first record.
    #[error("{}: no report can be put beside it: name a folder with --out", .0.display())]
    NoFolder(PathBuf),
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The folder holds what must not be replaced.
    #[error(
        "{}: it is {what}, and a comparison would replace what is beside it: name another folder \
         with --out",
        path.display()
    )]
    Taken {
        /// The file that is there.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// Boots that are to confirm are of other kernels, or of another machine.
    #[error(
        "{} holds boots of other kernels, on another machine, or with other noise than {}: boot \
         the same ones, with the same flags but for --out and a seed of its own",
        rerun.display(),
        dir.display()
    )]
    Unlike {
        /// The folder of the boots that are to confirm.
        rerun: PathBuf,
        /// The folder that is to be confirmed.
        dir: PathBuf,
    },
    /// There is nothing to export.
    #[error("no run finished, so there is nothing to export: see the report for why")]
    NoRun,
    /// A run could not be read again.
    #[error(transparent)]
    Again(#[from] io::Error),
    /// The file to write is one that was read.
    #[error("{}: is a record that was read: --out must be another file", .0.display())]
    Same(PathBuf),
    /// The values could not be made JSON.
    #[error("the comparison cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}
