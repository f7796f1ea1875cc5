//! What can go wrong with the files under test, said so that the person can act on it.

use std::path::{Path, PathBuf};

use iowq_workloads::{Open, Plan};
use rustix::io::Errno;

use crate::io::{Failure, errno_name, free_bytes};
use crate::machine::mounts;

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
    let mount = mounts::under(dir).map(|mount| mount.filesystem);
    let (found, advice) = no_folder(dir, errno, mount.as_deref());
    error(dir, found, advice)
}

/// The connections of a plan could not be made.
pub(super) fn cannot_connect(dir: &Path, plan: &Plan, cause: &std::io::Error) -> ScratchError {
    let found = format!("no room for {} connections ({cause})", plan.files);
    let advice = "raise `ulimit -n` and, for tcp, see that the loopback device is up \
                  (`ip link set lo up`); or lower sockets.count";
    error(dir, found, advice)
}

/// What no folder in `dir` means: what was found, and what to do. `mount` is the file system there;
/// none if the folder does not exist.
fn no_folder(dir: &Path, errno: Errno, mount: Option<&str>) -> (String, String) {
    let text = |found: String, advice: &str| (found, advice.to_owned());
    let errno_is = name(errno);
    match (errno, mount) {
        (Errno::NOENT, None) => (
            "no such folder".to_owned(),
            format!("create it with `mkdir -p {}`, or name another", dir.display()),
        ),
        (Errno::NOENT, Some(mount)) => takes_no_files(mount, errno),
        (Errno::ACCESS | Errno::PERM, Some(mount)) if KERNELS_OWN.contains(&mount) => {
            takes_no_files(mount, errno)
        }
        (Errno::ACCESS, _) => (
            format!("a folder that you may not write to ({errno_is})"),
            format!(
                "take it with `sudo chown -R \"$USER\" {}`, or name one that is yours",
                dir.display()
            ),
        ),
        (Errno::PERM, _) => (
            format!("a folder in which no other can be made ({errno_is})"),
            format!("see `lsattr -d {}` for the flag i, or name another", dir.display()),
        ),
        (Errno::NOTDIR, _) => text("a file where a folder is needed".to_owned(), "name a folder"),
        (Errno::ROFS, _) => text(
            format!("a file system that is mounted read-only ({errno_is})"),
            "name a folder on another one",
        ),
        (Errno::EXIST, _) => text(
            "all folder names of this process taken".to_owned(),
            "remove the `iowq-*` folders in it that no run uses any more",
        ),
        (Errno::NOSPC, _) => text(
            format!("no space for an empty folder ({errno_is})"),
            "free some, see `df -i` too, or name a folder elsewhere",
        ),
        (Errno::DQUOT, _) => (format!("a disk quota that is used up ({errno_is})"), QUOTA.into()),
        (other, _) => unexpected("making a folder", other.into()),
    }
}

/// File systems that the kernel fills itself, in which users make no files.
const KERNELS_OWN: [&str; 11] = [
    "proc",
    "sysfs",
    "cgroup",
    "cgroup2",
    "debugfs",
    "tracefs",
    "securityfs",
    "devpts",
    "bpf",
    "configfs",
    "efivarfs",
];

const QUOTA: &str = "free some, have the quota raised (`quota -s` shows it), or name a folder on \
                     another file system";

fn takes_no_files(mount: &str, errno: Errno) -> (String, String) {
    (
        format!("a file system of type {mount}, in which no files can be made ({})", name(errno)),
        "name a folder on a disk".to_owned(),
    )
}

/// The files could not be laid out. Called once what there was of them is gone, so that the space
/// it reports is the space there is.
pub(super) fn cannot_lay_out(dir: &Path, plan: &Plan, failure: Failure) -> ScratchError {
    let mount = mounts::under(dir).map(|mount| mount.filesystem).unwrap_or_default();
    let (found, advice) = no_files(plan, failure, &mount, free_bytes(dir).ok().flatten());
    error(dir, found, advice)
}

