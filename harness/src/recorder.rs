//! The recorder: latency histograms by kind of op, written by the submitter as it reaps.

use hdrhistogram::Histogram;
use iowq_contract::{Kinds, Latency, Quantiles};
use iowq_workloads::OpKind;

/// Longest latency that is resolved: 100 s. A run is not that long; longer values are counted.
const LATENCY_NS_MAX: u64 = 100_000_000_000;

/// Significant decimal digits of a recorded value, so an error of 0.1 % at most.
const DIGITS: u8 = 3;

/// All clocks of one kind of op.
#[derive(Clone, Debug)]
struct Clocks {
    response: Histogram<u64>,
    service: Histogram<u64>,
    /// Time in the queue, of the ops whose start was seen.
    queue: Histogram<u64>,
}

impl Clocks {
    fn new() -> Clocks {
        let histogram = Histogram::new_with_bounds(1, LATENCY_NS_MAX, DIGITS)
            .expect("the bounds are constant and valid");
        Clocks { response: histogram.clone(), service: histogram.clone(), queue: histogram }
    }

    /// Writes all of it, because fresh memory is only there once it is written.
    fn touch(&mut self) {
        for histogram in [&mut self.response, &mut self.service, &mut self.queue] {
            histogram.reset();
        }
    }

    fn add(&mut self, other: &Clocks) {
        // All histograms have the same bounds, so nothing can be out of range.
        let _ = self.response.add(&other.response);
        let _ = self.service.add(&other.service);
        let _ = self.queue.add(&other.queue);
    }
}

/// All latencies of a run.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    /// By kind; a quarter megabyte for each histogram.
    kinds: [Option<Box<Clocks>>; OpKind::ALL.len()],
    /// Latencies beyond [`LATENCY_NS_MAX`]; they are in the histograms as that value.
    saturated: u64,
}

impl Recorder {
    /// A recorder whose memory for these kinds is there already: recording makes no page fault.
    #[must_use]
    pub fn of(kinds: impl IntoIterator<Item = OpKind>) -> Recorder {
        let mut recorder = Recorder::default();
        for kind in kinds {
            recorder.clocks(kind).touch();
        }
        recorder
    }

    /// Records one op that was done.
    pub fn record(&mut self, kind: OpKind, response_ns: u64, service_ns: u64) {
        self.saturated += u64::from(response_ns > LATENCY_NS_MAX);
        let clocks = self.clocks(kind);
        clocks.response.saturating_record(response_ns);
        clocks.service.saturating_record(service_ns);
    }

    /// Records how long an op that was done had waited for a worker.
    pub fn record_queue(&mut self, kind: OpKind, queue_ns: u64) {
        self.clocks(kind).queue.saturating_record(queue_ns);
    }

    /// Adds all that another one recorded.
    pub fn add(&mut self, other: &Recorder) {
        for (kind, clocks) in OpKind::ALL.into_iter().zip(&other.kinds) {
            if let Some(clocks) = clocks {
                self.clocks(kind).add(clocks);
            }
        }
        self.saturated += other.saturated;
    }

    fn clocks(&mut self, kind: OpKind) -> &mut Clocks {
        self.kinds[kind.index()].get_or_insert_with(|| Box::new(Clocks::new()))
    }

    /// Latencies that were longer than a histogram can tell.
    #[must_use]
    pub fn saturated(&self) -> u64 {
        self.saturated
    }

    /// The longest response time, in nanoseconds; 0 if there is none.
    #[must_use]
    pub fn max_ns(&self) -> u64 {
        self.kinds.iter().flatten().map(|clocks| clocks.response.max()).max().unwrap_or(0)
    }

    /// Ops recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.kinds.iter().flatten().map(|pair| pair.response.len()).sum()
    }

    /// All of it, as a record holds it.
    #[must_use]
    pub fn latency(&self) -> Latency {
        let mut all: Option<Clocks> = None;
        let mut latency = Latency::default();
        for kind in OpKind::ALL {
            let Some(pair) = &self.kinds[kind.index()] else { continue };
            if pair.response.is_empty() {
                continue;
            }
            note(&mut latency, kind.name(), pair);
            match &mut all {
                Some(all) => all.add(pair),
                None => all = Some((**pair).clone()),
            }
        }
        if let Some(all) = &all {
            note(&mut latency, "all", all);
        }
        latency
    }
}

fn note(latency: &mut Latency, name: &str, clocks: &Clocks) {
    let put = |to: &mut Kinds<Quantiles>, histogram| {
        to.insert(name.to_owned(), Quantiles::of(histogram));
    };
    put(&mut latency.response, &clocks.response);
    put(&mut latency.service, &clocks.service);
    if !clocks.queue.is_empty() {
        put(&mut latency.queue, &clocks.queue);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_figures_of_its_own_and_all_have_figures_together() {
        let mut recorder = Recorder::of([OpKind::Write, OpKind::Fsync, OpKind::Read]);
        for value in 1..=1000 {
            recorder.record(OpKind::Write, value * 1000, value * 500);
        }
        recorder.record(OpKind::Fsync, 7_000_000, 6_000_000);
        let latency = recorder.latency();
        assert_eq!(latency.response["all"].count, 1001);
        assert_eq!(latency.response["write"].count, 1000);
        assert_eq!(latency.service["fsync"].count, 1);
        let p50_ns = latency.response["write"].p50_ns;
        assert!((499_000..=502_000).contains(&p50_ns), "{p50_ns}");
        assert!(!latency.response.contains_key("read"), "a kind without an op has no figures");
    }

    #[test]
    fn a_latency_beyond_the_range_is_counted_not_lost() {
        let mut recorder = Recorder::default();
        recorder.record(OpKind::Nop, u64::MAX, 5);
        assert_eq!((recorder.count(), recorder.saturated()), (1, 1));
        assert!(recorder.latency().response["nop"].max_ns >= LATENCY_NS_MAX);
    }
}
