//! A fixed number of workers for good: the yardstick that no churn can beat.

use std::time::Duration;

use super::preset::PRESETS;
use super::{Creation, CreationView, EnqueueView, IdleView, Kernel, Policy, PuntedOp, SleepView};
use crate::work::Flags;

/// So many bounded workers, born at the start and gone at the end.
#[derive(Clone, Copy, Debug)]
pub struct Fixed {
    /// How many.
    pub workers: u32,
}

impl Fixed {
    /// Works are hashed and counted as the newest kernel does it.
    fn newest() -> Kernel {
        Kernel { switches: PRESETS[PRESETS.len() - 1].switches }
    }
}

impl Policy for Fixed {
    fn switches(&self) -> Vec<&'static str> {
        Vec::new()
    }

    fn flags(&self, op: PuntedOp) -> Flags {
        // All workers are in one account, so all work must be too.
        Flags { account: crate::work::Account::Bounded, ..Fixed::newest().flags(op) }
    }

    fn workers_at_start(&self) -> u32 {
        self.workers
    }

    fn awake_counts(&self) -> bool {
        // Nobody is created later, so each work must wake somebody who sleeps.
        false
    }

    fn spawn_on_enqueue(&self, _: &EnqueueView) -> bool {
        false
    }

    fn spawn_on_sleep(&self, _: &SleepView) -> bool {
        false
    }

    fn on_creation(&self, _: &CreationView) -> Creation {
        Creation::Drop
    }

    fn leave_when_idle(&self, _: &IdleView) -> bool {
        false
    }

    fn retry_delay(&self, retry: u32) -> Duration {
        Fixed::newest().retry_delay(retry)
    }

    fn stays_while_asked(&self) -> bool {
        true
    }

    fn unhashed_frees_bucket_0(&self) -> bool {
        false
    }
}
