//! Arithmetic of the tables' counts.

use iowq_ebpf::trace::OpCounts;

/// What came after `before`. The longest times are those of all, because nothing tells when they were.
pub(super) fn since(now: &OpCounts, before: &OpCounts) -> OpCounts {
    let mut since = *now;
    since.entered = now.entered.saturating_sub(before.entered);
    since.done = now.done.saturating_sub(before.done);
    since.failed = now.failed.saturating_sub(before.failed);
    since.time_ns_sum = now.time_ns_sum.saturating_sub(before.time_ns_sum);
    since.silent = now.silent.saturating_sub(before.silent);
    since.started = now.started.saturating_sub(before.started);
    since.wait_ns_sum = now.wait_ns_sum.saturating_sub(before.wait_ns_sum);
    let times = since.buckets.iter_mut().zip(before.buckets);
    let waits = since.wait_buckets.iter_mut().zip(before.wait_buckets);
    times.chain(waits).for_each(|(now, before)| *now = now.saturating_sub(before));
    since
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_before_and_what_came_since_are_all() {
        let counts = |entered, done| {
            let mut counts = OpCounts { entered, done, time_ns_sum: 10 * done, ..OpCounts::ZERO };
            counts.buckets[3] = u32::try_from(done).expect("small");
            counts
        };
        let (mut before, now) = (counts(5, 4), counts(9, 9));
        let since = since(&now, &before);
        assert_eq!((since.entered, since.done, since.buckets[3]), (4, 5, 5));
        OpCounts::add(&mut before, &since);
        assert_eq!((before.entered, before.done, before.time_ns_sum), (9, 9, 90));
    }
}
