//! Progress: a bar with the time left on a terminal, and a line for each run that is done.

use std::io::{IsTerminal as _, Write as _};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use iowq_record::Record;

/// How often per second the bar is drawn at most while a run goes on: it takes time from it.
const DRAWS_PER_S: u8 = 4;

/// What a person sees while runs go on.
pub(super) struct Progress {
    bar: ProgressBar,
    runs: usize,
    done: usize,
}

impl Progress {
    pub(super) fn new(runs: usize) -> Progress {
        let bar = if std::io::stderr().is_terminal() {
            let terminal = ProgressDrawTarget::stderr_with_hz(DRAWS_PER_S);
            ProgressBar::with_draw_target(Some(runs as u64), terminal)
        } else {
            ProgressBar::hidden()
        };
        let style =
            ProgressStyle::with_template("{bar:30} {pos}/{len}  {msg}  {elapsed}, {eta} left");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        Progress { bar, runs, done: 0 }
    }

    pub(super) fn start(&self, workload: &str, policy: &str) {
        self.bar.set_message(format!("{workload} under {policy}"));
    }

    /// Draws the bar, if that is due. Called from outside, because a thread of the bar's own might
    /// not be had.
    pub(super) fn look(&self) {
        self.bar.tick();
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
            // Whoever read this may have left; the runs go on.
            let _ = writeln!(std::io::stderr(), "{line}");
        } else {
            self.bar.println(line);
        }
        self.bar.inc(1);
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
