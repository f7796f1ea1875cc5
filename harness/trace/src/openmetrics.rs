//! Counters of a trace for Prometheus: by name of process and by op, never by process or file.

mod exposition;
mod serve;
mod sums;

use std::collections::{BTreeMap, HashMap};

use iowq_contract::Tier;
use iowq_contract::trace::{TraceLine, TraceProcess};

use crate::sinks::Sink;
use exposition::Format;
pub use serve::Server;
use sums::Sums;

/// Names of processes that are told apart; further ones are counted together.
const NAMES_MAX: usize = 100;
/// What those are called.
const OTHERS: &str = "(others)";

/// Takes snapshots, and serves what they come to.
pub struct OpenMetrics {
    server: Server,
    tier: Option<Tier>,
    /// What processes had that are no longer in a snapshot, by name.
    over: BTreeMap<String, Sums>,
    /// The last snapshot, by process.
    last: HashMap<u32, (String, Sums)>,
}

impl OpenMetrics {
    /// Serves at this door.
    #[must_use]
    pub fn new(server: Server) -> OpenMetrics {
        OpenMetrics { server, tier: None, over: BTreeMap::new(), last: HashMap::new() }
    }

    /// The sums by name, after a snapshot with these processes.
    fn take_processes(&mut self, processes: &[TraceProcess]) -> BTreeMap<String, Sums> {
        let now: HashMap<u32, (String, Sums)> = processes
            .iter()
            .map(|process| (process.pid, (process.comm.clone(), Sums::of(process))))
            .collect();
        for (pid, (name, sums)) in std::mem::take(&mut self.last) {
            // Less of anything than before: the number is another process's now.
            let goes_on = now.get(&pid).is_some_and(|(_, later)| later.may_follow(&sums));
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
        match line {
            TraceLine::Start(start) => self.tier = Some(start.tier),
            TraceLine::Snapshot(snapshot) => {
                let sums = self.take_processes(&snapshot.processes);
                let text = |format| exposition::text(format, &sums, snapshot, self.tier);
                self.server.show(text(Format::OpenMetrics), text(Format::Prometheus));
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use iowq_contract::trace::TraceOp;

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
    fn no_counter_falls_when_the_next_process_of_a_number_has_as_many_workers_and_fewer_requests() {
        let with_writes = |submitted| TraceProcess {
            ops: vec![TraceOp { op: "WRITE".into(), submitted, ..TraceOp::default() }],
            ..process(1, "fio", 5)
        };
        let mut sink = sink();
        sink.take_processes(&[with_writes(100)]);
        let sums = sink.take_processes(&[with_writes(30)]);
        assert_eq!((sums["fio"].born, sums["fio"].ops["WRITE"].submitted), (10, 130));
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
