//! The features of the guest's kernel, by system calls and files.

use std::fs;
use std::io::Error;
use std::path::Path;
use std::time::Duration;

use iowq_contract::guest::Job;
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;

use super::wait::wait_for;
use super::{block, delay, disk};
use crate::probes;

/// How long the disk may take to appear once its driver is there.
const DISK_TIME_MAX: Duration = Duration::from_secs(20);

/// The features that this kernel has.
#[derive(Clone, Debug)]
pub(super) struct Features {
    /// Names in `/proc/filesystems`.
    pub(super) filesystems: Vec<String>,
    /// Drivers of PCI devices; none if the kernel has no PCI.
    pub(super) pci_drivers: Option<Vec<String>>,
    /// Drivers of virtio devices.
    pub(super) virtio_drivers: Vec<String>,
    /// Whether our port is there.
    pub(super) port: bool,
    /// Whether our disk is there.
    pub(super) disk: bool,
    /// What `io_uring_setup` returns for invalid arguments.
    pub(super) io_uring: Errno,
    /// What `bpf` returns for a program of one instruction for a trace event; none if it takes it.
    pub(super) bpf: Option<Errno>,
    /// Whether there are perf events.
    pub(super) perf: bool,
    /// What `eventfd` returns; none if it works.
    pub(super) eventfd: Option<Errno>,
    /// Trace events that the probes need and that are not there, as `category:name`.
    pub(super) events_missing: Vec<&'static str>,
    /// Whether there is device-mapper.
    pub(super) device_mapper: bool,
    /// Its targets.
    pub(super) targets: Vec<String>,
}

impl Features {
    /// Inspects the kernel. Waits for the disk if its driver is there.
    pub(super) fn detect(job: &Job, port: bool) -> Features {
        let virtio_drivers = names("/sys/bus/virtio/drivers").unwrap_or_default();
        let waits = job.disk.filesystem != disk::TMPFS && has(&virtio_drivers, "virtio_blk");
        let time_max = if waits { DISK_TIME_MAX } else { Duration::ZERO };
        let events = Path::new("/sys/kernel/tracing/events");
        let is_missing =
            |event: &&str| !events.join(event.replace(':', "/")).join("format").exists();
        Features {
            filesystems: filesystems(&fs::read_to_string("/proc/filesystems").unwrap_or_default()),
            pci_drivers: names("/sys/bus/pci/drivers"),
            virtio_drivers,
            port,
            disk: wait_for(time_max, block::find).is_some(),
            io_uring: io_uring(),
            bpf: bpf(),
            perf: Path::new("/proc/sys/kernel/perf_event_paranoid").exists(),
            eventfd: eventfd(0, EventfdFlags::CLOEXEC).err(),
            events_missing: probes::event_titles().filter(is_missing).collect(),
            device_mapper: Path::new(delay::CONTROL).exists(),
            targets: delay::targets().unwrap_or_default(),
        }
    }
}

pub(super) fn has(names: &[String], name: &str) -> bool {
    names.iter().any(|other| other == name)
}

/// Names in a folder; none if it is not there.
fn names(folder: &str) -> Option<Vec<String>> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    Some(entries.filter_map(|entry| entry.file_name().into_string().ok()).collect())
}

/// The last word of each line; before it may stand `nodev`.
fn filesystems(text: &str) -> Vec<String> {
    text.lines().filter_map(|line| line.split_whitespace().last()).map(str::to_owned).collect()
}

fn last_errno() -> Errno {
    Errno::from_io_error(&Error::last_os_error()).unwrap_or(Errno::IO)
}

/// Requests a ring of no entries, which every kernel refuses.
fn io_uring() -> Errno {
    // SAFETY: the kernel reads and writes nothing at a null pointer; it refuses it.
    unsafe { libc::syscall(libc::SYS_io_uring_setup, 0, std::ptr::null_mut::<u8>()) };
    last_errno()
}

/// Loads the least program there is for trace events, and drops it.
fn bpf() -> Option<Errno> {
    /// `BPF_PROG_LOAD`.
    const LOAD: i32 = 5;
    /// `BPF_PROG_TYPE_TRACEPOINT`.
    const TRACEPOINT: u32 = 5;
    // r0 = 0; exit.
    let mut program = [0u8; 2 * 8];
    (program[0], program[8]) = (0xb7, 0x95);
    let licence = c"GPL";
    // Kind, number of instructions, instructions, licence. All that may follow counts as zero.
    let attributes = [
        &TRACEPOINT.to_ne_bytes()[..],
        &2u32.to_ne_bytes(),
        &(program.as_ptr() as u64).to_ne_bytes(),
        &(licence.as_ptr() as u64).to_ne_bytes(),
    ]
    .concat();
    // SAFETY: program and licence live over the call, and the kernel writes nothing but the answer.
    let fd = unsafe { libc::syscall(libc::SYS_bpf, LOAD, attributes.as_ptr(), attributes.len()) };
    match i32::try_from(fd) {
        Ok(fd) if fd >= 0 => {
            // SAFETY: the kernel just handed it over, and nothing else owns it.
            unsafe { libc::close(fd) };
            None
        }
        _ => Some(last_errno()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_systems_are_the_last_words_of_lines() {
        let found = filesystems("nodev\tsysfs\nnodev\ttmpfs\n\text4\n\n");
        assert_eq!(found, ["sysfs", "tmpfs", "ext4"]);
    }

    #[test]
    fn asking_for_io_uring_makes_no_ring() {
        // Whatever the machine answers, it refuses.
        assert_ne!(io_uring().raw_os_error(), 0);
    }

    #[test]
    fn a_folder_that_is_not_there_has_no_names() {
        assert_eq!(names("/not/there"), None);
        assert!(names("/proc/self").is_some_and(|names| has(&names, "fd")));
    }
}
