//! A trace from its start to its end: what it reads when, and who gets it.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use iowq_contract::trace::{TraceEnd, TraceLine};
use iowq_harness::clock::{self, Nanos};
use iowq_harness::sync::thread;

use crate::findings;
use crate::story::Story;
use crate::tracer::Tracer;

/// How often births and exits are taken, and workers looked at.
const STEP: Duration = Duration::from_millis(100);

/// What a reader or a signal ends.
const INTERRUPTED: &str = "interrupted";

/// Who takes the lines of a trace.
pub trait Sink {
    /// Takes a line. Lines come in the order in which they are written.
    ///
    /// # Errors
    ///
    /// What ends the trace.
    fn take(&mut self, line: &TraceLine) -> anyhow::Result<()>;

    /// Passes the time until the next step, at most this long, if the sink waits for something, such
    /// as keys. A break ends the trace as an interrupt does.
    ///
    /// # Errors
    ///
    /// What ends the trace.
    fn wait(&mut self, _time: Duration) -> anyhow::Result<ControlFlow<()>> {
        Ok(ControlFlow::Continue(()))
    }
}

/// How long a trace lasts.
pub struct Limits<'a> {
    /// Time between two snapshots.
    pub interval: Duration,
    /// At most this long, if there is a limit.
    pub time_max: Option<Duration>,
    /// A flag that ends it.
    pub stop: &'a AtomicBool,
    /// Whether the command that is traced has ended.
    pub command_ended: &'a mut dyn FnMut() -> bool,
}

/// Traces until something ends it, and hands all lines on.
///
/// # Errors
///
/// If the programs' tables cannot be read, or a sink fails.
pub fn run(
    tracer: &mut Tracer,
    limits: &mut Limits<'_>,
    sinks: &mut [&mut dyn Sink],
) -> anyhow::Result<()> {
    let mut story = Story::default();
    let mut give = |sinks: &mut [&mut dyn Sink], line: TraceLine| {
        story.take(&line);
        sinks.iter_mut().try_for_each(|sink| sink.take(&line))
    };
    give(sinks, tracer.first_line(limits.interval))?;
    let start = clock::now();
    let mut snapshot_at = start.after(limits.interval);
    let end = limits.time_max.map(|time| start.after(time));
    let reason = loop {
        let mut reason = reason_to_end(limits, end);
        let until = end.map_or(snapshot_at, |end| end.min(snapshot_at));
        if reason.is_none() && wait(until, sinks)?.is_break() {
            reason = Some(INTERRUPTED);
        }
        let due = clock::now();
        tracer.lives().into_iter().try_for_each(|line| give(sinks, line))?;
        tracer.requests().into_iter().try_for_each(|line| give(sinks, line))?;
        if let Some(reason) = reason {
            break reason;
        }
        tracer.sample();
        if due >= snapshot_at {
            give(sinks, TraceLine::Snapshot(tracer.snapshot()?))?;
            // What was missed, as while the machine was suspended, is left out.
            snapshot_at = snapshot_at.after(limits.interval).max(clock::now());
        }
    };
    give(sinks, TraceLine::Snapshot(tracer.snapshot()?))?;
    let end = TraceEnd {
        at_ns: tracer.at_ns(),
        reason: reason.to_owned(),
        findings: findings::of(&story),
    };
    sinks.iter_mut().try_for_each(|sink| sink.take(&TraceLine::End(end.clone())))
}

/// Waits for the next step: each sink as long as it has something to wait for, then the rest.
fn wait(until: Nanos, sinks: &mut [&mut dyn Sink]) -> anyhow::Result<ControlFlow<()>> {
    let now = clock::now();
    let until = until.min(now.after(STEP));
    for sink in sinks {
        if sink.wait(until.until(clock::now()))?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    thread::sleep(until.until(clock::now()));
    Ok(ControlFlow::Continue(()))
}

fn reason_to_end(limits: &mut Limits<'_>, end: Option<Nanos>) -> Option<&'static str> {
    if limits.stop.load(Ordering::Relaxed) {
        return Some(INTERRUPTED);
    }
    if (limits.command_ended)() {
        return Some("the command ended");
    }
    end.filter(|end| clock::now() >= *end).map(|_| "the time is over")
}
