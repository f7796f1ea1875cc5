//! A fixed number of workers: the yardstick without churn.

use super::rules::{Creation, Policy, ProbeRule};
use super::spec::{Parameter, PolicyKind};
use super::view::{PuntedOp, View};
use super::{flags, preset};
use crate::work::{Account, Flags};

/// `fixed:workers=N`, or `fixed:N` for short.
pub(super) const FIXED: PolicyKind = PolicyKind {
    name: "fixed",
    summary: "N workers for good: the yardstick without churn",
    parameters: &[Parameter {
        name: "workers",
        summary: "bounded workers, created at the start and gone at the end",
        min: 1,
        // Four times the largest limit of a built-in workload.
        max: 256,
        default: None,
    }],
    build: |parameters| Box::new(Fixed { workers: parameters.get("workers") as u32 }),
};

#[derive(Clone, Copy, Debug)]
struct Fixed {
    workers: u32,
}

impl Policy for Fixed {
    fn spawn_on_enqueue(&mut self, _: &View) -> bool {
        false
    }

    fn spawn_on_block(&mut self, _: &View) -> bool {
        false
    }

    fn exit_when_idle(&mut self, _: &View) -> bool {
        false
    }

    fn on_request(&mut self, _: &View) -> Creation {
        Creation::Drop
    }

    fn flags(&self, op: PuntedOp) -> Flags {
        // All workers are in one account, so all work must be too.
        Flags { account: Account::Bounded, ..flags::of(preset::NEWEST.patches, op) }
    }

    fn workers_at_start(&self) -> u32 {
        self.workers
    }

    fn awake_counts(&self) -> bool {
        // None is created later, so each work must wake a worker that sleeps.
        false
    }

    fn probe_rule(&self) -> ProbeRule {
        ProbeRule::Never
    }

    fn needs_clock(&self) -> bool {
        false
    }
}
