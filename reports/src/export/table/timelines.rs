//! The table of timelines: workers alive at a time, and workers born and gone in slices of time.

use std::io;

use iowq_contract::Record;

use crate::export::run::Whole;
use crate::export::table::runs::RUN;
use crate::export::table::{Cell, Rows};

const COLUMNS: [&str; 12] = [
    RUN,
    "workload",
    "engine",
    "policy",
    "set",
    "role",
    "round",
    "at_ns",
    "workers_alive",
    "workers_born",
    "workers_exited",
    "slice_ns",
];

/// The rows of all runs. A row has either how many workers were alive, or how many were born and gone
/// in the slice that begins then.
pub(super) fn rows<'r>(records: &'r [Record], whole: Whole<'r>) -> Rows<'r> {
    let rows = (0_u64..).zip(records).flat_map(move |(run, record)| match whole(record) {
        Ok(record) => of_run(run, &record).into_iter().map(Ok).collect(),
        Err(error) => vec![Err::<Vec<Cell>, io::Error>(error)],
    });
    Rows { columns: COLUMNS.map(str::to_owned).into(), rows: Box::new(rows) }
}

fn of_run(run: u64, record: &Record) -> Vec<Vec<Cell>> {
    let key = &record.key;
    let set = key.set.to_string();
    let first = [
        run.into(),
        key.workload.as_str().into(),
        key.engine.as_str().into(),
        key.policy.as_str().into(),
        if set.is_empty() { Cell::Null } else { set.as_str().into() },
        key.role.name().into(),
        key.round.into(),
    ];
    let row = |at_ns: u64, own: [Cell; 4]| first.iter().cloned().chain([at_ns.into()]).chain(own);
    let alive = record.timeline.iter().map(|(at_ns, alive)| {
        (*at_ns, row(*at_ns, [(*alive).into(), Cell::Null, Cell::Null, Cell::Null]).collect())
    });
    let churn = &record.churn;
    let slices = (0_u64..).zip(churn.births.iter().zip(&churn.deaths)).map(|(at, (born, gone))| {
        let at_ns = at.saturating_mul(churn.slice_ns);
        let own = [Cell::Null, (*born).into(), (*gone).into(), churn.slice_ns.into()];
        (at_ns, row(at_ns, own).collect())
    });
    let mut rows: Vec<(u64, Vec<Cell>)> = alive.chain(slices).collect();
    rows.sort_by_key(|(at_ns, _)| *at_ns);
    rows.into_iter().map(|(_, row)| row).collect()
}
