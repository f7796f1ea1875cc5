//! The limit on open files, which a run of many files needs raised.

use iowq_workloads::limits::FILES;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that a run has beside its files: rings, probes for each processor, what is read of
/// the machine.
const BESIDE: u64 = 1024;

/// Lets this process open that many files and what a run opens beside: raises the soft limit as far as
/// any run needs it and the hard one allows, and that one too if it must be and may be.
///
/// # Errors
///
/// The limit, if it stays too low for the files alone.
pub(super) fn allow(files: u64) -> Result<(), u64> {
    let limit = getrlimit(Resource::Nofile);
    let (wanted, wanted_max) = (files + BESIDE, *FILES.end() as u64 + BESIDE);
    let set = |current, maximum| setrlimit(Resource::Nofile, Rlimit { current, maximum });
    let is_below = |limit: Option<u64>, least| limit.is_some_and(|limit| limit < least);
    // What is refused shows as the limit that is left.
    if is_below(limit.maximum, wanted) && set(Some(wanted), Some(wanted)).is_ok() {
        return Ok(());
    }
    if is_below(limit.current, wanted_max) {
        // Each task lays out files of its own.
        let wanted_max = wanted_max.max(wanted);
        let most = limit.maximum.map_or(wanted_max, |maximum| maximum.min(wanted_max));
        let _ = set(Some(most), limit.maximum);
    }
    match getrlimit(Resource::Nofile).current {
        Some(left) if left <= files => Err(left),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_as_far_as_it_takes_and_else_named() {
        let before = getrlimit(Resource::Nofile);
        assert_eq!(allow(1), Ok(()));
        // More than `fs.nr_open` can be set to.
        let error = allow(u64::MAX / 2).expect_err("no process has as many");
        assert!(before.current.is_none_or(|current| current <= error), "{error} after {before:?}");
    }
}
