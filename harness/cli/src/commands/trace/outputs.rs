//! Files that a trace writes, looked at before it starts: at its end, what it saw would be lost.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use iowq_contract::is_stream;
use rustix::fs::{Access, AtFlags, CWD, accessat};

use crate::flags::trace::TraceFlags;

/// Refuses files that could not be written, or would be written over.
pub(super) fn check(flags: &TraceFlags) -> anyhow::Result<()> {
    let new = [("--record", &flags.record), ("--perfetto", &flags.perfetto)];
    for (flag, path) in new {
        let Some(path) = path.as_deref().filter(|path| !is_stream(path)) else { continue };
        // A link that leads nowhere exists, too.
        let exists = path.symlink_metadata().is_ok();
        ensure!(!exists, "{} exists: name a new file for {flag}", path.display());
    }
    let mut places: Vec<(&str, PathBuf)> = Vec::new();
    for (flag, path) in new.into_iter().chain([("--to-spec", &flags.to_spec)]) {
        let Some(path) = path.as_deref().filter(|path| !is_stream(path)) else { continue };
        let place =
            place(path).with_context(|| format!("cannot write {flag} {}", path.display()))?;
        if let Some((other, _)) = places.iter().find(|(_, known)| *known == place) {
            anyhow::bail!(
                "{other} and {flag} name one file, {}: each needs its own",
                path.display()
            );
        }
        places.push((flag, place));
    }
    Ok(())
}

/// Where a file will be; its folder is there and may be written.
fn place(path: &Path) -> anyhow::Result<PathBuf> {
    ensure!(!path.is_dir(), "it is a folder");
    let name = path.file_name().context("it names no file")?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let found = folder.canonicalize().with_context(|| format!("no folder {}", folder.display()))?;
    accessat(CWD, &found, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS)
        .with_context(|| format!("the folder {} takes no new file", found.display()))?;
    Ok(found.join(name))
}
