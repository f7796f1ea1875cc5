//! Workers: how many were born and left, by each of the sources that counted them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Birth;

/// Workers of the measured part, from opening the first ring to the last exit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Workers {
    /// Workers born.
    pub created: Counts,
    /// Workers gone.
    pub exited: Counts,
    /// Most workers alive at one time, by the best source there was; absent if nothing counted them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak: Option<u32>,
    /// Most bounded workers alive at one time, those that the limit on bounded workers is about;
    /// null if the account of some worker is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_bounded: Option<u32>,
    /// Most unbounded workers alive at one time, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_unbounded: Option<u32>,
    /// Workers born per thousand finished operations; null if none finished.
    pub created_per_1000_ops: Option<f64>,
    /// Workers that `created_per_1000_ops` counts: those born in the measured part, and without a
    /// warm-up those born before it too. Null if they were not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub born_measured: Option<u64>,
    /// Of these, workers whose birth raised the number alive above all before it in the run: the
    /// pool's first fill. The others were born in place of workers that had left, which is churn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fill_measured: Option<u64>,
    /// How long the last worker outlived the last ring; null if it stayed until the end.
    pub linger_ms: Option<f64>,
    /// How long each worker that was there when the last ring was closed outlived it, the longest
    /// first; null for one that stayed until the end. Empty if single workers were not observed, or
    /// the run ended with the ring.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outlived_ms: Vec<Option<f64>>,
    /// Why workers were created; null if the engine does not count that.
    #[serde(default)]
    pub causes: Option<Causes>,
    /// What a birth cost; null if that was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth: Option<Birth>,
    /// Creations that failed, after their retries.
    pub creations_failed: u64,
    /// Times that a worker went to sleep inside an operation, if that was counted.
    #[serde(default)]
    pub sleeps: Option<u64>,
}

/// Why workers were created, and what became of the requests that created none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Causes {
    /// Creations by enqueueing, in the submitter's own time.
    pub enqueue: u64,
    /// Creations requested by a worker that went to sleep while work was queued.
    pub request: u64,
    /// Requests that woke a free worker instead.
    pub request_woken: u64,
    /// Requests that were dropped at the limit.
    pub request_dropped: u64,
}

/// How operations of one kind reached a worker, if they did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DispatchCounts {
    /// Done by the submitter, with no worker.
    pub inline: u64,
    /// Queued to run one at a time with others of the same file.
    pub hashed: u64,
    /// Queued to run in parallel with any other.
    pub unhashed: u64,
    /// Done by the worker that had just done the one that it was linked to, without being queued.
    pub linked: u64,
}

/// The same count from three sources; null if a source was off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// eBPF programs.
    pub probe: Option<u64>,
    /// The engine's own count.
    pub engine: Option<u64>,
    /// `/proc/PID/task`.
    pub proc: Option<u64>,
}

impl Counts {
    /// The count of the best source that was on.
    #[must_use]
    pub fn best(&self) -> Option<u64> {
        self.probe.or(self.engine).or(self.proc)
    }

    /// Whether the probe and the engine agree, if both were on. `/proc` is not compared:
    /// it is only sampled, and misses workers that live between two samples.
    #[must_use]
    pub fn trusted(&self) -> bool {
        Counts { proc: None, ..*self }.agree()
    }

    /// Whether all sources that were on say the same.
    #[must_use]
    pub fn agree(&self) -> bool {
        let on = [self.probe, self.engine, self.proc];
        let mut on = on.iter().flatten();
        let first = on.next();
        on.all(|count| Some(count) == first)
    }
}

/// Births and deaths in equal slices of time; both lists have the same length.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Churn {
    /// Length of a slice.
    pub slice_ns: u64,
    /// Workers born in each slice.
    pub births: Vec<u32>,
    /// Workers gone in each slice.
    pub deaths: Vec<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_agree_if_all_sources_do_and_are_trusted_if_the_exact_ones_do() {
        let counts = |probe, engine, proc| Counts { probe, engine, proc };
        let rows = [
            (counts(Some(5), Some(5), Some(5)), true, true),
            (counts(Some(5), Some(5), Some(4)), false, true),
            (counts(Some(5), Some(4), Some(5)), false, false),
            (counts(None, Some(5), Some(5)), true, true),
            (counts(None, Some(5), Some(4)), false, true),
            (counts(None, None, None), true, true),
        ];
        for (counts, agree, trusted) in rows {
            assert_eq!((counts.agree(), counts.trusted()), (agree, trusted), "{counts:?}");
        }
    }
}
