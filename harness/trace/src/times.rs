//! Times from queueing to completion: the kernel's buckets as quantiles.

use hdrhistogram::Histogram;
use iowq_contract::Quantiles;
use iowq_ebpf::trace::{BUCKETS, bucket_ns_min};

/// Two digits are finer than the buckets are.
const DIGITS: u8 = 2;

/// The quantiles of bucket counts. A time stands for the middle of its bucket, and none is longer
/// than the longest.
#[must_use]
pub(crate) fn quantiles(buckets: &[u32; BUCKETS], max_ns: u64) -> Quantiles {
    let Ok(mut histogram) = Histogram::<u64>::new(DIGITS) else { return Quantiles::default() };
    histogram.auto(true);
    let last = buckets.iter().rposition(|count| *count > 0);
    for (bucket, &count) in buckets.iter().enumerate().filter(|(_, count)| **count > 0) {
        // One that grows by itself takes any value.
        let _ = histogram.record_n(middle_ns(bucket).min(max_ns), count.into());
    }
    let quantiles = Quantiles::of(&histogram);
    // A value of the histogram stands for the end of its own bucket, which may lie beyond the longest.
    let longest = |ns: u64| ns.min(max_ns);
    Quantiles {
        p50_ns: longest(quantiles.p50_ns),
        p90_ns: longest(quantiles.p90_ns),
        p99_ns: longest(quantiles.p99_ns),
        p999_ns: longest(quantiles.p999_ns),
        max_ns: if last.is_some() { max_ns } else { quantiles.max_ns },
        ..quantiles
    }
}

fn middle_ns(bucket: usize) -> u64 {
    let next = (bucket + 1).min(BUCKETS - 1);
    u64::midpoint(bucket_ns_min(bucket), bucket_ns_min(next))
}

#[cfg(test)]
mod tests {
    use iowq_ebpf::trace::bucket;

    use super::*;

    #[test]
    fn a_time_is_at_least_as_long_as_its_bucket_says_and_shorter_than_the_next() {
        for time_ns in
            (0..40).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + (1 << bit >> 2)])
        {
            let found = bucket(time_ns);
            assert!(bucket_ns_min(found) <= time_ns, "{time_ns} in {found}");
            if found + 1 < BUCKETS {
                assert!(time_ns < bucket_ns_min(found + 1), "{time_ns} in {found}");
            }
        }
    }

    #[test]
    fn quantiles_lie_within_an_eighth_of_what_was_measured() {
        let mut buckets = [0; BUCKETS];
        let times = (1..=1000).map(|nth| nth * 1000);
        times.for_each(|time_ns: u64| buckets[bucket(time_ns)] += 1);
        let found = quantiles(&buckets, 1_000_000);
        assert_eq!((found.count, found.max_ns), (1000, 1_000_000));
        assert!((440_000..=560_000).contains(&found.p50_ns), "{}", found.p50_ns);
        assert!(found.p99_ns <= found.max_ns && found.histogram().is_some());
        assert_eq!(quantiles(&[0; BUCKETS], 0).count, 0);
    }

    #[test]
    fn no_quantile_is_longer_than_the_longest() {
        for time_ns in (1..60).map(|bit| (1_u64 << bit) + 12_345) {
            let mut buckets = [0; BUCKETS];
            buckets[bucket(time_ns)] = 3;
            let found = quantiles(&buckets, time_ns);
            let all = [found.p50_ns, found.p90_ns, found.p99_ns, found.p999_ns];
            assert!(all.iter().all(|ns| *ns <= found.max_ns), "{found:?}");
            assert_eq!(found.max_ns, time_ns);
        }
    }
}
