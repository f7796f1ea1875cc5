//! Progress: a bar with the time left on a terminal, and a line for each run that is done.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};
use iowq_record::Record;

use std::time::Duration;

/// How often the bar is drawn while a run goes on.
const TICK: Duration = Duration::from_millis(250);

/// What a person sees while runs go on.
pub(super) struct Progress {
    bar: ProgressBar,
    runs: usize,
    done: usize,
}

impl Progress {
    pub(super) fn new(runs: usize) -> Progress {
        let bar = if std::io::stderr().is_terminal() {
            ProgressBar::new(runs as u64)
        } else {
            ProgressBar::hidden()
        };
        let style =
            ProgressStyle::with_template("{bar:30} {pos}/{len}  {msg}  {elapsed}, {eta} left");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.enable_steady_tick(TICK);
        Progress { bar, runs, done: 0 }
    }

    pub(super) fn start(&self, workload: &str, policy: &str) {
        self.bar.set_message(format!("{workload} under {policy}"));
    }

    pub(super) fn done(&mut self, record: &Record, name: &str) {
        self.done += 1;
        let width = self.runs.to_string().len();
        let cell =
            format!("{:>width$}/{}  {name} under {}", self.done, self.runs, record.cell.policy);
        let line = match (&record.error, record.workers.created.best()) {
            (Some(error), _) => format!("{cell}: FAILED: {error}"),
            (None, Some(created)) => {
                format!("{cell}: {:.0} ops/s, {created} workers created", record.ops.per_s)
            }
            (None, None) => format!("{cell}: {:.0} ops/s", record.ops.per_s),
        };
        if self.bar.is_hidden() {
            eprintln!("{line}");
        } else {
            self.bar.println(line);
        }
        self.bar.inc(1);
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
