//! Buffers: one for each op in flight, shared by the submitter and the call that uses it.

use iowq_workloads::{Op, Plan, block};

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
    bytes: u32,
    block_bytes: u32,
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
        unsafe { std::slice::from_raw_parts_mut(self.start, self.bytes as usize) }
    }

    /// How long it is.
    #[must_use]
    pub fn bytes(self) -> u32 {
        self.bytes
    }

    /// The part of it that an op uses.
    #[must_use]
    pub fn of(self, op: &Op) -> Buffer {
        Buffer { bytes: op.bytes(self.block_bytes).min(self.bytes), ..self }
    }

    /// Where in its file an op begins, in bytes.
    #[must_use]
    pub fn offset_bytes(self, op: &Op) -> u64 {
        op.offset_bytes(self.block_bytes)
    }
}

// SAFETY: a buffer is plain memory, used by one party at a time, see `Buffers`.
unsafe impl Send for Buffer {}

impl Buffers {
    /// As many as the plan has ops in flight, each as long as the largest op.
    #[must_use]
    pub fn new(plan: &Plan) -> Buffers {
        let block_bytes = plan.block_bytes;
        let bytes = block_bytes.saturating_mul(plan.op_blocks_max());
        let mut memory = BlockBuffers::new(plan.depth, bytes);
        let place = |buffer: &mut [u8]| Buffer { start: buffer.as_mut_ptr(), bytes, block_bytes };
        let places = memory.iter_mut().map(place).collect();
        Buffers { _memory: memory, places }
    }

    /// Fills the buffer of a slot that has no op in flight with what an op writes.
    pub fn fill(&mut self, slot: u32, seed: u64, op: &Op) {
        let buffer = self.places[slot as usize].of(op);
        // SAFETY: the memory lives as long as `self`, and while the slot has no op in flight
        // the buffer is the submitter's.
        let bytes = unsafe { buffer.bytes_mut() };
        block::fill_op(bytes, buffer.block_bytes, seed, op);
    }

    /// Where the buffers are, by slot.
    #[must_use]
    pub fn places(&self) -> Vec<Buffer> {
        self.places.clone()
    }
}
