//! What a process did between two snapshots: a row of the table.

use hdrhistogram::Histogram;
use iowq_contract::Quantiles;
use iowq_contract::trace::{ByAccount, Snapshot, TraceOp, TraceProcess};

/// A process, with rates of the last interval.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Row {
    pub(super) pid: u32,
    pub(super) comm: String,
    pub(super) ended: bool,
    pub(super) rings: usize,
    pub(super) alive: ByAccount,
    /// Bounded workers that may be alive, as far as it is known.
    pub(super) limit: Option<u32>,
    /// Per second.
    pub(super) born: f64,
    pub(super) exited: f64,
    pub(super) submitted: f64,
    pub(super) queued: f64,
    /// Shares of `queued`; none without such requests.
    pub(super) forced: Option<f64>,
    pub(super) hashed: Option<f64>,
    pub(super) unbounded: Option<f64>,
    pub(super) in_flight: u64,
    /// Share of the time that workers waited for work.
    pub(super) idle: Option<f64>,
    /// From queueing to completion.
    pub(super) p50_ns: Option<u64>,
    pub(super) p99_ns: Option<u64>,
}

/// The rows of a snapshot, given the one before.
pub(super) fn rows(before: &Snapshot, now: &Snapshot) -> Vec<Row> {
    let seconds = now.at_ns.saturating_sub(before.at_ns).max(1) as f64 / 1e9;
    let none = TraceProcess::default();
    let row = |process: &TraceProcess| {
        let was = before.processes.iter().find(|was| was.pid == process.pid).unwrap_or(&none);
        row(was, process, seconds)
    };
    now.processes.iter().map(row).collect()
}

fn row(before: &TraceProcess, now: &TraceProcess, seconds: f64) -> Row {
    let of = |process: &TraceProcess, figure: fn(&TraceOp) -> u64| -> u64 {
        process.ops.iter().map(figure).sum()
    };
    let more = |figure| of(now, figure).saturating_sub(of(before, figure)) as f64;
    let queued = more(|op| op.queued);
    let share = |figure| (queued > 0.0).then(|| (more(figure) / queued).min(1.0));
    let samples = now.samples.saturating_sub(before.samples);
    let idle = now.samples_idle.saturating_sub(before.samples_idle);
    let times = times(before, now);
    let quantile = |of| times.as_ref().map(|times| times.value_at_quantile(of));
    Row {
        pid: now.pid,
        comm: now.comm.clone(),
        ended: now.ended,
        rings: now.rings.len(),
        alive: now.alive,
        // One that it set itself is not known.
        limit: now.limits.bounded.filter(|_| now.limits_told || now.limits_set != Some(true)),
        born: now.born.saturating_sub(before.born) as f64 / seconds,
        exited: now.exited.saturating_sub(before.exited) as f64 / seconds,
        submitted: more(|op| op.submitted) / seconds,
        queued: queued / seconds,
        forced: share(|op| op.queued_forced),
        hashed: share(|op| op.hashed),
        unbounded: share(|op| op.unbounded),
        in_flight: now.in_flight,
        idle: (samples > 0).then(|| idle as f64 / samples as f64),
        p50_ns: quantile(0.5),
        p99_ns: quantile(0.99),
    }
}

/// The times of requests that were done in between; none if there were none.
fn times(before: &TraceProcess, now: &TraceProcess) -> Option<Histogram<u64>> {
    let mut times = Histogram::<u64>::new(2).ok()?;
    times.auto(true);
    for op in &now.ops {
        let was = before.ops.iter().find(|was| was.op == op.op);
        if was.is_some_and(|was| was.time.count == op.time.count) {
            continue;
        }
        let Some(all) = op.time.histogram() else { continue };
        let was = was.map(|was| &was.time).and_then(Quantiles::histogram);
        for value in all.iter_recorded() {
            let (at, count) = (value.value_iterated_to(), value.count_at_value());
            let earlier = was.as_ref().map_or(0, |was| was.count_at(at));
            // One that grows by itself takes any value.
            let _ = times.record_n(at, count.saturating_sub(earlier));
        }
    }
    (!times.is_empty()).then_some(times)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times_of(values: &[u64]) -> Quantiles {
        let mut histogram = Histogram::<u64>::new(2).expect("two digits");
        values.iter().for_each(|value| histogram.record(*value).expect("it fits"));
        Quantiles::of(&histogram)
    }

    fn process(born: u64, queued: u64, times: &[u64]) -> TraceProcess {
        let op = TraceOp {
            op: "WRITE".into(),
            submitted: 2 * queued,
            queued,
            hashed: queued / 2,
            time: times_of(times),
            ..TraceOp::default()
        };
        let samples = 10 * born;
        TraceProcess {
            pid: 7,
            born,
            samples,
            samples_idle: born,
            ops: vec![op],
            ..Default::default()
        }
    }

    fn at(seconds: u64, process: TraceProcess) -> Snapshot {
        let at_ns = seconds * 1_000_000_000;
        Snapshot { at_ns, processes: vec![process], ..Snapshot::default() }
    }

    #[test]
    fn rates_and_times_are_those_of_the_interval() {
        let before = at(1, process(10, 100, &[1000; 50]));
        let times = [[1000; 50], [90_000; 50]].concat();
        let found = rows(&before, &at(3, process(30, 500, &times)));
        let row = &found[0];
        assert_eq!((row.born, row.queued, row.submitted), (10.0, 200.0, 400.0));
        assert_eq!((row.hashed, row.forced, row.idle), (Some(0.5), Some(0.0), Some(0.1)));
        let p50_ns = row.p50_ns.expect("some were done");
        assert!((89_000..=91_000).contains(&p50_ns), "{p50_ns}");
    }

    #[test]
    fn without_requests_there_are_no_shares_and_no_times() {
        let idle = process(10, 100, &[1000]);
        let row = rows(&at(1, idle.clone()), &at(2, idle)).remove(0);
        assert_eq!((row.hashed, row.p50_ns, row.idle), (None, None, None));
    }
}
