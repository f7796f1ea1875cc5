//! Rights: what this process may do, and the settings of the kernel that decide it.

use std::path::{Path, PathBuf};
use std::{fs, io};

use rustix::fs::getxattr;
use rustix::process::{Resource, getegid, geteuid, getrlimit};
use rustix::system::uname;

use super::text;

/// Where tracefs is mounted if at all, in the order in which the BPF library looks, too.
pub const TRACEFS: [&str; 2] = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];

/// A file of tracefs that every kernel with trace events has, and that the probes read.
const AN_EVENT: &str = "events/sched/sched_process_exit/format";

/// The kernel's names for its first namespaces of users and of processes.
const FIRST_USERS: &str = "user:[4026531837]";
const FIRST_PIDS: &str = "pid:[4026531836]";

/// The first release that does not count the memory of BPF maps as locked.
const NO_MEMLOCK: (u32, u32) = (5, 11);

/// What the advice begins with if sudo helps.
pub const SUDO_OR: &str = "run it with sudo, or: ";

/// Capabilities that the probes may need, a bit each, as in `/proc/thread-self/status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities(pub u64);

impl Capabilities {
    /// None.
    pub const NONE: Capabilities = Capabilities(0);
    /// Passes over permissions of files.
    pub const DAC_OVERRIDE: Capabilities = Capabilities(1 << 1);
    /// Reads all files and folders.
    pub const DAC_READ_SEARCH: Capabilities = Capabilities(1 << 2);
    /// Looks into processes of other users.
    pub const SYS_PTRACE: Capabilities = Capabilities(1 << 19);
    /// Mounts, and much else.
    pub const SYS_ADMIN: Capabilities = Capabilities(1 << 21);
    /// Reads what the kernel traces.
    pub const PERFMON: Capabilities = Capabilities(1 << 38);
    /// Loads BPF programs.
    pub const BPF: Capabilities = Capabilities(1 << 39);

    /// Those that have names here, in the order in which people name them.
    const NAMES: [(Capabilities, &str); 4] = [
        (Capabilities::BPF, "BPF"),
        (Capabilities::PERFMON, "PERFMON"),
        (Capabilities::SYS_ADMIN, "SYS_ADMIN"),
        (Capabilities::DAC_READ_SEARCH, "DAC_READ_SEARCH"),
    ];

    /// These and those.
    #[must_use]
    pub const fn with(self, other: Capabilities) -> Capabilities {
        Capabilities(self.0 | other.0)
    }

    /// These without those.
    #[must_use]
    pub const fn without(self, other: Capabilities) -> Capabilities {
        Capabilities(self.0 & !other.0)
    }

    /// Whether all of those are among these, or others that stand for them.
    #[must_use]
    pub const fn has(self, other: Capabilities) -> bool {
        let mut all = self;
        if self.0 & Self::SYS_ADMIN.0 != 0 {
            all = all.with(Self::BPF).with(Self::PERFMON);
        }
        if self.0 & Self::DAC_OVERRIDE.0 != 0 {
            all = all.with(Self::DAC_READ_SEARCH);
        }
        all.0 & other.0 == other.0
    }

    /// Those of `wanted` that are not among these.
    #[must_use]
    pub fn missing(self, wanted: Capabilities) -> Capabilities {
        let each = Self::NAMES.iter().map(|(one, _)| *one);
        each.filter(|one| wanted.0 & one.0 != 0 && !self.has(*one))
            .fold(Capabilities::NONE, Capabilities::with)
    }

    /// The names, without `CAP_`.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.iter().filter(move |(one, _)| self.0 & one.0 != 0).map(|(_, name)| *name)
    }

    /// In a sentence: `CAP_BPF and CAP_PERFMON`.
    #[must_use]
    pub fn in_words(self) -> String {
        let names: Vec<String> = self.names().map(|name| format!("CAP_{name}")).collect();
        match &names[..] {
            [] => "none".to_owned(),
            [only] => only.clone(),
            [first @ .., last] => format!("{} and {last}", first.join(", ")),
        }
    }
}

