//! The groups beside plain writes: each adds one thing, on a handful of shapes.

use super::point::{GridPoint, Length, Messages, Shape, State};
use crate::plan::Meta;
use crate::plan::Open::{self, Buffered, Direct, Dsync};
use crate::plan::SocketKind;

pub(super) const READS: &str = "reads";
pub(super) const DIRECT: &str = "direct";
pub(super) const FALLOCATE: &str = "fallocate";
pub(super) const FORCED: &str = "forced";
pub(super) const LINKED: &str = "linked";
pub(super) const LIMITS: &str = "limits";
pub(super) const REOPEN: &str = "reopen";
pub(super) const CPU1: &str = "cpu1";
pub(super) const SOCKETS: &str = "sockets";
pub(super) const METADATA: &str = "metadata";

/// Files, depth, writes per fsync, limit, open flags.
type Row = (i64, i64, i64, i64, Open);

/// MiB of files that are written before the run: that takes time in which nothing is measured.
const WRITTEN_MIB: i64 = 16;
/// The same if no block may be read twice, because the first time brings it into the cache.
const UNCACHED_MIB: i64 = 64;
/// Half of the blocks that these have.
const UNCACHED_OPS: i64 = 8_000;
/// Forty rings of eight ops.
const REOPEN_OPS: i64 = 320;
/// Seconds of a run whose ops are done at once or not at all: thousands of them.
const SHORT_SECONDS: f64 = 0.3;

/// All points of all groups, in the order of groups.
pub(super) fn points() -> impl Iterator<Item = GridPoint> {
    let groups =
        [reads(), direct(), fallocate(), forced(), linked(), limits(), reopen(), cpu1(), sockets()];
    groups.into_iter().chain([metadata()]).flatten()
}

/// A point of each shape.
fn of(point: GridPoint, rows: &[Row]) -> Vec<GridPoint> {
    let shape = |&(files, depth, writes_per_fsync, limit, open): &Row| Shape {
        files,
        depth,
        writes_per_fsync,
        limit: Some(limit),
        open,
    };
    rows.iter().map(|row| GridPoint { shape: shape(row), ..point }).collect()
}

/// Reads and nothing else, of blocks in this state.
const fn reading(word: &'static str, state: State) -> GridPoint {
    GridPoint {
        group: READS,
        word,
        write: 0,
        read: 1,
        state,
        size_mib: WRITTEN_MIB,
        length: Length::Seconds(SHORT_SECONDS),
        ..GridPoint::WRITES
    }
}

fn reads() -> Vec<GridPoint> {
    let uncached = GridPoint {
        size_mib: UNCACHED_MIB,
        length: Length::Ops(UNCACHED_OPS),
        ..reading("uncached", State::Uncached)
    };
    let mixed = GridPoint { write: 1, read: 3, ..reading("mixed", State::Cached) };
    let cached = [
        (1, 8, 0, 64, Buffered),
        (4, 64, 0, 8, Buffered),
        (4, 64, 0, 64, Buffered),
        (8, 64, 0, 64, Buffered),
    ];
    let asking_the_disk = [
        (1, 8, 0, 64, Buffered),
        (1, 64, 0, 64, Buffered),
        (4, 8, 0, 64, Buffered),
        (4, 64, 0, 8, Buffered),
        (8, 64, 0, 64, Buffered),
    ];
    let direct = [
        (1, 8, 0, 64, Direct),
        (4, 8, 0, 64, Direct),
        (4, 64, 0, 8, Direct),
        (8, 64, 0, 64, Direct),
    ];
    let beside_writes =
        [(4, 8, 4, 64, Buffered), (4, 64, 4, 8, Buffered), (4, 64, 4, 64, Buffered)];
    [
        of(reading("cached", State::Cached), &cached),
        of(uncached, &asking_the_disk),
        of(reading("written", State::Cached), &direct),
        of(mixed, &beside_writes),
    ]
    .concat()
}

