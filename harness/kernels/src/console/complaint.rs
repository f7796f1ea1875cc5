//! Which lines of a console are complaints, and of which kind.

use iowq_contract::ComplaintKind::{
    self, HungTask, Oops, OutOfMemory, Panic, RcuStall, SoftLockup,
};

/// How lines of a kind begin. The first that fits counts: a lockup is a `BUG:` too.
const BEGINNINGS: [(&str, ComplaintKind); 15] = [
    ("Kernel panic - not syncing", Panic),
    ("watchdog: BUG: soft lockup", SoftLockup),
    ("BUG: soft lockup", SoftLockup),
    ("BUG: ", Oops),
    ("kernel BUG at ", Oops),
    ("Oops: ", Oops),
    ("Internal error: ", Oops),
    ("general protection fault", Oops),
    ("unable to handle ", Oops),
    ("Unable to handle ", Oops),
    ("stack segment: ", Oops),
    ("double fault: ", Oops),
    ("Out of memory: Kill", OutOfMemory),
    ("Memory cgroup out of memory: Kill", OutOfMemory),
    ("WARNING: ", ComplaintKind::Warning),
];

/// The complaint in a line of the console. Output of programs is none: the kernel
/// writes their faults with `traps:` in front.
#[must_use]
pub fn kind(line: &str) -> Option<ComplaintKind> {
    let text = without_stamp(line);
    if let Some((_, kind)) = BEGINNINGS.iter().find(|(beginning, _)| text.starts_with(beginning)) {
        return Some(*kind);
    }
    // What stands in front of it changed from release to release.
    if text.contains("Watchdog detected hard LOCKUP") {
        return Some(SoftLockup);
    }
    let info = text.strip_prefix("rcu: ").unwrap_or(text).strip_prefix("INFO: ")?;
    if info.starts_with("rcu") && info.contains("stall") {
        return Some(RcuStall);
    }
    (info.starts_with("task ") && info.contains(" blocked ") && info.contains(" for more than "))
        .then_some(HungTask)
}

/// A line without the time and the caller that the kernel puts in front, as in
/// `[    1.234567][    T1] `.
pub(super) fn without_stamp(line: &str) -> &str {
    let mut text = line.trim_start();
    while let Some((inside, rest)) =
        text.strip_prefix('[').and_then(|inside| inside.split_once(']'))
    {
        let of_stamp = |c: char| c.is_ascii_digit() || " .TC".contains(c);
        if !inside.contains(|c: char| c.is_ascii_digit()) || !inside.chars().all(of_stamp) {
            break;
        }
        text = rest.trim_start();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_known_in_the_forms_that_kernels_use() {
        let cases = [
            ("[    0.9] Kernel panic - not syncing: VFS: Unable to mount root fs", Some(Panic)),
            ("Kernel panic - not syncing: Attempted to kill init!", Some(Panic)),
            ("[  9.0] BUG: kernel NULL pointer dereference, address: 0000000000000008", Some(Oops)),
            ("[  9.0] BUG: unable to handle page fault for address: ffffc900", Some(Oops)),
            ("[  9.0] BUG: KASAN: slab-use-after-free in io_wq_worker", Some(Oops)),
            ("[  9.0] BUG: sleeping function called from invalid context at io.c:1", Some(Oops)),
            ("[  9.0] kernel BUG at fs/ext4/inode.c:2721!", Some(Oops)),
            ("[  9.0] Oops: 0002 [#1] PREEMPT SMP PTI", Some(Oops)),
            ("[  9.0] Oops: Oops: 0000 [#1] SMP", Some(Oops)),
            ("[  9.0] general protection fault, probably for non-canonical address", Some(Oops)),
            ("[ 40.0] watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [x:1]", Some(SoftLockup)),
            ("[ 40.0][   C0] watchdog: BUG: soft lockup - CPU#0 stuck", Some(SoftLockup)),
            ("[ 40.0] NMI watchdog: Watchdog detected hard LOCKUP on cpu 1", Some(SoftLockup)),
            ("[ 40.0] watchdog: CPU1: Watchdog detected hard LOCKUP on cpu 1", Some(SoftLockup)),
            ("[ 60.0] rcu: INFO: rcu_sched self-detected stall on CPU", Some(RcuStall)),
            ("[ 60.0] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:", Some(RcuStall)),
            ("[ 60.0] INFO: rcu_tasks detected stalls on tasks:", Some(RcuStall)),
            (
                "[242.0][   T9] INFO: task iou-wrk-61:64 blocked for more than 120 seconds.",
                Some(HungTask),
            ),
            ("INFO: task jbd2/vda-8:70 blocked in I/O wait for more than 120 s.", Some(HungTask)),
            ("[  5.0] Out of memory: Killed process 61 (iowq) total-vm:9kB", Some(OutOfMemory)),
            ("[  5.0] Memory cgroup out of memory: Killed process 61", Some(OutOfMemory)),
            (
                "[  5.0] WARNING: CPU: 0 PID: 61 at io_uring/io-wq.c:1358",
                Some(ComplaintKind::Warning),
            ),
            (
                "[  5.0] WARNING: possible circular locking dependency detected",
                Some(ComplaintKind::Warning),
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(kind(line), expected, "{line}");
        }
    }

    #[test]
    fn a_line_that_resembles_a_complaint_is_not_one() {
        for line in [
            "",
            "[",
            "[    0.0] Linux version 6.12.117 (x@y)",
            "[    1.0] ---[ end Kernel panic - not syncing: VFS ]---",
            "[    1.0] Kernel command line: panic=-1 oops=panic",
            "[    1.0] traps: x[61] general protection fault ip:1 sp:2 error:0 in x[3,4]",
            "[    1.0] rcu: Hierarchical RCU implementation.",
            "[    1.0] rcu: RCU calculated value of scheduler-enlistment delay is 25 jiffies.",
            "[    1.0] ACPI BIOS Warning (bug): 32/64X length mismatch",
            "[#1] WARNING: no stamp of the kernel",
            "the guest says WARNING: nothing",
        ] {
            assert_eq!(kind(line), None, "{line}");
        }
    }
}
