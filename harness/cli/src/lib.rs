//! The laboratory as a library: `iowq`'s commands, for programs that add policies of their own.

#![cfg_attr(not(test), warn(clippy::print_stdout, clippy::print_stderr))]

mod cli;
mod commands;
#[cfg(test)]
mod documents;
mod exit;
mod flags;
mod folders;
mod print;
mod progress;
mod stop;
mod time_spent;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use iowq_harness::bench::Program;
use iowq_harness::{child_commands, measured};

pub use exit::Exit;
pub use iowq_pool::policy;

use policy::{NameError, PolicyKind, Registry};

/// Name of the program that measures, beside this one.
const MEASURE: &str = "iowq-measure";

/// The program, before it looks at its arguments.
pub struct Lab {
    registry: Registry,
}

impl Lab {
    /// With the policies of `iowq` itself.
    #[must_use]
    pub fn new() -> Lab {
        Lab { registry: Registry::builtin() }
    }

    /// With one policy more, which `--policy` then takes by its name.
    ///
    /// # Errors
    /// If its name is taken or invalid.
    pub fn policy(mut self, kind: PolicyKind) -> Result<Lab, NameError> {
        self.registry.register(kind)?;
        Ok(self)
    }

    /// Does what the arguments of this process ask for.
    #[must_use]
    pub fn main(self) -> ExitCode {
        let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
        let first = arguments.first().and_then(|word| word.to_str());
        if first.is_some_and(|word| child_commands::COMMANDS.contains(&word)) {
            return measured::main(&arguments, &self.registry);
        }
        cli::main(&self.registry)
    }
}

impl Default for Lab {
    fn default() -> Lab {
        Lab::new()
    }
}

/// The program that measures: `iowq-measure` beside this one, or this one itself if it has policies
/// of its own, which no other program knows.
fn measuring_program(registry: &Registry) -> anyhow::Result<Program> {
    if registry.kinds().len() > Registry::builtin().kinds().len() {
        return Ok(Program::open(PathBuf::from("/proc/self/exe"))?);
    }
    let path = std::env::current_exe()?.with_file_name(MEASURE);
    Program::open(path.clone()).with_context(|| {
        format!("{}: must be there; it is installed with iowq and stays beside it", path.display())
    })
}
