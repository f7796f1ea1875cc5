//! The command line: all commands of `iowq`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;
use iowq_harness::{machine, measured};
use iowq_pool::policy::Registry;

use crate::commands::{bench, compare, doctor, exchange, kernels, report, shell, trace};
use crate::exit::Exit;
use crate::flags::bench::BenchFlags;
use crate::flags::compare::CompareFlags;
use crate::flags::exchange::{ExportFlags, ImportFlags};
use crate::flags::kernels::KernelsFlags;
use crate::flags::report::{DoctorFlags, ReportFlags};
use crate::flags::trace::TraceFlags;
use crate::flags::verbosity::Verbosity;
use crate::print::note;

/// A laboratory for io-wq, the worker pool behind io_uring.
///
/// Exit codes: 0 fine, or no regression; 1 a regression; 2 trouble, such as bad input or a failed
/// run; 3 no verdict.
#[derive(Parser)]
#[command(name = "iowq", version = version())]
pub(crate) struct Cli {
    #[command(flatten)]
    verbosity: Verbosity,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run workloads under several policies, then write the report
    Bench(Box<BenchFlags>),
    /// Draw the report of records that exist: report.html to look at, summary.txt to quote
    Report(ReportFlags),
    /// Say what changed between sets of runs, how sure that is, and whether it matters
    ///
    /// Exit code: 0 no regression, 1 a regression, 3 no verdict (inconclusive, or something forbids
    /// one), 2 trouble. Of several comparisons the worst counts: 2, then 1, then 3, then 0.
    Compare(CompareFlags),
    /// Boot kernels in turn, run the same workloads on each, and say what changed between them
    ///
    /// IMAGE is a bzImage, a vmlinux, a Debian kernel package (.deb) or the folder that a kernel was
    /// built in; `LABEL=IMAGE` gives it a name. Exit code: as of `compare`. A kernel that panics, hangs
    /// or complains as the base never does is a regression.
    Kernels(Box<KernelsFlags>),
    /// Show which processes make io-wq workers, for which requests, and what would help
    ///
    /// Traces the whole machine, unless told which processes.
    Trace(TraceFlags),
    /// Write runs as text for benchstat, Bencher, Prometheus, HdrHistogram, Perfetto or readers of fio's
    /// JSON
    Export(ExportFlags),
    /// Import what fio measured as records
    Import(ImportFlags),
    /// Check what this machine can do, and name the command that fixes what it cannot
    Doctor(DoctorFlags),
    /// Print what completes commands and flags in a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Write a man page for each command
    Man {
        /// Folder for the pages
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

/// `0.1.0 (0123456789ab)`.
fn version() -> String {
    format!("{} ({})", env!("CARGO_PKG_VERSION"), machine::COMMIT)
}

/// Does what the arguments of this process ask for.
pub(crate) fn main(registry: &Registry) -> ExitCode {
    measured::outlive_file_size_limit();
    let Cli { verbosity, command } = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return answered(&error),
    };
    let done = match command {
        Command::Bench(flags) => bench::run(&flags, registry, verbosity),
        Command::Report(flags) => report::run(&flags),
        Command::Compare(flags) => compare::run(&flags, registry, verbosity),
        Command::Kernels(flags) => kernels::run(&flags, registry),
        Command::Trace(flags) => trace::run(&flags, verbosity),
        Command::Export(flags) => exchange::export(&flags),
        Command::Import(flags) => exchange::import(&flags),
        Command::Doctor(flags) => doctor::run(&flags, registry),
        Command::Completions { shell } => shell::completions(Cli::command(), shell),
        Command::Man { out } => shell::man(Cli::command(), &out),
    };
    done.unwrap_or_else(|error| {
        note(&format!("error: {}", with_causes(&error)));
        Exit::Trouble
    })
    .into()
}

/// Prints help or version where they were requested, and else what is wrong with the arguments,
/// which may hold anything.
fn answered(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        note(error.render().to_string().trim_end());
        return Exit::Trouble.into();
    }
    // The reader of a long help may be gone.
    let _ = error.print();
    ExitCode::SUCCESS
}

/// An error and its causes, without those that it repeats.
fn with_causes(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |text, cause| match text.as_str() {
        "" => cause,
        text if text.contains(&cause) => text.to_owned(),
        text => format!("{text}: {cause}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_an_error_repeats_is_told_once() {
        let error = anyhow::anyhow!("no such file").context("missing: no such file");
        assert_eq!(with_causes(&error), "missing: no such file");
        let error = anyhow::anyhow!("no such file").context("cannot read missing");
        assert_eq!(with_causes(&error), "cannot read missing: no such file");
    }

    #[test]
    fn flags_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_version_names_the_commit() {
        assert!(version().starts_with(env!("CARGO_PKG_VERSION")));
        assert!(version().ends_with(')'));
    }
}
