//! Metrics of a run: one table of what they are called, how they are read, and what of them counts.

use iowq_contract::{Code, Quantiles, Record, Tier};

use crate::format;
use crate::runs::sample_size::{self, P50_PPB, P90_PPB, P99_PPB, P999_PPB};
use crate::runs::{births, linger};

/// How an effect is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// ln(test / base).
    Ratio,
    /// test - base, for counts that can be zero.
    Difference,
}

/// A metric of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Measured ops per second. More is better; in all others less is.
    OpsPerS,
    /// Response time, median.
    ResponseP50,
    /// Response time, 90th percentile.
    ResponseP90,
    /// Response time, 99th percentile.
    ResponseP99,
    /// Response time, 99.9th percentile.
    ResponseP999,
    /// Processor time per op.
    CpuPerOp,
    /// Workers created per 1000 ops.
    CreatedPer1000,
    /// Workers created per second.
    BornPerS,
    /// Most workers alive.
    Peak,
    /// Service time, median.
    ServiceP50,
    /// How long the last worker outlived the last ring, or at least did.
    Linger,
}

/// Named before any run, and few: each one more makes it harder for all to show anything. Others
/// decide if times are not to be trusted, see [`crate::compare::decide::Decides`].
pub const PRIMARY: [Metric; 6] = [
    Metric::OpsPerS,
    Metric::ResponseP50,
    Metric::ResponseP99,
    Metric::ResponseP999,
    Metric::CpuPerOp,
    Metric::CreatedPer1000,
];

/// Shown in comparisons, and never a reason for a verdict there.
pub const ADVISORY: [Metric; 4] =
    [Metric::BornPerS, Metric::Peak, Metric::ServiceP50, Metric::Linger];

/// Smallest difference in workers per 1000 ops that counts.
const CREATED_DIFFERENCE_MIN: f64 = 0.5;

/// Smallest difference in workers per second that counts: one more in a run of a second.
const BORN_DIFFERENCE_MIN: f64 = 1.0;

/// Smallest difference in workers alive that counts: one worker is the step of this metric.
const PEAK_DIFFERENCE_MIN: f64 = 1.0;

/// Smallest difference in how long the last worker stays, in milliseconds: the kernel's timers
/// are no finer than some milliseconds.
const LINGER_DIFFERENCE_MS_MIN: f64 = 10.0;

/// An effect of so many percent is shown as a factor.
const PERCENT_MAX: f64 = 99_999.5;

/// A trace that polls `/proc` sees no ops, and an imported histogram no time: that is not 0.
fn ops_per_s(run: &Record) -> Result<f64, String> {
    let is_live = run.caveats.iter().any(|it| it.code == Code::Live);
    if is_live && run.probe.tier == Tier::Proc {
        return Err("a trace that polls /proc sees no operations".to_owned());
    }
    let known = (run.duration_ns > 0).then_some(run.ops.per_s);
    Ok(known.ok_or("it is not known how long it took")?)
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// A plain number.
    Number,
    /// Nanoseconds of an operation.
    Latency,
    /// Nanoseconds of a processor.
    Nanoseconds,
    /// Milliseconds.
    Milliseconds,
}

