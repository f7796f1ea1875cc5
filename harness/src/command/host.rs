//! `iowq host`: this machine as a record describes it, as JSON on standard output.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::files::DEFAULT_DIR;
use crate::machine;

/// Flags of `host`.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Folder for the files under test, whether or not it is there yet
    #[arg(long, default_value = DEFAULT_DIR)]
    dir: PathBuf,
}

/// Prints it.
///
/// # Errors
/// Where it cannot be printed.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let mut line = serde_json::to_vec(&machine::describe(existing(&options.dir)))?;
    line.push(b'\n');
    std::io::stdout().write_all(&line)?;
    Ok(())
}

/// The folder, or the nearest one above it that is there: one that is made in it is on its device.
fn existing(dir: &Path) -> &Path {
    dir.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_yet_to_be_made_is_taken_for_the_one_that_it_will_be_in() {
        assert_eq!(existing(Path::new("src/not/there")), Path::new("src"));
        assert_eq!(existing(Path::new("src")), Path::new("src"));
        assert_eq!(existing(Path::new("not-there")), Path::new("."));
        assert_eq!(existing(Path::new("/not-there")), Path::new("/"));
    }
}
