//! The board: the numbers that the scheduler's probe must see as they change.
//!
//! `running` is the one counter that two parties change: the pool under its lock, and the probe
//! at the very moment a worker is switched out. So it stands outside the pool's state.

use super::state::WorkerId;
use super::work::{Account, Key};

/// The running count of each account, the first queued work, and what the probe asked for.
pub trait Board: Send {
    /// Adds one to `nr_running`.
    fn running_inc(&mut self, account: Account);
    /// Takes one from `nr_running`; true where that left none.
    fn running_dec(&mut self, account: Account) -> bool;
    /// `nr_running` now.
    fn running(&self, account: Account) -> i32;
    /// Shows the first runnable work; [`Key::NONE`] where there is none or the queue is stalled.
    fn show_head(&mut self, account: Account, head: Key);

    /// Which of a slot's workers it has now; each has another number than the one before.
    fn tenant(&self, _: WorkerId) -> u32 {
        0
    }

    /// Whether the probe asked on behalf of this worker, with a credit, and nobody heard it yet.
    fn unheard(&self, _: WorkerId) -> bool {
        false
    }

    /// Hears it. True where there was something to hear: the credit is then the caller's, to give
    /// back or to pass on.
    fn hear(&mut self, _: WorkerId) -> bool {
        false
    }
}

/// A board that nobody else looks at.
#[derive(Debug, Default)]
pub struct Plain {
    running: [i32; 2],
}

impl Board for Plain {
    fn running_inc(&mut self, account: Account) {
        self.running[account.index()] += 1;
    }

    fn running_dec(&mut self, account: Account) -> bool {
        let running = &mut self.running[account.index()];
        *running -= 1;
        *running == 0
    }

    fn running(&self, account: Account) -> i32 {
        self.running[account.index()]
    }

    fn show_head(&mut self, _: Account, _: Key) {}
}