/// All that is known of a metric.
pub(crate) struct Row {
    metric: Metric,
    /// In JSON and in test results.
    key: &'static str,
    /// In a table with little room.
    name: &'static str,
    /// Above a column.
    pub(crate) label: &'static str,
    /// In a sentence.
    title: &'static str,
    unit: Unit,
    /// Smallest difference that counts; a ratio if there is none.
    difference_min: Option<f64>,
    /// As a unit of Go's benchmark format, and decimals there.
    pub(crate) benchstat: Option<(&'static str, usize)>,
    /// As a measure of Bencher's.
    pub(crate) bmf: Option<&'static str>,
    /// The value, or why a run has none.
    read: fn(&Record) -> Result<f64, String>,
}

/// The table, in the order of [`Metric`].
const ROWS: [Row; Metric::COUNT] = [
    Row {
        metric: Metric::OpsPerS,
        key: "ops_per_s",
        name: "ops/s",
        label: "ops/s",
        title: "throughput",
        unit: Unit::Number,
        difference_min: None,
        benchstat: Some(("ops/s", 3)),
        bmf: Some("throughput"),
        read: ops_per_s,
    },
    Row {
        metric: Metric::ResponseP50,
        key: "response_p50",
        name: "p50",
        label: "p50",
        title: "response p50",
        unit: Unit::Latency,
        difference_min: None,
        benchstat: Some(("p50-response-ns", 0)),
        bmf: Some("latency"),
        read: |run| response(run, P50_PPB, |all| all.p50_ns),
    },
    Row {
        metric: Metric::ResponseP90,
        key: "response_p90",
        name: "p90",
        label: "p90",
        title: "response p90",
        unit: Unit::Latency,
        difference_min: None,
        benchstat: None,
        bmf: None,
        read: |run| response(run, P90_PPB, |all| all.p90_ns),
    },
    Row {
        metric: Metric::ResponseP99,
        key: "response_p99",
        name: "p99",
        label: "p99",
        title: "response p99",
        unit: Unit::Latency,
        difference_min: None,
        benchstat: Some(("p99-response-ns", 0)),
        bmf: Some("response-p99"),
        read: |run| response(run, P99_PPB, |all| all.p99_ns),
    },
    Row {
        metric: Metric::ResponseP999,
        key: "response_p999",
        name: "p99.9",
        label: "p99.9",
        title: "response p99.9",
        unit: Unit::Latency,
        difference_min: None,
        benchstat: Some(("p999-response-ns", 0)),
        bmf: Some("response-p999"),
        read: |run| response(run, P999_PPB, |all| all.p999_ns),
    },
    Row {
        metric: Metric::CpuPerOp,
        key: "cpu_per_op",
        name: "cpu/op",
        label: "processor time per op",
        title: "processor time per op",
        unit: Unit::Nanoseconds,
        difference_min: None,
        benchstat: Some(("cpu-ns/op", 1)),
        bmf: Some("cpu-time-per-op"),
        read: |run| match run.ops.cpu_ns {
            Some(cpu_ns) if run.ops.done > 0 => Ok(cpu_ns as f64 / run.ops.done as f64),
            _ => Err("the record has no processor time".to_owned()),
        },
    },
    Row {
        metric: Metric::CreatedPer1000,
        key: "created_per1000",
        name: "created/1000",
        label: "created per 1000 ops",
        title: "workers created per 1000 ops",
        unit: Unit::Number,
        difference_min: Some(CREATED_DIFFERENCE_MIN),
        benchstat: Some(("workers/1000ops", 4)),
        bmf: Some("workers-per-1000-ops"),
        read: |run| {
            let why = "workers were not counted, or nothing was done";
            Ok(run.workers.created_per_1000_ops.ok_or(why)?)
        },
    },
    Row {
        metric: Metric::BornPerS,
        key: "born_per_s",
        name: "born/s",
        label: "born per second",
        title: "workers created per second",
        unit: Unit::Number,
        difference_min: Some(BORN_DIFFERENCE_MIN),
        benchstat: Some(("workers/s", 4)),
        bmf: Some("workers-per-second"),
        read: |run| Ok(births::per_s(run).ok_or("workers were not counted")?),
    },
    Row {
        metric: Metric::Peak,
        key: "peak",
        name: "peak",
        label: "peak workers",
        title: "most workers alive",
        unit: Unit::Number,
        difference_min: Some(PEAK_DIFFERENCE_MIN),
        benchstat: None,
        bmf: None,
        read: |run| {
            // Older records have 0 if nothing counted.
            let counted = |peak: &u32| *peak > 0 || run.workers.created.best().is_some();
            let peak = run.workers.peak.filter(counted).ok_or("workers were not counted")?;
            Ok(f64::from(peak))
        },
    },
    Row {
        metric: Metric::ServiceP50,
        key: "service_p50",
        name: "service p50",
        label: "service p50",
        title: "service p50",
        unit: Unit::Latency,
        difference_min: None,
        benchstat: None,
        bmf: None,
        read: |run| quantile(run.latency.service.get("all"), P50_PPB, |all| all.p50_ns),
    },
    Row {
        metric: Metric::Linger,
        key: "linger",
        name: "linger",
        label: "linger",
        title: "stay of the last worker",
        unit: Unit::Milliseconds,
        difference_min: Some(LINGER_DIFFERENCE_MS_MIN),
        benchstat: None,
        bmf: None,
        read: linger::value,
    },
];

impl Metric {
    /// How many there are.
    pub const COUNT: usize = 11;

