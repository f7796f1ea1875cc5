//! A spec: a workload as the user writes it, in TOML, before anything is checked.
//!
//! Numbers are signed and durations are floats here, so that a value out of its limits reaches the
//! checks in `check.rs`, which explain it better than a failed conversion would.

use std::fmt;

use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use toml::Table;

use crate::plan::{FileState, Open, Order, SocketKind};

/// A whole spec. Every table and field but the ones noted has a default.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Spec {
    pub(crate) summary: String,
    pub(crate) origin: String,
    pub(crate) files: Files,
    pub(crate) sockets: Option<Sockets>,
    pub(crate) mix: Mix,
    pub(crate) log: Option<Log>,
    pub(crate) arrival: Arrival,
    pub(crate) ring: Ring,
    pub(crate) workers: Workers,
    pub(crate) run: Run,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) task: Vec<TaskSpec>,
}

/// `[files]`: the files under test.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Files {
    pub(crate) count: i64,
    pub(crate) size_mib: f64,
    pub(crate) open: OneOrMore,
    pub(crate) block_bytes: BlockSizes,
    pub(crate) order: Order,
    pub(crate) collide: bool,
    pub(crate) state: Option<FileState>,
    pub(crate) cached: bool,
}

impl Default for Files {
    fn default() -> Self {
        Files {
            count: 1,
            size_mib: 16.0,
            open: OneOrMore(vec![Open::Buffered]),
            block_bytes: BlockSizes(vec![BlockSize { bytes: 4096, weight: 1 }]),
            order: Order::Sequential,
            collide: false,
            state: None,
            cached: false,
        }
    }
}

/// `[sockets]`: connections in place of files, and how long their other end takes.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Sockets {
    pub(crate) count: i64,
    pub(crate) kind: SocketKind,
    pub(crate) message_bytes: i64,
    pub(crate) answer_ms: f64,
}

impl Default for Sockets {
    fn default() -> Self {
        Sockets { count: 16, kind: SocketKind::Unix, message_bytes: 512, answer_ms: 1.0 }
    }
}

/// `[mix]`: what is done to those files, by weight.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Mix {
    /// One if nothing is said, on files.
    pub(crate) write: Option<i64>,
    pub(crate) read: i64,
    pub(crate) fallocate: i64,
    pub(crate) nop: i64,
    pub(crate) receive: i64,
    pub(crate) send: i64,
    pub(crate) splice: i64,
    pub(crate) writes_per_fsync: i64,
    pub(crate) data_only: bool,
    pub(crate) linked: bool,
    pub(crate) openat: i64,
    pub(crate) statx: i64,
    pub(crate) rename: i64,
    pub(crate) unlink: i64,
    pub(crate) truncate: i64,
    pub(crate) sync_file_range: i64,
}

/// `[log]`: one more file, appended to, each commit an fsync linked to the last append.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Log {
    pub(crate) weight: i64,
    pub(crate) open: Open,
    pub(crate) state: FileState,
    pub(crate) writes_per_fsync: i64,
}

impl Default for Log {
    fn default() -> Self {
        Log { weight: 1, open: Open::Buffered, state: FileState::Fresh, writes_per_fsync: 1 }
    }
}

/// `[arrival]`: when ops come. The fields that a pattern does not have stay `None`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Arrival {
    pub(crate) pattern: Pattern,
    pub(crate) pause_ms: Option<f64>,
    pub(crate) min_complete: Option<i64>,
    pub(crate) per_s: Option<f64>,
    pub(crate) burst_ops: Option<i64>,
    pub(crate) gap_ms: Option<f64>,
}

/// The patterns of arrival.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Pattern {
    #[default]
    Closed,
    Rate,
    Poisson,
    Bursts,
}

impl Pattern {
    /// The name in a spec.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Pattern::Closed => "closed",
            Pattern::Rate => "rate",
            Pattern::Poisson => "poisson",
            Pattern::Bursts => "bursts",
        }
    }
}

/// `[ring]`: how deep rings are and how long they live.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Ring {
    pub(crate) depth: i64,
    pub(crate) reopen_after_ops: i64,
    pub(crate) closed_ms: f64,
    pub(crate) linger_ms: f64,
    pub(crate) force_async: bool,
    pub(crate) sqpoll: bool,
    pub(crate) iopoll: bool,
    pub(crate) registered_files: bool,
    pub(crate) registered_buffers: bool,
}

