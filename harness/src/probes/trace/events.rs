//! The trace events that a trace attaches to.

use crate::probes::events::{ANY_SIZE, Event};

/// Events of the life of workers, and of processes and rings.
pub(in crate::probes) const LIVES: [Event; 5] = [
    Event {
        program: "trace_born",
        category: "task",
        name: "task_newtask",
        title: "task:task_newtask",
        fields: &[
            ("TRACE_NEWTASK_PID", "pid", 4),
            ("TRACE_NEWTASK_COMM", "comm", 16),
            ("TRACE_NEWTASK_FLAGS", "clone_flags", 8),
        ],
    },
    Event {
        program: "trace_named",
        category: "task",
        name: "task_rename",
        title: "task:task_rename",
        fields: &[("TRACE_RENAME_PID", "pid", 4), ("TRACE_RENAME_COMM", "newcomm", 16)],
    },
    Event {
        program: "trace_exited",
        category: "sched",
        name: "sched_process_exit",
        title: "sched:sched_process_exit",
        fields: &[("TRACE_EXIT_COMM", "comm", 16)],
    },
    Event {
        program: "trace_ring",
        category: "io_uring",
        name: "io_uring_create",
        title: "io_uring:io_uring_create",
        fields: &[("CREATE_FD", "fd", 4), ("CREATE_ENTRIES", "sq_entries", 4)],
    },
    Event {
        program: "trace_registered",
        category: "io_uring",
        name: "io_uring_register",
        title: "io_uring:io_uring_register",
        fields: &[("REGISTER_OPCODE", "opcode", 4)],
    },
];

/// Events of the life of requests that went to io-wq, in the order in which they are attached: a request
/// whose completion was not seen would be in io-wq for ever.
pub(in crate::probes) const QUEUED: [Event; 2] = [
    Event {
        program: "trace_completed",
        category: "io_uring",
        name: "io_uring_complete",
        title: "io_uring:io_uring_complete",
        fields: &[("DONE_REQ", "req", 8), ("DONE_RES", "res", 4)],
    },
    Event {
        program: "trace_queued",
        category: "io_uring",
        name: "io_uring_queue_async_work",
        title: "io_uring:io_uring_queue_async_work",
        // The flags have 8 bytes since Linux 6.9; the bits of interest are the lowest.
        fields: &[
            ("PUNT_REQ", "req", 8),
            ("PUNT_OPCODE", "opcode", 1),
            ("PUNT_FLAGS", "flags", ANY_SIZE),
            ("PUNT_WORK", "work", 8),
            ("PUNT_RW", "rw", 4),
        ],
    },
];

/// A request is submitted, whatever becomes of it: the event's name today, and the one until 6.4.
pub(in crate::probes) const SUBMITTED: [Event; 2] = [
    Event {
        program: "trace_submitted",
        category: "io_uring",
        name: "io_uring_submit_req",
        title: "io_uring:io_uring_submit_req",
        fields: &SUBMITTED_FIELDS,
    },
    Event {
        program: "trace_submitted",
        category: "io_uring",
        name: "io_uring_submit_sqe",
        title: "io_uring:io_uring_submit_sqe",
        fields: &SUBMITTED_FIELDS,
    },
];

const SUBMITTED_FIELDS: [(&str, &str, u32); 2] =
    [("SUBMIT_OPCODE", "opcode", 1), ("SUBMIT_FLAGS", "flags", ANY_SIZE)];
