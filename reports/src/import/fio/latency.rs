//! Latencies of a job of fio: from its bins, or without them from its percentiles.

use hdrhistogram::Histogram;
use iowq_contract::{Kinds, Quantiles};

use crate::import::bins;
use crate::import::fio::json::{Direction, Job, Times};

/// The percentiles that a record has, as fio's keys are numbers.
const PERCENTS: [f64; 4] = [50.0, 90.0, 99.0, 99.9];

/// Service time of a job, and what of it is not known.
#[derive(Debug, Default)]
pub(super) struct Service {
    pub(super) kinds: Kinds<Quantiles>,
    /// Latencies that were counted.
    pub(super) timed: u64,
    /// Kinds of operation whose latencies fio did not measure, or wrote too few percentiles of.
    pub(super) untimed: Vec<&'static str>,
    /// Whether the mean of the submission latency was added.
    pub(super) moved: bool,
    /// Whether percentiles are all that is known of some kind.
    pub(super) percentiles_alone: bool,
    /// Whether kinds cannot be taken together, because that takes bins.
    pub(super) apart: bool,
}

/// One kind of operation.
enum Known {
    Bins(Histogram<u64>),
    Percentiles(Quantiles),
    Nothing,
}

/// Service time by kind of operation, and over all of them if that is known.
///
/// # Errors
///
/// Bins that no run can have.
pub(super) fn service(job: &Job) -> Result<Service, String> {
    let mut service = Service::default();
    let mut known = Vec::new();
    let none = Direction::default();
    let mixed = job.mixed.as_ref().filter(|_| is_unified(job)).unwrap_or(&none);
    let data = [("read", &job.read), ("write", &job.write), ("trim", &job.trim), ("all", mixed)];
    for (kind, one) in data {
        let is_whole = !one.lat_ns.bins.is_empty() || !one.lat_ns.percentiles.is_empty();
        let (times, later_ns) =
            if is_whole { (&one.lat_ns, 0.0) } else { (&one.clat_ns, one.slat_ns.mean) };
        service.moved |= !is_whole && one.slat_ns.count > 0;
        known.push((
            kind,
            one.total_ios,
            of(times, later_ns.max(0.0) as u64).map_err(|problem| format!("{kind}: {problem}"))?,
        ));
    }
    let sync = of(&job.sync.lat_ns, 0).map_err(|problem| format!("fsync: {problem}"))?;
    known.push(("fsync", job.sync.total_ios, sync));
    known.retain(|(_, total_ios, _)| *total_ios > 0);
    service.all(known)?;
    Ok(service)
}

/// Whether reads, writes and trims were counted together alone.
pub(super) fn is_unified(job: &Job) -> bool {
    let apart = [&job.read, &job.write, &job.trim].iter().any(|one| one.total_ios > 0);
    !apart && job.mixed.as_ref().is_some_and(|mixed| mixed.total_ios > 0)
}

impl Service {
    fn all(&mut self, known: Vec<(&'static str, u64, Known)>) -> Result<(), String> {
        let single = known.len() == 1;
        let (mut all, mut whole) = (bins::empty(), true);
        for (kind, _, one) in known {
            let quantiles = match one {
                Known::Bins(histogram) => {
                    all.add(&histogram).map_err(|error| format!("{kind}: {error}"))?;
                    Quantiles::of(&histogram)
                }
                Known::Percentiles(quantiles) => {
                    self.percentiles_alone = true;
                    whole = false;
                    quantiles
                }
                Known::Nothing => {
                    self.untimed.push(kind);
                    whole = false;
                    continue;
                }
            };
            self.timed = self.timed.saturating_add(quantiles.count);
            if single && !whole {
                self.kinds.insert("all".to_owned(), quantiles.clone());
            }
            self.kinds.insert(kind.to_owned(), quantiles);
        }
        if whole && !all.is_empty() {
            self.kinds.insert("all".to_owned(), Quantiles::of(&all));
        }
        self.apart = !self.kinds.is_empty() && !self.kinds.contains_key("all");
        Ok(())
    }
}

/// What is known of some latencies, each `later_ns` later.
fn of(times: &Times, later_ns: u64) -> Result<Known, String> {
    let histogram = bins::histogram(times.bins.iter().map(|(ns, count)| (*ns, *count)), later_ns)?;
    if !histogram.is_empty() {
        return Ok(Known::Bins(histogram));
    }
    let percentile = |percent: f64| {
        let is_it = |key: &str| key.parse::<f64>().is_ok_and(|key| (key - percent).abs() < 1e-6);
        let found = times.percentiles.iter().find(|(key, _)| is_it(key));
        // The middle of the last bin may be above the largest value.
        found.map(|(_, ns)| (*ns).min(times.max).saturating_add(later_ns))
    };
    let [Some(p50_ns), Some(p90_ns), Some(p99_ns), Some(p999_ns)] = PERCENTS.map(percentile) else {
        return Ok(Known::Nothing);
    };
    if times.count == 0 {
        return Ok(Known::Nothing);
    }
    Ok(Known::Percentiles(Quantiles {
        count: times.count,
        p50_ns,
        p90_ns,
        p99_ns,
        p999_ns,
        max_ns: times.max.saturating_add(later_ns),
        hdr_v2: String::new(),
    }))
}
