//! An op: one request to an engine.

/// What an op does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OpKind {
    /// Write one block.
    Write,
    /// Flush a file to its device.
    Fsync,
    /// Read one block.
    Read,
    /// Reserve the space of one block.
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
    /// Which block of the file; 0 if the kind has none.
    pub block: u64,
    /// The next op of the stream starts only after this one succeeded.
    pub linked: bool,
    /// When it is meant to start, in ns from the start; 0 in a closed loop.
    pub intended_ns: u64,
}
