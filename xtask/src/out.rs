//! `--out`: the folder that takes results, taken out of flags that are passed through.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use anyhow::bail;
use jiff::Timestamp;

use crate::process;

/// A folder for the results of a command, named by the time, in the workspace; relative where that
/// is shorter to read.
pub(crate) fn default(command: &str, now: Timestamp) -> PathBuf {
    let folder =
        Path::new("target").join(command).join(now.strftime("%Y-%m-%dT%H-%M-%SZ").to_string());
    let workspace = process::workspace();
    match env::current_dir() {
        Ok(here) if here == workspace => folder,
        _ => workspace.join(folder),
    }
}

/// The folder for the results, which is needed here too, and all the other flags as they came.
pub(crate) fn split(args: &[OsString], default: PathBuf) -> anyhow::Result<(PathBuf, Vec<&OsStr>)> {
    let mut out = None;
    let mut rest = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let value = match arg.to_str() {
            Some("--out") => match args.next() {
                Some(value) => PathBuf::from(value),
                None => bail!("--out needs a folder: --out DIR"),
            },
            Some(text) if text.starts_with("--out=") => PathBuf::from(&text["--out=".len()..]),
            _ => {
                rest.push(arg.as_os_str());
                continue;
            }
        };
        if value.as_os_str().is_empty() {
            bail!("--out needs a folder, but what follows it is empty");
        }
        if out.replace(value).is_some() {
            bail!("--out is given twice, and one folder takes the results");
        }
    }
    Ok((out.unwrap_or(default), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apart(args: &[&str]) -> anyhow::Result<(PathBuf, Vec<String>)> {
        let args = args.iter().map(OsString::from).collect::<Vec<_>>();
        let (out, rest) = super::split(&args, PathBuf::from("default"))?;
        Ok((out, rest.iter().map(|arg| arg.to_string_lossy().into_owned()).collect()))
    }

    #[test]
    fn the_folder_is_taken_out_and_all_else_passes_through_in_order() -> anyhow::Result<()> {
        let rest = ["--quick", "--policy", "6.12+recheck-free-worker"].map(str::to_owned).to_vec();
        let spaced = ["--quick", "--out", "o", "--policy", "6.12+recheck-free-worker"];
        assert_eq!(apart(&spaced)?, (PathBuf::from("o"), rest.clone()));
        let joined = ["--quick", "--policy", "6.12+recheck-free-worker", "--out=o"];
        assert_eq!(apart(&joined)?, (PathBuf::from("o"), rest));
        let fidelity = ["--fidelity", "--grid", "f4-", "--seconds", "2"];
        let passed = fidelity.map(str::to_owned).to_vec();
        assert_eq!(apart(&fidelity)?, (PathBuf::from("default"), passed));
        assert_eq!(apart(&[])?, (PathBuf::from("default"), Vec::new()));
        Ok(())
    }

    #[test]
    fn a_folder_that_is_missing_empty_or_given_twice_is_refused() {
        for args in [&["--out"][..], &["--out="], &["--out", ""], &["--out", "a", "--out=b"]] {
            assert!(apart(args).is_err(), "{args:?}");
        }
    }

    #[test]
    fn the_default_folder_is_named_by_the_time() -> anyhow::Result<()> {
        let name = default("bench", Timestamp::from_second(1_795_228_200)?);
        assert!(name.ends_with("target/bench/2026-11-21T02-30-00Z"), "{}", name.display());
        Ok(())
    }
}
