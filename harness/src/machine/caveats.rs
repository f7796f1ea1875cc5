//! Caveats of a machine: what makes its figures differ from those of the machine one has in mind.

use iowq_contract::{Caveat, Code, Host};

use super::virtualization::{EMULATION, NONE_SEEN};

/// The caveats of a host, which apply to every run on it.
#[must_use]
pub fn caveats(host: &Host) -> Vec<Caveat> {
    let caveats = [
        (
            host.accelerator != NONE_SEEN,
            Code::VirtualMachine,
            format!(
                "The machine is virtual ({}): its disk and its scheduling share a host that is \
                 not seen. Compare runs made next to each other, not figures from elsewhere.",
                host.accelerator
            ),
        ),
        (
            host.accelerator.starts_with(EMULATION),
            Code::Emulated,
            "The processor is emulated: counts of workers hold, but times are those of an emulated \
             processor, many times slower than a real one. Compare them only with runs made next \
             to each other."
                .to_owned(),
        ),
        (
            host.profile == "debug",
            Code::DebugBuild,
            "The harness is a debug build, so its own cost is in every figure. Build it for release."
                .to_owned(),
        ),
        (
            host.filesystem == "tmpfs" || host.filesystem == "ramfs",
            Code::Tmpfs,
            format!(
                "The files are in memory ({}): writes and fsyncs hardly block there, and \
                 blocking creates workers. `--dir DIR` names a folder on a disk.",
                host.filesystem
            ),
        ),
        (
            host.commit.ends_with("-dirty"),
            Code::DirtyCommit,
            format!(
                "The code had changes that are in no commit ({}), so what was measured \
                 cannot be built again.",
                host.commit
            ),
        ),
    ];
    let caveats = caveats.into_iter().filter(|(applies, ..)| *applies);
    caveats.map(|(_, code, text)| Caveat { code, text }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain() -> Host {
        let text = str::to_owned;
        Host {
            filesystem: text("ext4"),
            governor: text("unknown"),
            accelerator: text("none seen"),
            commit: text("0123456789ab"),
            profile: text("release"),
            ..Host::default()
        }
    }

    fn codes(host: &Host) -> Vec<Code> {
        caveats(host).into_iter().map(|caveat| caveat.code).collect()
    }

    #[test]
    fn a_disk_in_a_real_machine_has_no_caveat_even_with_an_unknown_governor() {
        assert!(caveats(&plain()).is_empty());
    }

    #[test]
    fn an_emulated_machine_is_a_virtual_one_whose_times_are_its_own() {
        let host = Host { accelerator: format!("{EMULATION} (QEMU)"), ..plain() };
        assert_eq!(codes(&host), [Code::VirtualMachine, Code::Emulated]);
    }

    #[test]
    fn each_caveat_has_its_own_code() {
        let text = str::to_owned;
        let hosts = [
            (Host { accelerator: text("KVM guest"), ..plain() }, Code::VirtualMachine),
            (Host { profile: text("debug"), ..plain() }, Code::DebugBuild),
            (Host { filesystem: text("tmpfs"), ..plain() }, Code::Tmpfs),
            (Host { commit: text("0123456789ab-dirty"), ..plain() }, Code::DirtyCommit),
        ];
        for (host, code) in hosts {
            assert_eq!(codes(&host), [code]);
        }
    }
}
