//! The laboratory as a library: `iowq`'s commands, for programs that add policies of their own.

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

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use iowq_harness::bench::Program;
use iowq_harness::measured;

pub use exit::Exit;

/// Name of the program that measures, beside this one.
const MEASURE: &str = "iowq-measure";

/// The program, before it looks at its arguments.
#[derive(Default)]
pub struct Lab {}

impl Lab {
    /// With the policies of `iowq` itself.
    #[must_use]
    pub fn new() -> Lab {
        Lab::default()
    }

    /// Does what the arguments of this process ask for.
    #[must_use]
    pub fn main(self) -> ExitCode {
        let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
        let first = arguments.first().and_then(|word| word.to_str());
        if first.is_some_and(|word| measured::COMMANDS.contains(&word)) {
            return measured::main(&arguments);
        }
        cli::main()
    }
}

/// The program that measures: `iowq-measure` beside this one.
fn measuring_program() -> anyhow::Result<Program> {
    let own = std::env::current_exe()?;
    let path: PathBuf = own.with_file_name(MEASURE);
    if !path.exists() {
        anyhow::bail!(
            "{}: not found; it is installed with iowq and must stay beside it",
            path.display()
        );
    }
    Ok(Program { path, arguments: Vec::new() })
}
