//! Lives of workers, as one source saw them: births and deaths in order of time.

use std::collections::HashMap;

use iowq_ebpf::kernel::IO_THREAD;
use iowq_ebpf::{
    ACCOUNT_BOUNDED, ACCOUNT_UNBOUNDED, ACCOUNTS, THREAD_BORN, THREAD_EXITED, THREAD_NAMED,
    ThreadEvent,
};

use crate::clock::Nanos;
use crate::probes::procfs::Samples;
use crate::probes::timeline::{self, Event};
use iowq_pool::work::Account;

/// What a source saw of the workers of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lives {
    /// Births (true) and deaths (false).
    changes: Vec<(Nanos, bool)>,
    /// Each worker's life, if the source tells one from another.
    workers: Option<Vec<Life>>,
    /// Births and deaths by account, if the account of each is known.
    by_account: Option<[Vec<(Nanos, bool)>; ACCOUNTS]>,
}

/// The life of one worker.
#[derive(Clone, Copy, Debug)]
struct Life {
    born: Nanos,
    /// None if it was never seen to exit.
    gone: Option<Nanos>,
    /// None if its account was not seen.
    account: Option<Account>,
}

impl Life {
    fn changes(&self) -> impl Iterator<Item = (Nanos, bool)> + use<> {
        [Some((self.born, true)), self.gone.map(|gone| (gone, false))].into_iter().flatten()
    }
}

impl Lives {
    /// From a source that does not identify workers.
    pub(crate) fn of_changes(changes: Vec<(Nanos, bool)>) -> Lives {
        Lives { changes, workers: None, by_account: None }
    }

    /// From an engine's count.
    pub(crate) fn of_books(lives: &[(Nanos, bool, Account)]) -> Lives {
        let mut by_account: [Vec<_>; ACCOUNTS] = Default::default();
        for &(at, born, account) in lives {
            by_account[account.index()].push((at, born));
        }
        let changes = lives.iter().map(|&(at, born, _)| (at, born)).collect();
        Lives { changes, workers: None, by_account: Some(by_account) }
    }

    pub(crate) fn of_census(samples: &Samples) -> Lives {
        Lives::of_changes(samples.lives.clone())
    }

    fn of_workers(workers: Vec<Life>) -> Lives {
        let mut changes: Vec<_> = workers.iter().flat_map(Life::changes).collect();
        changes.sort_by_key(|&(at, born)| (at, !born));
        let known = workers.iter().all(|life| life.account.is_some());
        let by_account = known.then(|| {
            Account::ALL.map(|account| {
                let of_account = workers.iter().filter(|life| life.account == Some(account));
                of_account.flat_map(Life::changes).collect()
            })
        });
        Lives { changes, workers: Some(workers), by_account }
    }

    /// Most workers alive at one time, bounded and unbounded, if the account of each is known.
    ///
    /// A worker is created for an account only because something was `queued` for it, so that all are
    /// of one account if nothing was for the other. A request that follows a linked one without
    /// being queued is run by the worker of that one.
    pub(crate) fn peaks(&self, queued: [u64; ACCOUNTS]) -> Option<[u32; ACCOUNTS]> {
        match (&self.by_account, queued) {
            (Some(by_account), _) => Some(by_account.each_ref().map(|changes| peak(changes))),
            (None, [0, 0]) => None,
            (None, [_, 0]) => Some([peak(&self.changes), 0]),
            (None, [0, _]) => Some([0, peak(&self.changes)]),
            (None, _) => None,
        }
    }

    pub(crate) fn created(&self) -> u64 {
        self.changes.iter().filter(|(_, born)| *born).count() as u64
    }

    pub(crate) fn exited(&self) -> u64 {
        self.changes.iter().filter(|(_, born)| !*born).count() as u64
    }

