//! The live screen: figures of the last interval by process, the view of one, and what it means.

mod column;
mod draw;
mod keys;
mod lives;
mod row;
mod state;
mod terminal;
mod units;

use std::ops::ControlFlow;
use std::time::Duration;

use anyhow::Context as _;
use iowq_contract::trace::TraceLine;
use iowq_harness::clock;

use state::State;
use terminal::Terminal;

use crate::sinks::Sink;

/// A screen that takes the lines of a trace and shows them until the last one.
pub struct Screen {
    state: State,
    /// None once it is over.
    terminal: Option<Terminal>,
}

impl Screen {
    /// Whether there is a terminal that a screen can be shown on, and read keys from.
    #[must_use]
    pub fn is_possible() -> bool {
        Terminal::is_there()
    }

    /// Takes the terminal over. It is restored at the last line, when this is dropped, and on panic.
    ///
    /// # Errors
    ///
    /// If the terminal refuses.
    pub fn open() -> anyhow::Result<Screen> {
        let terminal =
            Terminal::open().context("cannot take the terminal over; --plain does not")?;
        Ok(Screen { state: State::new(terminal::has_colours()), terminal: Some(terminal) })
    }

    fn draw(&mut self) -> anyhow::Result<()> {
        let Some(terminal) = &mut self.terminal else { return Ok(()) };
        let drawn = terminal.draw(|frame| draw::draw(frame, &self.state));
        self.state.scroll = drawn.context("cannot draw on the terminal")?;
        self.state.width = terminal.width();
        Ok(())
    }
}

impl Sink for Screen {
    fn take(&mut self, line: &TraceLine) -> anyhow::Result<()> {
        self.state.take(line);
        match line {
            TraceLine::Start(_) | TraceLine::Snapshot(_) => self.draw(),
            TraceLine::End(_) => {
                self.terminal = None;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn wait(&mut self, time: Duration) -> anyhow::Result<ControlFlow<()>> {
        let until = clock::now().after(time);
        while let Some(terminal) = &mut self.terminal {
            let left = until.until(clock::now());
            let keys = terminal.keys(left).context("cannot read keys from the terminal")?;
            let Some(keys) = keys else {
                self.terminal = None;
                return Ok(ControlFlow::Break(()));
            };
            let resized = terminal.was_resized();
            if keys.iter().any(|key| keys::press(&mut self.state, *key).is_break()) {
                return Ok(ControlFlow::Break(()));
            }
            if resized || !keys.is_empty() {
                self.draw()?;
            }
            if left.is_zero() {
                break;
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}
