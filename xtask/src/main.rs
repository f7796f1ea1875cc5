//! The switchboard; for now it has one command.

mod probes;

use clap::{Parser, Subcommand};

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the BPF object that is committed, or check it
    Probes(probes::Options),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Probes(options) => probes::run(&options).map(drop),
    }
}
