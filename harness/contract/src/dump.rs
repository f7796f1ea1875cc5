//! A dump after the idle timeout: what came of it, and how many workers were left to be in its way.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What came of `criu dump` of another process that closed its rings, tried when its workers had
/// had their idle timeout. A worker that is still there then is one that the kernel keeps for good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AfterTimeout {
    /// Whether the image was written within the time.
    pub dumped: bool,
    /// How long it took, or until it was given up; 0 if criu was not started.
    pub took_ms: f64,
    /// Workers that were left when it began, counted in `/proc/PID/task`.
    pub workers: u32,
    /// What criu said last, if it failed.
    pub reason: String,
    /// Workers that were there when the ring had just been closed.
    pub workers_at_close: u32,
    /// The kernel's idle timeout, in milliseconds.
    pub idle_timeout_ms: u64,
    /// From the close of the ring until the dump.
    pub waited_ms: f64,
    /// Whether the number of workers had stayed the same for longer than an idle timeout. Where it
    /// had not, the wait was given up, and more of them might have left.
    pub settled: bool,
}
