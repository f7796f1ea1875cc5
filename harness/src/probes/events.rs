//! The trace events that the programs attach to, and where their fields are on this kernel.

use std::fs;
use std::io;
use std::path::Path;

use super::advice;
use super::error::ProbeError;
use super::format;

/// A program and the event that it attaches to.
pub(super) struct Event {
    /// The program's name in the object.
    pub(super) program: &'static str,
    /// Category of the event.
    pub(super) category: &'static str,
    /// Name of the event.
    pub(super) name: &'static str,
    /// Category and name, for people.
    pub(super) title: &'static str,
    /// Global of the programs that takes the offset, name of the field, its size in bytes.
    pub(super) fields: &'static [(&'static str, &'static str, u32)],
}

/// Size of a field of which the lowest bytes are read, however many it has.
pub(super) const ANY_SIZE: u32 = 0;

/// Events of the life of threads.
pub(super) const LIFE: [Event; 3] = [
    Event {
        program: "thread_born",
        category: "task",
        name: "task_newtask",
        title: "task:task_newtask",
        fields: &[
            ("NEWTASK_PID", "pid", 4),
            ("NEWTASK_COMM", "comm", 16),
            ("NEWTASK_FLAGS", "clone_flags", 8),
        ],
    },
    Event {
        program: "thread_named",
        category: "task",
        name: "task_rename",
        title: "task:task_rename",
        fields: &[("RENAME_PID", "pid", 4), ("RENAME_COMM", "newcomm", 16)],
    },
    Event {
        program: "thread_exited",
        category: "sched",
        name: "sched_process_exit",
        title: "sched:sched_process_exit",
        fields: &[("EXIT_PID", "pid", 4), ("EXIT_COMM", "comm", 16)],
    },
];

/// The event of the sleep of workers.
pub(super) const SWITCH: Event = Event {
    program: "thread_switched",
    category: "sched",
    name: "sched_switch",
    title: "sched:sched_switch",
    fields: &[("SWITCH_PREV_STATE", "prev_state", 8), ("SWITCH_NEXT_PID", "next_pid", 4)],
};

/// Events of the life of requests.
pub(super) const REQUESTS: [Event; 2] = [
    Event {
        program: "request_queued",
        category: "io_uring",
        name: "io_uring_queue_async_work",
        title: "io_uring:io_uring_queue_async_work",
        fields: &[
            ("QUEUE_USER_DATA", "user_data", 8),
            ("QUEUE_RW", "rw", 4),
            ("QUEUE_WORK", "work", 8),
        ],
    },
    Event {
        program: "request_completed",
        category: "io_uring",
        name: "io_uring_complete",
        title: "io_uring:io_uring_complete",
        fields: &[("COMPLETE_USER_DATA", "user_data", 8)],
    },
];

/// The event that says which work is which request's. Of use only with the kprobe on its start.
pub(super) const WORK: Event = Event {
    program: "work_queued",
    category: "io_uring",
    name: "io_uring_queue_async_work",
    title: "io_uring:io_uring_queue_async_work",
    fields: &[("WORK_USER_DATA", "user_data", 8), ("WORK_ADDRESS", "work", 8)],
};

/// All events that a run through io_uring is watched by, as `category:name`.
pub fn titles() -> impl Iterator<Item = &'static str> {
    LIFE.iter().chain(&REQUESTS).map(|event| event.title)
}

/// A global of the programs and the offset it gets.
pub(super) type Offset = (&'static str, u32);

/// Reads the offsets of an event's fields from its format below `tracefs`.
pub(super) fn offsets(tracefs: &Path, event: &Event) -> Result<Vec<Offset>, ProbeError> {
    let path = tracefs.join("events").join(event.category).join(event.name).join("format");
    let text = fs::read_to_string(path).map_err(|cause| unreadable(event.title, cause))?;
    event
        .fields
        .iter()
        .map(|(global, field, size)| match format::field(&text, field) {
            Some(found) if found.size == *size || *size == ANY_SIZE => Ok((*global, found.offset)),
            _ => Err(ProbeError::UnknownFormat { event: event.title, field, size: *size }),
        })
        .collect()
}

/// Why there is no format, as far as reading it tells.
fn unreadable(event: &'static str, cause: io::Error) -> ProbeError {
    match cause.kind() {
        io::ErrorKind::PermissionDenied => ProbeError::ClosedEvent { event, cause },
        io::ErrorKind::NotFound => ProbeError::NoEvent { event, cause },
        _ => advice::kernel(&format!("reading the format of the event {event}"), &cause),
    }
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::*;

    #[test]
    fn why_a_format_cannot_be_read_is_told_apart() {
        let rows = [
            (Errno::NOENT, "has no event sched:sched_switch", "CONFIG_FTRACE"),
            (Errno::ACCESS, "may not be read", "CAP_DAC_READ_SEARCH"),
            (Errno::PERM, "may not be read", "CAP_DAC_READ_SEARCH"),
            (Errno::MFILE, "too many open files", "ulimit -n"),
            (Errno::IO, "the format of the event sched:sched_switch", "os error 5"),
        ];
        for (errno, found, advice) in rows {
            let text = unreadable(SWITCH.title, errno.into()).to_string();
            assert!(text.contains(found) && text.contains(advice), "{errno:?}: {text}");
            assert_eq!(text.contains("CONFIG_FTRACE"), errno == Errno::NOENT, "{text}");
        }
    }

    fn tracefs_with(format: Option<&str>) -> tempfile::TempDir {
        let tracefs = tempfile::tempdir().expect("a temporary folder");
        let event = tracefs.path().join("events/sched/sched_switch");
        fs::create_dir_all(&event).expect("a folder in it");
        if let Some(format) = format {
            fs::write(event.join("format"), format).expect("a file in it");
        }
        tracefs
    }

    #[test]
    fn offsets_come_from_the_kernel() {
        let tracefs = tracefs_with(Some(
            "\tfield:long prev_state;\toffset:40;\tsize:8;\tsigned:1;\n\
             \tfield:pid_t next_pid;\toffset:64;\tsize:4;\tsigned:1;\n",
        ));
        let found = offsets(tracefs.path(), &SWITCH).expect("both fields");
        assert_eq!(found, [("SWITCH_PREV_STATE", 40), ("SWITCH_NEXT_PID", 64)]);
    }

    #[test]
    fn an_event_that_is_missing_is_named() {
        let error = offsets(tracefs_with(None).path(), &SWITCH).expect_err("no such file");
        assert!(error.to_string().contains("sched:sched_switch"), "{error}");
    }

    #[test]
    fn a_field_of_another_size_is_named() {
        let tracefs =
            tracefs_with(Some("\tfield:int prev_state;\toffset:40;\tsize:4;\tsigned:1;\n"));
        let error = offsets(tracefs.path(), &SWITCH).expect_err("too small");
        assert!(error.to_string().contains("prev_state of 8 bytes"), "{error}");
    }
}
