//! Requests to stop: a signal ends the boot under way, and nothing is lost that was finished.

use std::{
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
    low_level::signal_name,
};

/// Whether somebody asked to stop. Clones share the answer.
#[derive(Clone, Default)]
pub struct Stop(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    signal: Option<i32>,
    listener: Option<Box<dyn Fn() + Send>>,
}

/// A boot was ended because somebody asked to stop.
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
    /// Takes SIGINT, SIGTERM and SIGHUP as requests from here to the end of the process.
    ///
    /// # Errors
    ///
    /// Where the handlers or their thread cannot be had.
    pub fn on_signals() -> io::Result<Stop> {
        let stop = Stop::default();
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        let asked = stop.clone();
        let listen = move || signals.forever().for_each(|signal| asked.ask(signal));
        thread::Builder::new().name("signals".to_owned()).spawn(listen)?;
        Ok(stop)
    }

    /// Takes the end of our parent, however it comes about, as SIGTERM. To be called by the thread
    /// that lives as long as the process, after [`Stop::on_signals`].
    ///
    /// # Errors
    ///
    /// Where the kernel does not do it.
    pub fn on_end_of(&self, parent: i32) -> io::Result<()> {
        set_parent_process_death_signal(Some(Signal::TERM))?;
        // It may have ended before that, and then somebody else is our parent.
        if getppid().map(Pid::as_raw_pid) != Some(parent) {
            self.ask(SIGTERM);
        }
        Ok(())
    }

    /// Asks to stop, as the signal would.
    pub fn ask(&self, signal: i32) {
        let mut state = self.state();
        state.signal.get_or_insert(signal);
        if let Some(listener) = &state.listener {
            listener();
        }
    }

    /// Goes on only where nobody asked to stop.
    ///
    /// # Errors
    ///
    /// The request.
    pub fn check(&self) -> Result<(), Stopped> {
        self.state().signal.map_or(Ok(()), |signal| Err(Stopped { signal }))
    }

    /// Has a function called at the next request, or now if there was one. It takes the place of
    /// the one before it.
    pub(crate) fn listen(&self, listener: impl Fn() + Send + 'static) {
        let mut state = self.state();
        if state.signal.is_some() {
            listener();
        }
        state.listener = Some(Box::new(listener));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use rustix::process::{getpid, kill_process};

    use super::*;

    #[test]
    fn a_signal_is_a_request_that_listeners_hear_now_and_later() {
        let stop = Stop::on_signals().unwrap();
        assert_eq!(stop.check(), Ok(()));
        let (sender, heard) = mpsc::channel();
        let early = sender.clone();
        stop.listen(move || early.send("early").unwrap());
        kill_process(getpid(), Signal::TERM).unwrap();
        assert_eq!(heard.recv(), Ok("early"));
        stop.listen(move || sender.send("late").unwrap());
        assert_eq!(heard.recv(), Ok("late"));
        assert_eq!(stop.check().unwrap_err().to_string(), "stopped by SIGTERM");
    }

    #[test]
    fn a_parent_that_is_gone_already_is_a_request() {
        let stop = Stop::default();
        let parent = getppid().unwrap().as_raw_pid();
        stop.on_end_of(parent).unwrap();
        assert_eq!(stop.check(), Ok(()));
        stop.on_end_of(parent + 1).unwrap();
        assert_eq!(stop.check(), Err(Stopped { signal: SIGTERM }));
    }
}
