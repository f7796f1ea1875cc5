//! Progress: a bar with the time left on a terminal, and a line for each run that is done.

use std::cell::Cell;
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use iowq_contract::Record;

use super::super::said;
use super::arm::Arm;
use crate::clock::{self, Nanos};
use crate::files::Step;

/// How often the bar is drawn while a run goes on: often enough to look alive.
const DRAW: Duration = Duration::from_millis(250);

/// What a person sees while runs go on.
pub(super) struct Progress {
    bar: ProgressBar,
    /// How long each run is meant to be.
    lengths: Vec<Duration>,
    done: usize,
    started: Nanos,
    run_started: Nanos,
    drawn: Cell<Nanos>,
    /// What runs.
    cell: String,
    /// What it does beside its measured part, and how far it is.
    step: String,
}

impl Progress {
    pub(super) fn new(lengths: Vec<Duration>) -> Progress {
        let bar = if std::io::stderr().is_terminal() {
            ProgressBar::new(lengths.len() as u64)
        } else {
            ProgressBar::hidden()
        };
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len}  {msg}") {
            bar.set_style(style);
        }
        let now = clock::now();
        Progress {
            bar,
            lengths,
            done: 0,
            started: now,
            run_started: now,
            drawn: Cell::default(),
            cell: String::new(),
            step: String::new(),
        }
    }

    pub(super) fn start(&mut self, workload: &str, arm: &Arm) {
        self.cell = format!("{workload} {arm}");
        self.step.clear();
        self.run_started = clock::now();
        self.drawn.set(Nanos::default());
        self.look();
    }

    /// Notes what a run does beside its measured part, which may take long.
    pub(super) fn step(&mut self, said: said::Progress) {
        self.step = in_words(said);
        self.look();
    }

    /// Draws the bar, if that is due. Called from outside, because a thread of the bar's own might
    /// not be had.
    pub(super) fn look(&self) {
        let now = clock::now();
        if self.bar.is_hidden() || now < self.drawn.get().after(DRAW) {
            return;
        }
        self.drawn.set(now);
        let before = self.run_started.until(self.started);
        let left = left(&self.lengths, self.done, before, now.until(self.run_started));
        let (spent, left) = (HumanDuration(now.until(self.started)), HumanDuration(left));
        // Setting it draws it.
        self.bar.set_message(format!("{}{}  {spent:#}, {left:#} left", self.cell, self.step));
    }

    pub(super) fn done(&mut self, record: &Record, workload: &str, arm: &Arm) {
        self.done += 1;
        let runs = self.lengths.len();
        let width = runs.to_string().len();
        let cell = format!("{:>width$}/{runs}  {workload} {arm}", self.done);
        let line = match (&record.error, record.workers.created.best()) {
            (Some(error), _) => format!("{cell}: FAILED: {error}"),
            (None, Some(created)) => {
                let workers = if created == 1 { "worker" } else { "workers" };
                format!("{cell}: {:.0} ops/s, {created} {workers} created", record.ops.per_s)
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

/// What a run does, in a few words; nothing once its files are laid out.
fn in_words(said: said::Progress) -> String {
    let said::Progress { step, done_bytes, all_bytes } = said;
    let what = match step {
        Step::Laying if done_bytes == all_bytes => return String::new(),
        Step::Laying => "lays out files",
        Step::Verifying => "reads back what was written",
        Step::Removing => "removes files",
    };
    let percent = (u128::from(done_bytes) * 100).checked_div(all_bytes.into()).unwrap_or(100);
    format!(", {what}, {percent} %")
}

/// How long it still takes, by how long runs were meant to be and how long those done took.
fn left(lengths: &[Duration], done: usize, took: Duration, this_run: Duration) -> Duration {
    let sum = |lengths: &[Duration]| lengths.iter().sum::<Duration>().as_secs_f64();
    let (past, ahead) = lengths.split_at(done.min(lengths.len()));
    // Runs take longer than they measure: their files are laid out before and checked after.
    let stretch = if past.is_empty() { 1.0 } else { took.as_secs_f64() / sum(past) };
    let left = sum(ahead) * stretch - this_run.as_secs_f64();
    Duration::try_from_secs_f64(left).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_run_does_beside_being_measured_is_told_with_how_far_it_is() {
        let step =
            |step, done_bytes| in_words(said::Progress { step, done_bytes, all_bytes: u64::MAX });
        let half = u64::MAX / 2 + 1;
        assert_eq!(step(Step::Verifying, half), ", reads back what was written, 50 %");
        assert_eq!(step(Step::Laying, half), ", lays out files, 50 %");
        assert_eq!(step(Step::Laying, u64::MAX), "", "the measured part is what comes then");
    }

    #[test]
    fn the_time_left_is_what_was_meant_at_first_and_what_runs_really_take_later() {
        let seconds = Duration::from_secs;
        let lengths = [seconds(2), seconds(2), seconds(4)];
        assert_eq!(left(&lengths, 0, seconds(0), seconds(0)), seconds(8));
        assert_eq!(left(&lengths, 0, seconds(0), seconds(1)), seconds(7));
        assert_eq!(left(&lengths, 1, seconds(3), seconds(2)), seconds(7), "half as long again");
        assert_eq!(left(&lengths, 2, seconds(4), seconds(9)), seconds(0), "late");
        assert_eq!(left(&lengths, 3, seconds(8), seconds(0)), seconds(0));
    }
}
