//! Flags of `compare`, and those that it shares with `kernels`.

use std::path::PathBuf;

use clap::Args;
use iowq_reports::compare::Rules;

use super::{Format, VerdictFormat};

/// Smallest effects that can be asked for, in percent: from what no machine shows to a doubling.
const THRESHOLD_PERCENT: [f64; 2] = [0.1, 100.0];
/// Error rates that can be asked for.
const ALPHA: [f64; 2] = [0.001, 0.2];

/// Flags of `compare`.
#[derive(Args, Clone, Debug)]
pub(crate) struct CompareFlags {
    /// Two or more sets, the base first: PATH or PATH@VARIANT, where PATH is a record.jsonl or the
    /// folder that it is in, and VARIANT is a policy (`io_uring` for the kernel's), a setting, or
    /// both, such as 6.17,bounded=4. Or one folder of boots that `kernels` made
    #[arg(required = true, value_name = "BASE TEST")]
    pub(crate) sets: Vec<PathBuf>,
    /// How to judge and what to print
    #[command(flatten)]
    pub(crate) judging: JudgingFlags,
    /// Compare this workload alone; may be repeated [default: all]
    #[arg(long = "workload", value_name = "NAME")]
    pub(crate) workloads: Vec<String>,
    /// Where to put report.html, summary.txt and compare.json [default: nowhere]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// A record of reruns of the same policies, or the folder that it is in; may be repeated. A
    /// regression counts only if these runs, judged alone, show it too [default: it counts]
    #[arg(long, value_name = "RECORD", conflicts_with = "confirm")]
    pub(crate) confirmed_by: Vec<PathBuf>,
    /// After a regression, rerun what got worse as often, in the folder `confirm` of
    /// --out [default: a new folder where results go], and count it only if these show it too
    #[arg(long)]
    pub(crate) confirm: bool,
    /// Folder for the files under test of reruns, as of `bench`
    #[arg(long, value_name = "DIR", requires = "confirm")]
    pub(crate) dir: Option<PathBuf>,
}

/// How comparisons are judged, and what is printed of them.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct JudgingFlags {
    /// Smallest change that matters, in percent
    #[arg(long, value_name = "PCT", default_value = "5", value_parser = percent)]
    threshold: f64,
    /// Error rate of the verdicts on a workload
    #[arg(long, value_name = "RATE", default_value = "0.05", value_parser = alpha)]
    alpha: f64,
    /// What to print
    #[arg(long, value_enum, default_value_t = VerdictFormat::Text)]
    pub(crate) format: VerdictFormat,
}

impl JudgingFlags {
    /// Those of a report, which judges as a comparison does by default.
    pub(crate) fn of_report(format: Format) -> JudgingFlags {
        let format = match format {
            Format::Text => VerdictFormat::Text,
            Format::Json => VerdictFormat::Json,
        };
        JudgingFlags { threshold: 5.0, alpha: 0.05, format }
    }

    /// The rules that they come to.
    pub(crate) fn rules(self) -> Rules {
        Rules { threshold: self.threshold / 100.0, alpha: self.alpha }
    }
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
