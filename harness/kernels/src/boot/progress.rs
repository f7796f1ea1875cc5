//! Progress of a boot: the guest's messages so far, the deadline of the next, and how it ended.
//! Times are counted from the start of the machine and come from the caller.

use std::time::Duration;

use iowq_contract::{
    Ended, Record,
    guest::{Dump, Message, MissingFeature},
};

use super::limits::Limits;

/// No deadline is so late that adding it to a point in time could overflow.
const DEADLINE_MAX: Duration = Duration::from_secs(100 * 24 * 3600);

/// What is waited for.
#[derive(Debug)]
enum Step {
    Up,
    Ready,
    Bench(u32),
    Off,
}

/// How it ended, and why.
pub(super) type Verdict = (Ended, String);

/// Progress of a boot.
pub(super) struct Progress {
    limits: Limits,
    step: Step,
    deadline: Duration,
    /// The end so far; the machine may still run.
    verdict: Option<Verdict>,
    is_over: bool,
    release: Option<String>,
    runs: u32,
    dump: Option<Dump>,
}

impl Progress {
    pub(super) fn new(limits: Limits) -> Progress {
        Progress {
            limits,
            step: Step::Up,
            deadline: limits.up_max,
            verdict: None,
            is_over: false,
            release: None,
            runs: 0,
            dump: None,
        }
    }

    /// When it must have gone on.
    pub(super) fn deadline(&self) -> Duration {
        self.deadline.min(DEADLINE_MAX)
    }

    /// Whether there is nothing to wait for any more.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// What came of `criu dump`, if it was tried.
    pub(super) fn take_dump(&mut self) -> Option<Dump> {
        self.dump.take()
    }

    /// Release, runs and verdict.
    pub(super) fn finish(self) -> (Option<String>, u32, Verdict) {
        let verdict = self.verdict.unwrap_or((Ended::Failed, String::new()));
        (self.release, self.runs, verdict)
    }

    /// Takes what the guest said; a record is for the caller.
    pub(super) fn message(&mut self, now: Duration, message: Message) -> Option<Record> {
        match message {
            Message::Up { release, .. } => {
                self.release = Some(release);
                self.go_on(Step::Ready, now.saturating_add(self.limits.ready_max));
            }
            Message::Bench { number, time_max_s } => {
                let time = Duration::from_secs(time_max_s).saturating_mul(self.limits.bench_factor);
                let time = time.saturating_add(self.limits.between_max);
                self.go_on(Step::Bench(number), now.saturating_add(time));
            }
            Message::Run { record } => {
                self.runs = self.runs.saturating_add(1);
                return Some(*record);
            }
            Message::Criu { dump } => self.dump = Some(dump),
            Message::Done => self.leave(now, Ended::Finished, String::new()),
            Message::Missing { features } => {
                self.leave(now, Ended::MissingFeature, missing(&features));
            }
            Message::Failed { reason } => self.leave(now, Ended::Failed, reason),
        }
        None
    }

    /// The kernel panicked. What the guest found wrong before counts more.
    pub(super) fn panicked(&mut self, now: Duration, line: &str) {
        if self.is_settled() {
            return;
        }
        let at = self.place();
        self.verdict = Some((Ended::Panicked, format!("the kernel panicked {at}: {line}")));
        self.deadline = now.saturating_add(self.limits.panic_max);
        self.step = Step::Off;
    }

    /// The guest cannot be understood.
    pub(super) fn broken(&mut self, what: &str) {
        if !self.is_settled() {
            let at = self.place();
            self.verdict = Some((Ended::Failed, format!("{what} ({at})")));
        }
        self.is_over = true;
    }

    /// The deadline passed.
    pub(super) fn late(&mut self, said_anything: bool) {
        self.is_over = true;
        if self.is_settled() {
            return;
        }
        let time = format!("within {} s", self.deadline.as_secs());
        let reason = match self.step {
            Step::Up if said_anything => format!("the guest did not start {time}"),
            Step::Up => {
                format!("the kernel said nothing {time}; does it have CONFIG_SERIAL_8250_CONSOLE?")
            }
            Step::Ready => format!("the guest was up, but no bench began {time} of the start"),
            Step::Bench(number) => format!("bench {number} was not over {time} of the start"),
            Step::Off => "all was done, but the machine did not switch itself off".to_owned(),
        };
        self.verdict = Some((Ended::Hung, reason));
    }

    /// QEMU has ended with this status, after this many bytes of an incomplete message.
    pub(super) fn gone(&mut self, how: &str, cut_off_bytes: usize) {
        self.is_over = true;
        if self.is_settled() {
            return;
        }
        let at = self.place();
        let cut = format!("a message was cut off after {cut_off_bytes} bytes");
        self.verdict = match (self.verdict.take(), cut_off_bytes) {
            (None, 0) => Some((Ended::Died, format!("{how} ({at})"))),
            (None, _) => Some((Ended::Died, format!("{how} ({at}); {cut}"))),
            (finished, 0) => finished,
            (Some(_), _) => Some((Ended::Failed, format!("{cut} ({at})"))),
        };
    }

    /// Whether the verdict is final. That all was done may turn out wrong.
    fn is_settled(&self) -> bool {
        self.verdict.as_ref().is_some_and(|(ended, _)| *ended != Ended::Finished)
    }

    fn go_on(&mut self, step: Step, deadline: Duration) {
        // After the last word nothing goes on.
        if self.verdict.is_none() {
            self.step = step;
            self.deadline = deadline;
        }
    }

    fn leave(&mut self, now: Duration, ended: Ended, reason: String) {
        if self.verdict.is_none() {
            self.verdict = Some((ended, reason));
            self.go_off(now);
        }
    }

    fn go_off(&mut self, now: Duration) {
        self.step = Step::Off;
        self.deadline = now.saturating_add(self.limits.off_max);
    }

    fn place(&self) -> String {
        match self.step {
            Step::Up => "before the guest was up".to_owned(),
            Step::Ready => "before the first bench".to_owned(),
            Step::Bench(number) => format!("in bench {number}"),
            Step::Off => "after the last bench".to_owned(),
        }
    }
}

fn missing(features: &[MissingFeature]) -> String {
    let words: Vec<_> =
        features.iter().map(|feature| format!("{} ({})", feature.option, feature.saw)).collect();
    format!("the kernel lacks {}", words.join(", "))
}

#[cfg(test)]
mod tests;
