//! The switchboard: builds `iowq` and runs it, or does what takes the sources: `ci`, `fuzz` and `probes`.

#![cfg_attr(not(test), warn(clippy::print_stdout, clippy::print_stderr))]

mod build;
mod ci;
mod exit;
mod fuzz;
mod probes;
mod process;

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use exit::Exit;
use process::note;

/// Runs `iowq`, built for release, and tends to this workspace.
///
/// `cargo xtask COMMAND` is `iowq COMMAND`, built if need be: bench, report, compare, kernels, export,
/// import, doctor. `cargo xtask -- --help` is iowq's own help.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Rebuild the committed BPF object; `--check` only compares
    Probes(probes::Options),
    /// Run the list that CI runs
    Ci(ci::Options),
    /// Feed parsers with mutated input, guided by the code that it reaches
    Fuzz(fuzz::Options),
    /// A command of iowq
    #[command(external_subcommand)]
    Iowq(Vec<OsString>),
}

fn main() -> ExitCode {
    let exit = match task() {
        Task::Probes(options) => probes::run(&options).map(|_| Exit::Fine),
        Task::Ci(options) => ci::run(&options),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Iowq(arguments) => iowq(&arguments).map(|never| match never {}),
    };
    exit.unwrap_or_else(|error| {
        note(format_args!("error: {error:#}"));
        Exit::Trouble
    })
    .into()
}

/// What the arguments ask for. What begins with a dash and is no flag of this program is iowq's.
fn task() -> Task {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let own =
        arguments.first().is_none_or(|word| ["-h", "--help", "help"].iter().any(|own| word == own));
    let dashed = arguments.first().is_some_and(|word| word.as_encoded_bytes().starts_with(b"-"));
    if dashed && !own { Task::Iowq(arguments) } else { Cli::parse().command }
}

/// Becomes `iowq`, so that signals, exit code and terminal are its own.
fn iowq(arguments: &[OsString]) -> anyhow::Result<std::convert::Infallible> {
    let path = build::iowq()?;
    let mut command = Command::new(&path);
    command.args(arguments).env("IOWQ_OUT", process::target());
    Err(command.exec()).with_context(|| format!("cannot start {}", path.display()))
}
