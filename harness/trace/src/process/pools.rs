//! The threads of a process that submit: each has a pool of workers with limits of its own.

use std::collections::HashMap;

use iowq_contract::trace::{Account, Limits, TraceSubmitter};

/// Threads that are kept one by one; what comes after is only counted.
const POOLS_MAX: usize = 1024;

/// What is known of a thread's pool.
#[derive(Clone, Debug, Default)]
struct Pool {
    comm: String,
    born: u64,
    limits: Limits,
}

/// The pools of a process.
#[derive(Debug, Default)]
pub(crate) struct Pools {
    pools: HashMap<u32, Pool>,
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
        pool.born += 1;
        match account {
            Some(Account::Bounded) => pool.limits.bounded = pool.limits.bounded.max(limit),
            Some(Account::Unbounded) => {
                pool.limits.unbounded = pool.limits.unbounded.max(limit.map(u64::from));
            }
            None => {}
        }
    }

    /// How many there are, one at least: a process that has no worker yet may get one.
    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.pools.len()).unwrap_or(u32::MAX).max(1)
    }

    /// The sums of their limits, where all are known.
    pub(crate) fn limits(&self) -> Limits {
        let pools = || self.pools.values().map(|pool| pool.limits);
        if self.pools.is_empty() {
            return Limits::default();
        }
        let bounded = pools().map(|limits| limits.bounded);
        let unbounded = pools().map(|limits| limits.unbounded);
        Limits { bounded: bounded.sum(), unbounded: unbounded.sum() }
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
    fn a_limit_that_the_kernel_does_not_tell_leaves_the_sum_unknown() {
        let mut pools = Pools::default();
        assert_eq!(pools.limits(), Limits::default());
        pools.born(1, Some(Account::Bounded), Some(4), named("a"));
        pools.born(2, None, None, named("b"));
        assert_eq!(pools.limits().bounded, None);
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