/// What files that could not be laid out mean; `free` is how many bytes are free, if that is known.
fn no_files(plan: &Plan, failure: Failure, mount: &str, free: Option<u64>) -> (String, String) {
    let file = file_bytes(plan);
    let total = file.saturating_mul(u64::from(plan.files));
    let files = format!("{} files of {} MiB, {} MiB together", plan.files, mib(file), mib(total));
    let name = failure.name();
    let less = "or ask for less with files.count and files.size_mib";
    match (failure, free) {
        (Failure::Errno(Errno::FBIG), _) => (
            format!("a limit that a file of {} MiB passes ({name})", mib(file)),
            "raise it with `ulimit -f`, or ask for less with files.size_mib".to_owned(),
        ),
        (Failure::Errno(Errno::DQUOT), _) => (
            format!("a disk quota that does not allow {files} ({name})"),
            format!("{QUOTA}, {less}"),
        ),
        (Failure::Errno(Errno::NOSPC) | Failure::Short { .. }, Some(free)) if free > total => (
            format!("no room for {files}, though {} MiB is free ({name})", free / MIB),
            format!(
                "see `df -i` and the quotas of you and of the folder, name a folder elsewhere, \
                 {less}"
            ),
        ),
        (Failure::Errno(Errno::NOSPC) | Failure::Short { .. }, free) => {
            let free = free
                .map_or_else(|| "an unknown part".to_owned(), |free| format!("{} MiB", free / MIB));
            (
                format!("no room for {files}, of which {free} is free ({name})"),
                format!("free some, name a folder elsewhere, {less}"),
            )
        }
        (Failure::Errno(errno @ (Errno::ACCESS | Errno::PERM)), _)
            if KERNELS_OWN.contains(&mount) =>
        {
            takes_no_files(mount, errno)
        }
        (other, _) => unexpected("laying out files", other),
    }
}

/// MiB with three decimals at most.
fn mib(bytes: u64) -> f64 {
    (bytes as f64 / MIB as f64 * 1e3).round() / 1e3
}

fn file_bytes(plan: &Plan) -> u64 {
    plan.file_blocks * u64::from(plan.block_bytes)
}

/// The process may not have as many files open as the plan has.
pub(super) fn too_many_files(dir: &Path, files: u32, limit: u64) -> ScratchError {
    error(
        dir,
        format!("a limit of {limit} open files, and {files} are to be open at once"),
        "raise the hard limit (`ulimit -Hn`, which takes CAP_SYS_RESOURCE, or `LimitNOFILE=` of the \
         service), or lower files.count",
    )
}

/// A file could not be opened as the plan asks.
pub(super) fn cannot_open(dir: &Path, open: Open, errno: Errno) -> ScratchError {
    let (found, advice) = no_open_file(open, errno);
    error(dir, found, advice)
}

/// Blocks are no whole sectors of the device under files that are opened direct.
pub(super) fn no_whole_sectors(dir: &Path, plan: &Plan, sector_bytes: u32) -> ScratchError {
    error(
        dir,
        format!(
            "a device whose sectors have {sector_bytes} bytes, and blocks of {} bytes in files that \
             are opened direct",
            plan.block_bytes
        ),
        format!(
            "set files.block_bytes to a multiple of {sector_bytes}, open files otherwise, or name a \
             folder on another device"
        ),
    )
}

fn no_open_file(open: Open, errno: Errno) -> (String, String) {
    match (open, errno) {
        (Open::Direct, Errno::INVAL | Errno::OPNOTSUPP) => (
            format!("a file system that does not take O_DIRECT ({})", name(errno)),
            "name a folder on another one, or set files.open to \"buffered\", \"dsync\" or \"sync\""
                .to_owned(),
        ),
        (_, other) => unexpected("opening a file", other.into()),
    }
}

