//! Opcodes of `io_uring`: their names, whether a request names a file, and who forces it to a worker.
//!
//! By number, as in Linux 6.18's `linux/io_uring.h`; numbers are never reused.

/// Name, and whether the request works on the descriptor that it names.
const OPS: [(&str, bool); 63] = [
    ("NOP", false),
    ("READV", true),
    ("WRITEV", true),
    ("FSYNC", true),
    ("READ_FIXED", true),
    ("WRITE_FIXED", true),
    ("POLL_ADD", true),
    ("POLL_REMOVE", false),
    ("SYNC_FILE_RANGE", true),
    ("SENDMSG", true),
    ("RECVMSG", true),
    ("TIMEOUT", false),
    ("TIMEOUT_REMOVE", false),
    ("ACCEPT", true),
    ("ASYNC_CANCEL", false),
    ("LINK_TIMEOUT", false),
    ("CONNECT", true),
    ("FALLOCATE", true),
    ("OPENAT", false),
    ("CLOSE", false),
    ("FILES_UPDATE", false),
    ("STATX", false),
    ("READ", true),
    ("WRITE", true),
    ("FADVISE", true),
    ("MADVISE", false),
    ("SEND", true),
    ("RECV", true),
    ("OPENAT2", false),
    ("EPOLL_CTL", false),
    ("SPLICE", true),
    ("PROVIDE_BUFFERS", false),
    ("REMOVE_BUFFERS", false),
    ("TEE", true),
    ("SHUTDOWN", true),
    ("RENAMEAT", false),
    ("UNLINKAT", false),
    ("MKDIRAT", false),
    ("SYMLINKAT", false),
    ("LINKAT", false),
    ("MSG_RING", true),
    ("FSETXATTR", true),
    ("SETXATTR", false),
    ("FGETXATTR", true),
    ("GETXATTR", false),
    ("SOCKET", false),
    ("URING_CMD", true),
    ("SEND_ZC", true),
    ("SENDMSG_ZC", true),
    ("READ_MULTISHOT", true),
    ("WAITID", false),
    ("FUTEX_WAIT", false),
    ("FUTEX_WAKE", false),
    ("FUTEX_WAITV", false),
    ("FIXED_FD_INSTALL", true),
    ("FTRUNCATE", true),
    ("BIND", true),
    ("LISTEN", true),
    ("RECV_ZC", true),
    ("EPOLL_WAIT", true),
    ("READV_FIXED", true),
    ("WRITEV_FIXED", true),
    ("PIPE", false),
];

/// Ops that the kernel itself forces to a worker, always or with some flags, since aebb224fd4fc
/// (6.3).
const FORCED_BY_KERNEL: [&str; 21] = [
    "FSYNC",
    "SYNC_FILE_RANGE",
    "FALLOCATE",
    "OPENAT",
    "OPENAT2",
    "STATX",
    "FADVISE",
    "MADVISE",
    "SPLICE",
    "TEE",
    "SHUTDOWN",
    "RENAMEAT",
    "UNLINKAT",
    "MKDIRAT",
    "SYMLINKAT",
    "LINKAT",
    "FSETXATTR",
    "SETXATTR",
    "FGETXATTR",
    "GETXATTR",
    "FTRUNCATE",
];

/// The name without `IORING_OP_`; `OP_99` for one that is not known here.
#[must_use]
pub fn name(opcode: u8) -> String {
    OPS.get(usize::from(opcode)).map_or_else(|| format!("OP_{opcode}"), |op| op.0.to_owned())
}

/// Whether a request of it works on the descriptor that it names.
#[must_use]
pub fn has_file(opcode: u8) -> bool {
    OPS.get(usize::from(opcode)).is_some_and(|op| op.1)
}

/// Whether the kernel may force an op of this name to a worker, so that it says nothing about the
/// program.
#[must_use]
pub fn is_forced_by_kernel(name: &str) -> bool {
    FORCED_BY_KERNEL.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opcodes_have_the_names_of_the_header() {
        let known = [(0, "NOP"), (3, "FSYNC"), (17, "FALLOCATE"), (23, "WRITE"), (47, "SEND_ZC")];
        known.into_iter().for_each(|(opcode, text)| assert_eq!(name(opcode), text));
        assert_eq!((name(62).as_str(), name(63).as_str()), ("PIPE", "OP_63"));
        assert!(FORCED_BY_KERNEL.iter().all(|name| OPS.iter().any(|op| op.0 == *name)));
        assert!(is_forced_by_kernel("FSYNC") && !is_forced_by_kernel("WRITE"));
        assert!(has_file(23) && !has_file(0) && !has_file(255));
    }
}
