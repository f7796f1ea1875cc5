//! HdrHistogram's interval log as records: a run per tag, with the intervals of it added up.
//!
//! Such a log says neither what was timed nor from when; its values are nanoseconds unless told
//! otherwise, and stand as response times. In a log that `iowq export` wrote, a tag ends with clock
//! and kind of operation, which are taken from it. Format:
//! <https://github.com/HdrHistogram/HdrHistogram>, encoding V2.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::ZlibDecoder;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::interval_log::{
    IntervalLogHistogram, IntervalLogIterator, LogEntry, LogIteratorError,
};
use iowq_contract::{Caveat, Code, Ops, Quantiles, Record, RunKey, Settings, decode_histogram};

use crate::format::{clip, count};
use crate::import::unit::Unit;
use crate::import::{Import, bins, blank, names};

/// Cookie and length in front of what is deflated.
const HEADER_BYTES: usize = 8;

/// The cookie of what is deflated, and of what is not.
const COOKIES: [u32; 2] = [0x1c84_9314, 0x1c84_9313];

/// The largest histogram: five digits over all of 64 bits are some 60 MB if no bucket is empty.
const INFLATED_BYTES_MAX: u64 = 64 << 20;

/// Clocks in the tags of `iowq export`.
const CLOCKS: [&str; 2] = ["response", "service"];

/// Times that begin more than a year before the log does count from there.
const YEAR: Duration = Duration::from_secs(365 * 24 * 3_600);

/// The intervals of one tag, clock and kind.
struct Sum {
    histogram: Histogram<u64>,
    length: Duration,
    intervals: u64,
}

