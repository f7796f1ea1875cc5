//! What a virtual machine is made of, and the arguments of QEMU that make it.

use std::{ffi::OsString, path::Path};

use iowq_contract::guest::{DISK_SERIAL, PORT_NAME};

/// What a virtual machine is made of.
pub struct Parts<'a> {
    /// The program, or what stands in for it.
    pub qemu: &'a Path,
    /// `kvm` or `tcg`.
    pub accelerator: &'a str,
    /// Virtual processors.
    pub cpus: u32,
    /// Memory.
    pub memory_mib: u32,
    /// The kernel.
    pub kernel: &'a Path,
    /// Its initramfs.
    pub initramfs: Option<&'a Path>,
    /// Its command line.
    pub append: &'a str,
    /// The image of its disk.
    pub disk: Option<&'a Path>,
    /// Requests per second to the disk.
    pub iops_max: Option<u32>,
}

/// The arguments that make this machine.
///
/// The console is a file that is our pipe, and not `stdio`, which would take the port's descriptor
/// for the keyboard. A pipe that is full makes QEMU wait, so no line of the console is lost.
pub(super) fn of(parts: &Parts<'_>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = Vec::new();
    let mut add = |words: &[&str]| arguments.extend(words.iter().map(OsString::from));
    add(&["-no-user-config", "-nodefaults", "-no-reboot"]);
    add(&["-display", "none", "-monitor", "none"]);
    match parts.accelerator {
        "kvm" => add(&["-accel", "kvm", "-cpu", "host"]),
        _ => add(&["-accel", "tcg,thread=multi", "-cpu", "max"]),
    }
    add(&["-smp", &parts.cpus.to_string(), "-m", &parts.memory_mib.to_string()]);
    add(&["-chardev", "file,id=console,path=/proc/self/fd/1", "-serial", "chardev:console"]);
    add(&["-chardev", "socket,id=messages,fd=0", "-device", "virtio-serial-pci"]);
    add(&["-device", &format!("virtserialport,chardev=messages,name={PORT_NAME}")]);
    add(&["-append", parts.append, "-kernel"]);
    arguments.push(parts.kernel.into());
    if let Some(initramfs) = parts.initramfs {
        arguments.extend([OsString::from("-initrd"), initramfs.into()]);
    }
    if let Some(image) = parts.disk {
        arguments.extend([OsString::from("-drive"), drive(image, parts.iops_max)]);
        // A failed write is the guest's to see; by default the machine would stop without a word.
        let device = format!("virtio-blk-pci,drive=disk,serial={DISK_SERIAL}");
        let device = format!("{device},werror=report,rerror=report");
        arguments.extend([OsString::from("-device"), device.into()]);
    }
    arguments
}

/// The disk. `cache=unsafe` answers the guest's flushes without syncing the image: the guest
/// still sends each flush and sleeps until the answer, while the host's own disk, which differs
/// from boot to boot, is neither measured nor worn. What a flush is to cost is set by dm-delay.
/// The limit on requests holds for reads and writes, not for flushes.
fn drive(image: &Path, iops_max: Option<u32>) -> OsString {
    let mut drive = OsString::from("if=none,id=disk,format=raw,cache=unsafe,");
    if let Some(iops_max) = iops_max {
        drive.push(format!("throttling.iops-total={iops_max},"));
    }
    drive.push("file=");
    drive.push(with_commas_doubled(image));
    drive
}

/// In an option of QEMU a comma ends the value, and two stand for one.
fn with_commas_doubled(path: &Path) -> OsString {
    use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
    let mut bytes = Vec::new();
    for byte in path.as_os_str().as_bytes() {
        bytes.push(*byte);
        if *byte == b',' {
            bytes.push(b',');
        }
    }
    OsString::from_vec(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> Parts<'static> {
        Parts {
            qemu: Path::new("qemu-system-x86_64"),
            accelerator: "tcg",
            cpus: 2,
            memory_mib: 512,
            kernel: Path::new("bzImage"),
            initramfs: None,
            append: "console=ttyS0 panic=-1",
            disk: None,
            iops_max: None,
        }
    }

    fn shown(parts: &Parts<'_>) -> String {
        let words = of(parts);
        words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn kvm_takes_the_processor_of_the_host() {
        assert!(shown(&parts()).contains("-accel tcg,thread=multi -cpu max -smp 2 -m 512 "));
        let kvm = Parts { accelerator: "kvm", ..parts() };
        assert!(shown(&kvm).contains("-accel kvm -cpu host "));
    }

    #[test]
    fn a_disk_has_its_serial_number_and_its_limit() {
        assert!(!shown(&parts()).contains("-drive"));
        let image = Some(Path::new("a,b.raw"));
        let text = shown(&Parts { disk: image, iops_max: Some(300), ..parts() });
        assert!(text.contains("throttling.iops-total=300,file=a,,b.raw "), "{text}");
        assert!(text.contains("virtio-blk-pci,drive=disk,serial=iowq-disk,"), "{text}");
        assert!(!shown(&Parts { disk: image, ..parts() }).contains("throttling"));
    }

    #[test]
    fn the_command_line_of_the_kernel_is_one_word() {
        let words = of(&parts());
        assert!(words.iter().any(|word| word == "console=ttyS0 panic=-1"));
    }
}
