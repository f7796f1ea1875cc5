//! Flags of commands that pass all others on: taken out of a command line.

use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
};

use anyhow::bail;

/// A command line as it came.
pub(crate) fn all(args: &[OsString]) -> Vec<&OsStr> {
    args.iter().map(OsString::as_os_str).collect()
}

/// The folder that follows a flag, as `--flag DIR` or `--flag=DIR`, and all the rest in order.
pub(crate) fn take<'a>(
    args: &[&'a OsStr],
    flag: &str,
) -> anyhow::Result<(Option<PathBuf>, Vec<&'a OsStr>)> {
    let joined = format!("{flag}=");
    let mut folder = None;
    let mut rest = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let value = match arg.to_str() {
            Some(text) if text == flag => match args.next() {
                Some(value) => PathBuf::from(value),
                None => bail!("{flag} needs a folder: {flag} DIR"),
            },
            Some(text) if text.starts_with(&joined) => PathBuf::from(&text[joined.len()..]),
            _ => {
                rest.push(*arg);
                continue;
            }
        };
        if value.as_os_str().is_empty() {
            bail!("{flag} needs a folder, but what follows it is empty");
        }
        if folder.replace(value).is_some() {
            bail!("{flag} is given twice, and takes one folder");
        }
    }
    Ok((folder, rest))
}

/// Whether a flag without a value is there, and all the rest in order.
pub(crate) fn has<'a>(args: &[&'a OsStr], flag: &str) -> (bool, Vec<&'a OsStr>) {
    let rest: Vec<&OsStr> = args.iter().copied().filter(|arg| *arg != flag).collect();
    (rest.len() < args.len(), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(args: &[&str]) -> anyhow::Result<(Option<PathBuf>, Vec<String>)> {
        let args = args.iter().map(OsString::from).collect::<Vec<_>>();
        let (out, rest) = take(&all(&args), "--out")?;
        Ok((out, rest.iter().map(|arg| arg.to_string_lossy().into_owned()).collect()))
    }

    #[test]
    fn the_folder_is_taken_out_and_all_else_passes_through_in_order() -> anyhow::Result<()> {
        let rest = ["--quick", "--policy", "6.12+recheck-free-worker"].map(str::to_owned).to_vec();
        let spaced = ["--quick", "--out", "o", "--policy", "6.12+recheck-free-worker"];
        assert_eq!(split(&spaced)?, (Some(PathBuf::from("o")), rest.clone()));
        let joined = ["--quick", "--policy", "6.12+recheck-free-worker", "--out=o"];
        assert_eq!(split(&joined)?, (Some(PathBuf::from("o")), rest));
        let fidelity = ["--fidelity", "--grid", "f4-", "--seconds", "2"];
        let passed = fidelity.map(str::to_owned).to_vec();
        assert_eq!(split(&fidelity)?, (None, passed));
        assert_eq!(split(&[])?, (None, Vec::new()));
        Ok(())
    }

    #[test]
    fn a_folder_that_is_missing_empty_or_given_twice_is_refused() {
        for args in [&["--out"][..], &["--out="], &["--out", ""], &["--out", "a", "--out=b"]] {
            assert!(split(args).is_err(), "{args:?}");
        }
    }

    #[test]
    fn a_flag_without_a_value_is_found_wherever_it_stands() {
        let args = ["a", "--confirm", "b"].map(OsString::from);
        let (found, rest) = has(&all(&args), "--confirm");
        assert!(found && rest == ["a", "b"]);
        assert!(!has(&rest, "--confirm").0);
    }
}
