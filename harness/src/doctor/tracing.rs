//! Tracing: what the eBPF programs need from the kernel and from the user who runs them.

use std::path::PathBuf;

use super::Check;
use crate::machine::rights::{Capabilities, Rights, SUDO_OR, Tracefs};
use crate::machine::text;

/// The program as root. Not through cargo, which would leave root's files in the build.
fn as_root() -> String {
    let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("iowq"));
    format!("sudo {} bench", program.display())
}

/// Whether the probes may be loaded, as far as capabilities tell.
pub(super) fn privilege(rights: &Rights) -> Check {
    let name = "privilege";
    let load = Capabilities::BPF.with(Capabilities::PERFMON);
    let missing = rights.effective.missing(load);
    if missing == Capabilities::NONE {
        let who = if rights.root { "root" } else { "CAP_BPF and CAP_PERFMON" };
        return Check::ok(name, format!("{who}: eBPF programs can be loaded"));
    }
    let who = if rights.root { "root without" } else { "no root, and no" };
    let check = Check::less(
        name,
        format!(
            "{who} {}: workers are counted by polling /proc, which misses the short-lived ones",
            missing.in_words().replace(" and ", if rights.root { " and " } else { " or " })
        ),
    );
    let advice = rights.advice();
    check.fix(match advice.strip_prefix(SUDO_OR) {
        // Root without them is root inside a container; sudo there changes nothing.
        Some(setcap) if !rights.root => format!("{}    (or: {setcap})", as_root()),
        _ => advice,
    })
}

/// Namespaces and filters that keep even those who have all capabilities from using them.
pub(super) fn confinement(rights: &Rights) -> Check {
    let name = "confinement";
    let polled = "workers are counted by polling /proc";
    match (rights.user_namespace, rights.pid_namespace, rights.seccomp) {
        (true, ..) => Check::less(
            name,
            format!("in a user namespace, whose capabilities do not count for eBPF: {polled}"),
        )
        .fix("run it outside (docker: without userns-remap; podman: as root)"),
        (.., true) => Check::ok(
            name,
            "a seccomp filter decides on system calls; if it refuses bpf or perf_event_open, \
             --probes bpf says so",
        ),
        (_, true, _) => Check::ok(name, "in a PID namespace, whose ids the probes translate"),
        _ => Check::ok(name, "no namespaces and no seccomp filter"),
    }
}

/// Settings that decide which users may trace.
pub(super) fn settings(rights: &Rights) -> Check {
    let name = "settings";
    let mut found = Vec::new();
    if let Some(value) = rights.unprivileged_bpf_disabled {
        found.push(format!("kernel.unprivileged_bpf_disabled is {value}"));
    }
    if let Some(value) = rights.perf_event_paranoid {
        found.push(format!("kernel.perf_event_paranoid is {value}"));
    }
    if let Some(bytes) = rights.memlock_bytes {
        found.push(format!("{bytes} bytes may be locked, and eBPF maps count (before Linux 5.11)"));
        let check = Check::less(name, found.join(", "));
        return check.fix("ulimit -l unlimited");
    }
    if found.is_empty() {
        return Check::ok(name, "none that decide who may trace");
    }
    let all = found.join(", ");
    if rights.perf_event_paranoid > Some(2) && !rights.effective.has(Capabilities::SYS_ADMIN) {
        let why = "some kernels want CAP_SYS_ADMIN then";
        let fix = "sudo sysctl kernel.perf_event_paranoid=2";
        return Check::less(name, format!("{all}; {why}")).fix(fix);
    }
    Check::ok(name, format!("{all}: with CAP_BPF and CAP_PERFMON they do not matter"))
}

/// Whether the formats of events can be read.
pub(super) fn tracefs(rights: &Rights) -> Check {
    let filesystems = text("/proc/filesystems").unwrap_or_default();
    let known = filesystems.lines().any(|line| line.split_whitespace().last() == Some("tracefs"));
    tracefs_of(rights, known)
}

fn tracefs_of(rights: &Rights, known: bool) -> Check {
    let name = "tracefs";
    let missing = rights.missing() != Capabilities::NONE;
    match rights.tracefs {
        Tracefs::Readable(_) => Check::ok(name, "mounted and readable"),
        Tracefs::Closed(place) if !missing => {
            Check::ok(name, format!("mounted on {place}, and a capability of the probes opens it"))
        }
        Tracefs::Closed(place) => {
            Check::less(name, format!("mounted on {place}, but not ours to read"))
                .fix(format!("sudo mount -o remount,gid={},mode=750 {place}", rights.group))
        }
        Tracefs::NotMounted if !known => Check::missing(
            name,
            "the kernel has no tracefs, so no tracepoints: workers are counted by polling /proc. \
             It takes a kernel with CONFIG_FTRACE",
        ),
        Tracefs::NotMounted if !missing => {
            Check::ok(name, "not mounted; the probes mount it for themselves alone")
        }
        Tracefs::NotMounted => {
            Check::less(name, "known to the kernel, but not mounted").fix(format!(
                "sudo mount -o gid={},mode=750 -t tracefs tracefs /sys/kernel/tracing",
                rights.group
            ))
        }
    }
}

