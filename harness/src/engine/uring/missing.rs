//! What a kernel's io_uring lacks for a plan, found before anything runs.

use std::io;
use std::path::Path;

use io_uring::{IoUring, Probe};
use iowq_workloads::Plan;

use super::entry;
use crate::io::{Errno, configured_cpus, read_start};

/// Which users may use io_uring: 0 all, 1 a group, 2 none.
const DISABLED: &str = "/proc/sys/kernel/io_uring_disabled";

/// Why a plan cannot be run through io_uring here.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("--engine uring: {what}; {advice}")]
pub struct MissingFeature {
    what: String,
    advice: &'static str,
}

/// Whether the running kernel has what this plan needs of io_uring.
///
/// # Errors
/// The first feature that is missing, and what helps.
pub fn check(plan: &Plan) -> Result<(), MissingFeature> {
    let ring = IoUring::new(1).map_err(|error| no_ring(&error, disabled()))?;
    let mut probe = Probe::new();
    let probed = ring.submitter().register_probe(&mut probe);
    let limits = if plan.kernel_limits {
        Ok(())
    } else {
        // Zeroes query the limits and change nothing.
        ring.submitter().register_iowq_max_workers(&mut [0, 0])
    };
    let features = Features {
        processors: configured_cpus(),
        timed_waits: ring.params().is_feature_ext_arg(),
        limits: limits.is_ok(),
        // A kernel without this probe is older than every opcode that is checked here.
        opcode: &|code| probed.is_ok() && probe.is_supported(code),
    };
    features.suffice_for(plan)
}

/// What a kernel's io_uring has.
struct Features<'a> {
    /// Of the machine.
    processors: u32,
    timed_waits: bool,
    limits: bool,
    opcode: &'a dyn Fn(u8) -> bool,
}

impl Features<'_> {
    fn suffice_for(&self, plan: &Plan) -> Result<(), MissingFeature> {
        if !self.timed_waits {
            let what = "waits with a time limit (IORING_FEAT_EXT_ARG)";
            return Err(missing(what, "Linux has them since 5.11"));
        }
        if !self.limits {
            return Err(missing(
                "limits on workers (IORING_REGISTER_IOWQ_MAX_WORKERS)",
                "Linux has them since 5.15; or set kernel_limits = true in the spec",
            ));
        }
        let none = plan.only.worker_cpus.iter().find(|cpu| self.processors <= **cpu);
        if let Some(cpu) = none {
            let what = format!("processor {cpu} for its workers (workers.cpus)");
            return Err(missing(&what, "see `nproc --all`, and count from 0"));
        }
        for kind in plan.kinds() {
            let (code, name, advice) = entry::opcode(kind);
            if !(self.opcode)(code) {
                return Err(missing(&format!("opcode {name}"), advice));
            }
        }
        Ok(())
    }
}

fn missing(what: &str, advice: &'static str) -> MissingFeature {
    MissingFeature { what: format!("this kernel's io_uring has no {what}"), advice }
}

/// The kernel's setting of which users may use io_uring, if it has one (since 6.6).
fn disabled() -> Option<u8> {
    let (bytes, _) = read_start(Path::new(DISABLED), 16).ok()?;
    std::str::from_utf8(&bytes).ok()?.trim().parse().ok()
}

