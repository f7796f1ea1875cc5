//! Settling: a run begins once earlier writes, those of the last run included, have reached the disk.

use std::path::{Path, PathBuf};
use std::time::Duration;

use iowq_contract::Settled;

use crate::clock;
use crate::io;
use crate::machine::quiet::{self, Load, Unwritten};
use crate::sync::thread;

/// How long the disk is waited for: a slow one writes what a small machine may hold dirty, and a
/// fast one discards some hundred GiB. One that is busy longer is busy with something else.
const TIME_MAX: Duration = Duration::from_secs(10);

/// How often it is sampled.
const LOOK: Duration = Duration::from_millis(10);

/// How often dirty data is synced to it: other processes may go on writing.
const SYNC: Duration = Duration::from_secs(1);

/// Consecutive samples that must find it quiet: it is also quiet for a moment between two discards.
const QUIET_LOOKS: u32 = 5;

/// What may be dirty in the page cache of the machine, because something always is: a disk writes
/// this much in a moment. The run's own data was written before.
const UNWRITTEN_BYTES_MAX: u64 = 16 << 20;

/// Settling on a thread of its own, beside what leaves the disk alone.
pub(super) struct Settling {
    folder: PathBuf,
    thread: Option<thread::JoinHandle<Settled>>,
}

impl Settling {
    /// Begins. Without a thread it is done by [`Settling::finish`].
    pub(super) fn start(folder: &Path) -> Settling {
        let folder = folder.to_owned();
        let named = thread::Builder::new().name("iowq-settle".to_owned());
        let settling = folder.clone();
        Settling { folder, thread: named.spawn(move || settle(&settling)).ok() }
    }

    /// Waits for the end.
    pub(super) fn finish(self) -> Settled {
        let settled = self.thread.and_then(|thread| thread.join().ok());
        settled.unwrap_or_else(|| settle(&self.folder))
    }
}

/// Syncs the file system under a folder, and waits until its device is quiet, if that is known.
fn settle(folder: &Path) -> Settled {
    let started = clock::now();
    let device = quiet::device_under(folder);
    let mut looks = Looks::default();
    let mut sync_at = started;
    loop {
        let now = clock::now();
        if sync_at <= now {
            // If it fails, dirty data remains and is seen below.
            let _ = io::open_to_read(folder).and_then(io::sync_file_system);
            sync_at = now.after(SYNC);
        }
        let Some(device) = &device else {
            return Settled {
                quiet: true,
                took_ns: clock::now().since(started),
                ..looks.settled()
            };
        };
        let quiet = looks.take(quiet::unwritten(), quiet::load(device));
        let took_ns = clock::now().since(started);
        if quiet || clock::duration_ns(TIME_MAX) < took_ns {
            return Settled { quiet, took_ns, ..looks.settled() };
        }
        thread::sleep(LOOK);
    }
}

/// The samples so far.
#[derive(Default)]
struct Looks {
    unwritten: Unwritten,
    load: Option<Load>,
    /// What had been discarded before the first sample.
    discarded_before: Option<u64>,
    quiet_in_a_row: u32,
}

impl Looks {
    /// Adds a sample; returns whether the disk is quiet enough.
    fn take(&mut self, unwritten: Unwritten, load: Option<Load>) -> bool {
        let bytes = [unwritten.dirty_bytes, unwritten.written_back_bytes];
        let little = bytes.into_iter().flatten().sum::<u64>() <= UNWRITTEN_BYTES_MAX;
        let discarded = |load: Option<Load>| load.map(|load| load.discarded_bytes);
        // The first sample cannot show whether something is being discarded, the others do.
        let idle = load.is_none_or(|load| load.in_flight == 0)
            && (self.load.is_none() || discarded(self.load) == discarded(load));
        self.discarded_before = self.discarded_before.or(discarded(load));
        (self.unwritten, self.load) = (unwritten, load);
        self.quiet_in_a_row = if little && idle { self.quiet_in_a_row + 1 } else { 0 };
        QUIET_LOOKS <= self.quiet_in_a_row
    }

    fn settled(&self) -> Settled {
        let discarded = self.load.map(|load| load.discarded_bytes);
        Settled {
            dirty_bytes: self.unwritten.dirty_bytes,
            written_back_bytes: self.unwritten.written_back_bytes,
            in_flight: self.load.map(|load| load.in_flight),
            discarded_bytes: discarded
                .zip(self.discarded_before)
                .map(|(now, before)| now.saturating_sub(before)),
            ..Settled::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Load = Load { in_flight: 0, discarded_bytes: 0 };

    /// The sample at which it was quiet enough, from 1.
    fn quiet_at(looks: impl IntoIterator<Item = (u64, Load)>) -> Option<usize> {
        let mut seen = Looks::default();
        let mut looks = looks.into_iter().map(|(dirty_bytes, load)| {
            let unwritten =
                Unwritten { dirty_bytes: Some(dirty_bytes), written_back_bytes: Some(0) };
            seen.take(unwritten, Some(load))
        });
        looks.position(|quiet| quiet).map(|at| at + 1)
    }

    #[test]
    fn a_disk_is_quiet_after_several_quiet_samples_in_a_row() {
        assert_eq!(quiet_at([(0, IDLE); 9]), Some(5));
        assert_eq!(quiet_at([(UNWRITTEN_BYTES_MAX, IDLE); 9]), Some(5));
        assert_eq!(quiet_at([(UNWRITTEN_BYTES_MAX + 1, IDLE); 9]), None);
        assert_eq!(quiet_at([(0, Load { in_flight: 1, ..IDLE }); 9]), None);
    }

    #[test]
    fn a_disk_that_discards_now_and_then_is_not_quiet_in_between() {
        let discarding = |look: u64| Load { discarded_bytes: look / 4 * 4096, ..IDLE };
        assert_eq!(quiet_at((0..40).map(|look| (0, discarding(look)))), None);
        let until_20 = |look: u64| discarding(look.min(20));
        assert_eq!(quiet_at((0..40).map(|look| (0, until_20(look)))), Some(26));
    }

    #[test]
    fn what_was_discarded_meanwhile_is_told() {
        let mut looks = Looks::default();
        for discarded_bytes in [5000, 5000, 9096] {
            looks.take(Unwritten::default(), Some(Load { discarded_bytes, ..IDLE }));
        }
        assert_eq!(looks.settled().discarded_bytes, Some(4096));
        assert_eq!(Looks::default().settled(), Settled::default());
    }

    #[test]
    fn a_folder_settles_within_its_time() {
        let settled = Settling::start(Path::new(".")).finish();
        assert!(settled.took_ns > 0);
        assert!(!settled.quiet || settled.in_flight.unwrap_or(0) == 0, "{settled:?}");
    }
}
