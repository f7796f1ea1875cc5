//! Requests to stop: a signal ends the boot under way, and nothing is lost that was finished.

use std::{
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM},
    flag,
    low_level::signal_name,
};

/// Whether a stop was requested: the number of the signal, or 0. Clones share the answer.
#[derive(Clone, Default)]
pub struct Stop(Arc<AtomicUsize>);

/// A boot was ended because a stop was requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// The signal that asked.
    pub signal: i32,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stopped by {}", signal_name(self.signal).unwrap_or("a signal"))
    }
}

impl std::error::Error for Stopped {}

impl Stop {
    /// Takes SIGINT, SIGQUIT, SIGTERM and SIGHUP as requests from here to the end of the process.
    ///
    /// # Errors
    ///
    /// If the handlers cannot be installed.
    pub fn on_signals() -> io::Result<Stop> {
        let stop = Stop::default();
        for signal in [SIGINT, SIGQUIT, SIGTERM, SIGHUP] {
            flag::register_usize(signal, Arc::clone(&stop.0), number(signal))?;
        }
        Ok(stop)
    }

    /// Takes the end of our parent, however it comes about, as SIGTERM. To be called by the thread
    /// that lives as long as the process, after [`Stop::on_signals`].
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    pub fn on_end_of(&self, parent: i32) -> io::Result<()> {
        set_parent_process_death_signal(Some(Signal::TERM))?;
        // It may have ended before that, and then another process is our parent.
        if getppid().map(Pid::as_raw_pid) != Some(parent) {
            self.ask(SIGTERM);
        }
        Ok(())
    }

    /// Requests to stop, as the signal would.
    pub fn ask(&self, signal: i32) {
        self.0.store(number(signal), Ordering::Relaxed);
    }

    /// Goes on only if no stop was requested.
    ///
    /// # Errors
    ///
    /// The request.
    pub fn check(&self) -> Result<(), Stopped> {
        match i32::try_from(self.0.load(Ordering::Relaxed)) {
            Ok(0) | Err(_) => Ok(()),
            Ok(signal) => Err(Stopped { signal }),
        }
    }
}

fn number(signal: i32) -> usize {
    usize::try_from(signal).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use rustix::process::{getpid, kill_process};

    use super::*;

    #[test]
    fn a_signal_is_a_request() {
        let stop = Stop::on_signals().unwrap();
        assert_eq!(stop.check(), Ok(()));
        kill_process(getpid(), Signal::TERM).unwrap();
        while stop.check().is_ok() {
            std::thread::yield_now();
        }
        assert_eq!(stop.check().unwrap_err().to_string(), "stopped by SIGTERM");
    }

    #[test]
    fn a_parent_that_has_already_exited_is_a_request_to_stop() {
        let stop = Stop::default();
        let parent = getppid().unwrap().as_raw_pid();
        stop.on_end_of(parent).unwrap();
        assert_eq!(stop.check(), Ok(()));
        stop.on_end_of(parent + 1).unwrap();
        assert_eq!(stop.check(), Err(Stopped { signal: SIGTERM }));
    }
}
