//! The machine: what a run was made on, so that unlike machines are not compared by mistake.
//!
//! Whatever cannot be read says `unknown`; nothing here fails.

mod caveats;
mod cpu;
mod idle;
pub mod load;
pub mod mounts;
pub mod quiet;
pub mod rights;
pub mod threads;
mod virtualization;

use std::{fs, path::Path};

use iowq_contract::{Host, SinceBoot};
use rustix::{system::uname, thread::sched_getaffinity};

pub use caveats::caveats;
pub use idle::kernel_idle_timeout;
pub use virtualization::EMULATION;

/// The commit that this was built from, with `-dirty` if what is measured had changes.
pub const COMMIT: &str = env!("IOWQ_COMMIT");

/// What a field says that could not be read.
pub const UNKNOWN: &str = "unknown";

/// Describes this machine, with the file system under `dir`.
#[must_use]
pub fn describe(dir: &Path) -> Host {
    let mount = mounts::under(dir).unwrap_or_default();
    let cpuinfo = text("/proc/cpuinfo").unwrap_or_default();
    Host {
        kernel: kernel(),
        cpu: or_unknown(cpu::model(&cpuinfo)),
        cpus: cpus(),
        memory_bytes: text("/proc/meminfo").and_then(|text| memory_bytes(&text)).unwrap_or(0),
        filesystem: or_unknown(mount.filesystem),
        mount_options: or_unknown(mount.options),
        device: or_unknown(mount.device),
        governor: governor(),
        accelerator: virtualization::accelerator(&cpuinfo),
        commit: COMMIT.to_owned(),
        rustc: env!("IOWQ_RUSTC").to_owned(),
        profile: if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned(),
    }
}

/// Processors that this process may use, by its affinity; 0 if that is unknown.
#[must_use]
pub fn cpus() -> u32 {
    sched_getaffinity(None).map_or(0, |set| set.count())
}

/// Processors that are online, whether or not this process may use them; those that it may use if
/// that cannot be read.
#[must_use]
pub fn cpus_online() -> u32 {
    text("/sys/devices/system/cpu/online")
        .and_then(|list| cpu::count_listed(&list))
        .unwrap_or_else(cpus)
}

/// NUMA nodes that are online; 1 if that cannot be read, as on a kernel without any.
#[must_use]
pub fn numa_nodes() -> u32 {
    text("/sys/devices/system/node/online").and_then(|list| cpu::count_listed(&list)).unwrap_or(1)
}

/// Frequency governor of the first processor.
#[must_use]
pub fn governor() -> String {
    or_unknown(
        text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
            .map(|text| text.trim().to_owned())
            .unwrap_or_default(),
    )
}

/// A file of `/proc` or `/sys`, or none if it is absent or not ours to read.
#[must_use]
pub fn text(path: impl AsRef<Path>) -> Option<String> {
    // Not read_to_string: a stray byte in one name would hide all the rest.
    fs::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// When something started at `started_ns` on `CLOCK_MONOTONIC`, with the boot that it counts from.
#[must_use]
pub fn since_boot(started_ns: u64) -> Option<SinceBoot> {
    let boot_id = text("/proc/sys/kernel/random/boot_id")?.trim().to_owned();
    Some(SinceBoot { boot_id, started_ns })
}

fn kernel() -> String {
    let name = uname();
    format!("{} {}", name.release().to_string_lossy(), name.version().to_string_lossy())
}

/// `MemTotal` of `/proc/meminfo`, which is in KiB.
fn memory_bytes(meminfo: &str) -> Option<u64> {
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = total.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

fn or_unknown(value: String) -> String {
    if value.is_empty() { UNKNOWN.to_owned() } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_in_bytes_and_an_invalid_text_is_none() {
        assert_eq!(memory_bytes("MemTotal:        2048 kB\nMemFree: 1 kB"), Some(2_097_152));
        for text in ["", "MemTotal:", "MemTotal: x kB", "MemTotal: 18446744073709551615 kB"] {
            assert_eq!(memory_bytes(text), None, "{text}");
        }
    }

    #[test]
    fn a_description_has_no_empty_field() {
        let host = describe(Path::new("."));
        let fields = [
            &host.kernel,
            &host.cpu,
            &host.filesystem,
            &host.mount_options,
            &host.device,
            &host.governor,
            &host.accelerator,
            &host.commit,
            &host.rustc,
            &host.profile,
        ];
        assert!(fields.iter().all(|field| !field.is_empty()), "{host:?}");
        assert!(host.cpus > 0);
    }

    #[test]
    fn a_folder_that_is_not_there_is_described_as_unknown() {
        assert_eq!(describe(Path::new("/not/there")).filesystem, UNKNOWN);
    }
}
