//! Events that stay in use from one run to the next.
//!
//! When the last user of an event goes, the kernel switches it off and waits until no processor can
//! be in it any more, some 30 ms, one event after the other (`perf_trace_event_unreg`, under
//! `event_mutex`). The probes of each run are such users. With one more that stays, and that is
//! never switched on itself, nothing has to be switched off.

use std::fs;
use std::path::Path;

use perf_event::events::Tracepoint;
use perf_event::{Builder, Counter};

use super::events::{Event, LIFE, WORK};
use super::tracefs::with_tracefs;
use crate::sync::thread;

/// Users of the events that the probes of a run attach to.
pub(crate) struct KeptEvents {
    users: Vec<Counter>,
}

impl KeptEvents {
    /// Of as many as this process may use. Without them, runs end more slowly, and nothing else.
    pub(crate) fn open() -> KeptEvents {
        let events = LIFE.iter().chain([&WORK]);
        let users =
            with_tracefs(|tracefs| Ok(events.filter_map(|event| user(tracefs, event)).collect()));
        KeptEvents { users: users.unwrap_or_default() }
    }
}

impl Drop for KeptEvents {
    /// Has another thread wait, which a process that ends meanwhile waits for.
    fn drop(&mut self) {
        let users = std::mem::take(&mut self.users);
        // Without a thread they were dropped here.
        let _ = thread::Builder::new().name("iowq-kept".to_owned()).spawn(move || drop(users));
    }
}

/// A user that is off. Of a processor: one of a thread would add to each switch of threads.
fn user(tracefs: &Path, event: &Event) -> Option<Counter> {
    let path = tracefs.join("events").join(event.category).join(event.name).join("id");
    let id = fs::read_to_string(path).ok()?.trim().parse().ok()?;
    let mut user = Builder::new(Tracepoint::with_id(id));
    user.any_pid().one_cpu(0).include_kernel().include_hv().build().ok()
}
