//! The command line of the harness.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use iowq_harness::doctor;

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
}

fn main() -> ExitCode {
    let ended = match Cli::parse().command {
        Command::Doctor(options) => doctor::run(&options),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
