//! Folders for results: named by the time, and never one that is used.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use jiff::Timestamp;

use crate::process;

/// A folder named by the time, in the workspace; relative where that is shorter to read.
pub(crate) fn by_time(now: Timestamp) -> PathBuf {
    let folder = Path::new("target/bench").join(now.strftime("%Y-%m-%dT%H-%M-%SZ").to_string());
    let workspace = process::workspace();
    match env::current_dir() {
        Ok(here) if here == workspace => folder,
        _ => workspace.join(folder),
    }
}

/// Results are never mixed with, or written over, those of another run.
pub(crate) fn refuse_used(out: &Path) -> anyhow::Result<()> {
    let entry = match fs::read_dir(out) {
        Ok(mut entries) => entries.next(),
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
                "--out {} already holds {}; name a folder that is new or empty, or leave --out away",
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

    #[test]
    fn the_default_folder_is_named_by_the_time() -> anyhow::Result<()> {
        let name = by_time(Timestamp::from_second(1_795_228_200)?);
        assert!(name.ends_with("target/bench/2026-11-21T02-30-00Z"), "{}", name.display());
        Ok(())
    }
}
