//! Accelerators: which of KVM and emulation boots a kernel here, found out by booting one.

use std::{fs::OpenOptions, io::ErrorKind, path::Path, time::Duration};

use anyhow::bail;
use clap::ValueEnum;

use crate::{
    lines::Lines,
    machine::{Event, Machine, Parts},
    stop::Stop,
};

/// With KVM the first line comes in well under a second.
const FIRST_LINE_MAX: Duration = Duration::from_secs(10);
/// The kernel's first line: its decompressor, which talks before, runs where the kernel may not.
const FIRST_LINE: &str = "Linux version ";
/// Bytes of a line at most, if the console prints something else.
const LINE_BYTES_MAX: usize = 1000;
/// Enough for any kernel to begin.
const MEMORY_MIB: u32 = 512;
/// The device of KVM.
const DEVICE: &str = "/dev/kvm";

/// Which accelerator the user chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AcceleratorChoice {
    /// KVM if it boots a kernel, else emulation
    Auto,
    /// KVM or nothing.
    Kvm,
    /// Emulation.
    Tcg,
}

/// Which accelerator it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accelerator {
    /// `kvm` or `tcg`.
    pub name: &'static str,
    /// Why not KVM, for a reader; empty if it is.
    pub reason: String,
}

/// Chooses an accelerator. A device for KVM proves little, as nested machines often have one that
/// fails; so the kernel is started with it until its first line on the console.
///
/// # Errors
///
/// KVM was chosen and does not boot, a stop was requested, or QEMU cannot be started.
pub fn choose(
    chosen: AcceleratorChoice,
    qemu: &Path,
    kernel: &Path,
    stop: &Stop,
) -> anyhow::Result<Accelerator> {
    let reason = match chosen {
        AcceleratorChoice::Tcg => Some("emulation was requested".to_owned()),
        AcceleratorChoice::Auto | AcceleratorChoice::Kvm => {
            why_not_kvm(Path::new(DEVICE), qemu, kernel, stop)?
        }
    };
    decide(chosen, reason)
}

fn decide(chosen: AcceleratorChoice, why_not_kvm: Option<String>) -> anyhow::Result<Accelerator> {
    match (chosen, why_not_kvm) {
        (_, None) => Ok(Accelerator { name: "kvm", reason: String::new() }),
        (AcceleratorChoice::Kvm, Some(reason)) => {
            bail!("KVM does not boot a kernel here: {reason}. Use emulation with `--accel tcg`")
        }
        (_, Some(reason)) => Ok(Accelerator { name: "tcg", reason }),
    }
}

fn why_not_kvm(
    device: &Path,
    qemu: &Path,
    kernel: &Path,
    stop: &Stop,
) -> anyhow::Result<Option<String>> {
    if let Err(error) = OpenOptions::new().read(true).write(true).open(device) {
        let device = device.display();
        return Ok(Some(match error.kind() {
            ErrorKind::NotFound => format!("no {device}"),
            ErrorKind::PermissionDenied => {
                format!("{device} is not ours to open; its group, often kvm, may")
            }
            _ => format!("cannot open {device}: {error}"),
        }));
    }
    boots_with_kvm(qemu, kernel, stop)
}

/// Why the kernel says nothing with KVM, if it does not.
fn boots_with_kvm(qemu: &Path, kernel: &Path, stop: &Stop) -> anyhow::Result<Option<String>> {
    let mut machine = Machine::start(&Parts {
        qemu,
        accelerator: "kvm",
        cpus: 1,
        memory_mib: MEMORY_MIB,
        kernel,
        initramfs: None,
        append: "console=ttyS0 panic=-1",
        disk: None,
        iops_max: None,
    })?;
    let mut console = Lines::new(LINE_BYTES_MAX);
    loop {
        match machine.next(FIRST_LINE_MAX, stop)? {
            Event::Console(bytes) => {
                let lines = console.push(&bytes);
                let first = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(FIRST_LINE);
                if lines.iter().any(|line| first(&line.bytes)) {
                    return Ok(None);
                }
            }
            Event::Port(_) => {}
            Event::Late => {
                let time = FIRST_LINE_MAX.as_secs();
                return Ok(Some(format!("the kernel said nothing within {time} s")));
            }
            Event::Gone(status) => {
                // What follows the first line is about how it gave up.
                return Ok(Some(match machine.errors().first() {
                    None => format!("QEMU ended before the kernel said anything: {status}"),
                    Some(error) => format!("QEMU ended: {error}"),
                }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    /// Why not KVM, where a script takes the place of QEMU and of the device.
    fn why_not(script: &str) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let qemu = folder.path().join("qemu");
        fs::write(&qemu, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&qemu, fs::Permissions::from_mode(0o755)).unwrap();
        why_not_kvm(&qemu, &qemu, Path::new("kernel"), &Stop::default()).unwrap()
    }

    #[test]
    fn a_kernel_that_says_its_name_is_enough() {
        assert_eq!(why_not("echo '[    0.0] Linux version 6.12 (x)'; sleep 1000"), None);
    }

    #[test]
    fn what_qemu_said_first_is_the_reason() {
        let script = "echo 'Decompressing Linux...'
            echo 'qemu-system-x86_64: error: failed to set MSR 0x10a to 0x69' >&2
            echo 'qemu-system-x86_64: an assertion failed.' >&2; exit 1";
        let expected = "QEMU ended: error: failed to set MSR 0x10a to 0x69";
        assert_eq!(why_not(script).as_deref(), Some(expected));
        let silent = why_not("exit 3").unwrap();
        assert_eq!(silent, "QEMU ended before the kernel said anything: exit status: 3");
    }

    #[test]
    fn without_the_device_nothing_is_started() {
        let (absent, none) = (Path::new("no/kvm"), Path::new("no/qemu"));
        let reason = why_not_kvm(absent, none, none, &Stop::default()).unwrap();
        assert_eq!(reason.as_deref(), Some("no no/kvm"));
    }

    #[test]
    fn requested_kvm_is_never_replaced() {
        let no = || Some("no /dev/kvm".to_owned());
        assert_eq!(decide(AcceleratorChoice::Auto, no()).unwrap().name, "tcg");
        assert_eq!(decide(AcceleratorChoice::Auto, None).unwrap().name, "kvm");
        let error = decide(AcceleratorChoice::Kvm, no()).unwrap_err().to_string();
        assert!(error.starts_with("KVM does not boot a kernel here: no /dev/kvm"), "{error}");
    }

    #[test]
    fn requested_emulation_starts_no_probe() {
        let none = Path::new("no/qemu");
        let choice = choose(AcceleratorChoice::Tcg, none, none, &Stop::default()).unwrap();
        assert_eq!(choice.reason, "emulation was requested");
    }
}
