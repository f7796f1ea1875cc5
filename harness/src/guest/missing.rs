//! The options that a kernel lacks, by what the guest saw.

use iowq_contract::guest::{Job, MissingFeature};
use rustix::io::Errno;

use super::features::{Features, has};
use super::{delay, disk, feature};
use crate::io::errno_name;

/// Everything that this job needs and the kernel lacks.
pub(super) fn find(job: &Job, present: &Features) -> Vec<MissingFeature> {
    let mut missing = virtio(job, present);
    missing.extend(filesystem(&job.disk.filesystem, present));
    if job.disk.delay_us > 0 && job.disk.filesystem != disk::TMPFS {
        missing.extend(slowness(present));
    }
    if present.io_uring == Errno::NOSYS {
        missing.push(feature("CONFIG_IO_URING", "io_uring_setup says ENOSYS"));
    }
    missing.extend(bpf(present));
    missing.extend(events(present));
    if present.eventfd == Some(Errno::NOSYS) {
        missing.push(feature("CONFIG_EVENTFD", "eventfd says ENOSYS"));
    }
    missing
}

/// What messages and files go through.
fn virtio(job: &Job, present: &Features) -> Vec<MissingFeature> {
    let mut missing = Vec::new();
    if present.pci_drivers.is_none() {
        missing.push(feature("CONFIG_PCI", "/sys/bus/pci is missing"));
    }
    let mut needs = |drivers: &[String], driver: &str, option: &str, bus: &str| {
        if !has(drivers, driver) {
            let saw = format!("there is no driver {driver} in /sys/bus/{bus}/drivers");
            missing.push(feature(option, saw));
        }
    };
    let pci_drivers = present.pci_drivers.as_deref().unwrap_or_default();
    needs(pci_drivers, "virtio-pci", "CONFIG_VIRTIO_PCI", "pci");
    if !present.port {
        needs(&present.virtio_drivers, "virtio_console", "CONFIG_VIRTIO_CONSOLE", "virtio");
    }
    if !present.disk && job.disk.filesystem != disk::TMPFS {
        needs(&present.virtio_drivers, "virtio_blk", "CONFIG_VIRTIO_BLK", "virtio");
    }
    missing
}

fn filesystem(name: &str, present: &Features) -> Option<MissingFeature> {
    let option = match name {
        // Mounted already, or lacking already.
        disk::TMPFS => return None,
        "ext4" => "CONFIG_EXT4_FS".to_owned(),
        "xfs" => "CONFIG_XFS_FS".to_owned(),
        "btrfs" => "CONFIG_BTRFS_FS".to_owned(),
        other => format!("CONFIG_{}_FS", other.to_uppercase()),
    };
    let missing = !has(&present.filesystems, name);
    missing.then(|| feature(&option, format!("there is no {name} in /proc/filesystems")))
}

/// What makes a disk slow.
fn slowness(present: &Features) -> Vec<MissingFeature> {
    let mut missing = Vec::new();
    if !present.device_mapper {
        missing.push(feature("CONFIG_BLK_DEV_DM", format!("there is no {}", delay::CONTROL)));
    }
    if !has(&present.targets, "delay") {
        missing.push(feature("CONFIG_DM_DELAY", "device-mapper has no target named delay"));
    }
    missing
}

fn bpf(present: &Features) -> Vec<MissingFeature> {
    let mut missing = Vec::new();
    match present.bpf {
        None => {}
        Some(Errno::NOSYS) => missing.push(feature("CONFIG_BPF_SYSCALL", "bpf says ENOSYS")),
        Some(Errno::INVAL) => missing.push(feature(
            "CONFIG_BPF_EVENTS",
            "bpf takes no program for trace events (EINVAL); CONFIG_KPROBE_EVENTS or \
             CONFIG_UPROBE_EVENTS brings it, with CONFIG_PERF_EVENTS",
        )),
        Some(errno) => missing.push(feature(
            "CONFIG_BPF_SYSCALL",
            format!("bpf refuses a minimal program: {}", errno_name(errno.raw_os_error())),
        )),
    }
    if !present.perf {
        missing.push(feature(
            "CONFIG_PERF_EVENTS",
            "there is no /proc/sys/kernel/perf_event_paranoid",
        ));
    }
    missing
}

fn events(present: &Features) -> Option<MissingFeature> {
    // Without io_uring its events are missing too, and without tracefs that is the reason.
    let its_own =
        |event: &&&str| present.io_uring != Errno::NOSYS || !event.starts_with("io_uring:");
    let missing: Vec<&str> = present.events_missing.iter().filter(its_own).copied().collect();
    if missing.is_empty() || !has(&present.filesystems, "tracefs") {
        return None;
    }
    let saw = format!(
        "tracefs has no event {}; CONFIG_KPROBE_EVENTS or any other tracer brings events",
        missing.join(", ")
    );
    Some(feature("CONFIG_EVENT_TRACING", saw))
}

#[cfg(test)]
mod tests {
    use iowq_contract::Disk;

    use super::*;

