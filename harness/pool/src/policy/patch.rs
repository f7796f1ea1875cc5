//! Patches: one for each kernel commit that changed how workers come and go.

/// A kernel commit, or a group that only makes sense together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Patch {
    /// What can only be done by blocking, such as fsync, fallocate, statx, rename and unlink, is
    /// forced async: queued CONCURRENT, without an inline attempt (aebb224fd4fc).
    FsyncConcurrent,
    /// On a file opened with `O_DIRECT` nothing is hashed if its file system takes such writes in
    /// parallel (d4755e15386c, 6.4); ext4 and xfs do.
    DirectUnhashed,
    /// Waking the first free worker suffices even if it was awake (22f7fb80e6d9, 6.6).
    WakeCountsAwake,
    /// A failed creation is retried after 5, 10 and 15 ms (13918315c5dc, 6.14 and 6.12.20).
    RetryDelay,
    /// Finishing unhashed work leaves bucket 0 alone (486ba4d84d62, 6.15).
    UnhashedKeepsBucket0,
    /// A worker that holds no work never requests another (8343cae362e1, 6.16).
    IdleNeverSpawns,
    /// No new worker if the first queued work has the bucket of the one that blocks
    /// (0b2b066f8a85, 6.16).
    SkipSameBucket,
    /// fallocate is hashed by its file (88a80066af16, 6.16 and 6.12.39). As it is forced async,
    /// that has an effect only together with [`Patch::FileLookedUpEarly`].
    FallocateHashed,
    /// The creation callback first looks for a free worker (9d83e1f05c98 with its fix
    /// cd4ea81be3eb, 6.17 and 6.16.9).
    RecheckFreeWorker,
    /// The same as first mailed: it creates past the limit, and does not count
    /// those workers
    /// (9d83e1f05c98 alone, 6.16.5 to 6.16.8).
    RecheckAsPosted,
    /// Without a ring every idle worker exits (38aa434ab933 and 912146614894, 7.0 and 6.18.11).
    ExitOnIdle,
    /// No worker exits with a creation of its own pending ("don't exit with a creation pending",
    /// 6.12.115 and 6.1.191). That an exiting worker strands no work came with it ("don't strand
    /// work when a worker exits"), and holds in this pool under every policy.
    Retire,
    /// The file of an op that is forced async is looked up before it is queued ("look up the file
    /// before queueing to io-wq", 6.12.115 and 6.1.191). Without this such an op is taken for one
    /// on a pipe or socket if it can be such, and is not hashed.
    FileLookedUpEarly,
}

/// Names that stand for the absence of a patch, which records of former versions have.
pub const ABSENCES: [(&str, Patch); 1] = [("forced-file-unknown", Patch::FileLookedUpEarly)];

impl Patch {
    /// All of them, in the order in which they were merged.
    pub const ALL: [Patch; 13] = [
        Patch::FsyncConcurrent,
        Patch::DirectUnhashed,
        Patch::WakeCountsAwake,
        Patch::RetryDelay,
        Patch::UnhashedKeepsBucket0,
        Patch::IdleNeverSpawns,
        Patch::SkipSameBucket,
        Patch::FallocateHashed,
        Patch::RecheckFreeWorker,
        Patch::RecheckAsPosted,
        Patch::ExitOnIdle,
        Patch::Retire,
        Patch::FileLookedUpEarly,
    ];

    /// Name, as in `--policy PRESET+NAME`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.described().0
    }

    /// One line for `--list`.
    #[must_use]
    pub fn summary(self) -> &'static str {
        self.described().1
    }

    fn described(self) -> (&'static str, &'static str) {
        match self {
            Patch::FsyncConcurrent => (
                "fsync-concurrent",
                "fsync and fallocate create a worker though another runs (aebb224fd4fc)",
            ),
            Patch::DirectUnhashed => {
                ("direct-unhashed", "on O_DIRECT files nothing is hashed (d4755e15386c)")
            }
            Patch::WakeCountsAwake => {
                ("wake-counts-awake", "a free worker that is awake counts as woken (22f7fb80e6d9)")
            }
            Patch::RetryDelay => {
                ("retry-delay", "failed creations wait 5, 10, 15 ms (13918315c5dc)")
            }
            Patch::UnhashedKeepsBucket0 => {
                ("unhashed-keeps-bucket-0", "unhashed work leaves bucket 0 alone (486ba4d84d62)")
            }
            Patch::IdleNeverSpawns => {
                ("idle-never-spawns", "an idle worker never requests another (8343cae362e1)")
            }
            Patch::SkipSameBucket => (
                "skip-same-bucket",
                "no worker is created for work whose bucket is busy (0b2b066f8a85)",
            ),
            Patch::FallocateHashed => {
                ("fallocate-hashed", "fallocate is hashed if its file is known (88a80066af16)")
            }
            Patch::RecheckFreeWorker => (
                "recheck-free-worker",
                "a creation first looks for a free worker (9d83e1f05c98, cd4ea81be3eb)",
            ),
            Patch::RecheckAsPosted => (
                "recheck-as-posted",
                "the same as first mailed, which ignores the limit (9d83e1f05c98 alone)",
            ),
            Patch::ExitOnIdle => (
                "exit-on-idle",
                "idle workers exit once no ring is left (38aa434ab933, 912146614894)",
            ),
            Patch::Retire => (
                "retire",
                "a worker exits only after its request for another is settled (6.12.115, 6.1.191)",
            ),
            Patch::FileLookedUpEarly => (
                "file-looked-up-early",
                "forced async ops are queued with their file, so hashed (6.12.115, 6.1.191)",
            ),
        }
    }
}

/// A set of patches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Patches(u16);

impl Patches {
    /// None on.
    pub const NONE: Patches = Patches(0);

    /// With this one on.
    #[must_use]
    pub const fn with(self, patch: Patch) -> Patches {
        Patches(self.0 | 1 << patch as u8)
    }

    /// With this one off.
    #[must_use]
    pub const fn without(self, patch: Patch) -> Patches {
        Patches(self.0 & !(1 << patch as u8))
    }

    /// Whether this one is on.
    #[must_use]
    pub const fn has(self, patch: Patch) -> bool {
        self.0 & 1 << patch as u8 != 0
    }

    /// Those that are on, in the order of [`Patch::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Patch> {
        Patch::ALL.into_iter().filter(move |&patch| self.has(patch))
    }
}
