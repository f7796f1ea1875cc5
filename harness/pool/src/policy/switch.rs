//! Switches: one for each kernel commit that changed how workers come and go.

/// A kernel commit, or a group that only makes sense together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Switch {
    /// What can only be done by blocking, such as fsync and fallocate, is forced async: queued
    /// CONCURRENT, without an inline attempt (aebb224fd4fc).
    FsyncConcurrent,
    /// On a file opened with `O_DIRECT` nothing is hashed if its file system takes such writes in
    /// parallel (d4755e15386c, 6.4); ext4 and xfs do.
    DirectUnhashed,
    /// Waking the first free worker counts though it was awake (22f7fb80e6d9, 6.6).
    WakeCountsAwake,
    /// A failed creation is retried after 5, 10 and 15 ms (13918315c5dc, 6.14 and 6.12.20).
    RetryDelay,
    /// Finishing unhashed work leaves bucket 0 alone (486ba4d84d62, 6.15).
    UnhashedKeepsBucket0,
    /// A worker with no work in hand never asks for another (8343cae362e1, 6.16).
    IdleNeverSpawns,
    /// No new worker if the first queued work has the sleeper's own bucket
    /// (0b2b066f8a85, 6.16).
    SkipSameBucket,
    /// fallocate is hashed by its file (88a80066af16, 6.16 and 6.12.39). As it is forced async,
    /// that has an effect only together with [`Switch::FileLookedUpEarly`].
    FallocateHashed,
    /// The creation callback first looks for a free worker (9d83e1f05c98 with its mend
    /// cd4ea81be3eb, 6.17 and 6.16.9).
    RecheckFreeWorker,
    /// The same as first mailed: it creates past the limit, and off the books
    /// (9d83e1f05c98 alone, 6.16.5 to 6.16.8).
    RecheckAsPosted,
    /// Without a ring every idle worker leaves (38aa434ab933 and 912146614894, 7.0 and 6.18.11).
    ExitOnIdle,
    /// No worker leaves with a creation of its own pending ("don't exit with a creation pending",
    /// 6.12.115 and 6.1.191). That a leaving worker strands no work came with it ("don't strand
    /// work when a worker exits"), and is so in this pool under every policy.
    Retire,
    /// The file of an op that is forced async is looked up before it is queued ("look up the file
    /// before queueing to io-wq", 6.12.115 and 6.1.191). Without this such an op is taken for one
    /// on a pipe or socket if it can be such, and is not hashed.
    FileLookedUpEarly,
}

impl Switch {
    /// All of them, in the order in which they were merged.
    pub const ALL: [Switch; 13] = [
        Switch::FsyncConcurrent,
        Switch::DirectUnhashed,
        Switch::WakeCountsAwake,
        Switch::RetryDelay,
        Switch::UnhashedKeepsBucket0,
        Switch::IdleNeverSpawns,
        Switch::SkipSameBucket,
        Switch::FallocateHashed,
        Switch::RecheckFreeWorker,
        Switch::RecheckAsPosted,
        Switch::ExitOnIdle,
        Switch::Retire,
        Switch::FileLookedUpEarly,
    ];

    /// Name, as in `--policy PRESET+NAME`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Switch::FsyncConcurrent => "fsync-concurrent",
            Switch::DirectUnhashed => "direct-unhashed",
            Switch::WakeCountsAwake => "wake-counts-awake",
            Switch::RetryDelay => "retry-delay",
            Switch::UnhashedKeepsBucket0 => "unhashed-keeps-bucket-0",
            Switch::IdleNeverSpawns => "idle-never-spawns",
            Switch::SkipSameBucket => "skip-same-bucket",
            Switch::FallocateHashed => "fallocate-hashed",
            Switch::RecheckFreeWorker => "recheck-free-worker",
            Switch::RecheckAsPosted => "recheck-as-posted",
            Switch::ExitOnIdle => "exit-on-idle",
            Switch::Retire => "retire",
            Switch::FileLookedUpEarly => "file-looked-up-early",
        }
    }

    /// One line for `--list`.
    #[must_use]
    pub fn summary(self) -> &'static str {
        match self {
            Switch::FsyncConcurrent => "fsync and fallocate are forced async (aebb224fd4fc)",
            Switch::DirectUnhashed => "on O_DIRECT files nothing is hashed (d4755e15386c)",
            Switch::WakeCountsAwake => "waking a free worker that is awake counts (22f7fb80e6d9)",
            Switch::RetryDelay => "failed creations wait 5, 10, 15 ms (13918315c5dc)",
            Switch::UnhashedKeepsBucket0 => "unhashed work leaves bucket 0 alone (486ba4d84d62)",
            Switch::IdleNeverSpawns => "an idle worker never asks for another (8343cae362e1)",
            Switch::SkipSameBucket => "no worker for the sleeper's own bucket (0b2b066f8a85)",
            Switch::FallocateHashed => "fallocate is hashed if its file is known (88a80066af16)",
            Switch::RecheckFreeWorker => {
                "a creation first looks for a free worker (9d83e1f05c98, cd4ea81be3eb)"
            }
            Switch::RecheckAsPosted => "the same as mailed, past the limit (9d83e1f05c98 alone)",
            Switch::ExitOnIdle => "without a ring idle workers leave (38aa434ab933, 912146614894)",
            Switch::Retire => "no worker leaves while it waits for a creation (6.12.115, 6.1.191)",
            Switch::FileLookedUpEarly => {
                "what is forced async is queued with its file known (6.12.115, 6.1.191)"
            }
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

    /// Those that are on, in the order of [`Switch::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Switch> {
        Switch::ALL.into_iter().filter(move |&switch| self.has(switch))
    }
}
