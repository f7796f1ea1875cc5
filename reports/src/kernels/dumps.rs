//! Dumps: whether `criu dump` of a process that closed its rings completed, kernel by kernel.

use iowq_record::guest::Dump;
use iowq_record::{Boot, Kernels};
use serde::Serialize;

use crate::analysis::figures::Spread;
use crate::format;

/// What criu says when a thread of the kernel is among those that it must stop: the one reason that
/// speaks of the kernel under test, and not of criu.
const WORKER_IN_THE_WAY: &str = "Can't block signals";

/// The dumps that were tried in the boots of one kernel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Dumps {
    /// The kernel.
    pub kernel: String,
    /// Boots in which a dump was tried.
    pub tried: u32,
    /// Dumps that completed within their time.
    pub dumped: u32,
    /// Dumps that a worker kept from completing.
    pub kept_by_worker: u32,
    /// Most workers that were there when a dump began.
    pub workers_max: u32,
    /// Median time of those that completed, in milliseconds.
    pub took_ms: Option<f64>,
    /// What criu said in the first that did not complete; empty where all did.
    pub said: String,
}

/// The dumps of each kernel that had any.
#[must_use]
pub fn dumps(kernels: &Kernels, boots: &[Boot]) -> Vec<Dumps> {
    let of_kernel = |label: &str| -> Vec<&Dump> {
        let boots = boots.iter().filter(|boot| boot.kernel == label);
        boots.filter_map(|boot| boot.dump.as_ref()).collect()
    };
    let labels = kernels.kernels.iter().map(|kernel| kernel.label.as_str());
    labels.filter_map(|label| Dumps::of(label, &of_kernel(label))).collect()
}

impl Dumps {
    fn of(kernel: &str, dumps: &[&Dump]) -> Option<Self> {
        let count = |is: fn(&Dump) -> bool| {
            u32::try_from(dumps.iter().filter(|dump| is(dump)).count()).unwrap_or(u32::MAX)
        };
        let failed = dumps.iter().find(|dump| !dump.dumped);
        let done = dumps.iter().filter(|dump| dump.dumped);
        Some(Self {
            kernel: kernel.to_owned(),
            tried: count(|_| true),
            dumped: count(|dump| dump.dumped),
            kept_by_worker: count(|dump| !dump.dumped && dump.reason.contains(WORKER_IN_THE_WAY)),
            workers_max: dumps.iter().map(|dump| dump.workers).max()?,
            took_ms: Spread::of(done.map(|dump| dump.took_ms).collect())
                .map(|spread| spread.median),
            said: failed.map_or_else(String::new, |dump| format::clip(&dump.reason, 300)),
        })
    }

    /// What came of them, for a reader.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Self { kernel, tried, dumped, kept_by_worker, .. } = self;
        let boots = format::count(u64::from(*tried), "boot", "boots");
        let mut text =
            format!("{}: criu dump completed in {dumped} of {boots}", format::clip(kernel, 60));
        if let Some(took_ms) = self.took_ms {
            text += &format!(", in {} at the median", format::duration(took_ms * 1e6));
        }
        if *kept_by_worker > 0 {
            text += &format!("; a worker was in the way in {kept_by_worker}");
        }
        let other = tried.saturating_sub(dumped + kept_by_worker);
        if other > 0 {
            text += &format!("; criu failed for a reason of its own in {other}");
        }
        if self.said.is_empty() { text + "." } else { format!("{text}: {}", self.said) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn dump(dumped: bool, reason: &str) -> Option<Dump> {
        let (took_ms, workers) = if dumped { (1_500.0, 0) } else { (900.0, 4) };
        Some(Dump { dumped, took_ms, workers, reason: reason.to_owned() })
    }

    fn of(kernel: &str, dump_of: impl Fn(&Boot) -> Option<Dump>) -> Option<Dumps> {
        let (kernels, mut boots, _) = sample::kernels(4);
        for boot in &mut boots {
            boot.dump = if boot.kernel == kernel { dump_of(boot) } else { None };
        }
        let mut found = dumps(&kernels, &boots);
        assert!(found.len() <= 1, "kernels without a dump have no row");
        found.pop()
    }

    #[test]
    fn a_kernel_of_which_every_process_was_dumped_says_how_long_it_took() {
        let found = of("X", |_| dump(true, "")).expect("there were dumps");
        assert_eq!(
            found.sentence(),
            "X: criu dump completed in 4 of 4 boots, in 1.5\u{a0}s at the median."
        );
    }

    #[test]
    fn a_worker_in_the_way_is_told_from_a_failure_of_criu() {
        let found = of("base", |boot| {
            let worker = "Error (1): Can't block signals for 264: Operation not permitted";
            dump(false, if boot.round == 0 { "memfd_create failed" } else { worker })
        });
        let found = found.expect("there were dumps");
        assert_eq!((found.tried, found.dumped, found.kept_by_worker), (4, 0, 3));
        let text = found.sentence();
        assert!(
            text.contains("in the way in 3; criu failed for a reason of its own in 1"),
            "{text}"
        );
    }

    #[test]
    fn without_a_dump_nothing_is_said() {
        assert_eq!(of("base", |_| None), None);
    }
}
