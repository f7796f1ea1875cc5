//! An op: one request to an engine.

/// What an op does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OpKind {
    /// Write blocks.
    Write,
    /// Flush a file to its device.
    Fsync,
    /// Read blocks.
    Read,
    /// Reserve the space of blocks.
    Fallocate,
    /// Nothing at all: the cost of dispatch alone.
    Nop,
    /// Flush a file's data to its device, and of the rest only what is needed to read it back.
    Fdatasync,
}

impl OpKind {
    /// All kinds, in the order in which [`OpKind::index`] counts them.
    pub const ALL: [OpKind; 6] = [
        OpKind::Write,
        OpKind::Fsync,
        OpKind::Read,
        OpKind::Fallocate,
        OpKind::Nop,
        OpKind::Fdatasync,
    ];

    /// Name, as in specs and records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            OpKind::Write => "write",
            OpKind::Fsync => "fsync",
            OpKind::Read => "read",
            OpKind::Fallocate => "fallocate",
            OpKind::Nop => "nop",
            OpKind::Fdatasync => "fdatasync",
        }
    }

    /// Place in [`OpKind::ALL`].
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }
}

/// One request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Op {
    /// Number in the stream, from 0.
    pub number: u64,
    /// What it does.
    pub kind: OpKind,
    /// Which file of the plan.
    pub file: u32,
    /// Which block of the file, the first if it has several; 0 if the kind has none.
    pub block: u64,
    /// How many blocks.
    pub blocks: u32,
    /// The next op of the stream starts only after this one succeeded.
    pub linked: bool,
    /// When it is meant to start, in ns from the start; 0 in a closed loop.
    pub intended_ns: u64,
}

impl Op {
    /// How many bytes it is of, with blocks of that size.
    #[must_use]
    pub fn bytes(&self, block_bytes: u32) -> u32 {
        // A checked plan has ops of 16 MiB at most.
        self.blocks.saturating_mul(block_bytes)
    }

    /// Where in its file it begins, in bytes.
    #[must_use]
    pub fn offset_bytes(&self, block_bytes: u32) -> u64 {
        self.block * u64::from(block_bytes)
    }
}
