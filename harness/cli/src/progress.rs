//! Progress: a bar with the time left on a terminal, and a line for each run that is done.

use std::cell::Cell;
use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use iowq_contract::{InjectedDelay, Record, Step, Variant, clean_message};
use iowq_harness::bench::Observer;
use iowq_harness::clock::{self, Nanos};

use crate::print::note;

/// How often the bar is drawn while a run goes on: often enough to look alive.
const DRAW: Duration = Duration::from_millis(250);

/// What a person sees while runs go on.
pub(crate) struct Progress {
    bar: ProgressBar,
    quiet: bool,
    /// How long each run is meant to be.
    lengths: Vec<Duration>,
    done: usize,
    started: Nanos,
    run_started: Nanos,
    drawn: Cell<Nanos>,
    /// What runs.
    run: String,
    /// What it does beside its measured part, and how far it is.
    step: String,
}

impl Progress {
    pub(crate) fn new(lengths: Vec<Duration>, quiet: bool) -> Progress {
        let bar = if !quiet && std::io::stderr().is_terminal() {
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
            quiet,
            lengths,
            done: 0,
            started: now,
            run_started: now,
            drawn: Cell::default(),
            run: String::new(),
            step: String::new(),
        }
    }

    /// Draws the bar, if that is due. Called from outside, because a thread of the bar's own might
    /// not be had.
    fn draw(&self) {
        let now = clock::now();
        if self.bar.is_hidden() || now < self.drawn.get().after(DRAW) {
            return;
        }
        self.drawn.set(now);
        let before = self.run_started.until(self.started);
        let left = left(&self.lengths, self.done, before, now.until(self.run_started));
        let (spent, left) = (HumanDuration(now.until(self.started)), HumanDuration(left));
        // Setting it draws it.
        self.bar.set_message(format!("{}{}  {spent:#}, {left:#} left", self.run, self.step));
    }

    fn line(&self, text: &str) {
        if self.quiet {
            return;
        }
        if self.bar.is_hidden() {
            note(text);
        } else {
            self.bar.println(clean_message(text));
        }
    }
}

impl Observer for Progress {
    fn pilot(&mut self, run: &str, median_ns: u64, delay: InjectedDelay) {
        let (median_us, delay_us) = (median_ns as f64 / 1e3, delay.ns as f64 / 1e3);
        self.line(&format!(
            "pilot  {run}: median response time {median_us:.1} us, {} % of it are {delay_us:.2} us",
            delay.percent
        ));
    }

    fn start(&mut self, workload: &str, variant: &Variant) {
        self.run = clean_message(&format!("{workload} {variant}"));
        self.step.clear();
        self.run_started = clock::now();
        self.drawn.set(Nanos::default());
        self.draw();
    }

    fn step(&mut self, step: Step, done_bytes: u64, all_bytes: u64) {
        self.step = in_words(step, done_bytes, all_bytes);
        self.draw();
    }

    fn look(&mut self) {
        self.draw();
    }

    fn done(&mut self, record: &Record, workload: &str, variant: &Variant) -> anyhow::Result<()> {
        self.done += 1;
        let runs = self.lengths.len();
        let width = runs.to_string().len();
        let run = format!("{:>width$}/{runs}  {workload} {variant}", self.done);
        self.line(&match (&record.error, record.workers.created.best()) {
            (Some(error), _) => format!("{run}: FAILED: {error}"),
            (None, Some(created)) => {
                let workers = if created == 1 { "worker" } else { "workers" };
                format!("{run}: {:.0} ops/s, {created} {workers} created", record.ops.per_s)
            }
            (None, None) => format!("{run}: {:.0} ops/s", record.ops.per_s),
        });
        self.bar.inc(1);
        if self.done == runs {
            self.bar.finish_and_clear();
        }
        Ok(())
    }
}

/// What a run does, in a few words; nothing once its files are laid out.
fn in_words(step: Step, done_bytes: u64, all_bytes: u64) -> String {
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
        let step = |step, done_bytes| in_words(step, done_bytes, u64::MAX);
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
