//! Options of a job of fio, as the settings of a run: those that fio writes, and its defaults.

use iowq_contract::Settings;

use crate::format::clip;
use crate::import::blank::{self, NAME_CHARS_MAX};
use crate::import::fio::json::{Job, Output};

/// Options with which fio hands ops over at set times, whether or not earlier ones are done.
const RATES: [&str; 4] = ["rate", "rate_iops", "rate_min", "rate_iops_min"];

/// Options with which blocks have several sizes.
const SIZES: [&str; 4] = ["bsrange", "blocksize_range", "bssplit", "bs_unaligned"];

/// By how much runtimes of a few jobs may be rounded.
const ROUNDED_MS: u64 = 10;

/// What fio was told for a job.
pub(super) struct Options<'o> {
    output: &'o Output,
    job: &'o Job,
}

impl<'o> Options<'o> {
    pub(super) fn of(output: &'o Output, job: &'o Job) -> Self {
        Self { output, job }
    }

    fn get(&self, name: &str) -> Option<&'o str> {
        let (own, global) = (&self.job.options, &self.output.global);
        own.get(name).or_else(|| global.get(name)).map(String::as_str)
    }

    fn number(&self, name: &str) -> Option<u32> {
        self.get(name).and_then(|value| value.trim().parse().ok())
    }

    pub(super) fn engine(&self) -> &'o str {
        self.get("ioengine").unwrap_or("psync")
    }

    pub(super) fn is_rated(&self) -> bool {
        RATES.iter().any(|name| self.get(name).is_some())
    }

    /// Whether the figures are sums over several jobs (`group_reporting`, which fio does not write
    /// itself): the name is that of the first and the options are those of the last, fewer jobs are
    /// reported than there were, or they ran longer than the clock did.
    pub(super) fn is_group(&self) -> bool {
        let Job { jobname, groupid, .. } = self.job;
        let named = self.job.options.get("name").is_some_and(|name| name != jobname);
        let is_alike = |job: &&Job| job.groupid == *groupid && job.jobname == *jobname;
        let reported = self.output.jobs.iter().flatten().filter(is_alike).count();
        let fewer = self.number("numjobs").is_some_and(|count| count as usize > reported);
        let runtime_ms = self.job.runtime_ms();
        let longer = self.job.job_runtime > runtime_ms.saturating_add(runtime_ms / 2 + ROUNDED_MS);
        named || fewer || (longer && self.get("ramp_time").is_none())
    }

    pub(super) fn seed(&self) -> Option<u64> {
        self.get("randseed").and_then(|seed| seed.trim().parse().ok())
    }

    /// The settings, as far as they are known.
    pub(super) fn settings(&self) -> Settings {
        let pattern = self.get("rw").or_else(|| self.get("readwrite")).unwrap_or("read");
        let [version, pattern, engine] =
            [&self.output.version, pattern, self.engine()].map(|text| clip(text, NAME_CHARS_MAX));
        let arrival =
            if self.is_rated() { "at the rate that fio was given" } else { "closed loop" };
        let mut settings = Settings {
            summary: format!("{version}: {pattern} through {engine}"),
            arrival: arrival.to_owned(),
            ..blank::settings()
        };
        if self.is_group() {
            settings.summary += ", a group of jobs";
            return settings;
        }
        settings.files = self.files();
        settings.block_bytes = self.block_bytes();
        settings.depth = self.number("iodepth").unwrap_or(1);
        settings
    }

    /// Names of files are parted by colons; without them fio makes one or as many as it is told.
    fn files(&self) -> u32 {
        let named = self.get("filename").map(|names| names.replace("\\:", "").split(':').count());
        let named = named.and_then(|count| u32::try_from(count).ok());
        named.unwrap_or_else(|| self.number("nrfiles").unwrap_or(1))
    }

    fn block_bytes(&self) -> u64 {
        if SIZES.iter().any(|name| self.get(name).is_some()) {
            return 0;
        }
        let size = self.get("bs").or_else(|| self.get("blocksize"));
        size.map_or(Some(4_096), bytes).unwrap_or(0)
    }
}

/// A size such as `4096`, `4k` or `1M`; `None` for what is not one size, such as `4k,8k`.
fn bytes(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let shift = match unit.trim_end_matches('b').trim_end_matches('i') {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}
