//! The latest births and exits of each process, and how many workers were alive when.

use std::collections::{BTreeMap, VecDeque};

use iowq_contract::trace::{Snapshot, TraceLine};

/// Workers that are kept for each process.
const LIVES_MAX: usize = 256;
/// Snapshots for which the number alive is kept.
const ALIVE_MAX: usize = 600;

/// A worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Life {
    pub(super) tid: u32,
    /// None if it was there before.
    pub(super) born_ns: Option<u64>,
    pub(super) exited_ns: Option<u64>,
    /// The op it was born for, if that is known.
    pub(super) op: Option<String>,
}

/// The workers of a process.
#[derive(Clone, Debug, Default)]
pub(super) struct Lives {
    /// Oldest first.
    pub(super) workers: VecDeque<Life>,
    /// Since when all of them are kept.
    pub(super) all_since_ns: u64,
    /// Time and workers alive, at each snapshot.
    pub(super) alive: VecDeque<(u64, u32)>,
}

/// By process.
#[derive(Clone, Debug, Default)]
pub(super) struct AllLives {
    by_pid: BTreeMap<u32, Lives>,
    /// Time of the latest line.
    pub(super) now_ns: u64,
}

impl AllLives {
    pub(super) fn of(&self, pid: u32) -> Option<&Lives> {
        self.by_pid.get(&pid)
    }

    pub(super) fn take(&mut self, line: &TraceLine) {
        let at_ns = match line {
            TraceLine::Birth(birth) => birth.at_ns,
            TraceLine::Exit(exit) => exit.at_ns,
            TraceLine::Snapshot(snapshot) => snapshot.at_ns,
            _ => 0,
        };
        self.now_ns = self.now_ns.max(at_ns);
        match line {
            TraceLine::Birth(birth) => self.by_pid.entry(birth.pid).or_default().add(Life {
                tid: birth.tid,
                born_ns: Some(birth.at_ns),
                exited_ns: None,
                op: birth.cause.as_ref().map(|cause| cause.op.clone()),
            }),
            TraceLine::Exit(exit) => {
                let lives = self.by_pid.entry(exit.pid).or_default();
                let mut newest_first = lives.workers.iter_mut().rev();
                let alive = |life: &&mut Life| life.tid == exit.tid && life.exited_ns.is_none();
                let exited_ns = Some(exit.at_ns);
                match newest_first.find(alive) {
                    Some(life) => life.exited_ns = exited_ns,
                    None => lives.add(Life {
                        tid: exit.tid,
                        born_ns: exit.born_ns,
                        exited_ns,
                        op: None,
                    }),
                }
            }
            TraceLine::Snapshot(snapshot) => self.note(snapshot),
            _ => {}
        }
    }

    /// Notes how many are alive, and forgets processes that are no longer listed.
    fn note(&mut self, snapshot: &Snapshot) {
        self.by_pid.retain(|pid, _| snapshot.processes.iter().any(|process| process.pid == *pid));
        for process in &snapshot.processes {
            let alive = &mut self.by_pid.entry(process.pid).or_default().alive;
            alive.push_back((snapshot.at_ns, process.alive.total()));
            if alive.len() > ALIVE_MAX {
                alive.pop_front();
            }
        }
    }
}

impl Lives {
    fn add(&mut self, life: Life) {
        self.workers.push_back(life);
        if self.workers.len() > LIVES_MAX {
            let gone = self.workers.pop_front();
            let until_ns = gone.and_then(|gone| gone.exited_ns.or(gone.born_ns)).unwrap_or(0);
            self.all_since_ns = self.all_since_ns.max(until_ns);
        }
    }
}

#[cfg(test)]
mod tests {
    use iowq_contract::trace::{ByAccount, TraceBirth, TraceExit, TraceProcess};

    use super::*;

    fn birth(tid: u32, at_ns: u64) -> TraceLine {
        let (pid, by_tid) = (7, 7);
        TraceLine::Birth(TraceBirth { at_ns, pid, tid, by_tid, account: None, cause: None })
    }

    fn exit(tid: u32, at_ns: u64) -> TraceLine {
        TraceLine::Exit(TraceExit { at_ns, pid: 7, tid, born_ns: None })
    }

    #[test]
    fn an_exit_ends_the_life_of_that_worker_and_one_without_a_birth_stands_alone() {
        let mut lives = AllLives::default();
        [birth(1, 10), exit(1, 20), birth(1, 30), exit(2, 40)].iter().for_each(|it| lives.take(it));
        let workers = &lives.of(7).expect("it has workers").workers;
        let found: Vec<_> =
            workers.iter().map(|life| (life.tid, life.born_ns, life.exited_ns)).collect();
        assert_eq!(found, [(1, Some(10), Some(20)), (1, Some(30), None), (2, None, Some(40))]);
    }

    #[test]
    fn what_is_kept_has_a_bound_and_goes_with_the_process() {
        let mut lives = AllLives::default();
        (0..10_000).for_each(|nth: u32| lives.take(&birth(nth, nth.into())));
        let alive = ByAccount { bounded: 9, ..ByAccount::default() };
        let process = TraceProcess { pid: 7, alive, ..TraceProcess::default() };
        let snapshot = |processes| Snapshot { processes, ..Snapshot::default() };
        let here = TraceLine::Snapshot(snapshot(vec![process]));
        (0..10_000).for_each(|_| lives.take(&here));
        let kept = lives.of(7).expect("it is listed");
        assert_eq!((kept.workers.len(), kept.alive.len()), (LIVES_MAX, ALIVE_MAX));
        assert_eq!(kept.all_since_ns, 10_000 - LIVES_MAX as u64 - 1);
        lives.take(&TraceLine::Snapshot(snapshot(Vec::new())));
        assert!(lives.of(7).is_none());
    }
}
