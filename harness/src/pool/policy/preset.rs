//! Presets: one for each kernel release whose rules differ, as sets of switches.

use super::switch::{Switch, Switches};

/// A kernel release, by its switches.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// Name, as in `--policy`.
    pub name: &'static str,
    /// What it stands for, in one line.
    pub summary: &'static str,
    /// What is on.
    pub switches: Switches,
}

// The latest stable release of a series is meant, so all of them have `retire`.
const V6_1: Switches = Switches::NONE.with(Switch::Retire);
const V6_12: Switches = V6_1
    .with(Switch::WakeCountsAwake)
    .with(Switch::FsyncConcurrent)
    .with(Switch::DirectUnhashed)
    .with(Switch::FallocateHashed)
    .with(Switch::RetryDelay);
const V6_16: Switches = V6_12
    .with(Switch::ForcedFileUnknown)
    .with(Switch::UnhashedKeepsBucket0)
    .with(Switch::IdleNeverSpawns)
    .with(Switch::SkipSameBucket);
const V6_17: Switches = V6_16.with(Switch::RecheckFreeWorker);
const V6_17_AS_POSTED: Switches = V6_16.with(Switch::RecheckAsPosted);
const EXIT_ON_IDLE: Switches = V6_17.with(Switch::ExitOnIdle);

/// All presets, oldest first.
pub const PRESETS: [Preset; 6] = [
    Preset {
        name: "6.1",
        summary: "Linux 6.1: only a sleeping worker counts as woken, fsync waits its turn",
        switches: V6_1,
    },
    Preset {
        name: "6.12",
        summary: "Linux 6.12: any free worker counts as woken, fsync is CONCURRENT",
        switches: V6_12,
    },
    Preset {
        name: "6.16",
        summary: "Linux 6.16: idle workers do not spawn, nor does a busy bucket at the head",
        switches: V6_16,
    },
    Preset {
        name: "6.17",
        summary: "Linux 6.17: a creation first looks for a free worker",
        switches: V6_17,
    },
    Preset {
        name: "6.17-as-posted",
        summary: "that patch as first mailed: the limit is ignored",
        switches: V6_17_AS_POSTED,
    },
    Preset {
        name: "exit-on-idle",
        summary: "6.17, and idle workers leave once the last ring is closed",
        switches: EXIT_ON_IDLE,
    },
];
