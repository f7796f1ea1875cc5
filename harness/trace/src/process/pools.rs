//! The threads of a process that submit: each has a pool of workers with limits of its own.

use std::collections::HashMap;

use iowq_contract::trace::{Account, Limits, TraceSubmitter};

/// Threads that are kept one by one; what comes after is only counted.
const POOLS_MAX: usize = 1024;
/// With more than so many, those that are gone are forgotten.
const GONE_MAX: usize = 64;

/// What is known of a thread's pool.
#[derive(Clone, Debug, Default)]
struct Pool {
    comm: String,
    born: u64,
    limits: Limits,
    /// Whether a worker was born of which the kernel did not tell the limit: bounded, unbounded.
    untold: [bool; 2],
    gone: bool,
}

/// The pools of a process.
#[derive(Debug, Default)]
pub(crate) struct Pools {
    pools: HashMap<u32, Pool>,
    /// Most at one time, and the most that their limits allowed.
    count_max: usize,
    limits_max: Limits,
}

impl Pools {
    /// A worker was born for this thread, under this limit.
    pub(crate) fn born(
        &mut self,
        tid: u32,
        account: Option<Account>,
        limit: Option<u32>,
        comm: impl FnOnce() -> Option<String>,
    ) {
        let full = self.pools.len() >= POOLS_MAX && !self.pools.contains_key(&tid);
        if full {
            return;
        }
        let new = || Pool { comm: comm().unwrap_or_default(), ..Pool::default() };
        let pool = self.pools.entry(tid).or_insert_with(new);
        (pool.born, pool.gone) = (pool.born + 1, false);
        if account != Some(Account::Unbounded) {
            pool.untold[0] |= account.is_none() || limit.is_none();
            pool.limits.bounded = pool.limits.bounded.max(limit.filter(|_| account.is_some()));
        }
        if account != Some(Account::Bounded) {
            let limit = limit.filter(|_| account.is_some()).map(u64::from);
            pool.untold[1] |= limit.is_none();
            pool.limits.unbounded = pool.limits.unbounded.max(limit);
        }
    }

    /// Sees which threads are gone, and their pools with them.
    pub(crate) fn look(&mut self, is_there: impl Fn(u32) -> bool) {
        (self.count_max, self.limits_max) = (self.most_at_once(), self.limits());
        for (tid, pool) in &mut self.pools {
            pool.gone = !is_there(*tid);
        }
        if self.pools.len() > GONE_MAX {
            self.pools.retain(|_, pool| !pool.gone);
        }
    }

    /// How many there were at one time, one at least: a process that has no worker yet may get one.
    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.most_at_once()).unwrap_or(u32::MAX).max(1)
    }

    fn most_at_once(&self) -> usize {
        self.count_max.max(self.there().count())
    }

    /// The sums of the limits that there were at one time, of all threads that had such workers;
    /// none where the kernel did not tell all of them.
    pub(crate) fn limits(&self) -> Limits {
        let untold = |nth: usize| self.there().any(|pool| pool.untold[nth]);
        let bounded = self.there().filter_map(|pool| pool.limits.bounded);
        let unbounded = self.there().filter_map(|pool| pool.limits.unbounded);
        let Limits { bounded: bounded_max, unbounded: unbounded_max } = self.limits_max;
        Limits {
            bounded: bounded_max.max(bounded.reduce(u32::saturating_add)).filter(|_| !untold(0)),
            unbounded: unbounded_max
                .max(unbounded.reduce(u64::saturating_add))
                .filter(|_| !untold(1)),
        }
    }

    fn there(&self) -> impl Iterator<Item = &Pool> {
        self.pools.values().filter(|pool| !pool.gone)
    }

    /// Those that most workers were born for, and how many others there are.
    pub(crate) fn most(&self, max: usize) -> (Vec<TraceSubmitter>, u64) {
        let submitter = |(tid, pool): (&u32, &Pool)| TraceSubmitter {
            tid: *tid,
            comm: pool.comm.clone(),
            born: pool.born,
            limits: pool.limits,
        };
        let mut all: Vec<_> = self.pools.iter().map(submitter).collect();
        all.sort_by_key(|it| (std::cmp::Reverse(it.born), it.tid));
        let more = all.len().saturating_sub(max);
        all.truncate(max);
        (all, more as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> impl FnOnce() -> Option<String> {
        let name = name.to_owned();
        move || Some(name)
    }

    #[test]
    fn limits_of_a_process_are_the_sums_of_those_of_its_threads() {
        let mut pools = Pools::default();
        pools.born(1, Some(Account::Bounded), Some(4), named("a"));
        pools.born(1, Some(Account::Bounded), Some(8), named("a"));
        pools.born(2, Some(Account::Bounded), Some(2), named("b"));
        assert_eq!(pools.limits(), Limits { bounded: Some(10), unbounded: None });
        assert_eq!(pools.count(), 2);
    }

    #[test]
    fn a_thread_with_unbounded_workers_alone_does_not_hide_the_limit_on_bounded_ones() {
        let mut pools = Pools::default();
        pools.born(1, Some(Account::Bounded), Some(4), named("a"));
        pools.born(2, Some(Account::Unbounded), Some(9), named("b"));
        assert_eq!(pools.limits(), Limits { bounded: Some(4), unbounded: Some(9) });
    }

    #[test]
    fn a_limit_that_the_kernel_does_not_tell_leaves_the_sum_unknown() {
        let mut pools = Pools::default();
        assert_eq!(pools.limits(), Limits::default());
        pools.born(1, Some(Account::Bounded), Some(4), named("a"));
        pools.born(2, None, None, named("b"));
        assert_eq!(pools.limits().bounded, None);
    }

    #[test]
    fn threads_that_come_and_go_are_no_more_than_there_were_at_one_time() {
        let mut pools = Pools::default();
        for thread in 0..10_000 {
            pools.born(thread, Some(Account::Bounded), Some(4), named("short"));
            pools.look(|tid| tid + 1 >= thread);
        }
        assert_eq!((pools.count(), pools.limits().bounded), (3, Some(12)));
        assert!(pools.pools.len() <= GONE_MAX);
        pools.look(|_| false);
        assert_eq!((pools.count(), pools.limits().bounded), (3, Some(12)));
    }

    #[test]
    fn threads_with_the_most_births_come_first() {
        let mut pools = Pools::default();
        pools.born(1, None, None, named("once"));
        (0..2).for_each(|_| pools.born(2, None, None, named("twice")));
        let (most, more) = pools.most(1);
        assert_eq!((most[0].comm.as_str(), most[0].born, more), ("twice", 2, 1));
    }
}
