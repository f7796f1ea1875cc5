//! The text histograms of bpftrace and bcc as records: a run per histogram, which knows latencies by
//! the bucket that they fell into.
//!
//! bpftrace prints `@NAME[KEY]:` and lines of `[4, 8)  12 |@@@ |`, in which `K`, `M` and so on are
//! powers of 1,024; bcc prints a heading with the unit and lines of `4 -> 7 : 12 |*** |`. Formats:
//! <https://github.com/bpftrace/bpftrace/blob/master/docs/language.adoc>,
//! <https://github.com/iovisor/bcc/blob/master/docs/reference_guide.md>.

mod line;

use iowq_contract::{Caveat, Code, Kinds, Latency, Ops, Quantiles, Record, RunKey, Settings};

use crate::format::{clip, count};
use crate::import::histogram::line::Line;
use crate::import::unit::Unit;
use crate::import::{Import, bins, blank, names};

/// Fields above a heading that make the name of a histogram.
const FIELDS_MAX: usize = 4;

/// A histogram as it was printed.
#[derive(Debug, Default)]
struct Printed {
    tool: &'static str,
    name: String,
    unit: Option<Unit>,
    /// What a heading says that is no time.
    other_unit: Option<String>,
    /// Least value and the first that is too large, and how many there were.
    buckets: Vec<(u64, u64, u64)>,
    /// Values below 0, which are no latencies.
    negative: u64,
}

/// The runs in a text of bpftrace or of a tool of bcc. `workload` is what to call the only one, and
/// `unit` that of histograms which do not say theirs.
///
/// # Errors
///
/// A text without a histogram of times, one whose unit is not known, or several if one name was
/// given.
pub fn records(text: &[u8], workload: Option<&str>, unit: Option<Unit>) -> Result<Import, String> {
    let mut import = Import::default();
    let mut printed = printed(&String::from_utf8_lossy(text));
    printed.retain(|one| {
        let problem = match &one.other_unit {
            Some(other) => format!("is in {:?}, which is no time", clip(other, 20)),
            None if one.buckets.iter().all(|(_, _, count)| *count == 0) => "is empty".to_owned(),
            None => return true,
        };
        import.notes.push(format!("the histogram {:?} {problem}: skipped", blank::name(&one.name)));
        false
    });
    if printed.is_empty() {
        return Err("no histogram of latencies in it: bpftrace and bcc print lines such as \
                    `[4, 8) 12 |@@ |` and `4 -> 7 : 12 |** |`"
            .to_owned());
    }
    if let (Some(name), true) = (workload, printed.len() > 1) {
        return Err(format!(
            "{} histograms cannot all be the workload {:?}: leave --workload out, and each is \
             called by its own name",
            printed.len(),
            blank::name(name)
        ));
    }
    let own = printed.iter().map(|one| workload.unwrap_or(&one.name));
    let (names, notes) = names::of(own, "histograms");
    import.notes.extend(notes);
    for ((position, name), one) in (0..).zip(names).zip(&printed) {
        let found = one.unit.or(unit).ok_or_else(|| {
            format!("the histogram {name:?} does not say in which unit it is: add --unit")
        })?;
        import.records.push(record(name, position, one, found)?);
    }
    Ok(import)
}

fn record(name: String, position: u32, one: &Printed, unit: Unit) -> Result<Record, String> {
    let blank = blank::record(one.tool, "kernel");
    // A bucket of times in whole units begins at the first of them and ends before the next one.
    let middle = |least: u64, end: u64| unit.ns(least) / 2 + unit.ns(end) / 2;
    let middles = one.buckets.iter().map(|&(least, end, count)| (middle(least, end), count));
    let histogram =
        bins::histogram(middles, 0).map_err(|problem| format!("{name:?}: {problem}"))?;
    let mut caveats = vec![
        Caveat::new(
            Code::Imported,
            format!(
                "imported from {}: workers were not watched, and host, settings and length are \
                 unknown, so that there is no throughput; from when it counts is not said",
                one.tool
            ),
        ),
        Caveat::new(
            Code::BucketResolution,
            "latencies are the middles of the buckets that were printed, each of which may be twice \
             as long at its end as at its beginning: quantiles are known to within their bucket",
        ),
    ];
    if one.negative > 0 {
        let text = format!("{} below 0 left out", count(one.negative, "value", "values"));
        caveats.push(Caveat::new(Code::LatencyUnknown, text));
    }
    let mut all = Kinds::default();
    all.insert("all".to_owned(), Quantiles::of(&histogram));
    Ok(Record {
        settings: Settings {
            summary: format!("a histogram that {} printed, in {}", one.tool, unit.name()),
            ..blank::settings()
        }
        .into(),
        key: RunKey { workload: name, position, ..blank.key },
        ops: Ops { done: histogram.len(), ..Ops::default() },
        latency: Latency { response: all, ..Latency::default() },
        caveats,
        ..blank
    })
}

/// The histograms in a text, as they were printed.
fn printed(text: &str) -> Vec<Printed> {
    let mut reader = Reader::default();
    text.lines().for_each(|line| reader.line(line));
    reader.all
}

/// A text that is being read.
#[derive(Default)]
struct Reader {
    all: Vec<Printed>,
    /// What the line above said that a histogram is of.
    next: Option<Printed>,
    /// What a tool of bcc prints above a heading, such as the disk.
    fields: Vec<String>,
    /// Whether the last line was one of the last histogram.
    open: bool,
}