    fn job(filesystem: &str, delay_us: u64) -> Job {
        Job {
            kernel: "base".to_owned(),
            number: 0,
            round: 0,
            accelerator: "tcg".to_owned(),
            disk: Disk {
                filesystem: filesystem.to_owned(),
                size_mib: 512,
                delay_us,
                iops_max: None,
            },
            modules: Vec::new(),
            modules_for_criu: Vec::new(),
            benches: Vec::new(),
            criu: None,
        }
    }

    fn all() -> Features {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Features {
            filesystems: names(&["proc", "tracefs", "ext4", "xfs", "btrfs"]),
            pci_drivers: Some(names(&["virtio-pci"])),
            virtio_drivers: names(&["virtio_blk", "virtio_console"]),
            port: true,
            disk: true,
            io_uring: Errno::FAULT,
            bpf: None,
            perf: true,
            eventfd: None,
            events_missing: Vec::new(),
            device_mapper: true,
            targets: names(&["linear", "delay"]),
        }
    }

    fn options(job: &Job, present: &Features) -> Vec<String> {
        find(job, present).into_iter().map(|lack| lack.option).collect()
    }

    #[test]
    fn a_kernel_that_has_everything_lacks_nothing() {
        for filesystem in ["ext4", "xfs", "btrfs", "tmpfs"] {
            assert!(options(&job(filesystem, 3000), &all()).is_empty(), "{filesystem}");
        }
    }

    #[test]
    fn each_thing_that_is_missing_is_named_by_its_option() {
        let job = job("ext4", 3000);
        let none = Vec::new;
        let present = [
            ("CONFIG_VIRTIO_PCI", Features { pci_drivers: Some(none()), ..all() }),
            ("CONFIG_EXT4_FS", Features { filesystems: vec!["tracefs".to_owned()], ..all() }),
            ("CONFIG_DM_DELAY", Features { targets: none(), ..all() }),
            ("CONFIG_IO_URING", Features { io_uring: Errno::NOSYS, ..all() }),
            ("CONFIG_BPF_SYSCALL", Features { bpf: Some(Errno::NOSYS), ..all() }),
            ("CONFIG_BPF_EVENTS", Features { bpf: Some(Errno::INVAL), ..all() }),
            ("CONFIG_PERF_EVENTS", Features { perf: false, ..all() }),
            ("CONFIG_EVENTFD", Features { eventfd: Some(Errno::NOSYS), ..all() }),
            (
                "CONFIG_EVENT_TRACING",
                Features { events_missing: vec!["task:task_rename"], ..all() },
            ),
        ];
        for (option, present) in present {
            assert_eq!(options(&job, &present), [option]);
        }
    }

    #[test]
    fn a_port_or_disk_that_is_not_there_is_the_kernels_fault_only_without_the_driver() {
        let present = Features { port: false, disk: false, ..all() };
        assert!(options(&job("ext4", 0), &present).is_empty());
        let present = Features { virtio_drivers: Vec::new(), ..present };
        let both = ["CONFIG_VIRTIO_CONSOLE", "CONFIG_VIRTIO_BLK"];
        assert_eq!(options(&job("ext4", 0), &present), both);
        assert_eq!(options(&job("tmpfs", 0), &present), ["CONFIG_VIRTIO_CONSOLE"]);
    }

    #[test]
    fn everything_is_named_in_one_go() {
        let present = Features {
            io_uring: Errno::NOSYS,
            bpf: Some(Errno::NOSYS),
            perf: false,
            filesystems: vec!["tracefs".to_owned()],
            ..all()
        };
        let wanted =
            ["CONFIG_EXT4_FS", "CONFIG_IO_URING", "CONFIG_BPF_SYSCALL", "CONFIG_PERF_EVENTS"];
        assert_eq!(options(&job("ext4", 0), &present), wanted);
    }

    #[test]
    fn what_depends_on_something_that_is_missing_is_missing_too() {
        let present =
            Features { pci_drivers: None, device_mapper: false, targets: Vec::new(), ..all() };
        let wanted = ["CONFIG_PCI", "CONFIG_VIRTIO_PCI", "CONFIG_BLK_DEV_DM", "CONFIG_DM_DELAY"];
        assert_eq!(options(&job("ext4", 3000), &present), wanted);
    }

    #[test]
    fn events_that_are_missing_for_another_reason_are_not_named() {
        let present = Features {
            io_uring: Errno::NOSYS,
            events_missing: vec!["io_uring:io_uring_complete"],
            ..all()
        };
        assert_eq!(options(&job("tmpfs", 0), &present), ["CONFIG_IO_URING"]);
        let present =
            Features { filesystems: Vec::new(), events_missing: vec!["task:task_rename"], ..all() };
        assert!(
            options(&job("tmpfs", 0), &present).is_empty(),
            "mounting tracefs has failed before"
        );
    }

    #[test]
    fn without_a_delay_device_mapper_is_not_needed() {
        let present = Features { device_mapper: false, targets: Vec::new(), ..all() };
        assert!(options(&job("ext4", 0), &present).is_empty());
    }
}
