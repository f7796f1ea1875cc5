//! From what `--workload` or `--fio` says to a plan: a built-in workload by name, a spec or a fio job file by
//! its path.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::io::{Errno, errno_name, read_start, thread_limit};
use crate::machine::cpus_online;
use iowq_contract::check_name;
use iowq_workloads::limits::SPEC_BYTES_MAX;
use iowq_workloads::{Engines, Plan, Source, SpecError};

/// Why there is no plan.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkloadError {
    /// The spec, or the name, was refused.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The file could not be read.
    #[error("{file}: found {found}; {advice}")]
    File {
        /// The path as given.
        file: String,
        /// What was found there.
        found: String,
        /// What to do.
        advice: &'static str,
    },
}

/// The plan of a built-in workload, or of the spec or fio job file at that path. What has a slash or
/// ends in `.toml` or `.fio` is a path, and what ends in `.fio` is a job file; one of several stages
/// is named behind it, as in `mine.fio:verify`.
///
/// # Errors
///
/// If there is no such workload, or no such file, or what is there is not valid.
pub fn load(name_or_path: impl AsRef<OsStr>) -> Result<Plan, WorkloadError> {
    read(name_or_path).map(on_this_machine)
}

/// The plan as this machine carries it out: limits may be the kernel's own, and none is above what
/// the user may have.
#[must_use]
pub fn on_this_machine(mut plan: Plan) -> Plan {
    plan.change_all(|plan| {
        plan.limits = if plan.kernel_limits {
            kernel_limits(plan.depth, cpus_online(), thread_limit())
        } else {
            registered(plan.limits, thread_limit())
        };
    });
    plan
}

/// The limits that io-wq sets itself: bounded workers by the size of the ring and the number of
/// processors online, however few of them the task may use, and unbounded ones by how many threads
/// a user may have. None that is zero, which no work could end under.
fn kernel_limits(depth: u32, cpus_online: u32, threads: Option<u64>) -> [u32; 2] {
    let threads = threads.and_then(|threads| u32::try_from(threads).ok()).unwrap_or(u32::MAX);
    let bounded = depth.next_power_of_two().min(cpus_online.max(1).saturating_mul(4));
    [bounded, threads].map(|limit| limit.max(1))
}

/// The limits that `IORING_REGISTER_IOWQ_MAX_WORKERS` makes of a plan's.
fn registered(limits: [u32; 2], threads: Option<u64>) -> [u32; 2] {
    let threads = threads.and_then(|threads| u32::try_from(threads).ok()).unwrap_or(u32::MAX);
    limits.map(|limit| limit.min(threads).max(1))
}

/// The plan as it was written, before the machine that carries it out has its say.
///
/// # Errors
///
/// As of [`load`].
pub fn read(name_or_path: impl AsRef<OsStr>) -> Result<Plan, WorkloadError> {
    let found = sources(name_or_path.as_ref(), Engines::IoUring)?;
    match <[Named; 1]>::try_from(found) {
        Ok([(_, source)]) => Ok(source.plan),
        Err(found) => Err(WorkloadError::File {
            file: name_or_path.as_ref().to_string_lossy().into_owned(),
            found: format!("{} stages: {}", found.len(), names(&found)),
            advice: "name one of them",
        }),
    }
}

/// A workload by the name that selects it alone.
pub type Named = (String, Source);