/// Why there was no ring.
fn no_ring(error: &io::Error, disabled: Option<u8>) -> MissingFeature {
    let errno = error.raw_os_error().map(Errno::from_raw_os_error);
    let (what, advice) = match (errno, disabled) {
        (Some(Errno::NOSYS), _) => (
            "this kernel has no io_uring".to_owned(),
            "build it with CONFIG_IO_URING=y, or, in a container, see its seccomp profile",
        ),
        (Some(Errno::PERM), Some(2)) => (
            "io_uring is turned off here (kernel.io_uring_disabled is 2)".to_owned(),
            "as root: sysctl kernel.io_uring_disabled=0",
        ),
        (Some(Errno::PERM), Some(1)) => (
            "io_uring is only for some users here (kernel.io_uring_disabled is 1)".to_owned(),
            "run as root or in the group kernel.io_uring_group, or as root: \
             sysctl kernel.io_uring_disabled=0",
        ),
        (Some(Errno::PERM | Errno::ACCESS), _) => (
            "io_uring is refused (EPERM), though the kernel has it".to_owned(),
            "a container's seccomp profile does that; with docker: \
             --security-opt seccomp=unconfined",
        ),
        (Some(Errno::NOMEM), _) => (
            "there is no memory for a ring (ENOMEM)".to_owned(),
            "raise the memory limit of the cgroup, and before Linux 5.12 also `ulimit -l`",
        ),
        (Some(Errno::MFILE | Errno::NFILE), _) => {
            (format!("too many open files for a ring ({error})"), "raise `ulimit -n`")
        }
        _ => (format!("a ring cannot be opened: {error}"), "see `dmesg`"),
    };
    MissingFeature { what, advice }
}

#[cfg(test)]
mod tests {
    use iowq_workloads::OpKind;
    use iowq_workloads::builtin;

    use super::*;

    fn plan(name: &str) -> Plan {
        builtin(name).expect(name)
    }

    fn refused(features: &Features<'_>, name: &str) -> String {
        features.suffice_for(&plan(name)).expect_err("something is missing").to_string()
    }

    #[test]
    fn a_missing_feature_is_named() {
        let all = |_| true;
        let features =
            |timed_waits, limits| Features { processors: 2, timed_waits, limits, opcode: &all };
        assert!(refused(&features(false, true), "nop").contains("IORING_FEAT_EXT_ARG"));
        assert!(
            refused(&features(true, false), "nop").contains("IORING_REGISTER_IOWQ_MAX_WORKERS")
        );
        assert_eq!(features(true, true).suffice_for(&plan("wal")), Ok(()));
        let with = |cpus| Plan::parse("on", "on.toml", cpus).expect("a valid spec");
        let last = with("[workers]\ncpus = [0, 1]");
        assert_eq!(features(true, true).suffice_for(&last), Ok(()));
        let beyond = features(true, true).suffice_for(&with("[workers]\ncpus = [0, 2]"));
        let text = beyond.expect_err("there are two").to_string();
        assert!(text.contains("no processor 2") && text.contains("workers.cpus"), "{text}");
    }

    #[test]
    fn only_the_opcodes_that_a_plan_uses_are_required() {
        let nop = entry::opcode(OpKind::Nop).0;
        let only_nop = move |code| code == nop;
        let features =
            Features { processors: 2, timed_waits: true, limits: true, opcode: &only_nop };
        assert_eq!(features.suffice_for(&plan("nop")), Ok(()));
        let text = refused(&features, "fsync-mix");
        assert!(text.contains("IORING_OP_WRITE") && text.contains("5.6"), "{text}");
        let plan = Plan::parse("x", "x.toml", "[mix]\nwrite = 0\ntruncate = 1").expect("a plan");
        let text = features.suffice_for(&plan).expect_err("no ftruncate").to_string();
        assert!(text.contains("IORING_OP_FTRUNCATE") && text.contains("--engine pool"), "{text}");
    }

    #[test]
    fn the_error_explains_why_no_ring_can_be_opened() {
        let rows = [
            (38, None, "no io_uring", "CONFIG_IO_URING"),
            (1, Some(2), "io_uring_disabled is 2", "sysctl"),
            (1, Some(1), "io_uring_disabled is 1", "io_uring_group"),
            (1, Some(0), "EPERM", "seccomp"),
            (1, None, "EPERM", "seccomp"),
            (12, None, "ENOMEM", "ulimit -l"),
            (24, None, "too many open files", "ulimit -n"),
            (23, None, "too many open files", "ulimit -n"),
            (5, None, "cannot be opened", "dmesg"),
        ];
        for (errno, disabled, what, advice) in rows {
            let text = no_ring(&io::Error::from_raw_os_error(errno), disabled).to_string();
            assert!(text.starts_with("--engine uring: "), "{text}");
            assert!(text.contains(what) && text.contains(advice), "{text}");
        }
    }
}
