//! Writes and fsyncs: files, depth, fsyncs, limit and open flags, each against all others but for
//! points that say what another says.

use super::point::{GridPoint, Shape};
use crate::plan::Open;

const FILES: [i64; 4] = [1, 2, 4, 8];
const DEPTHS: [i64; 2] = [8, 64];
const WRITES_PER_FSYNC: [i64; 4] = [0, 1, 4, 16];
const LIMITS: [i64; 3] = [2, 8, 64];
const OPENS: [Open; 2] = [Open::Buffered, Open::Dsync];

/// All of them, with those that the grid omits.
pub(super) fn points() -> impl Iterator<Item = GridPoint> {
    FILES.into_iter().flat_map(|files| {
        DEPTHS.into_iter().flat_map(move |depth| {
            WRITES_PER_FSYNC.into_iter().flat_map(move |writes_per_fsync| {
                LIMITS.into_iter().flat_map(move |limit| {
                    OPENS.into_iter().map(move |open| {
                        let limit = Some(limit);
                        let shape = Shape { files, depth, writes_per_fsync, limit, open };
                        GridPoint { shape, omitted: says_the_same(&shape), ..GridPoint::WRITES }
                    })
                })
            })
        })
    })
}

/// Whether another point of the product says the same. On Linux 6.18.44 they did: counts of all
/// variants were equal or as far apart as those of one variant from run to run.
fn says_the_same(shape: &Shape) -> bool {
    let Shape { files, depth, writes_per_fsync, limit, open } = *shape;
    let ends = depth == 64 && matches!(files, 1 | 8);
    match (limit, open) {
        // Every preset but the one that ignores the limit is at two workers at once.
        (Some(2), Open::Dsync) => !ends,
        (Some(2), _) => !ends || writes_per_fsync == 0,
        // No write sleeps, however many files and ops there are: one worker does it all.
        (_, Open::Buffered) if writes_per_fsync == 0 => !ends,
        // As many ops as workers: all presets are at the limit, the one that ignores it too.
        (Some(8), Open::Buffered) => depth == 8,
        _ => false,
    }
}
