//! Errors that a caller distinguishes.

use std::path::PathBuf;

use thiserror::Error;

/// Something that a build needs and that is missing here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// A program or a header.
    pub name: String,
    /// The Debian package that has it.
    pub package: String,
}

/// Why nothing is built, whatever the source is.
#[derive(Debug, Error)]
pub enum BuildError {
    /// Tools are missing; all of them are named.
    #[error("{}", tools(.0))]
    Tools(Vec<Tool>),
    /// Another build is under way, or what one that was killed had started.
    #[error(
        "another build is using {}; wait for it, or name another folder with --cache",
        .0.display()
    )]
    Busy(PathBuf),
}

/// What is missing, and the one command that installs it.
fn tools(missing: &[Tool]) -> String {
    let names: Vec<_> = missing.iter().map(|tool| tool.name.as_str()).collect();
    let mut packages: Vec<_> = missing.iter().map(|tool| tool.package.as_str()).collect();
    packages.sort_unstable();
    packages.dedup();
    format!(
        "building a kernel needs {}, missing on this machine; on Debian: sudo apt-get install {}",
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
        assert!(text.contains("needs ld, bc, as,"), "{text}");
        assert!(text.ends_with("sudo apt-get install bc binutils"), "{text}");
    }
}