    /// By how many milliseconds each worker alive at `closed` outlived it, the longest first;
    /// none for one still alive at `until`. Empty if a source that does not identify workers saw a
    /// birth after `closed`, since that worker may have been the one that exited.
    pub(crate) fn outlived_ms(&self, closed: Nanos, until: Nanos) -> Vec<Option<f64>> {
        let mut gone = match &self.workers {
            Some(workers) => workers
                .iter()
                .filter(|life| life.born <= closed && life.gone.is_none_or(|gone| closed <= gone))
                .map(|life| life.gone)
                .collect(),
            None => self.gone_after(closed),
        };
        for gone in &mut gone {
            *gone = gone.filter(|gone| *gone < until);
        }
        // Those that stayed come before all that exited: they would have stayed longest.
        gone.sort_by_key(|gone| std::cmp::Reverse(gone.unwrap_or(until)));
        gone.into_iter().map(|gone| Some(gone?.since(closed) as f64 / 1e6)).collect()
    }

    /// When the workers alive at `closed` exited, by births and deaths alone.
    fn gone_after(&self, closed: Nanos) -> Vec<Option<Nanos>> {
        let (before, after): (Vec<_>, Vec<_>) =
            self.changes.iter().partition(|(at, _)| *at < closed);
        if after.iter().any(|(_, born)| *born) {
            return Vec::new();
        }
        let born = before.iter().filter(|(_, born)| *born).count();
        let there = born.saturating_sub(before.len() - born);
        let mut gone: Vec<_> = after.iter().map(|(at, _)| Some(*at)).collect();
        gone.resize(there, None);
        gone
    }

    /// When the last worker was gone, if that was before `until` and none was left.
    pub(crate) fn all_gone(&self, until: Nanos) -> Option<Nanos> {
        let seen = self.changes.iter().filter(|(at, _)| *at < until);
        let (mut alive, mut last) = (0i64, None);
        for &(at, born) in seen {
            alive += if born { 1 } else { -1 };
            if !born {
                last = Some(at);
            }
        }
        last.filter(|_| alive <= 0)
    }

    /// The same for a timeline that starts at `origin`.
    pub(crate) fn events(&self, origin: Nanos) -> Vec<Event> {
        self.changes.iter().map(|&(at, born)| Event { at_ns: at.since(origin), born }).collect()
    }
}

/// Most workers alive at one time.
fn peak(changes: &[(Nanos, bool)]) -> u32 {
    let event = |&(at, born): &(Nanos, bool)| Event { at_ns: at.0, born };
    let mut events: Vec<Event> = changes.iter().map(event).collect();
    timeline::peak(&timeline::alive(&mut events))
}

/// A thread that is there.
#[derive(Clone, Copy)]
struct Thread {
    born_ns: u64,
    is_worker: bool,
    account: Option<Account>,
}

impl Thread {
    fn life(self, gone: Option<Nanos>) -> Life {
        Life { born: Nanos(self.born_ns), gone, account: self.account }
    }
}

/// The lives of workers among all thread events: of the pool's those that were given a worker's
/// name, of the kernel's those with the flags of its workers and no other name.
pub(crate) fn of_events(events: &[ThreadEvent]) -> Lives {
    let mut threads: HashMap<u32, Thread> = HashMap::new();
    let mut workers = Vec::new();
    for event in events {
        match event.kind {
            THREAD_BORN => {
                let is_worker = event.clone_flags == IO_THREAD;
                let born = Thread { born_ns: event.time_ns, is_worker, account: None };
                threads.insert(event.tid, born);
            }
            THREAD_NAMED => {
                if let Some(thread) = threads.get_mut(&event.tid) {
                    thread.is_worker = is_worker(&event.comm);
                    thread.account = account(event).or(thread.account);
                }
            }
            THREAD_EXITED => {
                if let Some(thread @ Thread { is_worker: true, .. }) = threads.remove(&event.tid) {
                    workers.push(thread.life(Some(Nanos(event.time_ns))));
                }
            }
            _ => {}
        }
    }
    let left = threads.values().filter(|thread| thread.is_worker);
    workers.extend(left.map(|thread| thread.life(None)));
    Lives::of_workers(workers)
}

