//! The terminal: taken over and restored, drawn on, and read keys from.

use std::io::{self, IsTerminal as _};
use std::mem::ManuallyDrop;
use std::time::Duration;

use ratatui::crossterm::event::{self, Event, KeyEvent, KeyEventKind};
use ratatui::layout::Size;
use ratatui::{DefaultTerminal, Frame};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// A terminal that was taken over, and is restored when this is dropped. On panic a hook restores it.
pub(super) struct Terminal {
    /// Never dropped: that would complain, of a terminal that is gone, to a terminal that is gone.
    inner: ManuallyDrop<DefaultTerminal>,
    drawn: Option<Size>,
}

/// Whether colours are wanted: see no-color.org.
pub(super) fn has_colours() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

impl Terminal {
    /// Whether there is one to show something on and to read keys from.
    pub(super) fn is_there() -> bool {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        !dumb && io::stdin().is_terminal() && io::stdout().is_terminal()
    }

    pub(super) fn open() -> io::Result<Terminal> {
        match ratatui::try_init() {
            Ok(inner) => Ok(Terminal { inner: ManuallyDrop::new(inner), drawn: None }),
            Err(error) => {
                restore();
                Err(error)
            }
        }
    }

    /// Draws, and returns what drawing returned.
    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame) -> u16) -> io::Result<u16> {
        let mut scroll = 0;
        self.inner.draw(|frame| scroll = draw(frame))?;
        self.drawn = self.inner.size().ok();
        Ok(scroll)
    }

    /// Columns that it had when it was drawn on.
    pub(super) fn width(&self) -> u16 {
        self.drawn.map_or(u16::MAX, |size| size.width)
    }

    /// Whether it has another size than when it was drawn on.
    pub(super) fn was_resized(&self) -> bool {
        self.inner.size().ok() != self.drawn
    }

    /// Keys that are pressed, waiting so long for the first; none if the terminal is gone.
    pub(super) fn keys(&self, time: Duration) -> io::Result<Option<Vec<KeyEvent>>> {
        // A terminal that is gone would hold the library's own wait forever.
        let stdin = io::stdin();
        let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
        match poll(&mut fds, Timespec::try_from(time).ok().as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let found = fds[0].revents();
        if found.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            return Ok(None);
        }
        let mut keys = Vec::new();
        while found.contains(PollFlags::IN) && event::poll(Duration::ZERO)? {
            match event::read()? {
                Event::Key(key) if key.kind != KeyEventKind::Release => keys.push(key),
                _ => {}
            }
        }
        Ok(Some(keys))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // The hook did it, and a second time would lead back over the message.
            return;
        }
        // It may be gone, and then there is nobody to tell.
        let _ = self.inner.show_cursor();
        restore();
    }
}

fn restore() {
    // As above.
    let _ = ratatui::try_restore();
}
