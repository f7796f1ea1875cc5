//! A trace as one run: what reports draw and comparisons take, as of a bench.
//!
//! All traced processes together are the run, and the running kernel is its policy. Workers that
//! were there before the trace are left out, because nothing is known of their births.

mod assemble;

use iowq_contract::trace::TraceLine;
use iowq_contract::{Churn, Record};
use iowq_harness::probes::timeline::thin;

use crate::sinks::Sink;
use crate::story::Story;

/// Points of the timeline that are kept before they are thinned.
const POINTS_MAX: usize = 100_000;
/// Slices of time in which births and exits are counted, at most. They become twice as long whenever
/// there would be more.
const SLICES_MAX: usize = 240;
/// How long they are at first.
const SLICE_NS: u64 = 100_000_000;

/// Keeps what a run needs, of bounded size however long the trace is.
#[derive(Debug)]
pub struct Run {
    story: Story,
    timeline: Vec<(u64, u32)>,
    churn: Churn,
    alive: u32,
    peak: u32,
    born: u64,
    exited: u64,
}

impl Default for Run {
    fn default() -> Run {
        Run {
            story: Story::default(),
            timeline: vec![(0, 0)],
            churn: Churn { slice_ns: SLICE_NS, births: Vec::new(), deaths: Vec::new() },
            alive: 0,
            peak: 0,
            born: 0,
            exited: 0,
        }
    }
}

impl Run {
    /// The run; none before the first line.
    #[must_use]
    pub fn record(&self) -> Option<Record> {
        assemble::record(self)
    }

    fn life(&mut self, at_ns: u64, born: bool) {
        if born {
            (self.alive, self.born) = (self.alive + 1, self.born + 1);
            self.peak = self.peak.max(self.alive);
        } else {
            (self.alive, self.exited) = (self.alive.saturating_sub(1), self.exited + 1);
        }
        self.timeline.push((at_ns, self.alive));
        if self.timeline.len() > POINTS_MAX {
            self.timeline = thin(std::mem::take(&mut self.timeline));
        }
        count(&mut self.churn, at_ns, born);
    }
}

impl Sink for Run {
    fn take(&mut self, line: &TraceLine) -> anyhow::Result<()> {
        self.story.take(line);
        match line {
            TraceLine::Birth(birth) => self.life(birth.at_ns, true),
            TraceLine::Exit(exit) if exit.born_ns.is_some() => self.life(exit.at_ns, false),
            _ => {}
        }
        Ok(())
    }
}

/// Counts a birth or an exit in its slice.
fn count(churn: &mut Churn, at_ns: u64, born: bool) {
    while at_ns / churn.slice_ns >= SLICES_MAX as u64 {
        churn.slice_ns *= 2;
        for counts in [&mut churn.births, &mut churn.deaths] {
            *counts = counts.chunks(2).map(|pair| pair.iter().sum()).collect();
        }
    }
    let slice = usize::try_from(at_ns / churn.slice_ns).unwrap_or(SLICES_MAX - 1);
    for (counts, more) in [(&mut churn.births, born), (&mut churn.deaths, !born)] {
        if counts.len() <= slice {
            counts.resize(slice + 1, 0);
        }
        counts[slice] += u32::from(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_become_longer_with_the_trace_and_lose_no_birth() {
        let mut run = Run::default();
        for second in 0..100_000_u64 {
            run.life(second * 1_000_000_000, true);
            run.life(second * 1_000_000_000 + 1, false);
        }
        let churn = &run.churn;
        assert!(churn.births.len() <= SLICES_MAX && churn.births.len() == churn.deaths.len());
        assert_eq!(churn.births.iter().sum::<u32>(), 100_000);
        assert_eq!(churn.deaths.iter().sum::<u32>(), 100_000);
        assert!(run.timeline.len() <= POINTS_MAX);
        assert_eq!((run.peak, run.born, run.exited), (1, 100_000, 100_000));
    }
}
