//! Flags of `trace`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};
use iowq_contract::Tier;
use iowq_trace::Target;

use super::Format;

/// Flags of `trace`.
#[derive(Args, Clone, Debug)]
#[command(group = ArgGroup::new("target").multiple(false))]
pub(crate) struct TraceFlags {
    /// Trace the process of this number
    #[arg(long, value_name = "PID", group = "target", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) pid: Option<u32>,
    /// Trace processes of this name, as /proc/PID/comm has it: 15 characters at most
    #[arg(long, value_name = "NAME", group = "target")]
    pub(crate) comm: Option<String>,
    /// Trace processes of this control group and those below it; a path below /sys/fs/cgroup
    #[arg(long, value_name = "PATH", group = "target")]
    pub(crate) cgroup: Option<String>,
    /// How to watch: with less than BPF the trace says why, and what it misses
    #[arg(long, value_enum, default_value_t = WantTier::Auto)]
    pub(crate) tier: WantTier,
    /// Stop after this time [default: at ^C, or when COMMAND ends]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) seconds: Option<f64>,
    /// Time between two snapshots
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    pub(crate) interval: f64,
    /// What to print: lines and a summary, or the trace as JSON lines
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Write the trace to this new file as one run, which report draws and compare takes
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
    /// Print lines, also where a screen could be shown
    ///
    /// The screen is shown on a terminal if neither --seconds nor -q nor a COMMAND is given; ? lists its
    /// keys.
    #[arg(long)]
    pub(crate) plain: bool,
    /// Write a timeline to this file that ui.perfetto.dev opens; then each request is recorded
    #[arg(long, value_name = "FILE")]
    pub(crate) perfetto: Option<PathBuf>,
    /// Serve counters for Prometheus at this address; a port alone is one of this machine's loopback
    #[arg(long, value_name = "ADDR")]
    pub(crate) openmetrics: Option<String>,
    /// Write a workload to this file at the end: what the busiest process did, for bench and kernels
    #[arg(long, value_name = "FILE")]
    pub(crate) to_spec: Option<PathBuf>,
    /// Start this command and trace it and its children
    ///
    /// The terminal is the command's; lines are printed in between. For the screen, start it elsewhere
    /// and name it by --comm, --pid or --cgroup.
    #[arg(last = true, value_name = "COMMAND", group = "target")]
    pub(crate) command: Vec<OsString>,
}

/// How a trace is to be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum WantTier {
    /// The best that starts here
    Auto,
    /// Programs in the kernel count, or fail
    Bpf,
    /// The same tracepoints, a record for each event, or fail; no files and accounts
    Tracefs,
    /// Polling /proc, which one's own processes allow; no requests, and births at least
    Proc,
}

impl TraceFlags {
    /// The tier that is asked for, if any.
    pub(crate) fn tier(&self) -> Option<Tier> {
        match self.tier {
            WantTier::Auto => None,
            WantTier::Bpf => Some(Tier::Bpf),
            WantTier::Tracefs => Some(Tier::Tracefs),
            WantTier::Proc => Some(Tier::Proc),
        }
    }

    /// Whether standard output is the only output, so that the trace ends when its reader is gone.
    pub(crate) fn is_only_printed(&self) -> bool {
        let files = [&self.record, &self.perfetto, &self.to_spec];
        let served = self.openmetrics.is_some();
        files.iter().all(|file| file.is_none()) && !served && self.command.is_empty()
    }

    /// Where to serve counters.
    pub(crate) fn openmetrics(&self) -> Option<String> {
        let address = self.openmetrics.as_ref()?;
        let is_port = address.parse::<u16>().is_ok();
        Some(if is_port { format!("127.0.0.1:{address}") } else { address.clone() })
    }

    /// What to trace.
    pub(crate) fn target(&self) -> Target {
        let words: Vec<_> = self.command.iter().map(|word| word.to_string_lossy()).collect();
        match (self.pid, &self.comm, &self.cgroup, words.is_empty()) {
            (Some(pid), ..) => Target::Pid(pid),
            (_, Some(name), ..) => Target::Comm(name.clone()),
            (.., Some(path), _) => {
                let below = path.strip_prefix("/sys/fs/cgroup");
                let path = below.filter(|it| it.is_empty() || it.starts_with('/')).unwrap_or(path);
                Target::Cgroup(format!("/{}", path.trim_matches('/')))
            }
            (.., false) => Target::Command(words.join(" ")),
            _ => Target::All,
        }
    }
}

/// A time of a tenth of a second to a year.
fn seconds(text: &str) -> Result<f64, String> {
    let found = text.parse::<f64>().ok().filter(|seconds| (0.1..=31_536_000.0).contains(seconds));
    found.ok_or_else(|| "a number of seconds from 0.1 to 31536000 is needed".to_owned())
}
