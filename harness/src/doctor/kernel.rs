//! The kernel's own io-wq: whether io_uring is allowed here, and whether guests can run.

use std::{fs::File, io, path::Path};

use super::Check;
use crate::machine::text;

pub(super) fn io_uring() -> Check {
    let disabled = text("/proc/sys/kernel/io_uring_disabled");
    io_uring_of(disabled.as_deref().map(str::trim), Path::new("/proc/sys/kernel").exists())
}

fn io_uring_of(disabled: Option<&str>, has_switches: bool) -> Check {
    let name = "io_uring";
    let fix = "sudo sysctl kernel.io_uring_disabled=0";
    match disabled {
        Some("0") => Check::ok(name, "allowed for all users"),
        Some("1") => Check::less(
            name,
            "kernel.io_uring_disabled is 1: only root and the group kernel.io_uring_group may \
             use io_uring",
        )
        .fix(fix),
        Some("2") => {
            Check::missing(name, "kernel.io_uring_disabled is 2: no user may use io_uring").fix(fix)
        }
        Some(value) => {
            Check::less(name, format!("kernel.io_uring_disabled is {value}, which is not known"))
        }
        None if !has_switches => {
            Check::less(name, "whether it is allowed is unknown, because /proc is not mounted")
                .fix("mount -t proc proc /proc")
        }
        // Kernels before 6.6 have no such switch.
        None => Check::ok(name, "this kernel has no switch that turns it off"),
    }
}

pub(super) fn kvm() -> Check {
    let device = Path::new("/dev/kvm");
    kvm_of(File::options().read(true).write(true).open(device).map(drop))
}

fn kvm_of(opened: io::Result<()>) -> Check {
    let name = "KVM";
    match opened {
        Ok(()) => Check::ok(
            name,
            "the device exists and opens; only booting a guest shows whether it works, and \
             every result names what ran it",
        ),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Check::less(name, "the device exists, but access is denied: guests are emulated")
                .fix("sudo usermod -aG kvm \"$USER\"    (then log in again)")
        }
        Err(_) => Check::less(
            name,
            "no device: guests are emulated, several times slower, with timings of their own",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::State, *};

    #[test]
    fn io_uring_that_is_off_comes_with_the_command_that_turns_it_on() {
        assert_eq!(io_uring_of(Some("0"), true).state, State::Ok);
        assert_eq!(io_uring_of(None, true).state, State::Ok);
        assert_eq!(io_uring_of(Some("1"), true).state, State::Less);
        let off = io_uring_of(Some("2"), true);
        assert_eq!(off.state, State::Missing);
        assert!(off.fix.is_some_and(|fix| fix.contains("io_uring_disabled=0")));
        assert_eq!(io_uring_of(Some("7"), true).state, State::Less);
        assert!(io_uring_of(None, false).meaning.contains("/proc is not mounted"));
    }

    #[test]
    fn a_device_that_opens_is_no_proof_and_one_that_does_not_is_no_obstacle() {
        assert!(kvm_of(Ok(())).meaning.contains("only booting"));
        let denied = kvm_of(Err(io::ErrorKind::PermissionDenied.into()));
        assert!(denied.fix.is_some_and(|fix| fix.contains("kvm")));
        assert_eq!(kvm_of(Err(io::ErrorKind::NotFound.into())).state, State::Less);
    }
}