/// Whether the kernel lets BPF programs read its memory.
pub(super) fn lockdown(rights: &Rights) -> Check {
    match &rights.lockdown {
        Some(_) if rights.is_confidential() => Check::missing(
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

    const READABLE: Tracefs = Tracefs::Readable("/t");
    const BOTH: Capabilities = Capabilities::BPF.with(Capabilities::PERFMON);

    fn fix(check: &Check) -> &str {
        check.fix.as_deref().unwrap_or_default()
    }

    #[test]
    fn loading_programs_takes_both_capabilities_or_the_old_one() {
        let of = |effective| privilege(&Rights::of_a_user(effective, READABLE));
        assert_eq!(of(BOTH).state, State::Ok);
        assert_eq!(of(Capabilities::SYS_ADMIN).state, State::Ok);
        let one = of(Capabilities::BPF);
        assert_eq!(one.state, State::Less);
        assert!(one.meaning.contains("no CAP_PERFMON:"), "{one:?}");
        assert!(fix(&one).contains("setcap cap_bpf,cap_perfmon+ep"), "{one:?}");
        let none = Capabilities::NONE;
        let contained = Rights { effective: none, bounding: none, ..Rights::of_root() };
        let contained = privilege(&contained);
        assert!(contained.meaning.starts_with("root without CAP_BPF and"), "{contained:?}");
        assert!(fix(&contained).contains("--cap-add BPF --cap-add PERFMON"), "{contained:?}");
    }

    #[test]
    fn namespaces_seccomp_and_settings_are_told_apart() {
        let root = Rights::of_root;
        let rows = [
            (confinement(&root()), State::Ok, "no namespaces", ""),
            (
                confinement(&Rights { user_namespace: true, ..root() }),
                State::Less,
                "user namespace",
                "userns-remap",
            ),
            (
                confinement(&Rights { pid_namespace: true, ..root() }),
                State::Ok,
                "PID namespace",
                "",
            ),
            (confinement(&Rights { seccomp: true, ..root() }), State::Ok, "seccomp filter", ""),
            (settings(&root()), State::Ok, "kernel.unprivileged_bpf_disabled is 2", ""),
            (
                settings(&Rights { memlock_bytes: Some(65_536), ..root() }),
                State::Less,
                "65536 bytes may be locked",
                "ulimit -l",
            ),
            (
                settings(&Rights {
                    perf_event_paranoid: Some(4),
                    ..Rights::of_a_user(BOTH, READABLE)
                }),
                State::Less,
                "kernel.perf_event_paranoid is 4",
                "sysctl",
            ),
        ];
        for (check, state, meaning, advice) in rows {
            assert_eq!(check.state, state, "{check:?}");
            assert!(check.meaning.contains(meaning) && fix(&check).contains(advice), "{check:?}");
        }
    }

    #[test]
    fn tracefs_that_is_not_mounted_can_be_mounted_if_the_kernel_knows_it() {
        let of =
            |effective, tracefs, known| tracefs_of(&Rights::of_a_user(effective, tracefs), known);
        assert_eq!(of(BOTH, READABLE, true).state, State::Ok);
        let closed = of(BOTH, Tracefs::Closed("/t"), true);
        assert_eq!(fix(&closed), "sudo mount -o remount,gid=1000,mode=750 /t");
        let all = Capabilities(u64::MAX);
        assert_eq!(of(all, Tracefs::Closed("/t"), true).state, State::Ok);
        assert_eq!(of(all, Tracefs::NotMounted, true).state, State::Ok);
        let root = Rights { tracefs: Tracefs::NotMounted, ..Rights::of_root() };
        assert_eq!(tracefs_of(&root, true).state, State::Ok);
        assert!(fix(&of(BOTH, Tracefs::NotMounted, true)).contains("gid=1000,mode=750 -t tracefs"));
        assert_eq!(of(BOTH, Tracefs::NotMounted, false).state, State::Missing);
    }

    #[test]
    fn only_lockdown_for_confidentiality_stops_the_probes() {
        let of =
            |mode: &str| lockdown(&Rights { lockdown: Some(mode.into()), ..Rights::of_root() });
        assert_eq!(lockdown(&Rights::of_root()).state, State::Ok);
        assert_eq!(of("integrity").state, State::Ok);
        assert_eq!(of("confidentiality").state, State::Missing);
    }
}
