//! `iowq` with two policies of its own: `cargo run --release -p iowq --example policies -- bench
//! --policy 6.17 --policy per-op --policy head-age:age_us=500`.
//!
//! A policy is a type with three methods, and a `PolicyKind` that names it. Nothing else changes:
//! reports, comparisons and `--list` take its name from there.

use std::process::ExitCode;

use iowq::Lab;
use iowq::policy::{Parameter, Policy, PolicyKind, View};

/// A worker for each op that finds none free; every idle worker leaves after its timeout.
struct PerOp;

impl Policy for PerOp {
    fn spawn_on_enqueue(&mut self, _: &View) -> bool {
        true
    }

    fn spawn_on_block(&mut self, _: &View) -> bool {
        // Each op that is queued has asked for a worker already.
        false
    }

    fn exit_when_idle(&mut self, view: &View) -> bool {
        view.timed_out
    }

    fn needs_clock(&self) -> bool {
        false
    }
}

/// A further worker once the first queued op has waited too long, and not before.
struct HeadAge {
    age_ns: u64,
}

impl Policy for HeadAge {
    fn spawn_on_enqueue(&mut self, view: &View) -> bool {
        view.workers == 0 || view.head_age_ns > self.age_ns
    }

    fn spawn_on_block(&mut self, view: &View) -> bool {
        // Without a running worker nothing would look at the queue again.
        view.running == 0 || view.head_age_ns > self.age_ns
    }

    fn exit_when_idle(&mut self, view: &View) -> bool {
        view.timed_out && view.workers > 1
    }
}

const PER_OP: PolicyKind = PolicyKind {
    name: "per-op",
    summary: "a worker for each op that finds none free",
    parameters: &[],
    build: |_| Box::new(PerOp),
};

const HEAD_AGE: PolicyKind = PolicyKind {
    name: "head-age",
    summary: "a further worker once the first queued op has waited too long",
    parameters: &[Parameter {
        name: "age_us",
        summary: "how long it may wait, in microseconds",
        min: 0,
        max: 10_000_000,
        default: Some(1_000),
    }],
    build: |parameters| Box::new(HeadAge { age_ns: parameters.get("age_us") * 1_000 }),
};

fn main() -> ExitCode {
    match Lab::new().policy(PER_OP).and_then(|lab| lab.policy(HEAD_AGE)) {
        Ok(lab) => lab.main(),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
