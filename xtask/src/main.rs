//! The switchboard: builds the release binaries, starts them and hands their files on.
//!
//! It links none of the code that is measured, so that a change here can never change a figure.

mod bench;
mod build;
mod ci;
mod compare;
mod confirm;
mod doctor;
mod exit;
mod flags;
mod out;
mod probes;
mod process;
mod record;
mod report;
mod signals;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use exit::Exit;

/// A laboratory for io-wq, the worker pool behind io_uring.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run workloads under several policies, then write the report. `bench --help` lists its flags
    Bench(bench::Options),
    /// Say what changed between sets of records, and whether it matters. `compare --help` has more
    Compare(compare::Options),
    /// Draw the report of records that exist
    Report(report::Options),
    /// Write runs as text for benchstat, Bencher, Prometheus, HdrHistogram or readers of fio's JSON
    Export(report::Options),
    /// Take what fio measured as records
    Import(report::Options),
    /// What this machine can do, and the command that fixes what it cannot
    Doctor(doctor::Options),
    /// Rebuild the committed BPF object; `--check` only compares
    Probes(probes::Options),
    /// Run the list that CI runs
    Ci(ci::Options),
}

fn main() -> ExitCode {
    let exit = match Cli::parse().command {
        Command::Bench(options) => bench::run(&options),
        Command::Compare(options) => compare::run(&options),
        Command::Report(options) => report::run(None, &options),
        Command::Export(options) => report::run(Some("export"), &options),
        Command::Import(options) => report::run(Some("import"), &options),
        Command::Doctor(options) => doctor::run(&options),
        Command::Probes(options) => probes::run(&options).map(|_| Exit::Fine),
        Command::Ci(options) => ci::run(&options),
    };
    exit.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        Exit::Trouble
    })
    .into()
}
