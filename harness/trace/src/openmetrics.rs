//! Counters of a trace for Prometheus: by name of process and by op, never by process or file.

mod exposition;
mod serve;

use std::collections::{BTreeMap, HashMap};

use iowq_contract::trace::{TraceLine, TraceOp, TraceProcess};

use crate::run::Sink;
use exposition::Format;
pub use serve::Server;

/// Names of processes that are told apart; further ones are counted together.
const NAMES_MAX: usize = 100;
/// What those are called.
const OTHERS: &str = "(others)";

/// Bounds of the histogram's buckets, in ns; one more has what is longer.
const BOUNDS_NS: [u64; 8] = [
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
    1_000_000_000,
    10_000_000_000,
    100_000_000_000,
];

/// Sums of all processes of a name. Counters never fall, also when a process ends.
#[derive(Clone, Debug, Default, PartialEq)]
struct Sums {
    born: u64,
    exited: u64,
    alive: [u64; 3],
    in_flight: u64,
    ops: BTreeMap<String, OpSums>,
}

/// Sums of one op.
#[derive(Clone, Debug, Default, PartialEq)]
struct OpSums {
    submitted: u64,
    queued: u64,
    forced: u64,
    hashed: u64,
    unbounded: u64,
    failed: u64,
    /// Requests that are done, by time; each bucket has those of the buckets before, too.
    at_most: [u64; BOUNDS_NS.len()],
    done: u64,
    time_ns: u64,
}

impl Sums {
    fn of(process: &TraceProcess) -> Sums {
        let alive = process.alive;
        Sums {
            born: process.born,
            exited: process.exited,
            alive: [alive.bounded, alive.unbounded, alive.unknown].map(u64::from),
            in_flight: process.in_flight,
            ops: process.ops.iter().map(|op| (op.op.clone(), OpSums::of(op))).collect(),
        }
    }

    fn add(&mut self, more: &Sums) {
        self.born += more.born;
        self.exited += more.exited;
        self.alive.iter_mut().zip(more.alive).for_each(|(sum, more)| *sum += more);
        self.in_flight += more.in_flight;
        for (op, more) in &more.ops {
            self.ops.entry(op.clone()).or_default().add(more);
        }
    }

    /// What stays when the process is over: its counters.
    fn counters(mut self) -> Sums {
        (self.alive, self.in_flight) = ([0; 3], 0);
        self
    }
}

impl OpSums {
    fn of(op: &TraceOp) -> OpSums {
        let histogram = op.time.histogram();
        let at_most = |bound| histogram.as_ref().map_or(0, |times| times.count_between(0, bound));
        OpSums {
            submitted: op.submitted,
            queued: op.queued,
            forced: op.queued_forced,
            hashed: op.hashed,
            unbounded: op.unbounded,
            failed: op.failed,
            at_most: BOUNDS_NS.map(at_most),
            done: op.done,
            time_ns: op.time_ns,
        }
    }

    fn add(&mut self, more: &OpSums) {
        self.submitted += more.submitted;
        self.queued += more.queued;
        self.forced += more.forced;
        self.hashed += more.hashed;
        self.unbounded += more.unbounded;
        self.failed += more.failed;
        self.at_most.iter_mut().zip(more.at_most).for_each(|(sum, more)| *sum += more);
        self.done += more.done;
        self.time_ns += more.time_ns;
    }
}

/// Takes snapshots, and serves what they come to.
pub struct OpenMetrics {
    server: Server,
    /// What processes had that are no longer in a snapshot, by name.
    over: BTreeMap<String, Sums>,
    /// The last snapshot, by process.
    last: HashMap<u32, (String, Sums)>,
}

impl OpenMetrics {
    /// Serves at this door.
    #[must_use]
    pub fn new(server: Server) -> OpenMetrics {
        OpenMetrics { server, over: BTreeMap::new(), last: HashMap::new() }
    }

    /// The sums by name, after a snapshot with these processes.
    fn take_processes(&mut self, processes: &[TraceProcess]) -> BTreeMap<String, Sums> {
        let now: HashMap<u32, (String, Sums)> = processes
            .iter()
            .map(|process| (process.pid, (process.comm.clone(), Sums::of(process))))
            .collect();
        for (pid, (name, sums)) in std::mem::take(&mut self.last) {
            // Fewer births than before: the number is another process's now.
            let goes_on = now.get(&pid).is_some_and(|(_, later)| later.born >= sums.born);
            if !goes_on {
                let name = known(&self.over, name);
                self.over.entry(name).or_default().add(&sums.counters());
            }
        }
        let mut sums = self.over.clone();
        for (name, of_process) in now.values() {
            let name = known(&sums, name.clone());
            sums.entry(name).or_default().add(of_process);
        }
        self.last = now;
        sums
    }
}

/// A name, or that of all others once there are too many.
fn known(sums: &BTreeMap<String, Sums>, name: String) -> String {
    let full = sums.len() >= NAMES_MAX && !sums.contains_key(&name);
    if full { OTHERS.to_owned() } else { name }
}

impl Sink for OpenMetrics {
    fn take(&mut self, line: &TraceLine) -> anyhow::Result<()> {
        if let TraceLine::Snapshot(snapshot) = line {
            let sums = self.take_processes(&snapshot.processes);
            let text = |format| exposition::text(format, &sums, snapshot);
            self.server.show(text(Format::OpenMetrics), text(Format::Prometheus));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32, comm: &str, born: u64) -> TraceProcess {
        TraceProcess { pid, comm: comm.into(), born, ..TraceProcess::default() }
    }

    fn sink() -> OpenMetrics {
        OpenMetrics::new(Server::open("127.0.0.1:0").expect("a free port"))
    }

    #[test]
    fn counters_of_processes_that_are_over_stay_in_the_sum() {
        let mut sink = sink();
        sink.take_processes(&[process(1, "fio", 10), process(2, "fio", 5)]);
        let sums = sink.take_processes(&[process(2, "fio", 6)]);
        assert_eq!(sums["fio"].born, 16);
        let sums = sink.take_processes(&[process(2, "db", 1)]);
        assert_eq!((sums["fio"].born, sums["db"].born), (16, 1), "a number that is used again");
    }

    #[test]
    fn names_beyond_the_limit_are_counted_together() {
        let mut sink = sink();
        let processes: Vec<_> = (0..500).map(|pid| process(pid, &format!("p{pid}"), 1)).collect();
        let sums = sink.take_processes(&processes);
        assert_eq!(sums.len(), NAMES_MAX + 1);
        assert_eq!(sums.values().map(|sums| sums.born).sum::<u64>(), 500);
    }
}
