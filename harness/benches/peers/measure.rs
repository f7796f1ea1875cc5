//! One run: a closed loop at one depth with one contender, in a process of its own.

use std::path::PathBuf;
use std::time::Duration;

use hdrhistogram::Histogram;
use iowq_contract::{Load, Quantiles};
use iowq_harness::clock::{self, Nanos};
use iowq_harness::machine::load::LoadSample;
use serde::{Deserialize, Serialize};

use crate::contender::{self, Contender, Wait};
use crate::task::{Stream, Task, Work};

/// Ops per op that is timed: reading the clock twice costs as much as dispatching a no-op.
const TIMED_EVERY: u64 = 16;
/// Looks at the completions between two looks at the clock, if ops are no-ops.
const LOOKS: u32 = 64;
/// Longest latency that the histogram tells.
const LATENCY_NS_MAX: u64 = 60_000_000_000;

/// What is run once in each round.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Point {
    /// What the ops do.
    pub work: Work,
    /// Name of the folder that the files are in, unlike that of any other; empty for no-ops.
    pub place: String,
    /// That folder.
    pub dir: PathBuf,
    /// How the submitter waits.
    pub wait: Wait,
    /// Workers at most.
    pub workers: u32,
    /// Ops in flight.
    pub depth: u32,
}

/// A run to be made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    /// Under which conditions.
    pub point: Point,
    /// Name of the contender.
    pub contender: String,
    /// Length of the measured part.
    pub length: Duration,
}

/// What was measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figures {
    /// Ops that ended in the measured part.
    pub ops: u64,
    /// Its length.
    pub duration_ns: u64,
    /// Processor time of the process meanwhile, all threads and the kernel's workers included.
    pub cpu_ns: u64,
    /// What else the machine did.
    pub load: Load,
    /// Hand-over to reaping, of one op in sixteen.
    pub latency: Quantiles,
}

impl Figures {
    /// Ops per second.
    pub fn per_s(&self) -> f64 {
        self.ops as f64 * 1e9 / self.duration_ns as f64
    }

    /// Processor time per op, in nanoseconds.
    pub fn cpu_ns_per_op(&self) -> f64 {
        self.cpu_ns as f64 / self.ops.max(1) as f64
    }
}

/// Makes a run.
///
/// # Errors
/// What the contender or the system refuses.
pub fn run(order: &Order) -> anyhow::Result<Figures> {
    let Point { work, dir, workers, depth, .. } = &order.point;
    let stream = Stream::new(*work, dir)?;
    let contender = contender::start(&order.contender, *workers, *depth)?;
    let mut measured = Loop::new(stream, contender, &order.point);
    measured.fill();
    measured.during(order.length / 4);
    measured.latency_ns.reset();
    let before = LoadSample::now();
    let (ops, cpu_ns, from) = (measured.ended, clock::process_cpu_ns(), clock::now());
    measured.during(order.length);
    let (until, cpu_until_ns) = (clock::now(), clock::process_cpu_ns());
    let figures = Figures {
        ops: measured.ended - ops,
        duration_ns: until.since(from),
        cpu_ns: cpu_until_ns - cpu_ns,
        load: LoadSample::now().since(&before),
        latency: Quantiles::of(&measured.latency_ns),
    };
    measured.drain();
    Ok(figures)
}

/// A closed loop under way.
struct Loop {
    // Ends before the files of the stream are closed.
    contender: Box<dyn Contender>,
    stream: Stream,
    wait: Wait,
    /// Whether ops take long enough to look at the clock each time.
    slow: bool,
    batch: Vec<(u32, Task)>,
    reaped: Vec<u32>,
    /// When the op of each slot was handed over; zero if it is not timed.
    started: Vec<Nanos>,
    submitted: u64,
    ended: u64,
    latency_ns: Histogram<u64>,
}

impl Loop {
    fn new(stream: Stream, contender: Box<dyn Contender>, point: &Point) -> Loop {
        let room = point.depth as usize;
        Loop {
            contender,
            stream,
            wait: point.wait,
            slow: point.work != Work::Nop,
            batch: Vec::with_capacity(room),
            reaped: Vec::with_capacity(room),
            started: vec![Nanos(0); room],
            submitted: 0,
            ended: 0,
            latency_ns: Histogram::new_with_bounds(1, LATENCY_NS_MAX, 3).expect("valid bounds"),
        }
    }

    /// Fills the whole depth.
    fn fill(&mut self) {
        self.reaped.extend(0..self.started.len() as u32);
        self.resubmit();
    }

    /// Keeps the depth filled for this long.
    fn during(&mut self, length: Duration) {
        let until = clock::now().after(length);
        let mut looks = 0;
        loop {
            self.contender.reap(self.wait, &mut self.reaped);
            self.book();
            self.resubmit();
            looks += 1;
            if (self.slow || looks % LOOKS == 0) && clock::now() >= until {
                return;
            }
            if self.batch.is_empty() {
                std::hint::spin_loop();
            }
        }
    }

    /// Hands over an op in each slot that was reaped.
    fn resubmit(&mut self) {
        self.batch.clear();
        for slot in self.reaped.drain(..) {
            self.submitted += 1;
            let timed = self.submitted.is_multiple_of(TIMED_EVERY);
            self.started[slot as usize] = if timed { clock::now() } else { Nanos(0) };
            self.batch.push((slot, self.stream.next()));
        }
        if !self.batch.is_empty() {
            self.contender.submit(&self.batch);
        }
    }

    fn book(&mut self) {
        self.ended += self.reaped.len() as u64;
        let started = |slot: &u32| self.started[*slot as usize];
        let timed = self.reaped.iter().map(started).filter(|at| *at != Nanos(0));
        for at in timed {
            self.latency_ns.saturating_record(clock::now().since(at));
        }
    }

    /// Waits for all that is in flight.
    fn drain(&mut self) {
        while self.ended < self.submitted {
            self.contender.reap(Wait::Sleeping, &mut self.reaped);
            self.ended += self.reaped.len() as u64;
            self.reaped.clear();
        }
    }
}
