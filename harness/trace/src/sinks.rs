//! Those who take the lines of a trace. One that fails takes no more; the others do.

use std::ops::ControlFlow;
use std::time::Duration;

use iowq_contract::trace::TraceLine;
use iowq_harness::clock::{self, Nanos};
use iowq_harness::sync::thread;

use crate::story::Story;

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

/// The sinks, and what they were told.
pub(crate) struct Sinks<'a, 'b> {
    sinks: Vec<&'a mut (dyn Sink + 'b)>,
    story: Story,
    error: Option<anyhow::Error>,
}

impl<'a, 'b> Sinks<'a, 'b> {
    pub(crate) fn of(sinks: &'a mut [&'b mut (dyn Sink + 'b)]) -> Sinks<'a, 'b> {
        let sinks = sinks.iter_mut().map(|sink| &mut **sink).collect();
        Sinks { sinks, story: Story::default(), error: None }
    }

    /// Hands a line on.
    pub(crate) fn give(&mut self, line: &TraceLine) {
        self.story.take(line);
        let error = &mut self.error;
        self.sinks.retain_mut(|sink| {
            let taken = sink.take(line);
            taken.map_err(|failed| error.get_or_insert(failed)).is_ok()
        });
    }

    /// Waits for the next step: each sink as long as it has something to wait for, then the rest.
    pub(crate) fn wait(&mut self, until: Nanos) -> ControlFlow<()> {
        let mut wants = ControlFlow::Continue(());
        let error = &mut self.error;
        self.sinks.retain_mut(|sink| {
            if wants.is_break() {
                return true;
            }
            let waited = sink.wait(until.until(clock::now()));
            waited.map(|want| wants = want).map_err(|failed| error.get_or_insert(failed)).is_ok()
        });
        if wants.is_continue() {
            thread::sleep(until.until(clock::now()));
        }
        wants
    }

    /// Why the trace ends, if a sink has failed.
    pub(crate) fn failed(&self) -> Option<&'static str> {
        self.error.as_ref().map(|_| "an output failed")
    }

    /// What was told so far.
    pub(crate) fn story(&self) -> &Story {
        &self.story
    }

    /// Whether all took all.
    ///
    /// # Errors
    ///
    /// What failed first.
    pub(crate) fn end(self) -> anyhow::Result<()> {
        self.error.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;
    use iowq_contract::trace::Snapshot;

    use super::*;

    /// Takes so many lines, and then fails.
    struct Takes(usize, usize);

    impl Sink for Takes {
        fn take(&mut self, _: &TraceLine) -> anyhow::Result<()> {
            if self.0 == self.1 {
                bail!("full after {}", self.0);
            }
            self.0 += 1;
            Ok(())
        }
    }

    #[test]
    fn a_sink_that_fails_keeps_nothing_from_the_others() {
        let (mut full, mut other) = (Takes(0, 1), Takes(0, 9));
        let mut both: [&mut dyn Sink; 2] = [&mut full, &mut other];
        let mut sinks = Sinks::of(&mut both);
        for at_ns in 1..=3 {
            sinks.give(&TraceLine::Snapshot(Snapshot { at_ns, ..Snapshot::default() }));
        }
        assert_eq!((sinks.failed(), sinks.story().last.at_ns), (Some("an output failed"), 3));
        let error = sinks.end().expect_err("one failed");
        assert_eq!((error.to_string().as_str(), full.0, other.0), ("full after 1", 1, 3));
    }
}