/// Whether this process can read the formats of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tracefs {
    /// It is mounted, and may be read.
    Readable(&'static str),
    /// It is mounted, and may not be read.
    Closed(&'static str),
    /// It is not mounted.
    NotMounted,
}

impl Tracefs {
    /// How it is for this process.
    #[must_use]
    pub fn here() -> Tracefs {
        let opened = TRACEFS.map(|place| (place, fs::File::open(Path::new(place).join(AN_EVENT))));
        let kind = |opened: &io::Result<fs::File>| opened.as_ref().err().map(io::Error::kind);
        let with =
            |wanted| opened.iter().find(|(_, it)| kind(it) == wanted).map(|(place, _)| *place);
        match (with(None), with(Some(io::ErrorKind::PermissionDenied))) {
            (Some(place), _) => Tracefs::Readable(place),
            (None, Some(place)) => Tracefs::Closed(place),
            (None, None) => Tracefs::NotMounted,
        }
    }
}

/// What this process may do, and what decides it. What cannot be read is as if it were no obstacle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Its program.
    pub program: PathBuf,
    /// Whether it is root's.
    pub root: bool,
    /// The number of its group.
    pub group: u32,
    /// Capabilities that it has.
    pub effective: Capabilities,
    /// Those that it, or what it starts, may ever get.
    pub bounding: Capabilities,
    /// Whether no program that it starts can get more rights (`no_new_privs`).
    pub no_new_privileges: bool,
    /// Whether a seccomp filter decides on its system calls.
    pub seccomp: bool,
    /// Whether it is in a namespace of users other than the machine's first.
    pub user_namespace: bool,
    /// Whether it is in a namespace of processes other than the machine's first.
    pub pid_namespace: bool,
    /// The kernel's lockdown, if it has any: `none`, `integrity` or `confidentiality`.
    pub lockdown: Option<String>,
    /// `kernel.unprivileged_bpf_disabled`: whether bpf(2) takes `CAP_BPF`.
    pub unprivileged_bpf_disabled: Option<i64>,
    /// `kernel.perf_event_paranoid`: how much perf_event_open(2) shows to those without
    /// `CAP_PERFMON`.
    pub perf_event_paranoid: Option<i64>,
    /// How much memory it may lock, if BPF maps count (before Linux 5.11) and there is a limit.
    pub memlock_bytes: Option<u64>,
    /// How many files it may have open.
    pub files_max: Option<u64>,
    /// Whether tracefs can be read.
    pub tracefs: Tracefs,
}

