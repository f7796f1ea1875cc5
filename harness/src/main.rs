//! The command line of the harness.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use iowq_harness::{command, doctor};

/// Runs workloads under the rules of io-wq, and looks at the machine.
#[derive(Parser)]
#[command(name = "iowq")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// What this machine can do, and the command that fixes what it cannot
    Doctor(doctor::Options),
    /// Run workloads under several policies and write a record of each run
    Bench(command::bench::Options),
    /// Runs one cell and prints its record; `bench` starts one of these per cell
    #[command(hide = true)]
    Cell(command::cell::Options),
    /// Prints this machine as a record describes it
    #[command(hide = true)]
    Host(command::host::Options),
}

fn main() -> ExitCode {
    command::outlive_file_size_limit();
    let ended = match Cli::parse().command {
        Command::Bench(options) => command::bench::run(&options),
        Command::Doctor(options) => succeed(doctor::run(&options)),
        Command::Cell(options) => succeed(command::cell::run(&options)),
        Command::Host(options) => succeed(command::host::run(&options)),
    };
    match ended {
        Ok(code) => code,
        Err(error) => {
            // Whoever would read it may be gone; the code still says it.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn succeed<E: Into<anyhow::Error>>(ended: Result<(), E>) -> anyhow::Result<ExitCode> {
    ended.map(|()| ExitCode::SUCCESS).map_err(Into::into)
}