/// The account of a worker of the kernel's that gives itself a name.
fn account(event: &ThreadEvent) -> Option<Account> {
    match event.account {
        ACCOUNT_BOUNDED => Some(Account::Bounded),
        ACCOUNT_UNBOUNDED => Some(Account::Unbounded),
        _ => None,
    }
}

/// Whether a thread of this name is a worker: the pool's, or the kernel's.
pub(crate) fn is_worker(comm: &[u8; 16]) -> bool {
    comm.starts_with(b"wq-") || comm.starts_with(b"iou-wrk-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(time_ns: u64, kind: u32, tid: u32, name: &str) -> ThreadEvent {
        let mut comm = [0; 16];
        comm[..name.len()].copy_from_slice(name.as_bytes());
        ThreadEvent { time_ns, clone_flags: 0, tid, by_tid: 1, kind, account: 0, comm }
    }

    fn changes(changes: &[(u64, bool)]) -> Lives {
        Lives::of_changes(changes.iter().map(|&(at, born)| (Nanos(at), born)).collect())
    }

    /// Workers with these times of birth and exit, in milliseconds.
    fn workers(lives: &[(u64, Option<u64>)]) -> Lives {
        let life = |&(born, gone): &(u64, Option<u64>)| Life {
            born: ms(born),
            gone: gone.map(ms),
            account: None,
        };
        Lives::of_workers(lives.iter().map(life).collect())
    }

    fn ms(ms: u64) -> Nanos {
        Nanos(ms * 1_000_000)
    }

    #[test]
    fn only_threads_with_a_workers_name_are_workers_and_they_count_from_their_birth() {
        let events = [
            event(1, THREAD_BORN, 7, "iowq"),
            event(2, THREAD_BORN, 8, "iowq"),
            event(3, THREAD_NAMED, 8, "wq-pool-0"),
            event(4, THREAD_NAMED, 7, "census"),
            event(5, THREAD_EXITED, 7, "census"),
            event(6, THREAD_EXITED, 8, "wq-pool-0"),
        ];
        assert_eq!(of_events(&events).changes, [(Nanos(2), true), (Nanos(6), false)]);
    }

    #[test]
    fn the_kernels_workers_are_known_by_their_flags_and_sqpolls_thread_is_none() {
        let born = |tid| ThreadEvent {
            clone_flags: IO_THREAD,
            ..event(u64::from(tid), THREAD_BORN, tid, "iowq-driver")
        };
        let events = [
            born(7),
            born(8),
            born(9),
            event(10, THREAD_NAMED, 7, "iou-wrk-3"),
            event(11, THREAD_NAMED, 8, "iou-sqp-3"),
            event(12, THREAD_EXITED, 7, "iou-wrk-3"),
            event(13, THREAD_EXITED, 8, "iou-sqp-3"),
        ];
        let expected = [(Nanos(7), true), (Nanos(9), true), (Nanos(12), false)];
        assert_eq!(of_events(&events).changes, expected, "9 has no name yet and is there");
    }

    /// Workers of the kernel's, each with its birth, its end and what was seen of its account.
    fn of_kernel(workers: &[(u64, u64, u32)]) -> Lives {
        let mut events = Vec::new();
        for (tid, &(born, gone, account)) in (8..).zip(workers) {
            let clone_flags = IO_THREAD;
            events
                .push(ThreadEvent { clone_flags, ..event(born, THREAD_BORN, tid, "iowq-driver") });
            let named = event(born, THREAD_NAMED, tid, "iou-wrk-3");
            events.push(ThreadEvent { account, by_tid: tid, ..named });
            events.push(event(gone, THREAD_EXITED, tid, "iou-wrk-3"));
        }
        events.sort_by_key(|event| event.time_ns);
        of_events(&events)
    }

    #[test]
    fn each_account_has_its_own_peak_if_every_workers_account_is_known() {
        let (bounded, unbounded) = (ACCOUNT_BOUNDED, ACCOUNT_UNBOUNDED);
        let lives = of_kernel(&[(1, 5, bounded), (2, 9, unbounded), (3, 8, unbounded)]);
        assert_eq!(lives.peaks([9, 9]), Some([1, 2]));
        let lives = of_kernel(&[(1, 5, bounded), (2, 9, 0)]);
        assert_eq!(lives.peaks([9, 9]), None, "one is of unknown account");
        assert_eq!(of_kernel(&[]).peaks([0, 0]), Some([0, 0]));
    }

    #[test]
    fn all_workers_are_of_one_account_if_nothing_was_queued_for_the_other() {
        let lives = of_kernel(&[(1, 5, 0), (2, 9, 0)]);
        let peaks = [[7, 0], [0, 7], [7, 7], [0, 0]].map(|queued| lives.peaks(queued));
        assert_eq!(peaks, [Some([2, 0]), Some([0, 2]), None, None]);
    }

    #[test]
    fn an_engines_books_know_the_account_of_every_worker() {
        let (bounded, unbounded) = (Account::Bounded, Account::Unbounded);
        let lives = Lives::of_books(&[
            (Nanos(1), true, bounded),
            (Nanos(2), true, unbounded),
            (Nanos(3), false, bounded),
            (Nanos(4), true, unbounded),
        ]);
        assert_eq!((lives.created(), lives.peaks([0; 2])), (3, Some([1, 2])));
        assert_eq!(changes(&[(1, true)]).peaks([0; 2]), None);
    }

    #[test]
    fn a_thread_number_that_is_used_again_is_another_worker() {
        let events = [
            event(1, THREAD_BORN, 8, "iowq"),
            event(2, THREAD_NAMED, 8, "wq-pool-0"),
            event(3, THREAD_EXITED, 8, "wq-pool-0"),
            event(4, THREAD_BORN, 8, "iowq"),
            event(5, THREAD_NAMED, 8, "wq-pool-3"),
        ];
        let lives = of_events(&events);
        assert_eq!((lives.created(), lives.exited()), (2, 1));
    }

    #[test]
    fn all_workers_are_gone_only_if_none_is_left_before_the_end() {
        let lives = changes(&[(1, true), (2, true), (5, false)]);
        assert_eq!(lives.all_gone(Nanos(9)), None);
        let lives = changes(&[(1, true), (5, false)]);
        assert_eq!(lives.all_gone(Nanos(9)), Some(Nanos(5)));
        assert_eq!(lives.all_gone(Nanos(5)), None, "it left when it was sent away");
    }

    #[test]
    fn each_worker_outlives_the_close_by_its_own_time_and_those_that_stayed_come_first() {
        let lives = workers(&[(1, Some(30)), (2, None), (3, Some(12)), (4, Some(90))]);
        let expected = [None, Some(80.0), Some(20.0), Some(2.0)];
        assert_eq!(lives.outlived_ms(ms(10), ms(100)), expected);
        let nobody_watched_longer = [None, None, Some(20.0), Some(2.0)];
        assert_eq!(lives.outlived_ms(ms(10), ms(90)), nobody_watched_longer);
    }

    #[test]
    fn a_worker_that_exited_before_the_close_or_was_born_after_it_did_not_outlive_it() {
        let lives = workers(&[(1, Some(9)), (2, Some(15)), (11, Some(40)), (12, None)]);
        assert_eq!(lives.outlived_ms(ms(10), ms(100)), [Some(5.0)]);
    }

    #[test]
    fn exits_after_the_close_belong_to_the_workers_alive_then_if_none_was_born_since() {
        let (born, left) = (true, false);
        let seen = [(0, born), (1, born), (2, left), (3, born), (5_000_000, left)];
        let lives = changes(&seen);
        assert_eq!(lives.outlived_ms(Nanos(4), ms(100)), [None, Some(4.999_996)]);
        let somebody_came = changes(&[&seen[..], &[(6_000_000, born)]].concat());
        let nobody_knows: [Option<f64>; 0] = [];
        assert_eq!(somebody_came.outlived_ms(Nanos(4), ms(100)), nobody_knows);
    }
}
