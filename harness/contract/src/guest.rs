//! The guest: the job of a virtual machine, and the messages that it sends meanwhile.
//!
//! The job lies in the initramfs as [`JOB_PATH`]. Messages are JSON, one a line, on the virtio
//! port [`PORT_NAME`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Record;
use crate::disk::Disk;
use crate::dump::AfterTimeout;
use crate::request::BenchRequest;

/// Where the guest finds its job.
pub const JOB_PATH: &str = "/iowq/job.json";

/// Where the guest finds modules: a folder, with the names of [`Job::modules`] in it.
pub const MODULES_PATH: &str = "/iowq/modules";

/// Name of the virtio port that messages are written to.
pub const PORT_NAME: &str = "iowq.messages";

/// Serial number of the disk that files under test go to, as the guest finds it in
/// `/sys/block/*/serial`.
pub const DISK_SERIAL: &str = "iowq-disk";

/// What one boot is for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// Label of the kernel.
    pub kernel: String,
    /// Place of the boot in the order of all boots.
    pub number: u32,
    /// Its round.
    pub round: u32,
    /// `kvm` or `tcg`, for the records: the guest cannot always tell.
    pub accelerator: String,
    /// The disk. All but its file system and delay was seen to outside.
    pub disk: Disk,
    /// File names of modules, in the order in which they must be loaded.
    pub modules: Vec<String>,
    /// The same of modules that only criu would use, loaded after those. A kernel that refuses one
    /// is measured all the same.
    pub modules_for_criu: Vec<String>,
    /// The benches, one after the other.
    pub benches: Vec<Bench>,
    /// Path of `criu` in the guest, if the dump of a process that closed its rings is to be
    /// tried.
    pub criu: Option<Criu>,
}

/// One bench in a guest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bench {
    /// The request.
    pub request: BenchRequest,
    /// Whether it only warms up, and its runs are not kept.
    pub warm_up: bool,
}

/// The try to dump a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criu {
    /// The program in the guest.
    pub path: String,
    /// How long it may take.
    pub time_max_s: u32,
}

/// What a guest says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "kebab-case")]
pub enum Message {
    /// The kernel came up and the guest has its job.
    Up {
        /// `uname -r`.
        release: String,
        /// `uname -v`.
        version: String,
    },
    /// The kernel lacks features that the job needs, so nothing is measured.
    Missing {
        /// All of them.
        features: Vec<MissingFeature>,
    },
    /// Files and disk are ready; a bench begins.
    Bench {
        /// Which, from 0.
        number: u32,
        /// How long it may take.
        time_max_s: u64,
    },
    /// A run finished.
    Run {
        /// Its record.
        record: Box<Record>,
    },
    /// `criu dump` was tried.
    Criu {
        /// What came of it.
        dump: Dump,
    },
    /// All benches are done, and the machine switches itself off.
    Done,
    /// The guest cannot go on.
    Failed {
        /// Why, for a reader.
        reason: String,
    },
}

/// A feature that a kernel lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingFeature {
    /// The option that brings it, such as `CONFIG_EXT4_FS`.
    pub option: String,
    /// What the guest saw, for a reader.
    pub saw: String,
}

/// What came of `criu dump` of a process that used rings and closed the last 200 ms before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Dump {
    /// Whether the image was written within the time.
    pub dumped: bool,
    /// How long it took, or until it was given up.
    pub took_ms: f64,
    /// Workers that were still there when it began, most of them within their idle timeout.
    pub workers: u32,
    /// What criu said last, if it failed.
    pub reason: String,
    /// What came of a process that never opened a ring, tried just before; null in boots made
    /// before there was this control.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<Control>,
    /// What came of a third process, tried when the idle timeout was over; null in boots made before
    /// there was this try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_timeout: Option<AfterTimeout>,
    /// Version of criu, such as `3.17.1`; null if it did not say one, and in boots made before
    /// it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criu: Option<String>,
}

/// What came of `criu dump` of a process that did all the same but open a ring. Where that fails, a
/// failed [`Dump`] says nothing about io-wq.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Control {
    /// Whether the image was written within the time.
    pub dumped: bool,
    /// How long it took, or until it was given up; 0 if criu was not started.
    pub took_ms: f64,
    /// What criu said last, if it failed.
    pub reason: String,
}