impl Default for Ring {
    fn default() -> Self {
        Ring {
            depth: 16,
            reopen_after_ops: 0,
            closed_ms: 0.0,
            linger_ms: 0.0,
            force_async: false,
            sqpoll: false,
            iopoll: false,
            registered_files: false,
            registered_buffers: false,
        }
    }
}

/// `[workers]`: limits of the pool. 64 each if nothing is said, because the kernel's own default
/// on a small machine is 8 and hides what is looked for; `kernel_limits` takes the kernel's. An
/// idle timeout of 5 s, because that is the kernel's.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Workers {
    pub(crate) bounded: Option<i64>,
    pub(crate) unbounded: Option<i64>,
    pub(crate) kernel_limits: bool,
    pub(crate) idle_timeout_ms: f64,
    pub(crate) cpus: Vec<i64>,
    pub(crate) later: Option<Later>,
}

/// `[workers.later]`: other limits, from a moment in the middle of the run.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Later {
    pub(crate) after_ms: f64,
    pub(crate) bounded: Option<i64>,
    pub(crate) unbounded: Option<i64>,
}

impl Default for Workers {
    fn default() -> Self {
        Workers {
            bounded: None,
            unbounded: None,
            kernel_limits: false,
            idle_timeout_ms: 5000.0,
            cpus: Vec::new(),
            later: None,
        }
    }
}

/// `[run]`: how long, from which seed, whether the data is checked, and on how many processors.
/// Either `seconds` or `ops`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Run {
    pub(crate) seconds: Option<f64>,
    pub(crate) ops: Option<i64>,
    pub(crate) warmup_seconds: f64,
    pub(crate) seed: i64,
    pub(crate) verify: bool,
    pub(crate) cpus: Option<i64>,
}

impl Default for Run {
    fn default() -> Self {
        Run { seconds: None, ops: None, warmup_seconds: 0.0, seed: 1, verify: true, cpus: None }
    }
}

/// `[[task]]`: a stream, with tables of a spec in place of those beside it, field by field.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TaskSpec {
    pub(crate) name: String,
    #[serde(default = "one")]
    pub(crate) count: i64,
    #[serde(default)]
    pub(crate) files: Table,
    pub(crate) sockets: Option<Table>,
    #[serde(default)]
    pub(crate) mix: Table,
    pub(crate) log: Option<Table>,
    #[serde(default)]
    pub(crate) arrival: Table,
    #[serde(default)]
    pub(crate) ring: Table,
    #[serde(default)]
    pub(crate) workers: Table,
}

fn one() -> i64 {
    1
}

/// A size of reads and writes, and how often it comes.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BlockSize {
    pub(crate) bytes: i64,
    #[serde(default = "one")]
    pub(crate) weight: i64,
}

/// One size of all reads and writes, or a list of them. Read by hand, as [`OneOrMore`].
#[derive(Clone, Debug, Serialize)]
pub(crate) struct BlockSizes(pub(crate) Vec<BlockSize>);

impl<'de> Deserialize<'de> for BlockSizes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(BlockSizesVisitor)
    }
}

struct BlockSizesVisitor;

impl<'de> Visitor<'de> for BlockSizesVisitor {
    type Value = BlockSizes;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a number of bytes, or a list such as [{ bytes = 4096, weight = 70 }]")
    }

    fn visit_i64<E: serde::de::Error>(self, bytes: i64) -> Result<BlockSizes, E> {
        Ok(BlockSizes(vec![BlockSize { bytes, weight: one() }]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<BlockSizes, A::Error> {
        let mut all = Vec::new();
        while let Some(size) = list.next_element()? {
            all.push(size);
        }
        Ok(BlockSizes(all))
    }
}

/// One value for all files, or a list with one for each. Read by hand, because an untagged enum
/// would answer a misspelt value with "did not match any variant".
#[derive(Clone, Debug, Serialize)]
pub(crate) struct OneOrMore(pub(crate) Vec<Open>);

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(OneOrMoreVisitor)
    }
}

struct OneOrMoreVisitor;

impl<'de> Visitor<'de> for OneOrMoreVisitor {
    type Value = OneOrMore;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("\"buffered\", \"dsync\", \"sync\" or \"direct\", or a list of them")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<OneOrMore, E> {
        Open::deserialize(serde::de::value::StrDeserializer::new(name))
            .map(|open| OneOrMore(vec![open]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMore, A::Error> {
        let mut all = Vec::new();
        while let Some(open) = list.next_element()? {
            all.push(open);
        }
        Ok(OneOrMore(all))
    }
}
