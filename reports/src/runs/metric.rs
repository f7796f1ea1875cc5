//! Metrics of a run: their value, or why there is none, and the words for them.

use crate::format;
use crate::runs::sample_size::{P50_PPB, P99_PPB, P999_PPB};
use crate::runs::{births, linger, sample_size};
use iowq_contract::{Quantiles, Record};

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
/// decide where time is not to be trusted, see [`crate::compare::decide::Decides`].
pub const PRIMARY: [Metric; 6] = [
    Metric::OpsPerS,
    Metric::ResponseP50,
    Metric::ResponseP99,
    Metric::ResponseP999,
    Metric::CpuPerOp,
    Metric::CreatedPer1000,
];

/// Shown, and there never a reason for a verdict.
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

impl Metric {
    /// How its effects are measured.
    #[must_use]
    pub fn scale(self) -> Scale {
        match self {
            Self::CreatedPer1000 | Self::BornPerS | Self::Peak | Self::Linger => Scale::Difference,
            _ => Scale::Ratio,
        }
    }

    /// Whether more of it is worse.
    #[must_use]
    pub fn more_is_worse(self) -> bool {
        self != Self::OpsPerS
    }

    /// Whether it is a time that an operation took.
    #[must_use]
    pub fn is_latency(self) -> bool {
        match self {
            Self::ResponseP50 | Self::ResponseP99 | Self::ResponseP999 | Self::ServiceP50 => true,
            Self::OpsPerS | Self::CpuPerOp | Self::CreatedPer1000 => false,
            Self::BornPerS | Self::Peak | Self::Linger => false,
        }
    }

    /// Its name in a table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OpsPerS => "ops/s",
            Self::ResponseP50 => "p50",
            Self::ResponseP99 => "p99",
            Self::ResponseP999 => "p99.9",
            Self::CpuPerOp => "cpu/op",
            Self::CreatedPer1000 => "created/1000",
            Self::BornPerS => "born/s",
            Self::Peak => "peak",
            Self::ServiceP50 => "service p50",
            Self::Linger => "linger",
        }
    }

    /// Its name in a sentence.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::OpsPerS => "throughput",
            Self::ResponseP50 => "response p50",
            Self::ResponseP99 => "response p99",
            Self::ResponseP999 => "response p99.9",
            Self::CpuPerOp => "processor time per op",
            Self::CreatedPer1000 => "workers created per 1000 ops",
            Self::BornPerS => "workers created per second",
            Self::Peak => "most workers alive",
            Self::ServiceP50 => "service p50",
            Self::Linger => "stay of the last worker",
        }
    }

    /// A value of it, with its unit.
    #[must_use]
    pub fn show(self, value: f64) -> String {
        match self {
            Self::OpsPerS | Self::CreatedPer1000 | Self::BornPerS | Self::Peak => {
                format::number(value)
            }
            Self::Linger => format::duration(value * 1e6),
            _ => format::duration(value),
        }
    }

    /// An effect on its scale with a sign: `+4.2 %`, `-14.5`, and `×1.2e9` where a share would have
    /// too many digits.
    #[must_use]
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
    #[must_use]
    pub fn show_size(self, size: f64) -> String {
        self.show_effect(size.abs()).trim_start_matches('+').to_owned()
    }

    /// Both ends of an interval: `+8.1 % to +15.0 %`.
    #[must_use]
    pub fn show_interval(self, (low, high): (f64, f64)) -> String {
        format!("{} to {}", self.show_effect(low), self.show_effect(high))
    }

    /// Its value in a run.
    ///
    /// # Errors
    ///
    /// Why the run has none, for a reader.
    pub fn of(self, record: &Record) -> Result<f64, String> {
        let value = match self {
            Self::OpsPerS => record.ops.per_s,
            Self::ResponseP50 => of_all(record, P50_PPB, |all| all.p50_ns)?,
            Self::ResponseP99 => of_all(record, P99_PPB, |all| all.p99_ns)?,
            Self::ResponseP999 => of_all(record, P999_PPB, |all| all.p999_ns)?,
            Self::CpuPerOp => match record.ops.cpu_ns {
                Some(cpu_ns) if record.ops.done > 0 => cpu_ns as f64 / record.ops.done as f64,
                _ => return Err("the record has no processor time".to_owned()),
            },
            Self::CreatedPer1000 => {
                let why = "nobody counted workers, or nothing was done";
                record.workers.created_per_1000_ops.ok_or(why)?
            }
            Self::BornPerS => births::per_s(record).ok_or("nobody counted workers")?,
            Self::Peak => f64::from(record.workers.peak),
            Self::ServiceP50 => {
                let service = record.latency.service.get("all");
                quantile(service, P50_PPB, |all| all.p50_ns)?
            }
            Self::Linger => linger::value(record)?,
        };
        if self.scale() == Scale::Ratio && value <= 0.0 {
            return Err("it is 0, which has no ratio to anything".to_owned());
        }
        Ok(value)
    }

    /// Smallest effect that counts, on the scale of the metric. `share` is what was asked for,
    /// such as 0.05. A difference counts from that share of the base's median on, and never
    /// below an amount that means something by itself.
    #[must_use]
    pub fn threshold(self, share: f64, base_median: Option<f64>) -> f64 {
        let part = base_median.unwrap_or(0.0) * share;
        match self {
            Self::CreatedPer1000 => part.max(CREATED_DIFFERENCE_MIN),
            Self::BornPerS => part.max(BORN_DIFFERENCE_MIN),
            Self::Peak => part.max(PEAK_DIFFERENCE_MIN),
            Self::Linger => part.max(LINGER_DIFFERENCE_MS_MIN),
            _ => share.ln_1p(),
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
fn of_all(record: &Record, beyond_ppb: u64, read: fn(&Quantiles) -> u64) -> Result<f64, String> {
    quantile(record.latency.response.get("all"), beyond_ppb, read)
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
    use super::*;
    use iowq_sample as sample;

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
}
