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
    /// Take a message from a socket or pipe, or the part of it that is there.
    Receive,
    /// Hand a message to a socket or pipe.
    Send,
    /// Move a message from a pipe to where nothing is kept, without a buffer (splice(2)).
    Splice,
    /// Open a file by its name, to read it; it is closed again when the op is over.
    Openat,
    /// Ask for the status of a file by its name.
    Statx,
    /// Give a new empty file the name of another one, which is then gone.
    Rename,
    /// Remove a new empty file.
    Unlink,
    /// Set the length of a file.
    Truncate,
    /// Write a file's dirty pages to its device, without a promise.
    SyncFileRange,
}

impl OpKind {
    /// All kinds, in the order in which [`OpKind::index`] counts them.
    pub const ALL: [OpKind; 15] = [
        OpKind::Write,
        OpKind::Fsync,
        OpKind::Read,
        OpKind::Fallocate,
        OpKind::Nop,
        OpKind::Fdatasync,
        OpKind::Receive,
        OpKind::Send,
        OpKind::Splice,
        OpKind::Openat,
        OpKind::Statx,
        OpKind::Rename,
        OpKind::Unlink,
        OpKind::Truncate,
        OpKind::SyncFileRange,
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
            OpKind::Receive => "receive",
            OpKind::Send => "send",
            OpKind::Splice => "splice",
            OpKind::Openat => "openat",
            OpKind::Statx => "statx",
            OpKind::Rename => "rename",
            OpKind::Unlink => "unlink",
            OpKind::Truncate => "truncate",
            OpKind::SyncFileRange => "sync_file_range",
        }
    }

    /// Whether it is done only with all of its bytes. A message may come in parts.
    #[must_use]
    pub fn is_of_blocks(self) -> bool {
        matches!(self, OpKind::Write | OpKind::Read)
    }

    /// Whether it is one on a socket or pipe, which may take for ever.
    #[must_use]
    pub fn is_of_messages(self) -> bool {
        matches!(self, OpKind::Receive | OpKind::Send | OpKind::Splice)
    }

    /// Place in [`OpKind::ALL`].
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }

    /// Whether it finds its file by a name, and has no descriptor of it.
    #[must_use]
    pub fn is_by_name(self) -> bool {
        matches!(self, OpKind::Openat | OpKind::Statx | OpKind::Rename | OpKind::Unlink)
    }

    /// Whether it has an empty file of its own, made for it beside those under test.
    #[must_use]
    pub fn has_side_file(self) -> bool {
        matches!(self, OpKind::Rename | OpKind::Unlink)
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
