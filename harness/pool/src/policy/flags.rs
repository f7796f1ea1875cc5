//! How an op is queued once it goes to io-wq: its account, whether it is hashed, and whether it is
//! CONCURRENT. All three follow from what it does, whether it was forced async, and whether its
//! file is known when they are set.

use iowq_workloads::{OpKind, Open};

use super::patch::{Patch, Patches};
use super::view::PuntedOp;
use crate::work::{Account, Flags};

/// The flags of an op under a kernel with these commits.
pub(super) fn of(patches: Patches, op: PuntedOp) -> Flags {
    let forced = op.force_async || forced_by_prep(patches, op.kind);
    // The inline attempt looks the file up. What does not get that far has none yet: an op behind
    // a link, and one that is forced async, unless the kernel looks before it queues that.
    let looked_up = !forced || patches.has(Patch::FileLookedUpEarly);
    let file_known = looked_up && !op.behind_link;
    let unbounded = op.kind.is_of_messages() || !file_known && may_be_socket(op.kind);
    Flags {
        account: if unbounded { Account::Unbounded } else { Account::Bounded },
        bucket: (file_known && excludes_others(patches, op)).then_some(op.bucket),
        concurrent: forced,
    }
}

/// Whether the kernel itself forces such an op async: what can only be done by blocking is not
/// tried inline since aebb224fd4fc, and a no-op only gets here by `IOSQE_ASYNC`.
fn forced_by_prep(patches: Patches, kind: OpKind) -> bool {
    match kind {
        OpKind::Fsync | OpKind::Fdatasync | OpKind::Fallocate | OpKind::Splice => {
            patches.has(Patch::FsyncConcurrent)
        }
        OpKind::Statx | OpKind::Rename | OpKind::Unlink | OpKind::SyncFileRange => {
            patches.has(Patch::FsyncConcurrent)
        }
        // Truncate came later than that commit, and forced.
        OpKind::Nop | OpKind::Truncate => true,
        OpKind::Read | OpKind::Write | OpKind::Receive | OpKind::Send | OpKind::Openat => false,
    }
}

/// Whether such an op may be one on a pipe or socket, which may never end: without its file it is
/// taken for that.
fn may_be_socket(kind: OpKind) -> bool {
    matches!(kind, OpKind::Read | OpKind::Write)
}

/// Whether an op on a regular file is hashed by it.
fn excludes_others(patches: Patches, op: PuntedOp) -> bool {
    let hashed = match op.kind {
        OpKind::Write | OpKind::Truncate => true,
        OpKind::Fallocate => patches.has(Patch::FallocateHashed),
        // What is done by name has no file, among others.
        _ => false,
    };
    let in_parallel = op.open == Open::Direct && op.direct_in_parallel;
    hashed && !(in_parallel && patches.has(Patch::DirectUnhashed))
}

#[cfg(test)]
mod tests {
    use super::super::{PRESETS, Registry};
    use super::*;

    const KINDS: [OpKind; 5] =
        [OpKind::Write, OpKind::Read, OpKind::Fsync, OpKind::Fallocate, OpKind::Nop];

    /// `hashed`, `unhashed` or `unbounded`, with a `+` if it is CONCURRENT.
    fn queued(policy: &str, op: PuntedOp) -> String {
        let flags = Registry::builtin().parse(policy).expect(policy).build().flags(op);
        let place = match (flags.account, flags.bucket) {
            (Account::Bounded, Some(5)) => "hashed",
            (Account::Bounded, None) => "unhashed",
            (Account::Unbounded, None) => "unbounded",
            _ => "neither",
        };
        format!("{place}{}", if flags.concurrent { "+" } else { "" })
    }

    fn op(kind: OpKind, open: Open) -> PuntedOp {
        PuntedOp {
            kind,
            open,
            bucket: 5,
            behind_link: false,
            force_async: false,
            direct_in_parallel: true,
        }
    }

    /// By preset: what [`KINDS`] are queued as.
    fn assert_rows(rows: &[(&str, [&str; 5])], of: impl Fn(OpKind) -> PuntedOp) {
        let named: Vec<&str> = rows.iter().map(|row| row.0).collect();
        assert_eq!(named, PRESETS.map(|preset| preset.name), "a row for each preset");
        for (policy, expected) in rows {
            assert_eq!(KINDS.map(|kind| queued(policy, of(kind))), *expected, "{policy}");
        }
    }

