//! Switches: one for each kernel commit that changed how workers come and go.

/// A kernel commit, or a group that only makes sense together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Switch {
    /// Waking the first free worker counts though it was awake (22f7fb80e6d9, 6.6).
    WakeCountsAwake,
    /// fsync and its like are queued CONCURRENT (aebb224fd4fc).
    FsyncConcurrent,
    /// `O_DIRECT` writes are not hashed where the file system takes them in parallel
    /// (d4755e15386c, 6.4); ext4 and xfs do.
    DirectUnhashed,
    /// fallocate is hashed by its file, and CONCURRENT.
    FallocateHashed,
    /// An op with `IOSQE_ASYNC` is queued before its file is known, so that it is taken for one on
    /// a pipe or socket if it can be such, and is not hashed. Seen on 6.18.44, and not on 6.12.117;
    /// the commit is not known.
    ForcedFileUnknown,
    /// A failed creation is retried after 5, 10 and 15 ms (13918315c5dc, 6.12.20).
    RetryDelay,
    /// Finishing unhashed work leaves bucket 0 alone (486ba4d84d62, 6.15).
    UnhashedKeepsBucket0,
    /// A worker with no work in hand never asks for another (8343cae362e1, 6.16).
    IdleNeverSpawns,
    /// No new worker where the first queued work has the sleeper's own bucket
    /// (0b2b066f8a85, 6.16).
    SkipSameBucket,
    /// The creation callback first looks for a free worker (9d83e1f05c98 with its mend
    /// cd4ea81be3eb, 6.17).
    RecheckFreeWorker,
    /// The same as first mailed: it creates past the limit, and off the books
    /// (9d83e1f05c98 alone).
    RecheckAsPosted,
    /// Without a ring every idle worker leaves (38aa434ab933 and 912146614894).
    ExitOnIdle,
    /// A leaving worker makes sure that it strands no work, and none leaves with a creation of
    /// its own pending (6.1.191, 6.12.115).
    Retire,
}

impl Switch {
    /// All of them, oldest first.
    pub const ALL: [Switch; 13] = [
        Switch::WakeCountsAwake,
        Switch::FsyncConcurrent,
        Switch::DirectUnhashed,
        Switch::FallocateHashed,
        Switch::RetryDelay,
        Switch::ForcedFileUnknown,
        Switch::UnhashedKeepsBucket0,
        Switch::IdleNeverSpawns,
        Switch::SkipSameBucket,
        Switch::RecheckFreeWorker,
        Switch::RecheckAsPosted,
        Switch::ExitOnIdle,
        Switch::Retire,
    ];

    /// Name, as in `--policy PRESET+NAME`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Switch::WakeCountsAwake => "wake-counts-awake",
            Switch::FsyncConcurrent => "fsync-concurrent",
            Switch::DirectUnhashed => "direct-unhashed",
            Switch::FallocateHashed => "fallocate-hashed",
            Switch::ForcedFileUnknown => "forced-file-unknown",
            Switch::RetryDelay => "retry-delay",
            Switch::UnhashedKeepsBucket0 => "unhashed-keeps-bucket-0",
            Switch::IdleNeverSpawns => "idle-never-spawns",
            Switch::SkipSameBucket => "skip-same-bucket",
            Switch::RecheckFreeWorker => "recheck-free-worker",
            Switch::RecheckAsPosted => "recheck-as-posted",
            Switch::ExitOnIdle => "exit-on-idle",
            Switch::Retire => "retire",
        }
    }

    /// One line for `--list`.
    #[must_use]
    pub fn summary(self) -> &'static str {
        match self {
            Switch::WakeCountsAwake => "waking a free worker that is awake counts (22f7fb80e6d9)",
            Switch::FsyncConcurrent => "fsync may create a worker at enqueue (aebb224fd4fc)",
            Switch::DirectUnhashed => "O_DIRECT writes are not hashed (d4755e15386c)",
            Switch::FallocateHashed => "fallocate is hashed and may create a worker at enqueue",
            Switch::ForcedFileUnknown => {
                "with IOSQE_ASYNC nothing is hashed (seen on 6.18, not on 6.12)"
            }
            Switch::RetryDelay => "failed creations wait 5, 10, 15 ms (13918315c5dc)",
            Switch::UnhashedKeepsBucket0 => "unhashed work leaves bucket 0 alone (486ba4d84d62)",
            Switch::IdleNeverSpawns => "an idle worker never asks for another (8343cae362e1)",
            Switch::SkipSameBucket => "no worker for the sleeper's own bucket (0b2b066f8a85)",
            Switch::RecheckFreeWorker => {
                "a creation first looks for a free worker (9d83e1f05c98, cd4ea81be3eb)"
            }
            Switch::RecheckAsPosted => "the same as mailed, past the limit (9d83e1f05c98 alone)",
            Switch::ExitOnIdle => "without a ring idle workers leave (38aa434ab933, 912146614894)",
            Switch::Retire => "a leaving worker strands no work (6.12.115)",
        }
    }
}

/// A set of switches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Switches(u16);

impl Switches {
    /// None on.
    pub const NONE: Switches = Switches(0);

    /// With this one on.
    #[must_use]
    pub const fn with(self, switch: Switch) -> Switches {
        Switches(self.0 | 1 << switch as u8)
    }

    /// With this one off.
    #[must_use]
    pub const fn without(self, switch: Switch) -> Switches {
        Switches(self.0 & !(1 << switch as u8))
    }

    /// Whether this one is on.
    #[must_use]
    pub const fn has(self, switch: Switch) -> bool {
        self.0 & 1 << switch as u8 != 0
    }

    /// Those that are on, oldest first.
    pub fn iter(self) -> impl Iterator<Item = Switch> {
        Switch::ALL.into_iter().filter(move |&switch| self.has(switch))
    }
}
