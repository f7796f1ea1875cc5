//! Presets: one for each range of kernel releases with rules of its own, as sets of switches.
//!
//! Where a commit went into which stable release is as Debian's changelogs and the announcements
//! of stable releases name it.

use super::switch::{Switch, Switches};

/// A range of kernel releases, by its switches.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// Name, as in `--policy`.
    pub name: &'static str,
    /// What is new in it, in one line.
    pub summary: &'static str,
    /// The releases that it stands for, in one line.
    pub releases: &'static str,
    /// The commits that these have.
    pub switches: Switches,
}

const V6_1: Switches = Switches::NONE.with(Switch::Retire).with(Switch::FileLookedUpEarly);
const V6_12_0: Switches = Switches::NONE
    .with(Switch::FsyncConcurrent)
    .with(Switch::DirectUnhashed)
    .with(Switch::WakeCountsAwake);
const V6_12: Switches = V6_12_0
    .with(Switch::RetryDelay)
    .with(Switch::FallocateHashed)
    .with(Switch::Retire)
    .with(Switch::FileLookedUpEarly);
// The fixes of 6.12.115 are in no release from here on that is known.
const V6_16: Switches = V6_12_0
    .with(Switch::RetryDelay)
    .with(Switch::UnhashedKeepsBucket0)
    .with(Switch::IdleNeverSpawns)
    .with(Switch::SkipSameBucket)
    .with(Switch::FallocateHashed);
const V6_17: Switches = V6_16.with(Switch::RecheckFreeWorker);
const V6_17_AS_POSTED: Switches = V6_16.with(Switch::RecheckAsPosted);
const EXIT_ON_IDLE: Switches = V6_17.with(Switch::ExitOnIdle);

/// All presets, oldest rules first.
pub const PRESETS: [Preset; 7] = [
    Preset {
        name: "6.1",
        summary: "only a sleeping worker counts as woken, fsync waits its turn",
        releases: "6.1.191 and later of 6.1.y; before that 6.1-retire-file-looked-up-early",
        switches: V6_1,
    },
    Preset {
        name: "6.12.0",
        summary: "any free worker counts as woken, fsync is CONCURRENT",
        releases: "6.12.0 to 6.12.114, from .20 on with retry-delay; 6.6 to 6.14 are like it",
        switches: V6_12_0,
    },
    Preset {
        name: "6.12",
        summary: "what is forced async is queued with its file known, so it may be hashed",
        releases: "6.12.115 and later of 6.12.y",
        switches: V6_12,
    },
    Preset {
        name: "6.16",
        summary: "idle workers do not spawn, nor does a busy bucket at the head",
        releases: "6.16.0 to 6.16.4; without the fixes of 6.12.115, as all that follow",
        switches: V6_16,
    },
    Preset {
        name: "6.17",
        summary: "a creation first looks for a free worker",
        releases: "6.16.9 and later of 6.16.y, 6.17.y, 6.18.0 to 6.18.10, 6.19.0",
        switches: V6_17,
    },
    Preset {
        name: "6.17-as-posted",
        summary: "that patch as first mailed: the limit is ignored",
        releases: "6.16.5 to 6.16.8, and 6.17-rc2 until it was mended",
        switches: V6_17_AS_POSTED,
    },
    Preset {
        name: "exit-on-idle",
        summary: "6.17, and idle workers leave once the last ring is closed",
        releases: "6.18.11 and later of 6.18.y, 6.19.1 and later, 7.0; seen up to 6.18.44",
        switches: EXIT_ON_IDLE,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn having(switch: Switch) -> Vec<&'static str> {
        let having = PRESETS.iter().filter(|preset| preset.switches.has(switch));
        having.map(|preset| preset.name).collect()
    }

    #[test]
    fn each_commit_is_in_the_presets_whose_releases_have_it() {
        let from_6_16 = ["6.16", "6.17", "6.17-as-posted", "exit-on-idle"];
        let from = |first: &[&'static str]| [first, from_6_16.as_slice()].concat();
        let rows = [
            (Switch::FsyncConcurrent, from(&["6.12.0", "6.12"])),
            (Switch::DirectUnhashed, from(&["6.12.0", "6.12"])),
            (Switch::WakeCountsAwake, from(&["6.12.0", "6.12"])),
            (Switch::RetryDelay, from(&["6.12"])),
            (Switch::UnhashedKeepsBucket0, from(&[])),
            (Switch::IdleNeverSpawns, from(&[])),
            (Switch::SkipSameBucket, from(&[])),
            (Switch::FallocateHashed, from(&["6.12"])),
            (Switch::RecheckFreeWorker, vec!["6.17", "exit-on-idle"]),
            (Switch::RecheckAsPosted, vec!["6.17-as-posted"]),
            (Switch::ExitOnIdle, vec!["exit-on-idle"]),
            (Switch::Retire, vec!["6.1", "6.12"]),
            (Switch::FileLookedUpEarly, vec!["6.1", "6.12"]),
        ];
        assert_eq!(rows.each_ref().map(|row| row.0), Switch::ALL, "a row for each commit");
        for (switch, presets) in rows {
            assert_eq!(having(switch), presets, "{}", switch.name());
        }
    }
}
