//! The workloads that come with the laboratory, and their `stock` variants.

use crate::check::RUN_SECONDS_DEFAULT;
use crate::error::{SpecError, did_you_mean};
use crate::grid;
use crate::plan::Plan;
use crate::source::Source;
use crate::spec::Spec;

/// Name and spec of each; the first is the canonical one.
const SPECS: [(&str, &str); 19] = [
    ("fsync-mix", include_str!("../specs/fsync-mix.toml")),
    ("fsync-batch", include_str!("../specs/fsync-batch.toml")),
    ("dsync", include_str!("../specs/dsync.toml")),
    ("dsync-1", include_str!("../specs/dsync-1.toml")),
    ("limit", include_str!("../specs/limit.toml")),
    ("bursts", include_str!("../specs/bursts.toml")),
    // A spec of its own, because its gaps scale with the timeout.
    ("bursts-stock", include_str!("../specs/bursts-stock.toml")),
    ("ring-close", include_str!("../specs/ring-close.toml")),
    ("ring-per-batch", include_str!("../specs/ring-per-batch.toml")),
    ("collide", include_str!("../specs/collide.toml")),
    ("wal", include_str!("../specs/wal.toml")),
    ("database", include_str!("../specs/database.toml")),
    ("postgresql", include_str!("../specs/postgresql.toml")),
    ("compaction", include_str!("../specs/compaction.toml")),
    ("disk-image", include_str!("../specs/disk-image.toml")),
    ("forced-writes", include_str!("../specs/forced-writes.toml")),
    ("sockets", include_str!("../specs/sockets.toml")),
    ("nop", include_str!("../specs/nop.toml")),
    ("file-server", include_str!("../specs/file-server.toml")),
];

/// What the name of a variant with the kernel's own idle timeout ends with.
const STOCK: &str = "-stock";

/// What the names of the grid begin with.
const GRID: &str = "grid-";

/// The kernel's idle timeout; `WORKER_IDLE_TIMEOUT` in io_uring/io-wq.c.
const STOCK_IDLE_TIMEOUT_MS: f64 = 5000.0;

/// The shortest run of a stock variant. Workers have to reach their idle timeout, more than once.
const STOCK_SECONDS_MIN: f64 = 12.0;

/// The built-in workload of that name.
///
/// Every one has a variant `NAME-stock`, which differs in the idle timeout, the kernel's 5 s, and
/// runs for at least 12 s, so that the timeout is reached. Those of the fidelity grid are
/// built in too, without variants.
///
/// # Errors
///
/// If no built-in workload has that name; the error names those that are near.
pub fn builtin(name: &str) -> Result<Plan, SpecError> {
    Ok(Source::builtin(name)?.plan)
}

impl Source {
    /// Of a built-in workload.
    ///
    /// # Errors
    ///
    /// As of [`builtin`].
    pub fn builtin(name: &str) -> Result<Source, SpecError> {
        if let Some(text) = text(name) {
            return Source::spec(name, &format!("{name}.toml"), text);
        }
        let base = name.strip_suffix(STOCK);
        if let Some((base, text)) = base.and_then(|base| Some((base, text(base)?)))
            && !base.ends_with(STOCK)
        {
            return Source::spec(name, &format!("{base}.toml"), text)?.changed(name, stock);
        }
        if let Some(source) = grid::of_name(name) {
            return source;
        }
        let hint = if name.starts_with(GRID) {
            grid::near(name)
        } else {
            did_you_mean(name, names().iter().map(String::as_str))
        };
        Err(SpecError::UnknownWorkload { found: name.to_owned(), hint })
    }
}

/// All built-in workloads but those of the grid, each before its stock variant.
///
/// # Errors
///
/// None: a test parses them all.
pub fn builtins() -> Result<Vec<Plan>, SpecError> {
    names().iter().map(|name| builtin(name)).collect()
}

/// The names of all built-in workloads, each before its stock variant.
fn names() -> Vec<String> {
    let bases = SPECS.iter().map(|(name, _)| *name).filter(|name| !name.ends_with(STOCK));
    bases.flat_map(|base| [base.to_owned(), format!("{base}{STOCK}")]).collect()
}

fn text(name: &str) -> Option<&'static str> {
    SPECS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

fn stock(spec: &mut Spec) {
    spec.workers.idle_timeout_ms = STOCK_IDLE_TIMEOUT_MS;
    spec.summary = format!("{} With the kernel's idle timeout of 5 s.", spec.summary.trim());
    if spec.run.ops.is_none() {
        let seconds = spec.run.seconds.unwrap_or(RUN_SECONDS_DEFAULT);
        spec.run.seconds = Some(seconds.max(STOCK_SECONDS_MIN));
    }
}
