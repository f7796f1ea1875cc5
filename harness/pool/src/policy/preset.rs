//! Presets: one for each range of kernel releases with rules of its own, as sets of patches.
//!
//! Which stable release has a commit is taken from Debian's changelogs and the announcements of
//! stable releases.

use super::patch::{Patch, Patches};

/// A range of kernel releases, by its patches.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// Name, as in `--policy`.
    pub name: &'static str,
    /// What is new in it, in one line.
    pub summary: &'static str,
    /// The releases that it stands for, in one line.
    pub releases: &'static str,
    /// The commits that these have.
    pub patches: Patches,
}

const V6_1: Patches = Patches::NONE.with(Patch::Retire).with(Patch::FileLookedUpEarly);
const V6_12_0: Patches = Patches::NONE
    .with(Patch::FsyncConcurrent)
    .with(Patch::DirectUnhashed)
    .with(Patch::WakeCountsAwake);
const V6_12: Patches = V6_12_0
    .with(Patch::RetryDelay)
    .with(Patch::FallocateHashed)
    .with(Patch::Retire)
    .with(Patch::FileLookedUpEarly);
// The fixes of 6.12.115 are in no release from here on that is known.
const V6_16: Patches = V6_12_0
    .with(Patch::RetryDelay)
    .with(Patch::UnhashedKeepsBucket0)
    .with(Patch::IdleNeverSpawns)
    .with(Patch::SkipSameBucket)
    .with(Patch::FallocateHashed);
const V6_17: Patches = V6_16.with(Patch::RecheckFreeWorker);
const V6_17_AS_POSTED: Patches = V6_16.with(Patch::RecheckAsPosted);
const EXIT_ON_IDLE: Patches = V6_17.with(Patch::ExitOnIdle);

/// All presets, oldest rules first.
pub const PRESETS: [Preset; 7] = [
    Preset {
        name: "6.1",
        summary: "only a sleeping worker counts as woken; fsync creates no worker while another runs",
        releases: "6.1.191 and later of 6.1.y; before that without retire and file-looked-up-early",
        patches: V6_1,
    },
    Preset {
        name: "6.12.0",
        summary: "any free worker counts as woken; fsync creates one though another runs",
        releases: "6.12.0 to 6.12.114, from .20 on with retry-delay; 6.6 to 6.15 are like it",
        patches: V6_12_0,
    },
    Preset {
        name: "6.12",
        summary: "forced async ops are queued with their file, so that writes are hashed",
        releases: "6.12.115 and later of 6.12.y",
        patches: V6_12,
    },
    Preset {
        name: "6.16",
        summary: "no worker is created by an idle worker or for work whose bucket is busy",
        releases: "6.16.0 to 6.16.4; without the fixes of 6.12.115, as all that follow",
        patches: V6_16,
    },
    Preset {
        name: "6.17",
        summary: "6.16, and a creation first looks for a free worker",
        releases: "6.16.9 and later of 6.16.y, 6.17.y, 6.18.0 to 6.18.10, 6.19.0",
        patches: V6_17,
    },
    Preset {
        name: "6.17-as-posted",
        summary: "6.17 with that patch as first mailed, which ignores the limit",
        releases: "6.16.5 to 6.16.8, and 6.17-rc2 until it was fixed",
        patches: V6_17_AS_POSTED,
    },
    Preset {
        name: "exit-on-idle",
        summary: "6.17, and idle workers exit once the last ring is closed",
        releases: "6.18.11 and later of 6.18.y, 6.19.1 and later, 7.0; seen up to 6.18.44",
        patches: EXIT_ON_IDLE,
    },
];

/// The preset whose rules a policy has by default.
pub(super) const NEWEST: &Preset = &PRESETS[PRESETS.len() - 1];

#[cfg(test)]
mod tests {
    use super::*;

    fn having(patch: Patch) -> Vec<&'static str> {
        let having = PRESETS.iter().filter(|preset| preset.patches.has(patch));
        having.map(|preset| preset.name).collect()
    }

    #[test]
    fn each_commit_is_in_the_presets_whose_releases_have_it() {
        let from_6_16 = ["6.16", "6.17", "6.17-as-posted", "exit-on-idle"];
        let from = |first: &[&'static str]| [first, from_6_16.as_slice()].concat();
        let rows = [
            (Patch::FsyncConcurrent, from(&["6.12.0", "6.12"])),
            (Patch::DirectUnhashed, from(&["6.12.0", "6.12"])),
            (Patch::WakeCountsAwake, from(&["6.12.0", "6.12"])),
            (Patch::RetryDelay, from(&["6.12"])),
            (Patch::UnhashedKeepsBucket0, from(&[])),
            (Patch::IdleNeverSpawns, from(&[])),
            (Patch::SkipSameBucket, from(&[])),
            (Patch::FallocateHashed, from(&["6.12"])),
            (Patch::RecheckFreeWorker, vec!["6.17", "exit-on-idle"]),
            (Patch::RecheckAsPosted, vec!["6.17-as-posted"]),
            (Patch::ExitOnIdle, vec!["exit-on-idle"]),
            (Patch::Retire, vec!["6.1", "6.12"]),
            (Patch::FileLookedUpEarly, vec!["6.1", "6.12"]),
        ];
        assert_eq!(rows.each_ref().map(|row| row.0), Patch::ALL, "a row for each commit");
        for (patch, presets) in rows {
            assert_eq!(having(patch), presets, "{}", patch.name());
        }
    }
}
