//! `iowq-report`: makes a page and a summary of records, compares sets of them, and takes runs from
//! and to other tools.

mod exchange;

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use iowq_contract::Host;
use iowq_reports::bench::text::WIDTH_TEXT;
use iowq_reports::compare::rerun::Rerun;
use iowq_reports::compare::{Rules, ktap};
use iowq_reports::output::{self, CompareRequest, KernelsRequest, ReportRequest};

/// Bad input or a file that cannot be written.
const EXIT_TROUBLE: u8 = 2;

/// Smallest effects that can be asked for, in percent: from what no machine shows to a doubling.
const THRESHOLD_PERCENT: [f64; 2] = [0.1, 100.0];

/// Error rates that can be asked for.
const ALPHA: [f64; 2] = [0.001, 0.2];

/// Make a report of runs: report.html to look at and summary.txt to quote.
#[derive(Debug, Parser)]
#[command(
    name = "iowq-report",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
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
    /// Say what changed from one set of runs to others, how sure that is, and whether it matters.
    ///
    /// Exit code: 0 no regression, 1 a regression, 3 no verdict (inconclusive, or something forbids
    /// one), 2 trouble. Of several comparisons the worst counts: 2, then 1, then 3, then 0.
    ///
    /// `cargo xtask compare` also takes --confirm: after a regression it makes fresh runs of what
    /// got worse, as many pairs as before, and then compares with --confirmed-by. They go to the
    /// folder `confirm` in --out [default: in target/bench/UTC-TIME]; --dir DIR is then the folder
    /// for the files under test, as `bench` has it.
    Compare(Compare),
    /// Print the benches that would measure the regressions of a comparison again.
    #[command(hide = true)]
    Fresh(Box<Fresh>),
    /// Say what changed from kernel to kernel in a folder of boots that `cargo xtask kernels` made.
    ///
    /// Exit code: as of `compare`. A kernel that panics, hangs or complains as the base never does
    /// is a regression; one of which no boot finished for another reason is trouble.
    Kernels(Kernels),
    /// Write runs as text that another tool reads
    Export(exchange::Export),
    /// Take what another tool measured as records
    Import(exchange::Import),
}

#[derive(Debug, clap::Args)]
struct Compare {
    /// Two or more sets, the base first: PATH or PATH@POLICY, where PATH is a record.jsonl or the
    /// folder that it is in, and POLICY is as in the summary (`io_uring` for the kernel's).
    #[arg(required = true, value_name = "BASE TEST")]
    sets: Vec<PathBuf>,

    /// Smallest change that matters, in percent.
    #[arg(long, value_name = "PCT", default_value = "5", value_parser = percent)]
    threshold: f64,

    /// Error rate of the verdicts on a workload.
    #[arg(long, value_name = "RATE", default_value = "0.05", value_parser = alpha)]
    alpha: f64,

    /// Compare this workload alone, or again for more [default: all].
    #[arg(long = "workload", value_name = "NAME")]
    workloads: Vec<String>,

    /// Where to put report.html, summary.txt and compare.json [default: nowhere].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// A record of fresh runs of the same policies, or the folder that it is in; again for more.
    /// A regression counts only where these runs, judged alone, show it too [default: it counts].
    #[arg(long, value_name = "RECORD")]
    confirmed_by: Vec<PathBuf>,

    /// What to print.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, clap::Args)]
struct Fresh {
    /// As `compare` has them.
    #[command(flatten)]
    compare: Compare,

    /// This host, as `iowq host` prints it.
    #[arg(long, value_name = "JSON", value_parser = host)]
    host: Host,
}

fn host(text: &str) -> Result<Host, serde_json::Error> {
    serde_json::from_str(text)
}

#[derive(Debug, clap::Args)]
struct Kernels {
    /// The folder with kernels.json, boots.jsonl and record.jsonl.
    dir: PathBuf,

    /// Smallest change that matters, in percent.
    #[arg(long, value_name = "PCT", default_value = "5", value_parser = percent)]
    threshold: f64,

    /// Error rate of the verdicts on a workload.
    #[arg(long, value_name = "RATE", default_value = "0.05", value_parser = alpha)]
    alpha: f64,

    /// A folder of fresh boots of the same kernels. A regression counts only where these boots,
    /// judged alone, show it too; `cargo xtask kernels --confirm` makes them [default: it counts].
    #[arg(long, value_name = "DIR")]
    confirmed_by: Option<PathBuf>,