fn direct() -> Vec<GridPoint> {
    let rows = [
        (1, 8, 0, 64, Direct),
        (1, 64, 0, 64, Direct),
        (4, 64, 0, 8, Direct),
        (4, 64, 0, 64, Direct),
        (8, 64, 0, 64, Direct),
        (4, 8, 4, 64, Direct),
        (4, 64, 4, 8, Direct),
    ];
    let point =
        GridPoint { group: DIRECT, length: Length::Seconds(SHORT_SECONDS), ..GridPoint::WRITES };
    let fresh = GridPoint { word: "fresh", state: State::Fresh, ..point };
    let allocated = GridPoint { word: "allocated", ..point };
    let written =
        GridPoint { word: "written", state: State::Cached, size_mib: WRITTEN_MIB, ..point };
    [of(allocated, &rows), of(written, &rows), of(fresh, &[rows[0], rows[2], rows[3]])].concat()
}

fn fallocate() -> Vec<GridPoint> {
    let rows = [
        (1, 8, 0, 64, Buffered),
        (4, 64, 0, 8, Buffered),
        (4, 64, 0, 64, Buffered),
        (8, 64, 0, 64, Buffered),
    ];
    let point = GridPoint {
        group: FALLOCATE,
        fallocate: 1,
        state: State::Fresh,
        length: Length::Seconds(SHORT_SECONDS),
        ..GridPoint::WRITES
    };
    let alone = GridPoint { word: "alone", write: 0, ..point };
    let beside_writes = GridPoint { word: "writes", ..point };
    [
        of(alone, &rows),
        of(beside_writes, &rows[..3]),
        of(beside_writes, &[(4, 8, 4, 64, Buffered), (4, 64, 0, 64, Dsync)]),
    ]
    .concat()
}

fn forced() -> Vec<GridPoint> {
    let writes = GridPoint { group: FORCED, word: "writes", forced: true, ..GridPoint::WRITES };
    let written =
        GridPoint { word: "written", state: State::Cached, size_mib: WRITTEN_MIB, ..writes };
    let reads = GridPoint { group: FORCED, forced: true, ..reading("reads", State::Cached) };
    let rows = [
        (1, 8, 0, 64, Buffered),
        (4, 64, 0, 8, Buffered),
        (4, 64, 0, 64, Buffered),
        (1, 64, 1, 64, Buffered),
        (4, 8, 4, 64, Buffered),
        (4, 64, 4, 8, Buffered),
        (1, 8, 0, 64, Dsync),
        (4, 8, 0, 8, Dsync),
        (4, 64, 0, 64, Dsync),
    ];
    let read_rows = [
        (1, 8, 0, 64, Buffered),
        (4, 64, 0, 8, Buffered),
        (4, 64, 0, 64, Buffered),
        (4, 8, 0, 64, Direct),
        (4, 64, 0, 8, Direct),
    ];
    [
        of(writes, &rows),
        of(written, &[(4, 8, 0, 8, Direct), (4, 64, 0, 64, Direct)]),
        of(reads, &read_rows),
    ]
    .concat()
}

fn linked() -> Vec<GridPoint> {
    let linked = GridPoint { group: LINKED, linked: true, ..GridPoint::WRITES };
    let written =
        GridPoint { word: "written", state: State::Cached, size_mib: WRITTEN_MIB, ..linked };
    let rows = [
        (1, 8, 1, 64, Buffered),
        (4, 8, 1, 8, Buffered),
        (4, 64, 1, 8, Buffered),
        (4, 64, 1, 64, Buffered),
        (8, 64, 1, 64, Buffered),
        (1, 8, 4, 64, Buffered),
        (4, 64, 4, 8, Buffered),
        (4, 64, 4, 64, Buffered),
        (4, 8, 1, 8, Dsync),
        (4, 64, 1, 64, Dsync),
    ];
    [of(linked, &rows), of(written, &[(4, 8, 1, 64, Direct), (4, 64, 1, 64, Direct)])].concat()
}

fn limits() -> Vec<GridPoint> {
    let rows = [
        (4, 4, 4, 0, Buffered),
        (4, 8, 4, 0, Buffered),
        (4, 64, 4, 0, Buffered),
        (4, 64, 16, 0, Buffered),
        (8, 64, 1, 0, Buffered),
        (4, 4, 0, 0, Dsync),
        (4, 64, 0, 0, Dsync),
        (1, 64, 1, 0, Dsync),
        (8, 64, 4, 0, Dsync),
    ];
    let mut points = of(GridPoint { group: LIMITS, ..GridPoint::WRITES }, &rows);
    points.iter_mut().for_each(|point| point.shape.limit = None);
    points
}