/// What any of the calls may meet.
fn unexpected(doing: &str, failure: Failure) -> (String, String) {
    let (found, advice) = match failure {
        Failure::Errno(Errno::MFILE) => (
            "too many open files",
            "raise the limit of this process with `ulimit -n`, or lower files.count",
        ),
        Failure::Errno(Errno::NFILE) => {
            ("too many open files", "raise the limit of the machine: `sysctl fs.file-max`")
        }
        Failure::Errno(Errno::NOMEM) => {
            ("too little memory", "raise the memory limit of the cgroup, or free some")
        }
        Failure::Errno(Errno::ACCESS | Errno::PERM) => {
            ("no permission", "name a folder that is yours, or see `dmesg` for a security module")
        }
        _ => ("an error", "see the kernel's log (`dmesg`), or name a folder elsewhere"),
    };
    (format!("{found} on {doing}, {failure}"), advice.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_a_folder_from_being_made_is_named_with_what_helps() {
        let rows = [
            (Errno::NOENT, None, "no such folder", "mkdir -p /some/where"),
            (Errno::NOENT, Some("proc"), "type proc, in which no files", "on a disk"),
            (Errno::PERM, Some("sysfs"), "type sysfs, in which no files", "on a disk"),
            (Errno::ACCESS, Some("ext4"), "may not write to (EACCES)", "yours"),
            (Errno::PERM, Some("ext4"), "no other can be made (EPERM)", "lsattr -d /some/where"),
            (Errno::NOTDIR, None, "a file where a folder", "name a folder"),
            (Errno::ROFS, Some("ext4"), "mounted read-only (EROFS)", "another one"),
            (Errno::EXIST, Some("ext4"), "names of this process taken", "remove"),
            (Errno::NOSPC, Some("ext4"), "no space for an empty folder (ENOSPC)", "df -i"),
            (Errno::DQUOT, Some("ext4"), "disk quota that is used up (EDQUOT)", "quota -s"),
            (Errno::IO, Some("ext4"), "an error on making a folder, EIO", "dmesg"),
        ];
        for (errno, mount, found, advice) in rows {
            let said = no_folder(Path::new("/some/where"), errno, mount);
            assert!(said.0.contains(found) && said.1.contains(advice), "{errno:?}: {said:?}");
        }
    }

    #[test]
    fn what_keeps_files_from_being_laid_out_is_named_with_what_helps() {
        let spec = "[files]\ncount = 2\nsize_mib = 16\n";
        let plan = Plan::parse("two", "two.toml", spec).expect("a valid spec");
        let all = Some(32 * MIB);
        let much = Some(68 << 30);
        let short = Failure::Short { done_bytes: 1, wanted_bytes: 4096 };
        let rows: [(Failure, &str, Option<u64>, &str, &str); 11] = [
            (Errno::FBIG.into(), "ext4", much, "a file of 16 MiB passes (EFBIG)", "ulimit -f"),
            (Errno::DQUOT.into(), "ext4", much, "quota that does not allow 2 files", "quota -s"),
            (Errno::NOSPC.into(), "ext4", all, "of which 32 MiB is free (ENOSPC)", "free some"),
            (short, "ext4", None, "of which an unknown part is free (short)", "free some"),
            (Errno::NOSPC.into(), "xfs", much, "though 69632 MiB is free (ENOSPC)", "quotas"),
            (Errno::PERM.into(), "cgroup2", None, "type cgroup2, in which no files", "on a disk"),
            (Errno::ACCESS.into(), "ext4", all, "no permission on laying out", "yours"),
            (Errno::MFILE.into(), "ext4", all, "too many open files", "ulimit -n"),
            (Errno::NFILE.into(), "ext4", all, "too many open files", "fs.file-max"),
            (Errno::NOMEM.into(), "ext4", all, "too little memory", "cgroup"),
            (Errno::IO.into(), "ext4", all, "an error on laying out files, EIO", "dmesg"),
        ];
        for (failure, mount, free, found, advice) in rows {
            let said = no_files(&plan, failure, mount, free);
            assert!(said.0.contains(found) && said.1.contains(advice), "{failure}: {said:?}");
            assert_eq!(said.0.contains("is free"), found.contains("is free"), "{said:?}");
        }
    }

    #[test]
    fn a_limit_on_open_files_is_named_with_what_helps() {
        let said = too_many_files(Path::new("/some/where"), 100_000, 20_000).to_string();
        assert!(said.contains("found a limit of 20000 open files, and 100000 are"), "{said}");
        assert!(said.contains("ulimit -Hn") && said.contains("files.count"), "{said}");
        assert_eq!((mib(16 << 20), mib(10 << 10)), (16.0, 0.01));
    }

    #[test]
    fn what_keeps_a_file_from_being_opened_is_named_with_what_helps() {
        let rows = [
            (Open::Direct, Errno::INVAL, "does not take O_DIRECT (EINVAL)", "files.open"),
            (Open::Direct, Errno::OPNOTSUPP, "O_DIRECT (EOPNOTSUPP)", "files.open"),
            (Open::Buffered, Errno::INVAL, "an error on opening a file, EINVAL", "dmesg"),
            (Open::Direct, Errno::MFILE, "too many open files", "ulimit -n"),
        ];
        for (open, errno, found, advice) in rows {
            let said = no_open_file(open, errno);
            assert!(said.0.contains(found) && said.1.contains(advice), "{errno:?}: {said:?}");
        }
    }
}