    /// All of them, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|row| row.metric)
    }

    /// All that is known of it.
    pub(crate) fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// How its effects are measured.
    pub fn scale(self) -> Scale {
        self.row().difference_min.map_or(Scale::Ratio, |_| Scale::Difference)
    }

    /// Whether more of it is worse.
    pub fn more_is_worse(self) -> bool {
        self != Self::OpsPerS
    }

    /// Whether it is a time that an operation took.
    pub fn is_latency(self) -> bool {
        self.row().unit == Unit::Latency
    }

    /// Its name in JSON and in test results.
    pub fn key(self) -> &'static str {
        self.row().key
    }

    /// Its name in a table.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Its name in a sentence.
    pub fn title(self) -> &'static str {
        self.row().title
    }

    /// A value of it, with its unit.
    pub fn show(self, value: f64) -> String {
        match self.row().unit {
            Unit::Number => format::number(value),
            Unit::Latency | Unit::Nanoseconds => format::duration(value),
            Unit::Milliseconds => format::duration(value * 1e6),
        }
    }

    /// An effect on its scale with a sign: `+4.2 %`, `-14.5`, and `×1.2e9` if a share would have too
    /// many digits.
    pub fn show_effect(self, effect: f64) -> String {
        let sign = if effect < 0.0 { "-" } else { "+" };
        match self.scale() {
            Scale::Difference => format!("{sign}{}", self.show(effect.abs())),
            Scale::Ratio => {
                let percent = effect.exp_m1().abs() * 100.0;
                if percent >= PERCENT_MAX {
                    return factor(effect);
                }
                let decimals = usize::from(percent < 99.95);
                format!("{sign}{percent:.decimals$}\u{a0}%")
            }
        }
    }

    /// An effect of either direction, such as a threshold: `5 %`.
    pub fn show_size(self, size: f64) -> String {
        self.show_effect(size.abs()).trim_start_matches('+').to_owned()
    }

    /// Both ends of an interval: `+8.1 % to +15.0 %`.
    pub fn show_interval(self, (low, high): (f64, f64)) -> String {
        format!("{} to {}", self.show_effect(low), self.show_effect(high))
    }

    /// Its value in a run, if the run has one.
    pub fn value(self, run: &Record) -> Option<f64> {
        (self.row().read)(run).ok()
    }

    /// Its value in a run that is to be compared.
    ///
    /// # Errors
    ///
    /// Why the run has none, for a reader.
    pub fn of(self, run: &Record) -> Result<f64, String> {
        let value = (self.row().read)(run)?;
        if self.scale() == Scale::Ratio && value <= 0.0 {
            return Err("it is 0, which has no ratio to anything".to_owned());
        }
        Ok(value)
    }

    /// Smallest effect that counts, on the scale of the metric. `share` is what was asked for,
    /// such as 0.05. A difference counts from that share of the base's median on, and never
    /// below an amount that means something by itself.
    pub fn threshold(self, share: f64, base_median: Option<f64>) -> f64 {
        match self.row().difference_min {
            Some(least) => (base_median.unwrap_or(0.0) * share).max(least),
            None => share.ln_1p(),
        }
    }
}

/// `×1.2e9` for the logarithm of a factor, which may be larger than any number.
fn factor(ln: f64) -> String {
    let log10 = ln / std::f64::consts::LN_10;
    // What is rounded up to 10.0 is one more in the exponent.
    let shown = format!("{:.1e}", 10_f64.powf(log10.fract()));
    let digits = shown.split('e').next().unwrap_or_default();
    format!("×{digits}e{:.0}", log10.floor() + f64::from(u8::from(shown.ends_with("e1"))))
}

/// A quantile of all response times.
fn response(run: &Record, beyond_ppb: u64, read: fn(&Quantiles) -> u64) -> Result<f64, String> {
    quantile(run.latency.response.get("all"), beyond_ppb, read)
}

