//! Made-up lives of workers: a ramp, then births and deaths until the end.

use iowq_contract::{Churn, Record};

use crate::noise::Noise;

/// Slices of births and deaths in a run.
const SLICES: u64 = 120;

/// How a policy behaves on a workload.
pub(crate) struct Shape {
    pub(crate) created_per_1000: f64,
    peak: u32,
    /// Share of the peak that the pool falls back to.
    trough: f64,
}

impl Shape {
    /// So many workers per 1000 operations, and so many at one time.
    pub(crate) fn new(created_per_1000: f64, peak: u32) -> Self {
        Self { created_per_1000, peak, trough: 0.6 }
    }

    /// Near what kernels did (measured elsewhere), so that pictures look as real ones will.
    pub(crate) fn of(workload: &str, policy: &str) -> Self {
        let (created_per_1000, peak, trough) = match (workload, policy) {
            ("fsync-mix", "6.1" | "6.12") => (92.9, 64, 0.80),
            ("fsync-mix", "6.16") => (82.6, 64, 0.78),
            ("fsync-mix", _) => (1.7, 9, 0.55),
            ("dsync", "6.1" | "6.12") => (14.7, 64, 0.85),
            ("dsync", "6.16") => (13.9, 64, 0.82),
            ("dsync", _) => (0.16, 5, 0.60),
            _ => (0.5, 2, 0.5),
        };
        Self { created_per_1000, peak, trough }
    }
}

/// Lets a run have created these workers, by all that counted them, of which `peak` were alive at
/// one time.
pub fn create(record: &mut Record, created: u64, peak: u32) {
    let workers = &mut record.workers;
    for counts in [&mut workers.created, &mut workers.exited] {
        counts.probe = Some(created);
        counts.engine = counts.engine.map(|_| created);
        counts.proc = None;
    }
    workers.peak = Some(peak);
    workers.created_per_1000_ops = Some(created as f64 * 1e3 / record.ops.done as f64);
    workers.born_measured = Some(created);
    workers.fill_measured = Some(created.min(u64::from(peak)));
}

/// Workers alive, and births and deaths per slice, with `created` births in all.
pub(crate) fn life(
    shape: &Shape,
    created: u64,
    duration_ns: u64,
    noise: &mut Noise,
) -> (Vec<(u64, u32)>, Churn) {
    let slice_ns = duration_ns / SLICES;
    let mut churn = Churn { slice_ns, births: Vec::new(), deaths: Vec::new() };
    let mut timeline = vec![(0, 0)];
    let (mut alive, mut born) = (0_u32, 0_u64);
    for slice in 0..SLICES {
        let due = (created * (slice + 1)).div_ceil(SLICES).max(u64::from(shape.peak).min(created));
        let births = u32::try_from(due.saturating_sub(born)).unwrap_or(0);
        let floor = (f64::from(shape.peak) * (shape.trough + 0.1 * noise.uniform())) as u32;
        let room = shape.peak.saturating_sub(births.min(shape.peak)).min(floor);
        let deaths = if slice == 0 { 0 } else { alive.saturating_sub(room) };
        let start_ns = slice * slice_ns;
        step(&mut timeline, start_ns, slice_ns / 2, alive, alive - deaths);
        alive -= deaths;
        step(&mut timeline, start_ns + slice_ns / 2, slice_ns / 2, alive, alive + births);
        alive += births;
        born += u64::from(births);
        churn.births.push(births);
        churn.deaths.push(deaths);
    }
    for point in &mut timeline {
        point.1 = point.1.min(shape.peak);
    }
    timeline.push((duration_ns, alive.min(shape.peak)));
    (timeline, churn)
}

/// One point for each worker that comes or goes, spread over `length_ns`.
fn step(timeline: &mut Vec<(u64, u32)>, start_ns: u64, length_ns: u64, from: u32, to: u32) {
    let steps = u64::from(from.abs_diff(to));
    for at in 1..=steps {
        let done = u32::try_from(at).unwrap_or(0);
        let alive = if to > from { from + done } else { from - done };
        timeline.push((start_ns + length_ns * at / (steps + 1), alive));
    }
}
