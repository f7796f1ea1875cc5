//! A campaign: an attack again and again with new seeds until its time is over, and what came of it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime};

use rustix::process::{Resource, Rlimit, setrlimit};

/// How long a campaign among the other tests goes on; the try under way is finished.
const BRIEFLY: Duration = Duration::from_secs(3);
/// Failures after which an attack ends: further ones most likely have the same cause.
const FAILURES_MAX: usize = 10;

/// An attack, which panics with what it found.
#[derive(Clone, Copy)]
pub(crate) struct Attack {
    /// The name of its test.
    pub(crate) name: &'static str,
    /// One try.
    pub(crate) once: fn(&mut Chance),
}

/// What all attacks did and found.
pub(crate) struct Figures {
    pub(crate) kills: AtomicU64,
    pub(crate) mutants: AtomicU64,
    pub(crate) mutants_read: AtomicU64,
    pub(crate) faults: AtomicU64,
    pub(crate) at_once: AtomicU64,
    pub(crate) calls: AtomicU64,
    pub(crate) runs_finished: AtomicU64,
    pub(crate) runs_lost: AtomicU64,
    pub(crate) panics: AtomicU64,
    pub(crate) processes_left: AtomicU64,
    pub(crate) processes_late: AtomicU64,
    pub(crate) files_left: AtomicU64,
    pub(crate) control_bytes: AtomicU64,
    pub(crate) mixed: AtomicU64,
}

/// Those of this process.
pub(crate) static FIGURES: Figures = Figures {
    kills: AtomicU64::new(0),
    mutants: AtomicU64::new(0),
    mutants_read: AtomicU64::new(0),
    faults: AtomicU64::new(0),
    at_once: AtomicU64::new(0),
    calls: AtomicU64::new(0),
    runs_finished: AtomicU64::new(0),
    runs_lost: AtomicU64::new(0),
    panics: AtomicU64::new(0),
    processes_left: AtomicU64::new(0),
    processes_late: AtomicU64::new(0),
    files_left: AtomicU64::new(0),
    control_bytes: AtomicU64::new(0),
    mixed: AtomicU64::new(0),
};

/// Adds to a figure.
pub(crate) fn count(figure: &AtomicU64, more: usize) {
    figure.fetch_add(more as u64, Relaxed);
}

fn print_figures() {
    let it = &FIGURES;
    for (figure, name) in [
        (&it.mutants, "mutants"),
        (&it.mutants_read, "of these read, the others refused"),
        (&it.kills, "kills"),
        (&it.faults, "faults injected"),
        (&it.at_once, "pairs of commands at once"),
        (&it.calls, "processes started"),
        (&it.runs_finished, "runs said to be finished before a kill"),
        (&it.runs_lost, "of these lost"),
        (&it.panics, "panics"),
        (&it.processes_left, "processes left"),
        (&it.processes_late, "processes that took over a second to end"),
        (&it.files_left, "files left"),
        (&it.control_bytes, "control or direction characters on a terminal or in a file"),
        (&it.mixed, "page and summary of two calls"),
    ] {
        eprintln!("{:>8}  {name}", figure.load(Relaxed));
    }
}

/// Numbers by chance, the same for one seed: splitmix64.
pub(crate) struct Chance(u64);

impl Chance {
    /// The sequence of a seed.
    pub(crate) fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    /// A number below this one.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// True once in N times.
    pub(crate) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub(crate) fn of<'a, T>(&mut self, some: &'a [T]) -> &'a T {
        &some[self.below(some.len())]
    }

    /// A moment up to this one.
    pub(crate) fn moment(&mut self, most: Duration) -> Duration {
        most.mul_f64(self.below(1 << 20) as f64 / f64::from(1 << 20))
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no whole number")))
}

/// Some tries of an attack, or the one that `IOWQ_ATTACK_SEED` names.
pub(crate) fn brief(attack: Attack) {
    let failures = match number("IOWQ_ATTACK_SEED") {
        Some(seed) => try_once(attack, seed).into_iter().collect(),
        None => tries(attack, 0, BRIEFLY),
    };
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// All attacks side by side for `IOWQ_ATTACK_SECONDS`; none if that is not set.
pub(crate) fn long(attacks: &[Attack]) {
    let Some(seconds) = number("IOWQ_ATTACK_SECONDS") else { return };
    // Seeds of another campaign are others.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let (first, time) = (now.as_secs() << 20, Duration::from_secs(seconds));
    let failures: Vec<String> = std::thread::scope(|scope| {
        let campaigns =
            attacks.iter().map(|&attack| scope.spawn(move || tries(attack, first, time)));
        let campaigns: Vec<_> = campaigns.collect();
        campaigns.into_iter().flat_map(|it| it.join().expect("it catches panics")).collect()
    });
    print_figures();
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

/// Tries until the time is over, and what failed.
fn tries(attack: Attack, first: u64, time: Duration) -> Vec<String> {
    // A quit is to leave no core.
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    setrlimit(Resource::Core, none).expect("less is always allowed");
    let end = Instant::now() + time;
    let mut failures = Vec::new();
    let mut seed = first;
    while Instant::now() < end && failures.len() < FAILURES_MAX {
        failures.extend(try_once(attack, seed));
        seed += 1;
    }
    eprintln!("{:>8}  tries: {}", seed - first, attack.name);
    failures
}

fn try_once(attack: Attack, seed: u64) -> Option<String> {
    let panic = catch_unwind(AssertUnwindSafe(|| (attack.once)(&mut Chance::new(seed)))).err()?;
    let failure = format!(
        "IOWQ_ATTACK_SEED={seed} cargo test -p iowq --test attacks {}\n  {}",
        attack.name,
        message(&*panic)
    );
    eprintln!("{failure}");
    Some(failure)
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    text.unwrap_or_else(|| "a panic".to_owned())
}

/// What a library does in this process. It must not panic.
pub(crate) fn call<T>(body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        count(&FIGURES.panics, 1);
        resume_unwind(panic)
    })
}
