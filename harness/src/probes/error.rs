//! Why the probes cannot run here, and what to do about it.

use std::io;

use iowq_ebpf::REQUESTS_MAX;

/// Why the probes did not start. Each text says what failed, then what helps.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The process may not load BPF programs, or sample events, or not read what that takes.
    #[error("{what} needs root, or the capabilities {missing} that this process lacks; {advice}")]
    NotPermitted {
        /// What it is about: `loading BPF programs`.
        what: &'static str,
        /// Capabilities that are missing, as people write them.
        missing: String,
        /// How to get them.
        advice: String,
    },
    /// The kernel refuses something that this process has the capabilities for.
    #[error("{what}: {cause}: {why}; {advice}")]
    Denied {
        /// What was attempted.
        what: String,
        /// What the system call returned.
        cause: io::Error,
        /// What is in the way.
        why: String,
        /// What helps.
        advice: String,
    },
    /// A trace would be in a PID namespace of its own.
    #[error(
        "the kernel's events name processes by their ids in the machine's own PID namespace, and this process \
         is in another, whose /proc has others; run it outside (docker run --pid=host)"
    )]
    PidNamespace,
    /// No tracefs is mounted, and it could not be mounted for this process alone either.
    #[error(
        "no tracefs to read the events' formats from: mounting it for this process alone failed \
         ({cause}); run: sudo mount -t tracefs tracefs /sys/kernel/tracing; a kernel without it \
         lacks CONFIG_FTRACE"
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
    /// The kernel has an event, and does not let this process read its format.
    #[error(
        "the format of the event {event} may not be read ({cause}); run it with sudo, or give it \
         CAP_DAC_READ_SEARCH"
    )]
    ClosedEvent {
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
    /// Programs are attached, but say nothing of a thread of this process.
    #[error(
        "the probes are attached but did not see a thread of this process come and go; please \
         report this with the kernel's release (uname -r)"
    )]
    Blind,
    /// Anything else that the kernel refused.
    #[error("{what}: {cause}")]
    Kernel {
        /// What was attempted.
        what: String,
        /// What came of it.
        cause: String,
    },
}