/// How a dump failed, a [`Control`] as a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ControlFailure {
    /// criu gave up: it cannot work on this kernel.
    Criu,
    /// criu was still at work when its time was up.
    NotInTime,
    /// criu was never started.
    NotPrepared,
}

impl Control {
    /// How it failed; none if the image was written.
    #[must_use]
    pub fn failure(&self) -> Option<ControlFailure> {
        failure(self.dumped, self.took_ms, &self.reason)
    }
}

/// How any dump failed, of what a record says of it; none if the image was written.
#[must_use]
pub fn failure(dumped: bool, took_ms: f64, reason: &str) -> Option<ControlFailure> {
    if dumped {
        None
    } else if took_ms <= 0.0 {
        Some(ControlFailure::NotPrepared)
    } else if reason.starts_with(NOT_DONE) {
        Some(ControlFailure::NotInTime)
    } else {
        Some(ControlFailure::Criu)
    }
}

/// How the reason begins of a dump that was given up because its time was over.
pub const NOT_DONE: &str = "not done after ";

/// What criu says of a thread that it cannot stop, as it cannot stop a thread of the kernel: the one
/// reason that speaks of the kernel under test, and not of criu.
pub const WORKER_IN_THE_WAY: &str = "Can't block signals";

/// How long `criu check` may take before the first dump, in seconds, and as long `criu --version`. It
/// makes criu try what the
/// kernel can do, which it notes in `/run/criu.kdat`, so that no dump pays for that. Emulation takes
/// its time.
pub const CRIU_CHECK_S_MAX: u64 = 120;

/// How long a guest waits at most for the workers of a closed ring to leave, in seconds.
pub const CRIU_WAIT_S_MAX: u64 = 60;

/// Options of a kernel, without the `CONFIG_`, that criu looks for, and the module that each may be
/// instead. criu's documentation names most of them as required. Without `HUGETLBFS` 3.17, and
/// without `NF_TABLES` 4.2, end while they find out what the kernel can do.
pub const CRIU_OPTIONS: [(&str, Option<&str>); 23] = [
    ("CHECKPOINT_RESTORE", None),
    ("EPOLL", None),
    ("EVENTFD", None),
    ("FHANDLE", None),
    ("HUGETLBFS", None),
    ("INET", None),
    ("IPC_NS", None),
    ("NAMESPACES", None),
    ("NET_NS", None),
    ("PID_NS", None),
    ("PROC_PAGE_MONITOR", None),
    ("UNIX", None),
    ("UTS_NS", None),
    ("INET_DIAG", Some("inet_diag")),
    ("INET_TCP_DIAG", Some("tcp_diag")),
    ("INET_UDP_DIAG", Some("udp_diag")),
    ("NETFILTER_XT_MARK", Some("xt_mark")),
    ("NETLINK_DIAG", Some("netlink_diag")),
    ("NF_TABLES", Some("nf_tables")),
    ("PACKET_DIAG", Some("af_packet_diag")),
    ("TUN", Some("tun")),
    ("UNIX_DIAG", Some("unix_diag")),
    ("VETH", Some("veth")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_without_criu_or_time_shows_nothing_about_criu() {
        let failure = |dumped, took_ms, reason: &str| {
            Control { dumped, took_ms, reason: reason.to_owned() }.failure()
        };
        assert_eq!(failure(true, 1.0, ""), None);
        assert_eq!(failure(false, 1.0, "no memfd"), Some(ControlFailure::Criu));
        let late = failure(false, 2e4, "not done after 20 s: Waiting for 9 to stop");
        assert_eq!(late, Some(ControlFailure::NotInTime));
        let never = failure(false, 0.0, "cannot start /usr/sbin/criu: no such file");
        assert_eq!(never, Some(ControlFailure::NotPrepared));
    }

    #[test]
    fn a_dump_of_before_there_was_one_after_the_idle_timeout_is_read_and_written_as_it_was() {
        let line = r#"{"dumped":false,"took_ms":145.1,"workers":21,"reason":"no signals","control":{"dumped":true,"took_ms":327.8,"reason":""}}"#;
        let dump: Dump = serde_json::from_str(line).expect("a dump");
        assert_eq!((dump.workers, &dump.after_timeout, &dump.criu), (21, &None, &None));
        assert_eq!(serde_json::to_string(&dump).expect("a line"), line);
    }
}