/// The intervals of one workload.
#[derive(Default)]
struct Run {
    sums: BTreeMap<(&'static str, String), Sum>,
    began: Option<Duration>,
}

/// The runs in an interval log. `workload` is what to call the only one.
///
/// # Errors
///
/// An invalid line, a histogram that cannot be decoded, or a log without an interval.
pub fn records(text: &[u8], workload: Option<&str>, unit: Option<Unit>) -> Result<Import, String> {
    let unit = unit.unwrap_or(Unit::Ns);
    let mut import = Import::default();
    let runs = runs(text, unit, &mut import.notes)?;
    if runs.is_empty() {
        return Err("no interval in it: a log of HdrHistogram has lines of a start, a length, a \
                    largest value and a histogram in base64"
            .to_owned());
    }
    if let (Some(name), true) = (workload, runs.len() > 1) {
        return Err(format!(
            "{} tags cannot all be the workload {:?}: leave --workload out, and each is called by \
             its own name",
            runs.len(),
            blank::name(name)
        ));
    }
    let (names, notes) = names::of(runs.keys().map(|tag| workload.unwrap_or(tag)), "tags");
    import.notes.extend(notes);
    for ((position, name), run) in (0..).zip(names).zip(runs.values()) {
        import.records.push(record(name, position, run, unit));
    }
    Ok(import)
}

fn runs(text: &[u8], unit: Unit, notes: &mut Vec<String>) -> Result<BTreeMap<String, Run>, String> {
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    if whole < text.len() {
        notes.push("the last line is cut off and was skipped".to_owned());
    }
    let (mut runs, mut base, mut start) = (BTreeMap::<String, Run>::new(), None, None);
    for (at, entry) in (1_u64..).zip(IntervalLogIterator::new(&text[..whole])) {
        match entry {
            Ok(LogEntry::StartTime(time)) => start = Some(time),
            Ok(LogEntry::BaseTime(time)) => base = Some(time),
            Ok(LogEntry::Interval(interval)) => {
                let histogram = decode(interval.encoded_histogram())
                    .map_err(|problem| format!("entry {at}: {problem}"))?;
                add(&mut runs, &interval, &histogram, unit)
                    .map_err(|problem| format!("entry {at}: {problem}"))?;
                let own = interval.start_timestamp();
                let early = start.is_some_and(|start: Duration| own.saturating_add(YEAR) < start);
                let from = base.or(start.filter(|_| early)).unwrap_or_default();
                let began = from.checked_add(own);
                let (tag, ..) = parts(&interval);
                if let Some(run) = runs.get_mut(&tag) {
                    run.began = run.began.or(began);
                }
            }
            Err(LogIteratorError::ParseError { offset }) => {
                let line = text.iter().take(offset).filter(|byte| **byte == b'\n').count() + 1;
                return Err(format!("line {line} does not belong in a log of HdrHistogram"));
            }
        }
    }
    Ok(runs)
}

/// Workload, clock and kind of an interval.
fn parts(interval: &IntervalLogHistogram<'_>) -> (String, &'static str, String) {
    let tag = interval.tag().map_or("untagged", |tag| tag.as_str());
    let mut parts = tag.rsplitn(3, '/');
    if let (Some(kind), Some(clock), Some(run)) = (parts.next(), parts.next(), parts.next())
        && let Some(clock) = CLOCKS.into_iter().find(|known| *known == clock)
    {
        return (run.to_owned(), clock, clip(kind, blank::NAME_CHARS_MAX));
    }
    (tag.to_owned(), CLOCKS[0], "all".to_owned())
}

fn add(
    runs: &mut BTreeMap<String, Run>,
    interval: &IntervalLogHistogram<'_>,
    histogram: &Histogram<u64>,
    unit: Unit,
) -> Result<(), String> {
    let (tag, clock, kind) = parts(interval);
    let sum = runs.entry(tag).or_default().sums.entry((clock, kind)).or_insert_with(|| Sum {
        histogram: bins::empty(),
        length: Duration::ZERO,
        intervals: 0,
    });
    let bins = histogram.iter_recorded();
    let bins = bins.map(|bin| (unit.ns(bin.value_iterated_to()), bin.count_at_value()));
    let own = bins::histogram(bins, 0)?;
    if sum.histogram.len().checked_add(own.len()).is_none() {
        return Err("more values than can be counted".to_owned());
    }
    sum.histogram.add(&own).map_err(|error| error.to_string())?;
    sum.length = sum.length.saturating_add(interval.duration());
    sum.intervals += 1;
    Ok(())
}

/// A histogram as a log has it: in base64, and as a rule deflated.
fn decode(text: &str) -> Result<Histogram<u64>, String> {
    let bytes = STANDARD.decode(text).map_err(|error| format!("not base64: {error}"))?;
    let cookie = bytes.first_chunk().map_or(0, |first| u32::from_be_bytes(*first));
    let inflated;
    let plain = match COOKIES.iter().position(|known| *known == cookie) {
        Some(0) => {
            let deflated = bytes.get(HEADER_BYTES..).unwrap_or_default();
            let mut all = Vec::new();
            ZlibDecoder::new(deflated)
                .take(INFLATED_BYTES_MAX)
                .read_to_end(&mut all)
                .map_err(|error| format!("cannot be inflated: {error}"))?;
            inflated = all;
            &inflated
        }
        Some(_) => &bytes,
        None => return Err("not of encoding V2, which writers since 2016 use".to_owned()),
    };
    decode_histogram(plain).ok_or_else(|| "not a histogram of whole numbers".to_owned())
}

fn record(name: String, position: u32, run: &Run, unit: Unit) -> Record {
    let blank = blank::record("hlog", "hlog");
    let mut latency = blank.latency;
    for ((clock, kind), sum) in &run.sums {
        let kinds = if *clock == CLOCKS[0] { &mut latency.response } else { &mut latency.service };
        kinds.insert(kind.clone(), Quantiles::of(&sum.histogram));
    }
    let length = run.sums.values().map(|sum| sum.length).max().unwrap_or_default();
    let duration_ns = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
    let done = run.sums.values().map(|sum| sum.histogram.len()).max().unwrap_or(0);
    let per_s = if duration_ns == 0 { 0.0 } else { done as f64 * 1e9 / duration_ns as f64 };
    let intervals = run.sums.values().map(|sum| sum.intervals).max().unwrap_or(0);
    let text = format!(
        "imported from an interval log of HdrHistogram: workers were not watched, host and settings \
         are unknown, {} added up, values taken as {}, and what they are times of is not said",
        count(intervals, "interval is", "intervals are"),
        unit.name()
    );
    let summary = format!("an interval log of HdrHistogram, {}", clip(&name, 60));
    Record {
        started: run.began.map_or(blank.started, started),
        duration_ns,
        key: RunKey { workload: name, position, ..blank.key },
        settings: Settings { summary, ..blank::settings() }.into(),
        ops: Ops { done, per_s, ..Ops::default() },
        latency,
        caveats: vec![Caveat::new(Code::Imported, text)],
        ..blank
    }
}

/// Times near 1970 count from the start of a process.
fn started(at: Duration) -> String {
    let at = i64::try_from(at.as_millis()).ok().filter(|_| at > YEAR);
    let at = at.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    at.map_or_else(|| blank::UNKNOWN.to_owned(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use iowq_sample as sample;

    use super::*;
    use crate::export;
    use crate::runs::histogram::Clock;

    fn ours() -> (Vec<Record>, String) {
        let runs: Vec<Record> = (0..2).map(|round| sample::run("nop", "6.12", round)).collect();
        let text = export::hlog::text(&runs, &|run| Ok(Cow::Borrowed(run)));
        let text = text.expect("memory is read");
        (runs, text)
    }

    #[test]
    fn what_export_wrote_is_read_back_with_its_clocks_and_kinds() {
        let (runs, text) = ours();
        let import = records(text.as_bytes(), None, None).expect("it is a log");
        let [run] = &import.records[..] else { panic!("both are of one workload") };
        assert_eq!(run.key.workload, "nop/6.12/pool");
        for clock in Clock::ALL {
            for (kind, sum) in clock.of(run).iter() {
                let own = || runs.iter().map(|run| &clock.of(run)[kind.as_str()]);
                assert_eq!(sum.count, own().map(|one| one.count).sum::<u64>(), "{kind}");
                assert_eq!(Some(sum.max_ns), own().map(|one| one.max_ns).max(), "{kind}");
            }
        }
        assert_eq!(run.started[..10], runs[0].started[..10]);
        assert!(run.caveats[0].text.contains("2 intervals are added up"));
        assert_eq!(run.workers.peak, None);
    }

    #[test]
    fn a_log_of_others_is_one_run_per_tag_in_the_unit_that_is_said() {
        let (_, text) = ours();
        let last = text.lines().last().expect("there is one");
        let fields = last.split_once(',').expect("a tag comes first").1;
        let log = format!("{fields}\nTag=reads,{fields}\n{fields}\n");
        let import = records(log.as_bytes(), None, Some(Unit::Us)).expect("it is a log");
        let names: Vec<&str> = import.records.iter().map(|it| it.key.workload.as_str()).collect();
        assert_eq!(names, ["reads", "untagged"]);
        let [one, two] = &import.records[..] else { panic!("two tags") };
        assert_eq!(one.ops.done * 2, two.ops.done);
        let in_ns = records(log.as_bytes(), None, None).expect("it is a log");
        let median = |run: &Record| run.latency.response["all"].p50_ns as f64;
        assert!((median(one) / median(&in_ns.records[0]) / 1_000.0 - 1.0).abs() < 0.002);
        assert!(one.latency.service.is_empty());
    }

    #[test]
    fn a_last_line_that_is_cut_off_is_skipped_and_any_other_that_is_no_interval_is_refused() {
        let (_, text) = ours();
        let import = records(&text.as_bytes()[..text.len() - 9], None, None).expect("a log");
        assert_eq!(import.notes, ["the last line is cut off and was skipped"]);
        let rows = [
            (String::new(), "no interval in it"),
            (text.replacen("HISTF", "AISTF", 1), "entry 3: not of encoding V2"),
            (text.replacen("HISTF", "%ISTF", 1), "entry 3: not base64"),
            (format!("{text}hello\n"), "does not belong in a log of HdrHistogram"),
        ];
        for (text, words) in rows {
            let problem = records(text.as_bytes(), None, None).expect_err("it was taken");
            assert!(problem.contains(words), "{words:?} is not in {problem:?}");
        }
    }

    #[test]
    fn what_inflates_to_more_than_a_histogram_is_refused() {
        let mut bytes = vec![0x1c, 0x84, 0x93, 0x14, 0, 0, 0, 0];
        let mut deflated = flate2::write::ZlibEncoder::new(&mut bytes, flate2::Compression::fast());
        let zeros = vec![0; 1 << 20];
        for _ in 0..100 {
            std::io::Write::write_all(&mut deflated, &zeros).expect("memory is written");
        }
        deflated.finish().expect("memory is written");
        let log = format!("0.0,1.0,1.0,{}\n", STANDARD.encode(&bytes));
        assert!(records(log.as_bytes(), None, None).is_err());
    }
}