/// A quantile with that share of the samples beyond it, if these are enough.
fn quantile(
    all: Option<&Quantiles>,
    beyond_ppb: u64,
    read: fn(&Quantiles) -> u64,
) -> Result<f64, String> {
    let count = all.map_or(0, |all| all.count);
    match all {
        Some(all) if sample_size::is_sure(count, beyond_ppb) => Ok(read(all) as f64),
        _ => {
            // In full: three digits would make 99,960 what is needed.
            let needed = format::count(sample_size::count_min(beyond_ppb), "op", "ops");
            let count = format::thousands(count);
            Err(format!("it needs {needed} per run, and a run has {count}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use iowq_contract::{Caveat, Counts};
    use iowq_sample as sample;

    use super::*;

    #[test]
    fn a_quantile_with_less_than_100_samples_beyond_it_is_no_number() {
        let mut record = sample::run("dsync", "6.12", 0);
        for (count, p999) in [(100_000, true), (99_999, false)] {
            record.latency.response.get_mut("all").expect("it has one").count = count;
            assert_eq!(Metric::ResponseP999.of(&record).is_ok(), p999);
            assert!(Metric::ResponseP99.of(&record).is_ok());
        }
        record.latency.response.clear();
        assert_eq!(
            Metric::ResponseP50.of(&record),
            Err("it needs 200 ops per run, and a run has 0".to_owned())
        );
    }

    #[test]
    fn nothing_done_is_no_throughput_and_no_processor_time_per_op() {
        let mut record = sample::run("dsync", "6.12", 0);
        assert_eq!(Metric::CpuPerOp.of(&record), Ok(20_000.0));
        (record.ops.done, record.ops.per_s) = (0, 0.0);
        assert!(Metric::CpuPerOp.of(&record).is_err());
        assert!(Metric::OpsPerS.of(&record).is_err());
    }

    #[test]
    fn a_trace_by_polling_has_no_throughput_rather_than_one_of_0() {
        let mut record = sample::run("dsync", "6.12", 0);
        record.caveats.push(Caveat::new(Code::Live, "a live system"));
        assert!((Metric::OpsPerS.row().read)(&record).is_ok());
        record.probe.tier = Tier::Proc;
        assert!((Metric::OpsPerS.row().read)(&record).is_err());
    }

    #[test]
    fn a_peak_of_workers_that_nobody_counted_is_no_number() {
        let mut record = sample::run("dsync", "6.12", 0);
        (record.workers.peak, record.workers.created) = (Some(0), Counts::default());
        assert!(Metric::Peak.of(&record).is_err());
        record.workers.created.engine = Some(0);
        assert_eq!(Metric::Peak.of(&record), Ok(0.0));
    }

    #[test]
    fn few_workers_more_or_less_do_not_count_however_few_there_were() {
        let threshold = |median| Metric::CreatedPer1000.threshold(0.05, median);
        assert_eq!((threshold(Some(100.0)), threshold(Some(0.2))), (5.0, 0.5));
        assert_eq!(Metric::OpsPerS.threshold(0.05, Some(7.0)), 0.05_f64.ln_1p());
    }

    #[test]
    fn effects_are_shown_with_their_sign() {
        let rows = [
            (Metric::OpsPerS, 1.042_f64.ln(), "+4.2\u{a0}%"),
            (Metric::OpsPerS, 0.958_f64.ln(), "-4.2\u{a0}%"),
            (Metric::OpsPerS, 1e308_f64.ln() - 1e-300_f64.ln(), "×1.0e608"),
            (Metric::OpsPerS, 1e-300_f64.ln() - 1e308_f64.ln(), "-100\u{a0}%"),
            (Metric::ResponseP99, 3.0_f64.ln(), "+200\u{a0}%"),
            (Metric::CreatedPer1000, -14.5, "-14.5"),
            (Metric::Linger, -4_990.0, "-4.99\u{a0}s"),
        ];
        for (metric, effect, text) in rows {
            assert_eq!(metric.show_effect(effect), text);
        }
    }

    #[test]
    fn thresholds_have_no_sign_and_intervals_have_two() {
        let metric = Metric::ResponseP99;
        assert_eq!(metric.show_size(1.05_f64.ln()), "5.0\u{a0}%");
        let ends = (0.9_f64.ln(), 0.1);
        assert_eq!(metric.show_interval(ends), "-10.0\u{a0}% to +10.5\u{a0}%");
    }

    #[test]
    fn the_table_is_in_the_order_of_the_metrics_and_has_their_names_of_json() {
        assert_eq!(Metric::all().count(), Metric::COUNT);
        for (at, metric) in Metric::all().enumerate() {
            assert_eq!(metric as usize, at);
            let json = serde_json::to_value(metric).expect("it is a name");
            assert_eq!(json, metric.key());
        }
    }
}
