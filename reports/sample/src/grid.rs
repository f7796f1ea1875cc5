//! A made-up grid: many small workloads on io_uring and under presets, for the fidelity page.

use iowq_contract::{DispatchCounts, Record};

use crate::noise::Noise;
use crate::run::{KERNEL, kernel_run, run};
use crate::workers::create;

/// Presets of the made-up grid.
const PRESETS: [&str; 4] = ["6.12", "6.16", "6.17", "exit-on-idle"];

/// What the workloads of a grid vary.
#[derive(Clone, Copy, Debug)]
pub struct Levels {
    /// Files under test.
    pub files: &'static [u32],
    /// Operations in flight at most.
    pub depth: &'static [u32],
    /// Writes between two fsyncs; none if 0.
    pub fsync: &'static [u32],
    /// Limit on bounded workers.
    pub limit: &'static [u32],
}

/// 192 workloads.
pub const LARGE: Levels =
    Levels { files: &[1, 2, 4, 16], depth: &[4, 16, 64], fsync: &[0, 1, 16, 64], limit: &[8, 64] };

/// 16 workloads: just enough for the page of a grid.
pub const SMALL: Levels = Levels { files: &[1, 4], depth: &[64], fsync: &[0, 16], limit: &[8, 64] };

/// One workload of a grid.
#[derive(Clone, Copy)]
struct Cell {
    files: u32,
    depth: u32,
    fsync: u32,
    limit: u32,
    dsync: bool,
}

/// `pairs` runs of each workload on io_uring and under each preset.
#[must_use]
pub fn grid(levels: &Levels, pairs: u32) -> Vec<Record> {
    let presets = PRESETS.map(|preset| slim(run("grid", preset, 0)));
    let kernel = slim(kernel_run("grid", 0));
    let mut records: Vec<Record> = Vec::new();
    for cell in cells(levels) {
        for pair in 0..pairs {
            for arm in presets.iter().chain([&kernel]) {
                let mut record = of(arm, cell, pair);
                record.key.position = u32::try_from(records.len()).unwrap_or(u32::MAX);
                records.push(record);
            }
        }
    }
    records
}

/// Runs of cells of three groups, on io_uring and under each preset: reads that no worker sees,
/// fallocates that the kernel does not hash and the presets do, and rings that are closed all
/// along, of which exit-on-idle alone makes workers as the kernel does.
#[must_use]
pub fn groups() -> Vec<Record> {
    let rows = [
        ("grid-reads-cached-f4-d64-s0-l8-buffered", "read"),
        ("grid-fallocate-alone-f4-d64-s0-l8-buffered", "fallocate"),
        ("grid-reopen-c50-f4-d8-s1-l8-buffered", "write"),
    ];
    let mut records: Vec<Record> = Vec::new();
    for (workload, kind) in rows {
        let runs = PRESETS.map(|preset| run(workload, preset, 0));
        for mut record in runs.into_iter().chain([kernel_run(workload, 0)]).map(slim) {
            let policy = record.key.policy.as_str();
            let leaves = matches!(policy, "kernel" | "exit-on-idle");
            let created = match kind {
                "read" => 0,
                "write" if leaves => 150,
                _ => 5,
            };
            let done = record.ops.done;
            let dispatch = match kind {
                "read" => DispatchCounts { inline: done, ..DispatchCounts::default() },
                "fallocate" if policy == "kernel" => {
                    DispatchCounts { unhashed: done, ..DispatchCounts::default() }
                }
                _ => DispatchCounts { hashed: done, ..DispatchCounts::default() },
            };
            create(&mut record, created, u32::try_from(created.min(5)).unwrap_or(0));
            record.dispatch.clear();
            record.dispatch.insert(kind.to_owned(), dispatch);
            record.key.position = u32::try_from(records.len()).unwrap_or(u32::MAX);
            records.push(record);
        }
    }
    records
}

fn cells(levels: &Levels) -> Vec<Cell> {
    let mut cells = Vec::new();
    for &files in levels.files {
        for &depth in levels.depth {
            for &fsync in levels.fsync {
                for &limit in levels.limit {
                    let both = [true, false];
                    cells.extend(both.map(|dsync| Cell { files, depth, fsync, limit, dsync }));
                }
            }
        }
    }
    cells
}

/// Without the bulk: a grid has many runs, and its page draws none of them.
fn slim(mut record: Record) -> Record {
    record.host.kernel = KERNEL.to_owned();
    record.timeline.truncate(2);
    record.churn.births.clear();
    record.churn.deaths.clear();
    let latency = &mut record.latency;
    let all = latency.response.values_mut().chain(latency.service.values_mut());
    all.for_each(|quantiles| quantiles.hdr_v2.clear());
    record
}

fn of(arm: &Record, cell: Cell, pair: u32) -> Record {
    let mut record = arm.clone();
    let open = if cell.dsync { "dsync" } else { "buffered" };
    let Cell { files, depth, fsync, limit, .. } = cell;
    record.key.workload = format!("grid-f{files}-d{depth}-s{fsync}-l{limit}-{open}");
    record.key.round = pair;
    record.settings.summary = "one workload of a made-up grid".to_owned();
    (record.settings.files, record.settings.depth) = (files, depth);
    (record.settings.limit_bounded, record.settings.limit_unbounded) = (limit, limit);
    let mut noise = Noise::new(&record.key.workload, &record.key.policy, pair);
    let (created, peak) = workers(&record.key.policy, cell, &mut noise);
    create(&mut record, created, peak);
    let dispatch = DispatchCounts { hashed: record.ops.done, ..DispatchCounts::default() };
    record.dispatch.insert("write".to_owned(), dispatch);
    record
}

/// Workers created and peak: the older rules churn if several files block or are synced; the
/// kernel does as 6.17, but where syncs are rare and the limit is low.
fn workers(policy: &str, cell: Cell, noise: &mut Noise) -> (u64, u32) {
    let busy = cell.files.min(cell.depth) + u32::from(cell.fsync > 0);
    let least = busy.min(cell.limit);
    let blocks = cell.dsync || cell.fsync > 0;
    let churns = match policy {
        "6.12" => blocks && cell.depth > 4,
        "6.16" => blocks && cell.depth > 4 && cell.files > 1,
        "kernel" => cell.files == 2 && cell.fsync == 64 && cell.dsync && cell.depth == 64,
        _ => false,
    };
    if churns {
        let created = f64::from(cell.limit * cell.depth) * noise.around_one(0.1);
        return (created as u64, cell.limit);
    }
    let more = f64::from(least) * noise.around_one(0.15) * if blocks { 1.4 } else { 1.0 };
    (more.round().max(1.0) as u64, least)
}
