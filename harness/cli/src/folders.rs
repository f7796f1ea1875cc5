//! Folders for results: named by the time, and never one that is used.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use anyhow::{Context as _, bail};
use iowq_contract::{NewFolders, way_out};
use iowq_harness::clock;

/// Names the folder that results go to by default; `cargo xtask` names the workspace's `target`.
const BASE: &str = "IOWQ_OUT";

/// Folder for what confirms a regression, in the folder for the results.
pub(crate) const CONFIRM: &str = "confirm";

/// Folder for results if `IOWQ_OUT` names none.
const DEFAULT_BASE: &str = "iowq-results";

/// A folder for what a command finds, named by the time.
pub(crate) fn by_time(command: &str) -> PathBuf {
    base().join(command).join(clock::wall_clock().replace(':', "-"))
}

/// Folder for kernels that are built, which later calls use again.
pub(crate) fn kernel_builds() -> PathBuf {
    if let Some(base) = env::var_os(BASE) {
        return PathBuf::from(base).join("kernel-builds");
    }
    let cache = env::var_os("XDG_CACHE_HOME").filter(|it| !it.is_empty()).map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")));
    cache.map_or_else(|| base().join("kernel-builds"), |cache| cache.join("iowq/kernel-builds"))
}

/// Folder for files under test, made if it is the default: on the disk that results go to, because a
/// folder for temporary files is memory on many machines, and never blocks.
pub(crate) fn files_under_test(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(dir) = named {
        return Ok(dir.to_owned());
    }
    let dir = base().join("bench-files");
    NewFolders::make(&dir)
        .map_err(|error| {
            let way_out = way_out(&dir, &error);
            anyhow::anyhow!(
                "{}: cannot be made; name a folder with --dir: {error}{way_out}",
                dir.display()
            )
        })?
        .keep();
    Ok(dir)
}

fn base() -> PathBuf {
    let base = env::var_os(BASE).filter(|base| !base.is_empty());
    let base = base.map_or_else(|| PathBuf::from(DEFAULT_BASE), PathBuf::from);
    // Relative if that is shorter to read.
    match env::current_dir().ok().and_then(|here| Some(base.strip_prefix(here).ok()?.to_owned())) {
        Some(relative) if !relative.as_os_str().is_empty() => relative,
        _ => base,
    }
}

/// Results are never mixed with, or written over, those of another run.
pub(crate) fn refuse_used(out: &Path) -> anyhow::Result<()> {
    let entry = match fs::read_dir(out) {
        // The same name whatever the order on the disk.
        Ok(entries) => entries.min_by_key(|entry| entry.as_ref().ok().map(fs::DirEntry::file_name)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            bail!("--out {} is a file; name a folder that is new or empty", out.display())
        }
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read --out {}", out.display()));
        }
    };
    match entry {
        None => Ok(()),
        Some(entry) => {
            let entry = entry.with_context(|| format!("cannot read --out {}", out.display()))?;
            bail!(
                "--out {} already holds {}; name a folder that is new or empty, or omit --out",
                out.display(),
                entry.file_name().display(),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_or_an_empty_folder_is_fine_and_a_used_one_or_a_file_is_refused() -> anyhow::Result<()>
    {
        let folder = tempfile::tempdir()?;
        refuse_used(folder.path())?;
        refuse_used(&folder.path().join("new"))?;
        let file = folder.path().join("record.jsonl");
        fs::write(&file, "")?;
        let error = refuse_used(folder.path()).unwrap_err().to_string();
        assert!(error.contains("already holds record.jsonl"), "{error}");
        assert!(refuse_used(&file).unwrap_err().to_string().contains("is a file"));
        Ok(())
    }
}
