//! The fidelity grid: small workloads on which the pool is held against the running kernel.
//!
//! What a rule of io-wq can see of a workload is varied, each against all others: how many files
//! share the workers, how much is in flight, how often a write is followed by an fsync, where the
//! limit lies, and whether a write itself waits for the device.

use crate::check;
use crate::error::{SpecError, did_you_mean};
use crate::plan::{Open, Plan};
use crate::spec::{self, OneOrMore, Spec};

/// What a name of the grid looks like.
pub const GRID_NAMES: &str = "grid-fF-dD-sS-lL-OPEN";

/// One line on the grid, for lists.
pub const GRID_SUMMARY: &str = "The fidelity grid: F 1, 2, 4, 8 files; D 8, 64 in flight; an \
    fsync after S 0 (none), 1, 4, 16 writes; L 2, 8, 64 bounded workers; OPEN buffered, dsync.";

const FILES: [i64; 4] = [1, 2, 4, 8];
const DEPTHS: [i64; 2] = [8, 64];
const WRITES_PER_FSYNC: [i64; 4] = [0, 1, 4, 16];
const LIMITS: [i64; 3] = [2, 8, 64];
const OPENS: [(Open, &str); 2] = [(Open::Buffered, "buffered"), (Open::Dsync, "dsync")];

/// MiB in all files together: 65,536 blocks. A run with fsyncs writes some 50,000 at most on a fast
/// disk, so that it visits none twice; one without may come round again. Little enough to be dirty
/// in the memory of a small guest, laid out in a few milliseconds, read back in a tenth of a second.
const TOTAL_SIZE_MIB: i64 = 256;

/// Length of a run, in seconds: long enough for thousands of ops, short enough for the whole grid.
const RUN_SECONDS: f64 = 0.5;

/// A point of the grid.
#[derive(Clone, Copy)]
struct Point {
    files: i64,
    depth: i64,
    writes_per_fsync: i64,
    limit: i64,
    open: (Open, &'static str),
}

impl Point {
    fn name(&self) -> String {
        let Point { files, depth, writes_per_fsync, limit, open: (_, open) } = self;
        format!("grid-f{files}-d{depth}-s{writes_per_fsync}-l{limit}-{open}")
    }

    fn plan(&self) -> Result<Plan, SpecError> {
        let Point { files, depth, writes_per_fsync, limit, open: (open, open_name) } = *self;
        let fsyncs = match writes_per_fsync {
            0 => "no fsync".to_owned(),
            1 => "an fsync after each write".to_owned(),
            writes => format!("an fsync after {writes} writes"),
        };
        let spec = Spec {
            summary: format!(
                "Writes on {files} {} ({open_name}), {depth} in flight, {fsyncs}, at most {limit} \
                 bounded workers.",
                if files == 1 { "file" } else { "files" }
            ),
            origin: "The grid on which the pool is held against the running kernel.".to_owned(),
            files: spec::Files {
                count: files,
                size_mib: TOTAL_SIZE_MIB / files,
                open: OneOrMore(vec![open]),
                ..spec::Files::default()
            },
            mix: spec::Mix { writes_per_fsync, ..spec::Mix::default() },
            ring: spec::Ring { depth, ..spec::Ring::default() },
            workers: spec::Workers { bounded: Some(limit), ..spec::Workers::default() },
            run: spec::Run { seconds: Some(RUN_SECONDS), ..spec::Run::default() },
            ..Spec::default()
        };
        let name = self.name();
        check::plan(&spec, &name, &name)
    }
}

/// All plans of the grid.
///
/// # Errors
///
/// None: a test makes them all.
pub fn grid() -> Result<Vec<Plan>, SpecError> {
    points().map(|point| point.plan()).collect()
}

/// The plans of the grid whose name contains one of these; all where none is named. For `--grid`.
///
/// # Errors
///
/// Where one of them is in no name; the error names those that are near.
pub fn grid_with(parts: &[String]) -> Result<Vec<Plan>, SpecError> {
    let names: Vec<String> = points().map(|point| point.name()).collect();
    if let Some(part) = parts.iter().find(|part| !names.iter().any(|name| name.contains(*part))) {
        // Compared as the beginning of a name, because a part alone is like none of them.
        let start = format!("grid-{}", part.strip_prefix("grid-").unwrap_or(part));
        return Err(SpecError::UnknownGrid {
            found: part.clone(),
            hint: did_you_mean(&start, names.iter().map(String::as_str)),
        });
    }
    let wanted = |name: &str| parts.is_empty() || parts.iter().any(|part| name.contains(part));
    points().filter(|point| wanted(&point.name())).map(|point| point.plan()).collect()
}

/// The plan of that name, if the grid has it.
pub(crate) fn of_name(name: &str) -> Option<Result<Plan, SpecError>> {
    points().find(|point| point.name() == name).map(|point| point.plan())
}

/// The names that are near one that the grid does not have, as a question.
pub(crate) fn near(name: &str) -> String {
    let names: Vec<String> = points().map(|point| point.name()).collect();
    did_you_mean(name, names.iter().map(String::as_str))
}

fn points() -> impl Iterator<Item = Point> {
    FILES.into_iter().flat_map(|files| {
        DEPTHS.into_iter().flat_map(move |depth| {
            WRITES_PER_FSYNC.into_iter().flat_map(move |writes_per_fsync| {
                LIMITS.into_iter().flat_map(move |limit| {
                    let point = move |open| Point { files, depth, writes_per_fsync, limit, open };
                    OPENS.into_iter().map(point)
                })
            })
        })
    })
}
