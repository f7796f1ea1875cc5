//! `iowq-report`: makes a page and a summary of records, and takes runs from and to other tools.

mod exchange;

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use iowq_reports::output::{self, Request};
use iowq_reports::summary;

/// Bad input or a file that cannot be written.
const EXIT_TROUBLE: u8 = 2;

/// Make a report of runs: report.html to look at and summary.txt to quote.
#[derive(Debug, Parser)]
#[command(name = "iowq-report", version)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,

    /// record.jsonl files, or the folders that they are in.
    #[arg(required = true, value_name = "RECORD")]
    records: Vec<PathBuf>,

    /// Report this workload alone, or again for more [default: all].
    #[arg(long = "workload", value_name = "NAME")]
    workloads: Vec<String>,

    /// Where to put the report [default: beside the first record].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write runs as text that another tool reads
    Export(exchange::Export),
    /// Take what another tool measured as records
    Import(exchange::Import),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match &arguments.command {
        None => report(&arguments),
        Some(Command::Export(export)) => end(exchange::export(export)),
        Some(Command::Import(import)) => end(exchange::import(import)),
    }
}

/// Says what a command found, or what went wrong.
fn end(text: anyhow::Result<String>) -> ExitCode {
    match text {
        Ok(text) => {
            say(&text);
            ExitCode::SUCCESS
        }
        Err(error) => trouble(&error),
    }
}

fn report(arguments: &Arguments) -> ExitCode {
    let request = Request {
        records: &arguments.records,
        workloads: &arguments.workloads,
        out: arguments.out.as_deref(),
        text_width: terminal_width(),
    };
    match output::report(&request) {
        Ok(written) => {
            let (page, text) = (written.page.display(), written.summary.display());
            let fidelity = written.fidelity.map(|path| format!("fidelity {}\n", path.display()));
            let fidelity = fidelity.unwrap_or_default();
            say(&format!("{}\nreport   {page}\n{fidelity}summary  {text}\n", written.text));
            ExitCode::SUCCESS
        }
        Err(error) => trouble(&error.into()),
    }
}

fn trouble(error: &anyhow::Error) -> ExitCode {
    eprintln!("iowq-report: {error:#}");
    ExitCode::from(EXIT_TROUBLE)
}

fn terminal_width() -> usize {
    let table = comfy_table::Table::new();
    if io::stdout().is_terminal() {
        table.width().map_or(summary::WIDTH_TEXT, usize::from)
    } else {
        summary::WIDTH_TEXT
    }
}

/// Prints; a reader that closed the pipe has seen enough, and the files are written.
fn say(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}
