//! Errors: why a kernel is not built, for the person who asked for it.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::child::Undone;
use crate::stop::Stopped;

/// Something that a build needs and this machine lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// A program or a header.
    pub name: String,
    /// The Debian package that has it.
    pub package: String,
}

/// Why a kernel was not built.
#[derive(Debug, Error)]
pub enum BuildError {
    /// Tools are missing; all of them are named.
    #[error("{}", tools(.0))]
    Tools(Vec<Tool>),
    /// What was given is no source that can be built.
    #[error("{}: {reason}", path.display())]
    Source {
        /// The source.
        path: PathBuf,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A patch of the series does not apply. Nothing was built.
    #[error("{}: {reason}", patch.display())]
    Patch {
        /// The patch.
        patch: PathBuf,
        /// Where, and what `patch` said.
        reason: String,
    },
    /// The kernel's configuration came out without something that was wanted.
    #[error(
        "{label}: this source does not take {} of the options wanted: {}. It may be too old or \
         have other names for them; give it a configuration of its own with --config FILE",
        missing.len(),
        missing.join(", ")
    )]
    Config {
        /// The kernel.
        label: String,
        /// Each option, with what was wanted and what it is.
        missing: Vec<String>,
    },
    /// A command failed.
    #[error("{what} failed ({status}). The last lines of {}:\n{tail}", log.display())]
    Failed {
        /// What was under way, such as `building base`.
        what: String,
        /// How the command ended.
        status: String,
        /// All that it said.
        log: PathBuf,
        /// The end of that.
        tail: String,
    },
    /// A file or folder could not be used.
    #[error("cannot {what} {}: {cause}", path.display())]
    Io {
        /// What was tried, such as `read`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// A tool that takes seconds did not come to its end.
    #[error("{0}")]
    Stuck(String),
    /// Another build is under way, or what one that was killed had started.
    #[error(
        "another build is using {}; wait for it, or name another folder with --cache",
        .0.display()
    )]
    Busy(PathBuf),
    /// Somebody asked to stop. What is finished is in the cache.
    #[error("interrupted; the next build goes on from here")]
    Interrupted,
}

impl BuildError {
    pub(super) fn io(what: &'static str, path: &Path, cause: io::Error) -> BuildError {
        BuildError::Io { what, path: path.to_owned(), cause }
    }

    pub(super) fn source(path: &Path, reason: impl Into<String>) -> BuildError {
        BuildError::Source { path: path.to_owned(), reason: reason.into() }
    }

    pub(super) fn patch(patch: &Path, reason: impl Into<String>) -> BuildError {
        BuildError::Patch { patch: patch.to_owned(), reason: reason.into() }
    }
}

impl From<Stopped> for BuildError {
    fn from(_: Stopped) -> BuildError {
        BuildError::Interrupted
    }
}

impl From<Undone> for BuildError {
    fn from(undone: Undone) -> BuildError {
        match undone {
            Undone::Stopped(stopped) => stopped.into(),
            Undone::Late { .. } => BuildError::Stuck(undone.to_string()),
            Undone::NotStarted { tool, cause } => BuildError::io("start", Path::new(&tool), cause),
            Undone::Io { what, tool, cause } => BuildError::io(what, Path::new(&tool), cause),
        }
    }
}

/// What is missing, and the one command that installs it.
fn tools(missing: &[Tool]) -> String {
    let names: Vec<_> = missing.iter().map(|tool| tool.name.as_str()).collect();
    let mut packages: Vec<_> = missing.iter().map(|tool| tool.package.as_str()).collect();
    packages.sort_unstable();
    packages.dedup();
    format!(
        "building a kernel takes {}, which this machine lacks; on Debian: sudo apt-get install {}",
        names.join(", "),
        packages.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_missing_is_named_with_one_command_that_installs_it() {
        let tool = |name: &str, package: &str| Tool { name: name.into(), package: package.into() };
        let missing = vec![tool("ld", "binutils"), tool("bc", "bc"), tool("as", "binutils")];
        let text = BuildError::Tools(missing).to_string();
        assert!(text.contains("takes ld, bc, as,"), "{text}");
        assert!(text.ends_with("sudo apt-get install bc binutils"), "{text}");
    }
}
