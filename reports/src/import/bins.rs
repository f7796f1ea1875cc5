//! Bins: how many values another tool counted at each latency, as a histogram of ours.

use hdrhistogram::Histogram;

/// Digits of a histogram, as in runs of ours.
const SIGNIFICANT_DIGITS: u8 = 3;

/// A histogram without a value.
pub(super) fn empty() -> Histogram<u64> {
    let mut histogram =
        Histogram::new(SIGNIFICANT_DIGITS).expect("3 significant digits are allowed");
    histogram.auto(true);
    histogram
}

/// Counts by the latency that they are taken for, in ns, each `later_ns` later.
///
/// # Errors
///
/// More values than can be counted, or a latency of which there is no bin.
pub(super) fn histogram(
    bins: impl Iterator<Item = (u64, u64)>,
    later_ns: u64,
) -> Result<Histogram<u64>, String> {
    let (mut histogram, mut total) = (empty(), 0_u64);
    // One without values would count as the largest.
    for (value_ns, count) in bins.filter(|(_, count)| *count > 0) {
        total = total.checked_add(count).ok_or("bins hold more than can be counted")?;
        let value_ns = value_ns.saturating_add(later_ns);
        let recorded = histogram.record_n(value_ns, count);
        recorded.map_err(|_| format!("bins has {value_ns} ns, which is no latency"))?;
    }
    Ok(histogram)
}
