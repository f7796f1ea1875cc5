//! A trace from its start to its end: what it reads when, and who gets it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use iowq_contract::trace::{TraceEnd, TraceLine};
use iowq_harness::clock::{self, Nanos};

use crate::findings;
use crate::sinks::{Sink, Sinks};
use crate::tracer::Tracer;

/// How often births and exits are taken, and workers looked at.
const STEP: Duration = Duration::from_millis(100);

/// What a reader or a signal ends.
const INTERRUPTED: &str = "interrupted";

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

/// Traces until something ends it, and hands all lines on. A sink that fails ends the trace, too, and the
/// others get all that they would get at another end.
///
/// # Errors
///
/// If the programs' tables cannot be read, or a sink fails.
pub fn run(
    tracer: &mut Tracer,
    limits: &mut Limits<'_>,
    sinks: &mut [&mut dyn Sink],
) -> anyhow::Result<()> {
    let mut sinks = Sinks::of(sinks);
    sinks.give(&tracer.first_line(limits.interval));
    let start = clock::now();
    let mut snapshot_at = start.after(limits.interval);
    let end = limits.time_max.map(|time| start.after(time));
    let reason = loop {
        let mut reason = reason_to_end(limits, end);
        let until = end.map_or(snapshot_at, |end| end.min(snapshot_at));
        if reason.is_none() && sinks.wait(until.min(clock::now().after(STEP))).is_break() {
            reason = Some(INTERRUPTED);
        }
        let due = clock::now();
        tracer.lives().iter().for_each(|line| sinks.give(line));
        tracer.requests().iter().for_each(|line| sinks.give(line));
        if let Some(reason) = sinks.failed().or(reason) {
            break reason;
        }
        tracer.sample();
        if due >= snapshot_at {
            sinks.give(&TraceLine::Snapshot(tracer.snapshot()?));
            // What was missed, as while the machine was suspended, is left out.
            snapshot_at = snapshot_at.after(limits.interval).max(clock::now());
        }
    };
    sinks.give(&TraceLine::Snapshot(tracer.snapshot()?));
    let findings = findings::of(sinks.story());
    let end = TraceEnd { at_ns: tracer.at_ns(), reason: reason.to_owned(), findings };
    sinks.give(&TraceLine::End(end));
    sinks.end()
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
