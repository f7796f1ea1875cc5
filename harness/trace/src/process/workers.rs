//! The workers of a process: born, alive and gone, and what they were born for.

use std::collections::BTreeMap;

use iowq_contract::trace::{Account, ByAccount, TraceCause, TraceProcess, Way};

/// A worker.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Worker {
    /// When it was born; none if it was there before.
    pub(crate) born_ns: Option<u64>,
    account: Option<Account>,
}

/// The workers of a process.
#[derive(Debug, Default)]
pub(crate) struct Workers {
    alive: BTreeMap<u32, Worker>,
    peak: usize,
    peak_bounded: usize,
    born: u64,
    exited: u64,
    exited_ns_last: Option<u64>,
    samples: u64,
    samples_idle: u64,
    /// Births and the time they took, by op and way; no op for work that was queued earlier.
    causes: BTreeMap<(Option<String>, Way), (u64, u64)>,
}

impl Workers {
    /// Those that were there before.
    pub(crate) fn of(tids: Vec<u32>) -> Workers {
        let alive: BTreeMap<_, _> = tids.into_iter().map(|tid| (tid, Worker::default())).collect();
        Workers { peak: alive.len(), alive, ..Workers::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.alive.is_empty() && self.born + self.exited == 0
    }

    /// One that is alive.
    pub(crate) fn any(&self) -> Option<u32> {
        self.alive.keys().next().copied()
    }

    /// All that are alive.
    pub(crate) fn tids(&self) -> impl Iterator<Item = u32> {
        self.alive.keys().copied()
    }

    /// A worker was born: for which op, if it was for one and not for work queued earlier; or no cause,
    /// if there is no telling.
    pub(crate) fn born(
        &mut self,
        tid: u32,
        at_ns: u64,
        account: Option<Account>,
        cause: Option<(Option<String>, Way, u64)>,
    ) {
        self.alive.insert(tid, Worker { born_ns: Some(at_ns), account });
        self.peak = self.peak.max(self.alive.len());
        let bounded = |worker: &&Worker| worker.account == Some(Account::Bounded);
        self.peak_bounded = self.peak_bounded.max(self.alive.values().filter(bounded).count());
        self.born += 1;
        if let Some((op, way, paid_ns)) = cause {
            let sums = self.causes.entry((op, way)).or_default();
            *sums = (sums.0 + 1, sums.1 + paid_ns);
        }
    }

    /// A worker is gone; none if it is not known, as of a thread that only has such a name.
    pub(crate) fn exited(&mut self, tid: u32, at_ns: u64) -> Option<Worker> {
        let worker = self.alive.remove(&tid)?;
        self.exited_ns_last = Some(at_ns);
        self.exited += 1;
        Some(worker)
    }

    /// A worker was looked at.
    pub(crate) fn sample(&mut self, idle: bool) {
        self.samples += 1;
        self.samples_idle += u64::from(idle);
    }

    /// One whose exit was lost is gone.
    pub(crate) fn vanish(&mut self, tid: u32) {
        self.alive.remove(&tid);
    }

    /// Workers born and gone.
    pub(crate) fn totals(&self) -> (u64, u64) {
        (self.born, self.exited)
    }

    /// Its part of a process's figures.
    pub(crate) fn figures(&self) -> TraceProcess {
        let mut alive = ByAccount::default();
        for worker in self.alive.values() {
            *match worker.account {
                Some(Account::Bounded) => &mut alive.bounded,
                Some(Account::Unbounded) => &mut alive.unbounded,
                None => &mut alive.unknown,
            } += 1;
        }
        let cause = |((op, way), (born, paid_ns)): (&(Option<String>, Way), &(u64, u64))| {
            TraceCause { op: op.clone(), way: *way, born: *born, paid_ns: *paid_ns }
        };
        let mut causes: Vec<_> = self.causes.iter().map(cause).collect();
        causes.sort_by_key(|cause| std::cmp::Reverse(cause.born));
        TraceProcess {
            alive,
            peak: u32::try_from(self.peak).unwrap_or(u32::MAX),
            peak_bounded: u32::try_from(self.peak_bounded).unwrap_or(u32::MAX),
            born: self.born,
            exited: self.exited,
            exited_ns_last: self.exited_ns_last,
            samples: self.samples,
            samples_idle: self.samples_idle,
            causes,
            ..TraceProcess::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_that_were_there_before_are_alive_and_not_born() {
        let mut workers = Workers::of(vec![5, 6]);
        let cause = Some((Some("WRITE".into()), Way::default(), 30));
        workers.born(7, 100, Some(Account::Bounded), cause);
        assert!(workers.exited(5, 200).is_some_and(|worker| worker.born_ns.is_none()));
        assert!(workers.exited(99, 300).is_none(), "no worker");
        let figures = workers.figures();
        assert_eq!((figures.born, figures.exited, figures.peak), (1, 1, 3));
        assert_eq!(figures.peak_bounded, 1);
        assert_eq!(figures.alive, ByAccount { bounded: 1, unbounded: 0, unknown: 1 });
        assert_eq!(figures.causes[0].paid_ns, 30);
    }
}
