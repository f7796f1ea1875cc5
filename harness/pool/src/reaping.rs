//! Reaping: how the submitter takes what ended, and looks for it before it sleeps.

use crate::in_flight::InFlight;
use crate::job::{Ended, Job};
use crate::shared::SubmitterSignals;
use crate::state::Completion;
use crate::sync::atomic::Ordering;
use crate::sync::spin_loop;
use crate::work::WorkId;

/// Looks for completions before the submitter sleeps, at most: for as long as a sleep takes.
#[cfg(not(feature = "shuttle"))]
const SPINS_MAX: u32 = 1000;
#[cfg(feature = "shuttle")]
const SPINS_MAX: u32 = 1;
/// Spins in vain, one after the other, after which it sleeps at once.
const VAIN_MAX: u32 = 8;
/// Sleeps from one spin to the next after that, as works may have become shorter.
const SLEEPS_PER_SPIN: u32 = 64;

/// What the submitter knows of the works in flight.
pub(super) struct Reaping<J: Job> {
    ended: rtrb::Consumer<Ended<J>>,
    pub(super) in_flight: InFlight,
    /// Works that were taken so far.
    pub(super) reaped: u64,
    /// What was seen of each work, as of its last reaping.
    seen: Vec<J::Seen>,
    /// Whether it spins before a sleep: not if there is one processor.
    spins: bool,
    /// Sleeps since a spin last made one needless.
    sleeps: u32,
}

impl<J: Job> Reaping<J> {
    /// With room for this many works.
    pub(super) fn new(ended: rtrb::Consumer<Ended<J>>, works: usize, spins: bool) -> Reaping<J> {
        let seen = vec![J::Seen::default(); works];
        Reaping { ended, in_flight: InFlight::new(works), reaped: 0, seen, spins, sleeps: 0 }
    }

    /// Moves what ended to `out`.
    pub(super) fn take(&mut self, out: &mut Vec<Completion>) {
        let Ok(chunk) = self.ended.read_chunk(self.ended.slots()) else { return };
        for (done, seen) in chunk {
            self.reaped += 1;
            self.seen[done.work.index()] = seen;
            self.in_flight.ended(done.work);
            out.push(done);
        }
    }

    /// Looks for this many completions without sleeping, or for what else there is to do. False if
    /// it took too long.
    pub(super) fn spin(&mut self, want: usize, signals: &SubmitterSignals) -> bool {
        let crowded = || signals.crowded.load(Ordering::Relaxed);
        if !self.spins || crowded() {
            return false;
        }
        // A spin in vain is lost, and most are if works take longer than a sleep.
        let worth_it = self.sleeps < VAIN_MAX || self.sleeps.is_multiple_of(SLEEPS_PER_SPIN);
        let looks = if worth_it { SPINS_MAX } else { 0 };
        let mut found = false;
        for _ in 0..looks {
            found = self.ended.slots() >= want || signals.creates.load(Ordering::Relaxed);
            if found || crowded() {
                break;
            }
            spin_loop();
        }
        self.sleeps = if found { 0 } else { self.sleeps.wrapping_add(1) };
        found
    }

    /// What was seen of a work that was taken last.
    pub(super) fn seen(&self, work: WorkId) -> J::Seen {
        self.seen.get(work.index()).copied().unwrap_or_default()
    }
}
