//! The columns of the table of processes: what they show, and how they sort.

use std::cmp::Ordering;

use super::row::Row;
use super::units::{count, percent, time};

/// A column.
pub(super) struct Column {
    pub(super) title: &'static str,
    /// What it shows, for the help.
    pub(super) about: &'static str,
    pub(super) width: u16,
    /// Columns of the screen from which on it is shown.
    pub(super) from: u16,
    pub(super) cell: fn(&Row) -> String,
    /// Who comes first.
    pub(super) order: fn(&Row, &Row) -> Ordering,
}

/// The name takes what the others leave, up to [`NAME_WIDTH`].
pub(super) const NAME: usize = 1;
/// As long as names of processes are.
pub(super) const NAME_WIDTH: u16 = 16;
/// What the table is sorted by at first.
pub(super) const QUEUED: usize = 7;

/// All of them, from left to right.
pub(super) const COLUMNS: [Column; 15] = [
    column("PID", 7, 0, "process", |row| row.pid.to_string(), |a, b| a.pid.cmp(&b.pid)),
    column("NAME", 6, 0, "its name", |row| row.comm.clone(), |a, b| a.comm.cmp(&b.comm)),
    column("RING", 4, 66, "open rings", |row| row.rings.to_string(), |a, b| b.rings.cmp(&a.rings)),
    column("WORKERS", 9, 0, "bounded workers / their limit + unbounded ones", workers, |a, b| {
        b.alive.total().cmp(&a.alive.total())
    }),
    column(
        "+/s",
        4,
        0,
        "workers born per second",
        |row| count(row.born),
        |a, b| most(a.born, b.born),
    ),
    column(
        "-/s",
        4,
        0,
        "workers gone per second",
        |row| count(row.exited),
        |a, b| most(a.exited, b.exited),
    ),
    column(
        "SUB/s",
        5,
        72,
        "requests submitted per second",
        |row| count(row.submitted),
        |a, b| most(a.submitted, b.submitted),
    ),
    column(
        "IOWQ/s",
        6,
        0,
        "requests that went to io-wq per second",
        |row| count(row.queued),
        |a, b| most(a.queued, b.queued),
    ),
    column(
        "FORCED",
        6,
        106,
        "share of IOWQ/s that was forced",
        |row| share(row.forced),
        |a, b| some(a.forced, b.forced),
    ),
    column(
        "HASHED",
        6,
        106,
        "share that was hashed: one at a time per file",
        |row| share(row.hashed),
        |a, b| some(a.hashed, b.hashed),
    ),
    column(
        "UNBOUND",
        7,
        106,
        "share for unbounded workers",
        |row| share(row.unbounded),
        |a, b| some(a.unbounded, b.unbounded),
    ),
    column("NOW", 4, 0, "requests in io-wq now", in_flight, |a, b| b.in_flight.cmp(&a.in_flight)),
    column(
        "IDLE",
        4,
        0,
        "share of worker time spent waiting for work",
        |row| share(row.idle),
        |a, b| some(a.idle, b.idle),
    ),
    column(
        "P50",
        5,
        72,
        "median time from queueing to completion",
        |row| times(row.p50_ns),
        |a, b| b.p50_ns.cmp(&a.p50_ns),
    ),
    column(
        "P99",
        5,
        0,
        "99th percentile of it",
        |row| times(row.p99_ns),
        |a, b| b.p99_ns.cmp(&a.p99_ns),
    ),
];

const fn column(
    title: &'static str,
    width: u16,
    from: u16,
    about: &'static str,
    cell: fn(&Row) -> String,
    order: fn(&Row, &Row) -> Ordering,
) -> Column {
    Column { title, about, width, from, cell, order }
}

fn workers(row: &Row) -> String {
    let limit = row.limit.map_or_else(|| "?".to_owned(), |limit| limit.to_string());
    let more = match row.alive.unbounded {
        0 => String::new(),
        unbounded => format!("+{unbounded}"),
    };
    format!("{}/{limit}{more}", row.alive.bounded + row.alive.unknown)
}

/// The kernel cancels the requests of a process that ends, so none is left in io-wq.
fn in_flight(row: &Row) -> String {
    if row.ended { "-".to_owned() } else { count(row.in_flight as f64) }
}

fn share(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), percent)
}

fn times(ns: Option<u64>) -> String {
    ns.map_or_else(|| "-".to_owned(), time)
}

fn most(a: f64, b: f64) -> Ordering {
    b.total_cmp(&a)
}

fn some(a: Option<f64>, b: Option<f64>) -> Ordering {
    most(a.unwrap_or(-1.0), b.unwrap_or(-1.0))
}
