//! Registers worker threads with the scheduler probe.

use aya::maps::{HashMap, MapData};
use iowq_ebpf::SLOTS_MAX;

use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Why a worker is not tracked.
#[derive(Debug, thiserror::Error)]
pub enum TrackError {
    /// There is no such slot.
    #[error("slot {slot} is out of range: the probes know {SLOTS_MAX} workers at most")]
    Slot {
        /// What was asked for.
        slot: u32,
    },
    /// In a PID namespace, the thread gave itself no name, which tells the machine's id of it.
    #[error("thread {tid} is unknown to the probes in this PID namespace: it has no name")]
    Unnamed {
        /// The thread.
        tid: u32,
    },
    /// The kernel refused, as when too many workers are tracked.
    #[error("tracking thread {tid} failed: {cause}")]
    Kernel {
        /// The thread.
        tid: u32,
        /// What came of it.
        cause: aya::maps::MapError,
    },
}

/// Registers worker threads with the scheduler probe. Cheap to clone; a worker's start and end
/// each cost a system call.
#[derive(Clone)]
pub struct Tracker {
    slot_of: Arc<Mutex<HashMap<MapData, u32, u32>>>,
    /// Of the pool whose workers these are.
    slot_first: u32,
    /// The machine's ids of threads, in a PID namespace.
    tids: Option<Arc<HashMap<MapData, u32, u32>>>,
}

impl Tracker {
    pub(super) fn new(
        slot_of: HashMap<MapData, u32, u32>,
        tids: Option<HashMap<MapData, u32, u32>>,
    ) -> Tracker {
        let slot_of = Arc::new(Mutex::new(slot_of));
        Tracker { slot_of, slot_first: 0, tids: tids.map(Arc::new) }
    }

    /// The same for the workers of another pool, whose first slot this is.
    pub(super) fn of_slots_from(&self, slot_first: u32) -> Tracker {
        Tracker { slot_first, ..self.clone() }
    }

    /// From now on the thread's sleeps count for the slot, which was claimed before.
    ///
    /// # Errors
    ///
    /// [`TrackError::Slot`] beyond [`SLOTS_MAX`], [`TrackError::Kernel`] if the map is full,
    /// [`TrackError::Unnamed`] in a PID namespace for a thread without a name of its own.
    pub fn track(&self, tid: u32, slot: u32) -> Result<(), TrackError> {
        let slot = self.slot_first.saturating_add(slot);
        if slot as usize >= SLOTS_MAX {
            return Err(TrackError::Slot { slot });
        }
        let tid = self.machines(tid).ok_or(TrackError::Unnamed { tid })?;
        self.lock().insert(tid, slot, 0).map_err(|cause| TrackError::Kernel { tid, cause })
    }

    /// Stops tracking the thread, as its exit also does. Called by the thread itself,
    /// between works. No error for a thread that is not tracked.
    pub fn untrack(&self, tid: u32) {
        if let Some(tid) = self.machines(tid) {
            // Removing fails only for a thread that is not there.
            let _ = self.lock().remove(&tid);
        }
    }

    /// The machine's id of a thread, by which the scheduler's events name it.
    fn machines(&self, tid: u32) -> Option<u32> {
        self.tids.as_ref().map_or(Some(tid), |tids| tids.get(&tid, 0).ok())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<MapData, u32, u32>> {
        // The map is the kernel's, and whole whatever happened here.
        self.slot_of.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
