//! A record of a tracepoint, as perf_event_open(2) lays it out for the fields that are asked for.

/// A record.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sample<'a> {
    /// Process in whose context it happened.
    pub(super) tgid: u32,
    /// Its thread.
    pub(super) tid: u32,
    /// When, in ns of `CLOCK_MONOTONIC`.
    pub(super) time_ns: u64,
    /// The processor.
    pub(super) cpu: u32,
    /// The event, in the layout of its `format` file.
    pub(super) event: &'a [u8],
}

/// Where the fields are, from the end of a record's header: `PERF_SAMPLE_TID`, `_TIME`, `_CPU`, `_RAW`.
const TGID: usize = 0;
const TID: usize = 4;
const TIME: usize = 8;
const CPU: usize = 16;
const SIZE: usize = 24;
const EVENT: usize = 28;

impl Sample<'_> {
    /// Reads a record without its header; none if it is cut short.
    pub(super) fn parse(bytes: &[u8]) -> Option<Sample<'_>> {
        let size = usize::try_from(u32_at(bytes, SIZE)?).ok()?;
        Some(Sample {
            tgid: u32_at(bytes, TGID)?,
            tid: u32_at(bytes, TID)?,
            time_ns: u64_at(bytes, TIME)?,
            cpu: u32_at(bytes, CPU)?,
            event: bytes.get(EVENT..EVENT.checked_add(size)?)?,
        })
    }
}

/// The number of four bytes there.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// The number of eight bytes there.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Vec<u8> {
        let mut bytes = Vec::new();
        [7_u32, 8].iter().for_each(|it| bytes.extend(it.to_ne_bytes()));
        bytes.extend(9_u64.to_ne_bytes());
        [1_u32, 0, 4].iter().for_each(|it| bytes.extend(it.to_ne_bytes()));
        bytes.extend([1, 2, 3, 4]);
        bytes
    }

    #[test]
    fn fields_are_where_the_kernel_puts_them() {
        let bytes = record();
        let expected = Sample { tgid: 7, tid: 8, time_ns: 9, cpu: 1, event: &[1, 2, 3, 4] };
        assert_eq!(Sample::parse(&bytes), Some(expected));
    }

    #[test]
    fn a_record_that_is_cut_short_or_lies_about_its_size_is_none() {
        let bytes = record();
        for length in 0..bytes.len() {
            assert_eq!(Sample::parse(&bytes[..length]), None, "{length} bytes");
        }
        let mut lies = bytes;
        lies[SIZE..SIZE + 4].copy_from_slice(&u32::MAX.to_ne_bytes());
        assert_eq!(Sample::parse(&lies), None);
    }
}
