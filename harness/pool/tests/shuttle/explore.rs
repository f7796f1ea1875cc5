//! Which schedules are tried, and how to request all of them or one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, Runner};

use iowq_pool::policy::Registry;

/// Patches that change when workers come and go, one by one.
const PATCHED: [&str; 4] = [
    "6.12+idle-never-spawns",
    "6.12+skip-same-bucket",
    "6.12+recheck-free-worker",
    "6.17-wake-counts-awake",
];

/// Every policy that is registered, those with parameters as `NAME:2`, and [`PATCHED`].
pub(crate) fn policies() -> Vec<String> {
    let registry = Registry::builtin();
    let kinds = registry.kinds().iter().map(|kind| kind.usage().replace('N', "2"));
    growing().into_iter().chain(kinds).collect()
}

/// Those that create workers when they are needed.
pub(crate) fn growing() -> Vec<String> {
    let registry = Registry::builtin();
    let presets = registry.presets().iter().map(|preset| preset.name);
    presets.chain(PATCHED).map(str::to_owned).collect()
}

/// Where the draw of schedules begins.
const SEED: u64 = 0x10_90;

/// Points at which a schedule of the second kind takes the CPU from a thread that has it.
const PREEMPTIONS: usize = 4;

/// Schedules that are run before the answer is checked again.
const ROUND: usize = 50;

/// Runs `body` under this many schedules: one half at random, the other with few preemptions, which
/// finds what is far apart.
pub(crate) fn under_every_schedule(schedules: usize, body: impl Fn() + Send + Sync + 'static) {
    let body = Arc::new(body);
    let again = Arc::clone(&body);
    let half = schedules / 2;
    run(RandomScheduler::new_from_seed(SEED, half), move || body());
    run(PctScheduler::new_from_seed(SEED, PREEMPTIONS, half), move || again());
}

/// The same under each of the policies in turn.
pub(crate) fn under_each(
    policies: &[impl AsRef<str>],
    schedules: usize,
    body: impl Fn(&str) + Clone + Send + Sync + 'static,
) {
    for policy in policies {
        let (policy, body) = (policy.as_ref().to_owned(), body.clone());
        println!("under {policy}");
        under_every_schedule(schedules, move || body(&policy));
    }
}

/// Whether `body` is true under one of this many schedules.
pub(crate) fn under_some_schedule(
    schedules: usize,
    body: impl Fn() -> bool + Send + Sync + 'static,
) -> bool {
    let found = Arc::new(AtomicBool::new(false));
    let body = Arc::new(body);
    for round in 0..schedules.div_ceil(ROUND) {
        let (found, body) = (Arc::clone(&found), Arc::clone(&body));
        let seen = Arc::clone(&found);
        run(RandomScheduler::new_from_seed(SEED + round as u64, ROUND), move || {
            if body() {
                seen.store(true, Ordering::Relaxed);
            }
        });
        if found.load(Ordering::Relaxed) {
            return true;
        }
    }
    false
}

fn run(scheduler: impl Scheduler + 'static, body: impl Fn() + Send + Sync + 'static) {
    let mut config = Config::new();
    // Atomics are taken as sequentially consistent, which those that are shared here are.
    config.silence_warnings = true;
    Runner::new(scheduler, config).run(body);
}
