//! Buffers: one for each op in flight, shared by the submitter and the call that uses it.

use iowq_workloads::Plan;

use crate::files::BlockBuffers;

/// One buffer for each op in flight.
///
/// A buffer belongs to the submitter while its slot has no op in flight, and to the call while it
/// has. Each hand-over passes the lock of the engine.
pub struct Buffers {
    /// Keeps the memory; it is only reached through `places`.
    _memory: BlockBuffers,
    places: Vec<Buffer>,
}

/// Where one buffer is.
#[derive(Clone, Copy, Debug)]
pub struct Buffer {
    start: *mut u8,
    bytes: usize,
}

impl Buffer {
    /// Its first byte.
    #[must_use]
    pub fn start(self) -> *mut u8 {
        self.start
    }

    /// All of it.
    ///
    /// # Safety
    /// Only the party that the buffer belongs to may call this, see [`Buffers`], and the memory
    /// must still be there.
    #[must_use]
    pub unsafe fn bytes_mut<'a>(self) -> &'a mut [u8] {
        // SAFETY: see above.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.bytes) }
    }

    /// How long it is: a block.
    #[must_use]
    pub fn bytes(self) -> u32 {
        // The length of a block, which the plan has as this type.
        self.bytes as u32
    }
}

// SAFETY: a buffer is plain memory, used by one party at a time, see `Buffers`.
unsafe impl Send for Buffer {}

impl Buffers {
    /// As many as the plan has ops in flight.
    #[must_use]
    pub fn new(plan: &Plan) -> Buffers {
        let mut memory = BlockBuffers::new(plan.depth, plan.block_bytes);
        let places = memory
            .iter_mut()
            .map(|bytes| Buffer { start: bytes.as_mut_ptr(), bytes: bytes.len() })
            .collect();
        Buffers { _memory: memory, places }
    }

    /// Lets `fill` write the buffer of a slot that has no op in flight.
    pub fn fill(&mut self, slot: u32, fill: impl FnOnce(&mut [u8])) {
        // SAFETY: the memory lives as long as `self`, and while the slot has no op in flight
        // the buffer is the submitter's.
        fill(unsafe { self.places[slot as usize].bytes_mut() });
    }

    /// Where the buffers are, by slot.
    #[must_use]
    pub fn places(&self) -> Vec<Buffer> {
        self.places.clone()
    }
}