    /// Where to put report.html, pairs.html, summary.txt and compare.json [default: DIR].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// What to print.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// A table and a sentence per workload.
    Text,
    /// All figures.
    Json,
    /// Test results as kernel CI reads them.
    Ktap,
}

fn percent(text: &str) -> Result<f64, String> {
    within(text.trim_end_matches('%'), THRESHOLD_PERCENT)
}

fn alpha(text: &str) -> Result<f64, String> {
    within(text, ALPHA)
}

fn within(text: &str, [least, most]: [f64; 2]) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("a number from {least} to {most} is allowed"))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.command {
        Some(Command::Compare(options)) => compare(options),
        Some(Command::Fresh(options)) => fresh(options),
        Some(Command::Kernels(options)) => kernels(options),
        Some(Command::Export(options)) => said(exchange::export(options)),
        Some(Command::Import(options)) => said(exchange::import(options)),
        None => report(&arguments),
    };
    done.unwrap_or_else(|error| {
        eprintln!("iowq-report: {error}");
        ExitCode::from(EXIT_TROUBLE)
    })
}

/// Says what a command found.
fn said(text: anyhow::Result<String>) -> Result<ExitCode, String> {
    say(&text.map_err(|error| format!("{error:#}"))?)?;
    Ok(ExitCode::SUCCESS)
}

fn request(options: &Compare) -> CompareRequest<'_> {
    CompareRequest {
        sets: &options.sets,
        workloads: &options.workloads,
        rules: Rules { threshold: options.threshold / 100.0, alpha: options.alpha },
        confirmed_by: &options.confirmed_by,
        out: options.out.as_deref(),
    }
}

fn fresh(options: &Fresh) -> Result<ExitCode, String> {
    let reruns = output::reruns(&request(&options.compare), &options.host);
    let reruns = reruns.map_err(|error| error.to_string())?;
    let flags: Vec<Vec<String>> = reruns.iter().map(Rerun::flags).collect();
    let json = serde_json::to_string(&flags).map_err(|error| error.to_string())?;
    say(&(json + "\n"))?;
    Ok(ExitCode::SUCCESS)
}

fn compare(options: &Compare) -> Result<ExitCode, String> {
    let compared = output::compare(&request(options)).map_err(|error| error.to_string())?;
    match options.format {
        Format::Text => say(&compared.text),
        Format::Json => say(&compared.json),
        Format::Ktap => say(&ktap::text(&compared.comparisons)),
    }?;
    Ok(ExitCode::from(compared.comparisons.exit_code()))
}

fn kernels(options: &Kernels) -> Result<ExitCode, String> {
    let out = options.out.as_deref().unwrap_or(&options.dir);
    let compared = output::kernels(&KernelsRequest {
        dir: &options.dir,
        confirmed_by: options.confirmed_by.as_deref(),
        rules: Rules { threshold: options.threshold / 100.0, alpha: options.alpha },
        out,
    });
    let compared = compared.map_err(|error| error.to_string())?;
    match options.format {
        Format::Text => {
            let page = out.join(output::PAGE_NAME);
            say(&format!("{}\nreport   {}\n", compared.text, page.display()))
        }
        Format::Json => say(&compared.json),
        Format::Ktap => say(&compared.ktap),
    }?;
    Ok(ExitCode::from(compared.exit_code))
}

fn report(arguments: &Arguments) -> Result<ExitCode, String> {
    let written = output::report(&ReportRequest {
        records: &arguments.records,
        workloads: &arguments.workloads,
        out: arguments.out.as_deref(),
        text_width: terminal_width(),
    });
    let written = written.map_err(|error| error.to_string())?;
    let (page, text) = (written.page.display(), written.summary.display());
    let fidelity = written.fidelity.map(|path| format!("fidelity {}\n", path.display()));
    let fidelity = fidelity.unwrap_or_default();
    say(&format!("{}\nreport   {page}\n{fidelity}summary  {text}\n", written.text))?;
    Ok(ExitCode::SUCCESS)
}

fn terminal_width() -> usize {
    let table = comfy_table::Table::new();
    if io::stdout().is_terminal() {
        table.width().map_or(WIDTH_TEXT, usize::from)
    } else {
        WIDTH_TEXT
    }
}

/// Prints; a reader that closed the pipe has seen enough, and the files are written. Any other
/// failure, such as a full disk, is trouble: a script must not take half a text for all of it.
fn say(text: &str) -> Result<(), String> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(format!("the result cannot be printed: {error}"))
        }
        _ => Ok(()),
    }
}