impl Rights {
    /// Those of this process.
    #[must_use]
    pub fn here() -> Rights {
        // Capabilities belong to a thread.
        let status = text("/proc/thread-self/status").unwrap_or_default();
        let field = |name: &str| field(&status, name);
        let mask = |name: &str| {
            let mask = field(name).and_then(|mask| u64::from_str_radix(mask, 16).ok());
            Capabilities(mask.unwrap_or(u64::MAX))
        };
        let other = |link: &str, first: &str| {
            fs::read_link(link).is_ok_and(|found| found.as_os_str() != first)
        };
        let setting = |path: &str| text(path).and_then(|text| text.trim().parse().ok());
        let release = uname().release().to_string_lossy().into_owned();
        Rights {
            program: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("iowq-measure")),
            root: geteuid().is_root(),
            group: getegid().as_raw(),
            effective: mask("CapEff"),
            bounding: mask("CapBnd"),
            no_new_privileges: field("NoNewPrivs") == Some("1"),
            seccomp: field("Seccomp") == Some("2"),
            user_namespace: other("/proc/self/ns/user", FIRST_USERS),
            pid_namespace: other("/proc/self/ns/pid", FIRST_PIDS),
            lockdown: text("/sys/kernel/security/lockdown").and_then(|modes| lockdown(&modes)),
            unprivileged_bpf_disabled: setting("/proc/sys/kernel/unprivileged_bpf_disabled"),
            perf_event_paranoid: setting("/proc/sys/kernel/perf_event_paranoid"),
            memlock_bytes: getrlimit(Resource::Memlock).current.filter(|_| counts_maps(&release)),
            files_max: getrlimit(Resource::Nofile).current,
            tracefs: Tracefs::here(),
        }
    }

    /// Those that a program will have that this process starts, with what its file grants.
    #[must_use]
    pub fn of(program: &Path) -> Rights {
        let here = Rights::here();
        // Without capabilities the file has no such attribute.
        let mut bytes = [0; 24];
        let granted = getxattr(program, "security.capability", &mut bytes)
            .ok()
            .and_then(|length| granted(bytes.get(..length)?))
            .filter(|_| !here.no_new_privileges)
            .map_or(Capabilities::NONE, |it| Capabilities(it.0 & here.bounding.0));
        Rights { program: program.to_owned(), effective: here.effective.with(granted), ..here }
    }

    /// Whether the kernel keeps BPF programs from reading its memory.
    #[must_use]
    pub fn is_confidential(&self) -> bool {
        self.lockdown.as_deref() == Some("confidentiality")
    }

    /// What counts for programs that attach to no event, so that they need no tracefs.
    #[must_use]
    pub fn without_events(self) -> Rights {
        Rights { tracefs: Tracefs::Readable(TRACEFS[0]), ..self }
    }

    /// Capabilities that the probes take besides those that read tracefs.
    pub const TO_LOAD: Capabilities = Capabilities::BPF.with(Capabilities::PERFMON);

    /// Those that reading tracepoints without BPF takes: none if the kernel shows them to all.
    #[must_use]
    pub fn to_sample(&self) -> Capabilities {
        if self.perf_event_paranoid < Some(0) { Capabilities::NONE } else { Capabilities::PERFMON }
    }

    /// The capabilities that the probes take here.
    #[must_use]
    pub fn needed(&self) -> Capabilities {
        self.with_tracefs(Rights::TO_LOAD)
    }

    /// These, and those that reading tracefs takes here.
    #[must_use]
    pub fn with_tracefs(&self, these: Capabilities) -> Capabilities {
        match self.tracefs {
            Tracefs::Readable(_) => these,
            Tracefs::Closed(_) => these.with(Capabilities::DAC_READ_SEARCH),
            // What root mounts is root's own to read.
            Tracefs::NotMounted if self.root => these.with(Capabilities::SYS_ADMIN),
            Tracefs::NotMounted => {
                these.with(Capabilities::SYS_ADMIN).with(Capabilities::DAC_READ_SEARCH)
            }
        }
    }

    /// Those that the probes take and this process lacks.
    #[must_use]
    pub fn missing(&self) -> Capabilities {
        self.effective.missing(self.needed())
    }

    /// How to get what the probes lack, as a clause.
    #[must_use]
    pub fn advice(&self) -> String {
        self.advice_for(Rights::TO_LOAD)
    }

    /// How to get what is missing of these capabilities and of those that reading tracefs takes, as a
    /// clause.
    #[must_use]
    pub fn advice_for(&self, these: Capabilities) -> String {
        let needed = self.with_tracefs(these);
        let missing = self.effective.missing(needed);
        if self.bounding.missing(missing) != Capabilities::NONE {
            let flags: Vec<_> = missing.names().map(|name| format!("--cap-add {name}")).collect();
            return format!(
                "a container or a service withholds them; with docker or podman: {}",
                flags.join(" ")
            );
        }
        if self.no_new_privileges {
            return "neither sudo nor setcap can give them, because no_new_privs is set; start it \
                    without (docker: no --security-opt no-new-privileges)"
                .to_owned();
        }
        let names: Vec<_> =
            needed.names().map(|name| format!("cap_{}", name.to_lowercase())).collect();
        let program = self.program.display();
        let mut advice = format!("{SUDO_OR}sudo setcap {}+ep {program}", names.join(","));
        let mount = match self.tracefs {
            Tracefs::Readable(_) => return advice,
            Tracefs::Closed(place) => format!("remount,gid={},mode=750 {place}", self.group),
            Tracefs::NotMounted => {
                format!("gid={},mode=750 -t tracefs tracefs {}", self.group, TRACEFS[0])
            }
        };
        let (alone, suffice) = match these.names().count() {
            0 => ("nothing".to_owned(), "is needed"),
            1 => (these.in_words() + " alone", "suffices"),
            _ => (these.in_words() + " alone", "suffice"),
        };
        advice += &format!("; {alone} {suffice} after: sudo mount -o {mount}");
        advice
    }
}

/// The capabilities in a file's attribute `security.capability`, if they count once it is started
/// (the kernel's `struct vfs_ns_cap_data`).
fn granted(attribute: &[u8]) -> Option<Capabilities> {
    let word = |at: usize| Some(u32::from_le_bytes(attribute.get(at..at + 4)?.try_into().ok()?));
    let (is_effective, low, high) = (word(0)? & 1 == 1, word(4)?, word(12)?);
    is_effective.then_some(Capabilities(u64::from(high) << 32 | u64::from(low)))
}

/// The value of a field in the text of `/proc/thread-self/status`.
fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    let of = |line: &'a str| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim());
    status.lines().find_map(of)
}

/// The mode in force, which the file has in brackets among all modes.
fn lockdown(modes: &str) -> Option<String> {
    let (mode, _) = modes.split_once('[')?.1.split_once(']')?;
    Some(mode.to_owned())
}

/// Whether a release counts the memory of BPF maps as locked.
fn counts_maps(release: &str) -> bool {
    let mut parts = release.split(|sign: char| !sign.is_ascii_digit());
    let mut part = || parts.next()?.parse().ok();
    part().zip(part()).is_some_and(|release: (u32, u32)| release < NO_MEMLOCK)
}

#[cfg(test)]
mod tests;
