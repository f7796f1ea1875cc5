//! Whether anybody reads what is printed.

use std::ops::ControlFlow;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use iowq_contract::trace::TraceLine;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::sinks::Sink;

/// Ends a trace that nobody reads: the other end of the pipe that it is printed into is closed.
/// Also while there is nothing to print.
pub struct Reader(OwnedFd);

impl Reader {
    /// The reader of what is written to this.
    ///
    /// # Errors
    ///
    /// If the process has no descriptor left.
    pub fn of(out: impl AsFd) -> std::io::Result<Reader> {
        Ok(Reader(out.as_fd().try_clone_to_owned()?))
    }

    fn is_gone(&self) -> bool {
        let mut fds = [PollFd::new(&self.0, PollFlags::empty())];
        // What cannot be asked is taken to be read.
        poll(&mut fds, Some(&Timespec::default())).is_ok()
            && fds[0].revents().intersects(PollFlags::ERR | PollFlags::HUP)
    }
}

impl Sink for Reader {
    fn take(&mut self, _: &TraceLine) -> anyhow::Result<()> {
        Ok(())
    }

    fn wait(&mut self, _: Duration) -> anyhow::Result<ControlFlow<()>> {
        Ok(if self.is_gone() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::pipe;

    use super::*;

    #[test]
    fn a_pipe_has_a_reader_until_its_other_end_is_closed_and_a_file_always() {
        let (out, into) = pipe().expect("a pipe");
        let reader = Reader::of(&into).expect("a descriptor");
        assert!(!reader.is_gone());
        drop(out);
        assert!(reader.is_gone());
        let file = File::options().write(true).open("/dev/null").expect("it is always there");
        assert!(!Reader::of(file).expect("a descriptor").is_gone());
    }
}
