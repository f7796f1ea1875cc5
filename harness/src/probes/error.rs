//! Why the probes cannot run here, and what to do about it.

use std::io;
use std::path::PathBuf;

use iowq_ebpf::REQUESTS_MAX;

/// Why the probes did not start. Each text says what failed, then what helps.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The process may not load BPF programs.
    #[error(
        "loading BPF programs needs root, or the capabilities {missing} that this process lacks; \
         run it with sudo, or: sudo setcap \
         cap_bpf,cap_perfmon,cap_sys_admin,cap_dac_read_search+ep {}", program.display()
    )]
    NotPermitted {
        /// The executable of this process.
        program: PathBuf,
        /// Capabilities that are missing, as people write them.
        missing: &'static str,
    },
    /// No tracefs is mounted, and it could not be mounted for this process alone either.
    #[error(
        "no tracefs to read the events' formats from ({cause}); \
         run: sudo mount -t tracefs tracefs /sys/kernel/tracing"
    )]
    NoTracefs {
        /// What mounting it met.
        cause: io::Error,
    },
    /// The kernel has no such event.
    #[error(
        "the kernel has no event {event} ({cause}); it needs CONFIG_FTRACE and \
         CONFIG_EVENT_TRACING, and CONFIG_IO_URING for those of io_uring"
    )]
    NoEvent {
        /// The event, as `category:name`.
        event: &'static str,
        /// What reading its format met.
        cause: io::Error,
    },
    /// An event lacks a field, or the field has an unknown size.
    #[error(
        "the kernel's event {event} has no field {field} of {size} bytes, so this kernel is not \
         known; please report its release (uname -r)"
    )]
    UnknownFormat {
        /// The event, as `category:name`.
        event: &'static str,
        /// The field.
        field: &'static str,
        /// The size that was looked for, in bytes.
        size: u32,
    },
    /// A ring's size is not one that the kernel takes.
    #[error("a ring of {bytes} bytes is impossible; it must be a power of two, from {min} up")]
    RingSize {
        /// What was asked for.
        bytes: u32,
        /// The least there is: a page.
        min: u32,
    },
    /// More requests than the probes can time.
    #[error("{requests} requests are too many; the probes time {REQUESTS_MAX} at most")]
    TooManyRequests {
        /// What was asked for.
        requests: u32,
    },
    /// The verifier refused a program.
    #[error("the kernel's verifier refused the program {program} ({cause}); end of its log: {log}")]
    Refused {
        /// The program.
        program: String,
        /// What the system call returned.
        cause: io::Error,
        /// The last lines of the verifier's log.
        log: String,
    },
    /// The kernel is locked down so far that BPF may not read its memory.
    #[error(
        "the kernel is locked down ({mode}), and BPF programs may not read its memory; \
         boot with lockdown=integrity or without secure boot"
    )]
    LockedDown {
        /// The mode, as the kernel names it.
        mode: String,
    },
    /// No memory for a map.
    #[error(
        "no memory for the map {map} ({cause}); raise the cgroup's memory limit, \
         and on kernels before 5.11 also: ulimit -l unlimited"
    )]
    NoMemory {
        /// The map.
        map: String,
        /// What the system call returned.
        cause: io::Error,
    },
    /// Programs are attached, but say nothing of a thread of this process.
    #[error(
        "the probes are attached but did not see a thread of this process come and go{hint}; \
         run in the machine's own pid namespace (docker run --pid=host)"
    )]
    Blind {
        /// What is known about the cause: empty, or a clause.
        hint: &'static str,
    },
    /// Anything else that the kernel refused.
    #[error("{what}: {cause}")]
    Kernel {
        /// What was attempted.
        what: String,
        /// What came of it.
        cause: String,
    },
}
