//! Programs of the host: where they are, and the package to install if they are absent.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use anyhow::anyhow;
use rustix::fs::{Access, access};

/// Where tools for administrators are; the path of other users often leaves these out.
const FOLDERS: [&str; 2] = ["/usr/sbin", "/sbin"];

/// Where a program is. `packages` ends the sentence "It comes with the package …".
///
/// # Errors
///
/// No folder of the path has it.
pub(crate) fn find(name: &str, packages: &str) -> anyhow::Result<PathBuf> {
    find_in(&env::var_os("PATH").unwrap_or_default(), name)
        .ok_or_else(|| anyhow!("cannot find `{name}`. It comes with the package {packages}"))
}

fn find_in(path: &OsString, name: &str) -> Option<PathBuf> {
    let folders = env::split_paths(path).chain(FOLDERS.map(PathBuf::from));
    folders.map(|folder| folder.join(name)).find(|file| runs(file))
}

/// Whether a file is a program that we may run.
fn runs(file: &Path) -> bool {
    file.is_file() && access(file, Access::EXEC_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_named_with_its_package() {
        let error = find("iowq-is-not-here", "iowq (Debian)").unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot find `iowq-is-not-here`. It comes with the package iowq (Debian)"
        );
    }

    #[test]
    fn a_file_that_cannot_be_run_is_no_program() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("tool"), "").unwrap();
        assert_eq!(find_in(&folder.path().as_os_str().to_owned(), "tool"), None);
        assert!(find_in(&OsString::new(), "tool").is_none());
    }
}