impl Reader {
    fn line(&mut self, line: &str) {
        match Line::of(line) {
            Line::Map { name, key } => {
                let unit = Unit::of(name);
                let name = if key.is_empty() { name.to_owned() } else { format!("{name}[{key}]") };
                self.begin(Printed { tool: "bpftrace", name, unit, ..Printed::default() });
            }
            Line::Heading { unit } => {
                let named = Unit::named(unit);
                self.begin(Printed {
                    tool: "bcc",
                    name: self.fields.join(" "),
                    unit: named,
                    other_unit: named.is_none().then(|| unit.to_owned()),
                    ..Printed::default()
                });
            }
            Line::Bucket { tool, least, end, count } => {
                if let Some(one) = self.of(tool) {
                    one.buckets.push((least, end, count));
                }
            }
            Line::Negative { count } => {
                if let Some(one) = self.of("bpftrace") {
                    one.negative = one.negative.saturating_add(count);
                }
            }
            Line::Field { value } => {
                self.open = false;
                self.fields.push(clip(value, blank::NAME_CHARS_MAX));
                self.fields.truncate(FIELDS_MAX);
            }
            Line::Other => self.open = false,
        }
    }

    fn begin(&mut self, next: Printed) {
        self.next = Some(next);
        self.fields.clear();
        self.open = false;
    }

    /// The histogram that a line belongs to, if what is above it says that there is one.
    fn of(&mut self, tool: &str) -> Option<&mut Printed> {
        if let Some(next) = self.next.take_if(|next| next.tool == tool) {
            self.all.push(next);
            self.open = true;
        }
        self.all.last_mut().filter(|one| self.open && one.tool == tool)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As bpftrace 0.16 prints `hist`, `lhist` and a map with keys.
    const BPFTRACE: &str = "\
Attaching 3 probes...

@started: 7

@us[fsync, 8]:
[0]                    1 |@                                                   |
[1]                    0 |                                                    |
[2, 4)                 9 |@@@@@@@@@                                           |
[1K, 2K)              90 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|

@lat_ms:
(..., 0)               2 |@@                                                  |
[0, 10)                5 |@@@@@                                               |
[100, ...)             1 |@                                                   |

@bytes:
[4K, 8K)               3 |@@@                                                 |
";

    /// As biolatency of bcc prints one for each disk.
    const BCC: &str = "\
Tracing block device I/O... Hit Ctrl-C to end.
^C

disk = 'vda'
     usecs               : count     distribution
         0 -> 1          : 0        |                                        |
         2 -> 3          : 10       |****                                    |
         4 -> 7          : 90       |****************************************|

disk = 'vdb'
     kbytes              : count     distribution
         4 -> 7          : 90       |****************************************|
";

    fn taken(text: &str, unit: Option<Unit>) -> Import {
        records(text.as_bytes(), None, unit).expect("there are histograms")
    }

    #[test]
    fn each_map_of_bpftrace_is_a_run_whose_latencies_are_middles_of_buckets() {
        let import = taken(BPFTRACE, Some(Unit::Ns));
        let names: Vec<&str> = import.records.iter().map(|run| run.key.workload.as_str()).collect();
        assert_eq!(names, ["us[fsync, 8]", "lat_ms", "bytes"]);
        let [first, second, third] = &import.records[..] else { panic!("three histograms") };
        let all = &first.latency.response["all"];
        assert_eq!((first.ops.done, all.count), (100, 100));
        assert!((all.p50_ns as f64 / 1_536_000.0 - 1.0).abs() < 0.001, "{}", all.p50_ns);
        assert_eq!((&*first.key.engine, &*first.key.policy), ("bpftrace", "kernel"));
        assert_eq!((second.ops.done, third.ops.done), (6, 3));
        assert!(second.caveats.iter().any(|it| it.text == "2 values below 0 left out"));
        assert!(third.latency.response["all"].p50_ns < 8_192, "its unit is what was given");
        assert!(first.caveats.iter().any(|it| it.code == Code::BucketResolution));
    }

    #[test]
    fn what_is_not_known_of_a_histogram_is_unknown() {
        let run = &taken(BPFTRACE, Some(Unit::Ns)).records[0];
        assert_eq!((run.workers.peak, run.duration_ns, &*run.started), (None, 0, "unknown"));
        assert_eq!(crate::runs::metric::Metric::OpsPerS.value(run), None);
    }

    #[test]
    fn a_unit_that_is_not_said_is_asked_for_and_a_size_is_no_time() {
        let problem = records(BPFTRACE.as_bytes(), None, None).expect_err("bytes are no time");
        assert!(problem.contains("\"bytes\" does not say in which unit it is"), "{problem}");
        let import = taken(BCC, None);
        assert_eq!(
            import.notes,
            ["the histogram \"vdb\" is in \"kbytes\", which is no time: skipped"]
        );
        let [run] = &import.records[..] else { panic!("one is of times") };
        assert_eq!((&*run.key.workload, &*run.key.engine, run.ops.done), ("vda", "bcc", 100));
        assert!((run.latency.response["all"].p50_ns as f64 / 6_000.0 - 1.0).abs() < 0.001);
    }

    #[test]
    fn histograms_of_one_name_stay_apart_because_they_may_hold_the_same_values() {
        let import = taken(&BCC.repeat(2), None);
        let names: Vec<&str> = import.records.iter().map(|it| it.key.workload.as_str()).collect();
        assert_eq!(names, ["vda#1", "vda#2"]);
        assert!(import.notes.iter().any(|note| note.starts_with("2 histograms are named \"vda\"")));
        assert!(records(BCC.repeat(2).as_bytes(), Some("mine"), None).is_err());
    }

    #[test]
    fn a_text_without_a_histogram_is_refused() {
        for text in ["", "[4, 8) 12 |@@ |\n", "@us: 7\n", "@us:\n"] {
            let problem = records(text.as_bytes(), None, None).expect_err("it was taken");
            assert!(problem.starts_with("no histogram of latencies in it"), "{problem}");
        }
    }
}
