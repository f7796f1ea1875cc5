//! The runs as records, so that `compare` can judge them like any others.

use std::io::Write as _;
use std::path::Path;

use iowq_contract::order::ScheduledRun;
use iowq_contract::{
    Blocking, Caveat, Churn, Code, Kinds, Latency, Ops, Overrides, Probe, RECORD_NAME, Record,
    Role, RunKey, SCHEMA, Settings, Tier, Workers,
};
use iowq_harness::machine;

use crate::measure::{Figures, Order};
use crate::task::BLOCK_BYTES;

/// A run that was made.
pub struct Run {
    /// What was to be run.
    pub order: Order,
    /// Its place in the order of all.
    pub scheduled: ScheduledRun,
    /// When it began, RFC 3339.
    pub started: String,
    /// What was measured.
    pub figures: Figures,
}

/// Writes the records of all runs into a folder.
///
/// # Errors
/// What the file system refuses.
pub fn write(out: &Path, seed: u64, runs: &[Run]) -> anyhow::Result<()> {
    let mut file = std::io::BufWriter::new(std::fs::File::create(out.join(RECORD_NAME))?);
    for run in runs {
        serde_json::to_writer(&mut file, &record(run, seed))?;
        file.write_all(b"\n")?;
    }
    file.flush()?;
    Ok(())
}

/// The name of the workload that stands for the conditions of a run.
pub fn workload(order: &Order) -> String {
    let point = &order.point;
    let dash = if point.place.is_empty() { "" } else { "-" };
    let (work, place, wait) = (point.work.name(), &point.place, point.wait.name());
    format!("{work}{dash}{place}-d{}-w{}-{wait}", point.depth, point.workers)
}

fn record(run: &Run, seed: u64) -> Record {
    let Run { order, scheduled, figures, .. } = run;
    let host = machine::describe(&order.point.dir);
    let mut service = Kinds::default();
    service.insert("all".to_owned(), figures.latency.clone());
    Record {
        schema: SCHEMA.to_owned(),
        started: run.started.clone(),
        since_boot: None,
        duration_ns: figures.duration_ns,
        key: RunKey {
            workload: workload(order),
            engine: "peers".to_owned(),
            policy: order.contender.clone(),
            set: Overrides::default(),
            round: scheduled.round,
            position: scheduled.number,
            seed,
            role: Role::Measured,
            boot: None,
        },
        settings: settings(order).into(),
        settings_unset: None,
        asked: None,
        ops: Ops {
            done: figures.ops,
            per_s: figures.per_s(),
            cpu_ns: Some(figures.cpu_ns),
            ..Ops::default()
        },
        latency: Latency { response: service.clone(), service, queue: Kinds::default() },
        tasks: Vec::new(),
        dispatch: Kinds::default(),
        workers: Workers::default(),
        timeline: Vec::new(),
        churn: Churn::default(),
        probe: unwatched(),
        blocking: Blocking::Declared,
        files: None,
        host: host.clone().into(),
        load: Some(figures.load),
        phases: None,
        caveats: caveats(&machine::caveats(&host)),
        error: None,
    }
}

fn settings(order: &Order) -> Settings {
    let point = &order.point;
    Settings {
        summary: "the benchmark of pools: one in sixteen ops is timed".to_owned(),
        patches: Vec::new(),
        files: 0,
        block_bytes: BLOCK_BYTES as u64,
        depth: point.depth,
        limit_bounded: point.workers,
        limit_unbounded: point.workers,
        idle_timeout_ms: 5_000,
        arrival: "closed loop".to_owned(),
        watched_ms: Some(0),
        cpus: None,
        injected_delay_ns: None,
        injected_delay_percent: None,
        plan: None,
    }
}

fn unwatched() -> Probe {
    Probe {
        tier: Tier::Off,
        reason: "the benchmark of pools does not watch workers".to_owned(),
        events_seen: 0,
        events_lost: 0,
        lost: std::collections::BTreeMap::new(),
        switches_missed: 0,
        switches: None,
        unseen: Vec::new(),
    }
}

/// Those of the host, and that workers were not watched.
fn caveats(of_host: &[Caveat]) -> Vec<Caveat> {
    let text = "made by the benchmark of pools: workers were not watched, and one op in sixteen \
                was timed";
    let own = Caveat::new(Code::Imported, text);
    of_host.iter().cloned().chain([own]).collect()
}
