//! Tracing: what the eBPF programs need from the kernel and from the user who runs them.

use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use super::Check;
use crate::machine::text;

const SYS_ADMIN: u64 = 1 << 21;
const PERFMON: u64 = 1 << 38;
const BPF: u64 = 1 << 39;

/// The program as root. Not through cargo, which would leave root's files in the build.
fn as_root() -> String {
    let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("iowq"));
    format!("sudo {} bench", program.display())
}

pub(super) fn privilege() -> Check {
    privilege_of(geteuid().is_root(), effective_capabilities())
}

fn privilege_of(root: bool, capabilities: u64) -> Check {
    let name = "privilege";
    let may_load = capabilities & SYS_ADMIN != 0 || capabilities & (PERFMON | BPF) == PERFMON | BPF;
    match (root, may_load) {
        (true, true) => Check::ok(name, "root: eBPF programs can be loaded"),
        // Root without them is root inside a container; sudo there changes nothing.
        (true, false) => Check::less(
            name,
            "root without CAP_BPF and CAP_PERFMON, as in a container: workers are counted by \
             polling /proc",
        )
        .fix("docker run --cap-add BPF --cap-add PERFMON --cap-add SYS_ADMIN …"),
        (false, true) => Check::ok(
            name,
            "CAP_BPF and CAP_PERFMON: eBPF programs can be loaded, if tracefs may be read",
        ),
        (false, false) => Check::less(
            name,
            "neither root nor CAP_BPF with CAP_PERFMON: workers are counted by polling /proc, \
             which misses the short-lived ones",
        )
        .fix(as_root()),
    }
}

fn effective_capabilities() -> u64 {
    capabilities(&text("/proc/self/status").unwrap_or_default())
}

/// The effective capabilities in the text of `/proc/self/status`; none if it has no such line.
fn capabilities(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

pub(super) fn tracefs() -> Check {
    let places = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];
    let mounts = text("/proc/self/mounts").unwrap_or_default();
    let point = mounts.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let point = fields.next()?;
        (fields.next() == Some("tracefs")).then_some(point)
    });
    let readable =
        |place: &&str| Path::new(place).join("events/sched/sched_switch/format").exists();
    let filesystems = text("/proc/filesystems").unwrap_or_default();
    let known = filesystems.lines().any(|line| line.split_whitespace().last() == Some("tracefs"));
    let readable = point.into_iter().chain(places).any(|place| readable(&place));
    tracefs_of(point, readable, known, effective_capabilities() & SYS_ADMIN != 0)
}

fn tracefs_of(point: Option<&str>, readable: bool, known: bool, may_mount: bool) -> Check {
    let name = "tracefs";
    match (point, readable, known) {
        (_, true, _) => Check::ok(name, "mounted and readable"),
        (Some(point), false, _) => {
            Check::less(name, format!("mounted on {point}, but not ours to read")).fix(as_root())
        }
        (None, false, true) if may_mount => {
            Check::ok(name, "not mounted; the probes mount it for themselves alone")
        }
        (None, false, true) => Check::less(name, "known to the kernel, but not mounted")
            .fix("sudo mount -t tracefs nodev /sys/kernel/tracing"),
        (None, false, false) => Check::missing(
            name,
            "the kernel has no tracefs, so no tracepoints: workers are counted by polling /proc. \
             It takes a kernel with CONFIG_FTRACE",
        ),
    }
}

pub(super) fn lockdown() -> Check {
    lockdown_of(text("/sys/kernel/security/lockdown").as_deref())
}

/// The file lists all modes, with the one in force in brackets.
fn lockdown_of(modes: Option<&str>) -> Check {
    let mode = modes.and_then(|modes| modes.split_once('[')?.1.split_once(']'));
    match mode.map(|(mode, _)| mode) {
        Some("confidentiality") => Check::missing(
            "lockdown",
            "mode confidentiality: eBPF programs may not read the kernel's memory, and probes \
             fall back to polling /proc",
        )
        .fix("sudo reboot    (with lockdown=integrity on the kernel's command line)"),
        Some(mode) => Check::ok("lockdown", format!("mode {mode}: tracing is allowed")),
        None => Check::ok("lockdown", "none seen"),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::State, *};

    #[test]
    fn capabilities_are_the_effective_ones() {
        let status = "CapPrm:\t000001ffffffffff\nCapEff:\t000000c000000000\n";
        assert_eq!(capabilities(status), PERFMON | BPF);
        assert_eq!(capabilities(""), 0);
        assert_eq!(capabilities("CapEff:\tnonsense"), 0);
    }

    #[test]
    fn loading_programs_takes_both_capabilities_or_the_old_one() {
        assert_eq!(privilege_of(false, PERFMON | BPF).state, State::Ok);
        assert_eq!(privilege_of(true, SYS_ADMIN).state, State::Ok);
        assert_eq!(privilege_of(false, BPF).state, State::Less);
        assert_eq!(privilege_of(true, 0).state, State::Less, "root in a container");
    }

    #[test]
    fn tracefs_that_is_not_mounted_can_be_mounted_if_the_kernel_knows_it() {
        assert_eq!(tracefs_of(Some("/t"), true, true, false).state, State::Ok);
        assert!(tracefs_of(Some("/t"), false, true, true).meaning.contains("/t"));
        assert_eq!(tracefs_of(None, false, true, true).state, State::Ok);
        assert!(tracefs_of(None, false, true, false).fix.is_some_and(|fix| fix.contains("mount")));
        assert_eq!(tracefs_of(None, false, false, true).state, State::Missing);
    }

    #[test]
    fn only_lockdown_for_confidentiality_stops_the_probes() {
        assert_eq!(lockdown_of(None).state, State::Ok);
        assert_eq!(lockdown_of(Some("none [integrity] confidentiality")).state, State::Ok);
        assert_eq!(lockdown_of(Some("none integrity [confidentiality]\n")).state, State::Missing);
        assert_eq!(lockdown_of(Some("nonsense")).state, State::Ok);
    }
}
