//! What can go wrong with the files under test, said so that the person can act on it.

use std::path::{Path, PathBuf};

use iowq_workloads::{Open, Plan};
use rustix::io::Errno;

use crate::io::{Failure, errno_name, free_bytes};

/// Bytes in a MiB.
const MIB: u64 = 1024 * 1024;

/// Why there are no files to run on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("--dir {}: found {found}; {advice}", dir.display())]
pub struct ScratchError {
    /// The folder that files were to be put in.
    pub dir: PathBuf,
    /// What was found there.
    pub found: String,
    /// What to do.
    pub advice: String,
}

/// What could not be removed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("could not remove {}; remove by hand what is no longer needed", list(left))]
pub struct RemoveError {
    /// The paths that are still there, and why.
    pub left: Vec<(PathBuf, Errno)>,
}

fn list(left: &[(PathBuf, Errno)]) -> String {
    let each: Vec<String> = left
        .iter()
        .map(|(path, errno)| format!("{} ({errno}, {})", path.display(), name(*errno)))
        .collect();
    each.join(", ")
}

fn name(errno: Errno) -> &'static str {
    errno_name(errno.raw_os_error())
}

fn error(dir: &Path, found: impl Into<String>, advice: impl Into<String>) -> ScratchError {
    ScratchError { dir: dir.to_owned(), found: found.into(), advice: advice.into() }
}

/// No folder could be made in `dir`.
pub(super) fn cannot_make(dir: &Path, errno: Errno) -> ScratchError {
    match errno {
        Errno::NOENT => {
            let advice = format!("create it with `mkdir -p {}`, or name another", dir.display());
            error(dir, "no such folder", advice)
        }
        Errno::NOTDIR => error(dir, "a file where a folder is needed", "name a folder"),
        Errno::ACCESS | Errno::PERM => error(
            dir,
            format!("a folder that you may not write to ({})", name(errno)),
            format!(
                "take it with `sudo chown -R \"$USER\" {}`, or name one that is yours",
                dir.display()
            ),
        ),
        Errno::ROFS => error(
            dir,
            "a file system that is mounted read-only (EROFS)",
            "name a folder on another one",
        ),
        Errno::EXIST => error(
            dir,
            "all folder names of this process taken",
            "remove the `iowq-*` folders in it that no run uses any more",
        ),
        Errno::NOSPC | Errno::DQUOT => error(
            dir,
            format!("no space for an empty folder ({})", name(errno)),
            "free some, or name a folder elsewhere",
        ),
        other => unexpected(dir, "making a folder", other.into()),
    }
}

/// The files could not be laid out. Called once what there was of them is gone, so that the space
/// it reports is the space there is.
pub(super) fn cannot_lay_out(dir: &Path, plan: &Plan, failure: Failure) -> ScratchError {
    match failure {
        Failure::Errno(Errno::FBIG) => error(
            dir,
            format!("a limit that a file of {} MiB passes (EFBIG)", file_bytes(plan) / MIB),
            "raise it with `ulimit -f`, or ask for less with files.size_mib",
        ),
        Failure::Errno(Errno::NOSPC | Errno::DQUOT) | Failure::Short { .. } => {
            let file = file_bytes(plan);
            let total = file.saturating_mul(u64::from(plan.files));
            let free = free_bytes(dir).ok().flatten();
            let free = free
                .map_or_else(|| "an unknown part".to_owned(), |free| format!("{} MiB", free / MIB));
            error(
                dir,
                format!(
                    "no room for {} files of {} MiB, {} MiB together, of which {free} is free ({})",
                    plan.files,
                    file / MIB,
                    total / MIB,
                    failure.name()
                ),
                "free some, name a folder elsewhere, or ask for less with files.count and \
                 files.size_mib",
            )
        }
        other => unexpected(dir, "laying out files", other),
    }
}

fn file_bytes(plan: &Plan) -> u64 {
    plan.file_blocks * u64::from(plan.block_bytes)
}

/// A file could not be opened as the plan asks.
pub(super) fn cannot_open(dir: &Path, open: Open, errno: Errno) -> ScratchError {
    match (open, errno) {
        (Open::Direct, Errno::INVAL | Errno::OPNOTSUPP) => error(
            dir,
            format!("a file system that does not take O_DIRECT ({})", name(errno)),
            "name a folder on another one, or set files.open to \"buffered\", \"dsync\" or \"sync\"",
        ),
        (_, Errno::MFILE | Errno::NFILE) => error(
            dir,
            format!("no descriptor left for its files ({})", name(errno)),
            "raise the limit with `ulimit -n`, or lower files.count",
        ),
        (_, other) => unexpected(dir, "opening a file", other.into()),
    }
}

fn unexpected(dir: &Path, doing: &str, failure: Failure) -> ScratchError {
    error(
        dir,
        format!("an error on {doing}, {failure}"),
        "see the kernel's log (`dmesg`), or name a folder elsewhere",
    )
}