    #[test]
    fn each_op_is_queued_as_each_kernel_queues_it() {
        // fallocate on 6.18.44: 191 of 191 unhashed.
        let late = ["hashed", "unhashed", "unhashed+", "unhashed+", "unhashed+"];
        let rows = [
            ("6.1", ["hashed", "unhashed", "unhashed", "unhashed", "unhashed+"]),
            ("6.12.0", late),
            ("6.12", ["hashed", "unhashed", "unhashed+", "hashed+", "unhashed+"]),
            ("6.16", late),
            ("6.17", late),
            ("6.17-as-posted", late),
            ("exit-on-idle", late),
        ];
        assert_rows(&rows, |kind| op(kind, Open::Buffered));
    }

    #[test]
    fn a_forced_op_is_queued_with_its_file_only_if_the_kernel_looks_it_up_first() {
        let late = ["unbounded+", "unbounded+", "unhashed+", "unhashed+", "unhashed+"];
        let rows = [
            ("6.1", ["hashed+", "unhashed+", "unhashed+", "unhashed+", "unhashed+"]),
            ("6.12.0", late),
            ("6.12", ["hashed+", "unhashed+", "unhashed+", "hashed+", "unhashed+"]),
            ("6.16", late),
            ("6.17", late),
            ("6.17-as-posted", late),
            ("exit-on-idle", late),
        ];
        assert_rows(&rows, |kind| PuntedOp { force_async: true, ..op(kind, Open::Buffered) });
        let late = PuntedOp { force_async: true, ..op(OpKind::Write, Open::Buffered) };
        assert_eq!(queued("6.1-file-looked-up-early", late), "unbounded+");
    }

    #[test]
    fn what_is_done_by_name_is_never_hashed_and_an_open_alone_is_tried_first() {
        use OpKind::{Openat, Rename, Statx, SyncFileRange, Truncate, Unlink};
        for (policy, kinds, expected) in [
            ("6.1", &[Openat, Statx, Rename, Unlink, SyncFileRange][..], "unhashed"),
            ("6.12", &[Statx, Rename, Unlink, SyncFileRange], "unhashed+"),
            ("6.17", &[Statx, Rename, Unlink, SyncFileRange, Truncate], "unhashed+"),
            ("6.17", &[Openat], "unhashed"),
            // It is forced, and its file known only to a kernel that looks first.
            ("6.12", &[Truncate], "hashed+"),
        ] {
            for &kind in kinds {
                assert_eq!(queued(policy, op(kind, Open::Buffered)), expected, "{policy} {kind:?}");
            }
        }
    }

    #[test]
    fn behind_a_link_no_kernel_knows_the_file() {
        let new = ["unbounded", "unbounded", "unhashed+", "unhashed+", "unhashed+"];
        let old = ["unbounded", "unbounded", "unhashed", "unhashed", "unhashed+"];
        let rows =
            PRESETS.map(|preset| (preset.name, if preset.name == "6.1" { old } else { new }));
        assert_rows(&rows, |kind| PuntedOp { behind_link: true, ..op(kind, Open::Buffered) });
    }

    #[test]
    fn what_is_on_sockets_and_pipes_is_unbounded_whatever_is_known_of_them() {
        for (policy, kind, expected) in [
            ("6.1", OpKind::Receive, "unbounded"),
            ("6.17", OpKind::Send, "unbounded"),
            ("6.1", OpKind::Splice, "unbounded"),
            ("6.17", OpKind::Splice, "unbounded+"),
        ] {
            assert_eq!(queued(policy, op(kind, Open::Buffered)), expected, "{policy} {kind:?}");
            let forced = PuntedOp { force_async: true, ..op(kind, Open::Buffered) };
            assert_eq!(queued(policy, forced), "unbounded+", "{policy} {kind:?}");
        }
    }

    #[test]
    fn with_o_direct_nothing_is_hashed_since_6_4_if_the_file_system_writes_in_parallel() {
        for (policy, kind, parallel, expected) in [
            ("6.1", OpKind::Write, true, "hashed"),
            ("6.12", OpKind::Write, true, "unhashed"),
            ("6.12", OpKind::Write, false, "hashed"),
            ("exit-on-idle", OpKind::Write, true, "unhashed"),
            ("6.12", OpKind::Fallocate, true, "unhashed+"),
            ("6.12", OpKind::Fallocate, false, "hashed+"),
        ] {
            let op = PuntedOp { direct_in_parallel: parallel, ..op(kind, Open::Direct) };
            assert_eq!(queued(policy, op), expected, "{policy} {op:?}");
        }
        assert_eq!(queued("6.12", op(OpKind::Write, Open::Dsync)), "hashed");
    }
}
