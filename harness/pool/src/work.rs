//! Work: one queued request as io-wq sees it, its flags, and the key that says what it excludes.

/// [`Key`] of no work; a number, because the scheduler's probe reads it.
pub const KEY_NONE: u32 = 0;
/// [`Key`] of work that excludes no other.
pub const KEY_UNHASHED: u32 = 1;
/// [`Key`] of work in bucket 0; those of the other buckets follow.
pub const KEY_HASHED: u32 = 2;

/// Index of a work in the pool's table; the submitter assigns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkId(pub u32);

impl WorkId {
    /// As an index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Index of a worker's slot; slots are reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerId(pub u32);

impl WorkerId {
    /// As an index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Buckets that hashed work is spread over (`IO_WQ_NR_HASH_BUCKETS`).
pub const BUCKETS: usize = 64;

/// The two accounts of a pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Account {
    /// Regular files and block devices: work that ends by itself.
    #[default]
    Bounded,
    /// Everything else, which may never end.
    Unbounded,
}

impl Account {
    /// Both, in the kernel's order.
    pub const ALL: [Account; 2] = [Account::Bounded, Account::Unbounded];

    /// Place in [`Account::ALL`].
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }
}

/// How a work is queued; set when it is punted, from the op and the rules of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags {
    /// Which workers may take it.
    pub account: Account,
    /// The bucket it is hashed to, below [`BUCKETS`]; works of one bucket never run at the same
    /// time. Only bounded work is hashed: the release of a bucket creates no worker, and all of an
    /// account may have exited while those of the other one had its buckets.
    pub bucket: Option<u8>,
    /// `IO_WQ_WORK_CONCURRENT`: enqueueing it may create a worker even if others are running.
    pub concurrent: bool,
}

/// What a work excludes, packed as the scheduler's probe carries it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Key(pub u32);

impl Key {
    /// No work.
    pub const NONE: Key = Key(KEY_NONE);
    /// Work that excludes nothing.
    pub const UNHASHED: Key = Key(KEY_UNHASHED);

    /// The key of work with this bucket.
    #[must_use]
    pub fn of(bucket: Option<u8>) -> Key {
        bucket.map_or(Key::UNHASHED, |bucket| Key(KEY_HASHED + u32::from(bucket)))
    }

    /// Whether there is a work at all.
    #[must_use]
    pub fn is_some(self) -> bool {
        self != Key::NONE
    }

    /// Whether both are hashed, and to the same bucket.
    #[must_use]
    pub fn same_bucket(self, other: Key) -> bool {
        self.0 >= KEY_HASHED && self == other
    }
}