/// The workload as it was written, whose fields can be set to other values. Of a fio job file it is
/// each stage, or the one that is named behind it, as in `mine.fio:verify`.
///
/// # Errors
///
/// As of [`load`].
pub fn sources(
    name_or_path: impl AsRef<OsStr>,
    engines: Engines,
) -> Result<Vec<Named>, WorkloadError> {
    let (path, stage) = parted(name_or_path.as_ref());
    let name_or_path = &*path.to_string_lossy();
    let extension = path.extension().and_then(|extension| extension.to_str());
    if !matches!(extension, Some("toml" | "fio")) && !name_or_path.contains('/') {
        return Ok(vec![(name_or_path.to_owned(), Source::builtin(name_or_path)?)]);
    }
    let (bytes, found_bytes) =
        read_start(path, SPEC_BYTES_MAX).map_err(|errno| unreadable(name_or_path, errno))?;
    if found_bytes > SPEC_BYTES_MAX {
        return Err(SpecError::TooLong { file: name_or_path.to_owned(), found_bytes }.into());
    }
    let text = std::str::from_utf8(&bytes).map_err(|error| WorkloadError::File {
        file: name_or_path.to_owned(),
        found: format!("bytes that are not text at byte {}", error.valid_up_to()),
        advice: "save it as text in UTF-8",
    })?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let checked = |name: &str| {
        check_name(name).map_err(|found| WorkloadError::File {
            file: name_or_path.to_owned(),
            found,
            advice: "rename the file: without its ending that is the workload's name in every \
                     record",
        })
    };
    checked(&name)?;
    let found = match extension {
        Some("fio") => Source::jobs(&name, name_or_path, text, engines)?,
        _ => vec![Source::spec(&name, name_or_path, text)?],
    };
    found.iter().try_for_each(|source| checked(&source.plan.name))?;
    let named = |source: Source| match source.plan.name.strip_prefix(&format!("{name}:")) {
        Some(stage) => (format!("{name_or_path}:{stage}"), source),
        None => (name_or_path.to_owned(), source),
    };
    selected(name_or_path, stage, found.into_iter().map(named).collect())
}

/// All of them, or the one whose stage was named.
fn selected(
    file: &str,
    stage: Option<&str>,
    mut found: Vec<Named>,
) -> Result<Vec<Named>, WorkloadError> {
    let Some(stage) = stage else { return Ok(found) };
    let all = names(&found);
    let name = format!("{file}:{stage}");
    found.retain(|(other, _)| *other == name);
    if found.is_empty() {
        return Err(WorkloadError::File {
            file: file.to_owned(),
            found: format!("no stage `{stage}`, but {all}"),
            advice: "name one of them, or the file alone for all",
        });
    }
    Ok(found)
}

fn names(found: &[Named]) -> String {
    found.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
}

/// The path of a job file, and the stage that is named behind it.
fn parted(name_or_path: &OsStr) -> (&Path, Option<&str>) {
    const ENDING: &[u8] = b".fio";
    let bytes = name_or_path.as_bytes();
    let parts = bytes.iter().rposition(|byte| *byte == b':').map(|at| bytes.split_at(at));
    match parts {
        Some((file, stage)) if file.ends_with(ENDING) => {
            let stage = std::str::from_utf8(&stage[1..]).ok();
            (Path::new(OsStr::from_bytes(file)), stage)
        }
        _ => (Path::new(name_or_path), None),
    }
}

fn unreadable(file: &str, errno: Errno) -> WorkloadError {
    let (found, advice) = match errno {
        Errno::NOENT | Errno::NOTDIR => (
            "no such file".to_owned(),
            "check the path; `bench --list` names workloads that need no file",
        ),
        Errno::ISDIR => ("a folder".to_owned(), "name the spec or job file in it"),
        Errno::ACCESS | Errno::PERM => {
            ("a file that you may not read".to_owned(), "give yourself permission to read it")
        }
        Errno::INVAL => ("a pipe or a device".to_owned(), "a spec or job file is an ordinary file"),
        other => {
            let name = errno_name(other.raw_os_error());
            (format!("an error on reading, {name} ({other})"), "check the disk")
        }
    };
    WorkloadError::File { file: file.to_owned(), found, advice }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_limits_follow_the_ring_the_processors_and_the_user() {
        assert_eq!(kernel_limits(64, 2, Some(500)), [8, 500]);
        assert_eq!(kernel_limits(5, 16, Some(500)), [8, 500], "a ring has a power of two");
        assert_eq!(kernel_limits(64, 2, Some(96_365)), [8, 96_365]);
        assert_eq!(kernel_limits(64, 0, None), [4, u32::MAX]);
        assert_eq!(kernel_limits(4096, 4096, Some(0)), [4096, 1]);
        assert_eq!(registered([64, 8], Some(32)), [32, 8], "what is registered is clamped too");
        assert_eq!(registered([64, 8], None), [64, 8]);
        assert_eq!(registered([64, 8], Some(0)), [1, 1]);
        assert_eq!(kernel_limits(64, u32::MAX, Some(u64::MAX)), [64, u32::MAX]);
    }
}
