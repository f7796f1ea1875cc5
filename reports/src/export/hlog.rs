//! HdrHistogram's interval log: one interval per run, clock and kind of operation.
//!
//! Format: the writer of the `hdrhistogram` crate, which writes what `HistogramLogReader` of
//! <https://github.com/HdrHistogram/HdrHistogram> reads: V2 encoding, deflated, in base64. Values
//! are nanoseconds; the column of maxima is in milliseconds, as that format's own tools have it.
//! The tag says whose interval it is: `WORKLOAD/POLICY/ENGINE/CLOCK/KIND`.

use std::io;
use std::time::{Duration, SystemTime};

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use iowq_contract::Record;
use jiff::Timestamp;

use crate::export::run::{Whole, finished, name, started};
use crate::runs::histogram::Clock;
use crate::runs::hosts::Hosts;

/// Nanoseconds in a millisecond, the unit of the column of maxima.
const MAX_VALUE_DIVISOR: f64 = 1e6;

/// The histograms of the runs, in order of time. Runs of a fidelity grid keep none.
pub fn text(records: &[Record], whole: Whole<'_>) -> io::Result<String> {
    let mut runs: Vec<&Record> = finished(records).collect();
    runs.sort_by_key(|record| started(record));
    let base = runs.iter().find_map(|record| started(record)).unwrap_or(Timestamp::UNIX_EPOCH);
    let mut bytes = Vec::new();
    write(&runs, whole, base, &mut bytes)?;
    Ok(String::from_utf8(bytes).unwrap_or_default())
}

fn write(
    runs: &[&Record],
    whole: Whole<'_>,
    base: Timestamp,
    bytes: &mut Vec<u8>,
) -> io::Result<()> {
    let hosts = Hosts::of(runs.iter().copied());
    let mut serializer = V2DeflateSerializer::new();
    let start = SystemTime::from(base.max(Timestamp::UNIX_EPOCH));
    let mut log = IntervalLogWriterBuilder::new()
        .add_comment("[Histogram log format version 1.3]")
        .with_start_time(start)
        .with_base_time(start)
        .with_max_value_divisor(MAX_VALUE_DIVISOR)
        .begin_log_with(bytes, &mut serializer)?;
    for record in runs {
        let since = started(record).map_or(0, |at| at.duration_since(base).as_millis());
        let since = Duration::from_millis(u64::try_from(since).unwrap_or(0));
        let length = Duration::from_nanos(record.duration_ns);
        let whole = whole(record)?;
        for (clock, word) in [(Clock::Response, "response"), (Clock::Service, "service")] {
            for (kind, quantiles) in clock.of(&whole).iter() {
                let tag = tag(&format!("{}/{word}/{kind}", name(record, &hosts)));
                if let Some(histogram) = quantiles.histogram() {
                    // Writing to memory fails only where one cannot be encoded: it is left out.
                    let _ = log.write_histogram(&histogram, since, length, Tag::new(&tag));
                }
            }
        }
    }
    Ok(())
}

/// A tag as the format allows one: no comma and no space.
fn tag(text: &str) -> String {
    let apart = |letter: char| letter.is_whitespace() || letter.is_control() || letter == ',';
    text.replace(apart, "_")
}