/// The same number of rings in each, so that workers created can be compared as they are.
fn reopen() -> Vec<GridPoint> {
    let gaps = [("c0", 0.0), ("c1", 1.0), ("c5", 5.0), ("c10", 10.0), ("c20", 20.0), ("c50", 50.0)];
    let points = gaps.map(|(word, closed_ms)| GridPoint {
        group: REOPEN,
        word,
        closed_ms: Some(closed_ms),
        size_mib: WRITTEN_MIB,
        length: Length::Ops(REOPEN_OPS),
        ..GridPoint::WRITES
    });
    let plain = points.iter().flat_map(|point| of(*point, &[(2, 8, 4, 64, Buffered)]));
    let synced = [0, 3, 5].into_iter().flat_map(|gap| of(points[gap], &[(4, 8, 1, 64, Buffered)]));
    plain.chain(synced).collect()
}

fn cpu1() -> Vec<GridPoint> {
    let writes = GridPoint { group: CPU1, word: "writes", cpus: Some(1), ..GridPoint::WRITES };
    let linked = GridPoint { word: "linked", linked: true, ..writes };
    let forced = GridPoint { word: "forced", forced: true, ..writes };
    let cached = GridPoint { group: CPU1, cpus: Some(1), ..reading("reads", State::Cached) };
    let rows = [
        (4, 64, 0, 64, Buffered),
        (1, 8, 1, 64, Buffered),
        (1, 64, 1, 64, Buffered),
        (4, 8, 4, 64, Buffered),
        (4, 64, 4, 8, Buffered),
        (4, 64, 16, 64, Buffered),
        (1, 8, 0, 64, Dsync),
        (4, 8, 0, 64, Dsync),
        (4, 64, 4, 64, Dsync),
        (8, 64, 1, 64, Dsync),
    ];
    [
        of(writes, &rows),
        of(linked, &[(4, 64, 1, 64, Buffered)]),
        of(forced, &[(4, 64, 0, 64, Dsync)]),
        of(cached, &[(4, 64, 0, 64, Buffered)]),
    ]
    .concat()
}

fn sockets() -> Vec<GridPoint> {
    let point = |word, forced, messages| GridPoint {
        group: SOCKETS,
        word,
        forced,
        write: 0,
        messages: Some(messages),
        ..GridPoint::WRITES
    };
    let none = Messages { kind: SocketKind::Unix, answer_ms: 1.0, receive: 0, send: 0, splice: 0 };
    let receive = Messages { receive: 1, ..none };
    let both = Messages { kind: SocketKind::Tcp, send: 1, ..receive };
    let splice = Messages { kind: SocketKind::Pipe, answer_ms: 5.0, splice: 1, ..none };
    let rows = [(8, 8, 0, 64, Buffered), (64, 64, 0, 8, Buffered), (64, 64, 0, 64, Buffered)];
    [
        of(point("receive", false, receive), &rows[..2]),
        of(point("both", false, both), &rows[..1]),
        of(point("forced", true, receive), &rows),
        of(point("bothforced", true, both), &rows[..2]),
        of(point("splice", false, splice), &rows),
        of(point("spliceforced", true, splice), &rows[..2]),
    ]
    .concat()
}

/// What io-wq does beside reads, writes and what flushes them: each kind alone, but for writeback,
/// which has to find something.
fn metadata() -> Vec<GridPoint> {
    let none = Meta::NONE;
    let kinds = [
        ("openat", 0, Meta { openat: 1, ..none }),
        ("statx", 0, Meta { statx: 1, ..none }),
        ("rename", 0, Meta { rename: 1, ..none }),
        ("unlink", 0, Meta { unlink: 1, ..none }),
        ("truncate", 0, Meta { truncate: 1, ..none }),
        ("writeback", 4, Meta { sync_file_range: 1, ..none }),
    ];
    let rows = [(4, 8, 0, 64, Buffered), (4, 64, 0, 8, Buffered)];
    let points = kinds.into_iter().flat_map(|(word, write, meta)| {
        let point = GridPoint {
            group: METADATA,
            word,
            write,
            meta,
            state: State::Fresh,
            size_mib: WRITTEN_MIB,
            length: Length::Seconds(SHORT_SECONDS),
            ..GridPoint::WRITES
        };
        of(point, &rows)
    });
    points.collect()
}
