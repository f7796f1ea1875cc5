//! The stream of ops: a pure function of plan and seed, without end.

use crate::op::{Op, OpKind};
use crate::pace::Pace;
use crate::places::{OTHERS, Place, Places, WRITES};
use crate::plan::{Log, Mix, Plan};
use crate::rng::{Rng, mix};

/// The ops of a plan under a seed.
///
/// Files are visited in turn, one op each. Once a file has had its `writes_per_fsync` writes, an
/// fsync of that file follows at once, before the next file has its turn. The files start that
/// many writes apart, so that their fsyncs are spread evenly over the stream: with as many files
/// as writes per fsync there is one fsync in each round. Ops of the log are drawn
/// in between by weight. If a write and its fsync are linked, both are meant to start when the
/// write is: they are submitted together.
#[derive(Clone, Debug)]
pub struct Stream {
    number: u64,
    pace: Pace,
    draw: Rng,
    mix: Mix,
    log: Option<Log>,
    weight_total: u64,
    places: Places,
    files: Vec<File>,
    turn: usize,
    /// The fsync that follows the last op, and that op's intended time if the two are linked.
    fsync: Option<(u32, Option<u64>)>,
}

/// Where the stream is in a file.
#[derive(Clone, Debug)]
struct File {
    place: Place,
    writes_since_fsync: u32,
}

/// The seed of a stream of a plan, of those that run at the same time: the first one's is the run's.
#[must_use]
pub fn seed_of_stream(seed: u64, number: u32) -> u64 {
    if number == 0 { seed } else { mix(seed ^ mix(STREAM_KEY.wrapping_add(u64::from(number)))) }
}

/// Keys that keep the parts of a stream independent of each other under one seed.
const PACE_KEY: u64 = 1;
const DRAW_KEY: u64 = 2;
/// Plus the number of the stream.
const STREAM_KEY: u64 = 1 << 32;

impl Stream {
    /// The stream from its first op.
    #[must_use]
    pub fn new(plan: &Plan, seed: u64) -> Stream {
        let log_weight = plan.log.map_or(0, |log| log.weight);
        let places = Places::new(plan, seed);
        let file = |file: u32| File {
            place: places.begin(file, file < plan.first_of_mix()),
            writes_since_fsync: (file - plan.first_of_mix().min(file))
                .checked_rem(plan.mix.writes_per_fsync)
                .unwrap_or(0),
        };
        Stream {
            number: 0,
            pace: Pace::new(plan.arrival, mix(seed ^ mix(PACE_KEY))),
            draw: Rng::new(mix(seed ^ mix(DRAW_KEY))),
            mix: plan.mix,
            log: plan.log,
            weight_total: u64::from(plan.mix.total()) + u64::from(log_weight),
            files: (0..plan.files).map(file).collect(),
            places,
            turn: 0,
            fsync: None,
        }
    }

    fn next_op(&mut self) -> Op {
        let number = self.number;
        self.number += 1;
        let intended_ns = self.pace.next_ns();
        if let Some((file, linked_ns)) = self.fsync.take() {
            let intended_ns = linked_ns.unwrap_or(intended_ns);
            let kind = if self.mix.data_only { OpKind::Fdatasync } else { OpKind::Fsync };
            return Op { number, kind, file, block: 0, blocks: 1, linked: false, intended_ns };
        }
        let (file, kind, writes_per_fsync, link) = self.choose();
        let (file_number, linked) = (file as u32, false);
        let mut op =
            Op { number, kind, file: file_number, block: 0, blocks: 1, linked, intended_ns };
        let Some(file) = self.files.get_mut(file) else { return op };
        match kind {
            OpKind::Write => {
                (op.block, op.blocks) = self.places.next(&mut file.place, WRITES);
                file.writes_since_fsync += 1;
                if file.writes_since_fsync == writes_per_fsync {
                    file.writes_since_fsync = 0;
                    op.linked = link;
                    self.fsync = Some((op.file, link.then_some(intended_ns)));
                } else if writes_per_fsync == 0 {
                    file.writes_since_fsync = 0;
                }
            }
            OpKind::Read | OpKind::Fallocate | OpKind::Truncate => {
                (op.block, op.blocks) = self.places.next(&mut file.place, OTHERS);
            }
            OpKind::Fsync
            | OpKind::Fdatasync
            | OpKind::Nop
            | OpKind::Receive
            | OpKind::Send
            | OpKind::Splice => {}
            OpKind::Openat
            | OpKind::Statx
            | OpKind::Rename
            | OpKind::Unlink
            | OpKind::SyncFileRange => {}
        }
        op
    }

    /// What comes next but an fsync: the file, the kind, and that file's rule for fsyncs.
    fn choose(&mut self) -> (usize, OpKind, u32, bool) {
        let mix = self.mix;
        let mut ticket = self.ticket();
        if let Some(log) = self.log {
            if ticket < u64::from(log.weight) {
                return (0, OpKind::Write, log.writes_per_fsync, true);
            }
            ticket -= u64::from(log.weight);
        }
        let mut kind = OpKind::Nop;
        let weights = [
            (OpKind::Write, mix.write),
            (OpKind::Read, mix.read),
            (OpKind::Fallocate, mix.fallocate),
            (OpKind::Receive, mix.receive),
            (OpKind::Send, mix.send),
            (OpKind::Splice, mix.splice),
        ];
        for (candidate, weight) in weights.into_iter().chain(mix.meta.weights()) {
            if ticket < u64::from(weight) {
                kind = candidate;
                break;
            }
            ticket -= u64::from(weight);
        }
        let first = usize::from(self.log.is_some());
        let file = first + self.turn;
        self.turn += 1;
        if first + self.turn >= self.files.len() {
            self.turn = 0;
        }
        (file, kind, mix.writes_per_fsync, mix.linked)
    }

    /// A number below the sum of all weights; it decides nothing if only one is above zero.
    fn ticket(&mut self) -> u64 {
        if self.log.is_none() && self.weight_total == u64::from(self.mix.write) {
            return 0;
        }
        self.draw.below(self.weight_total)
    }
}

impl Iterator for Stream {
    type Item = Op;

    fn next(&mut self) -> Option<Op> {
        Some(self.next_op())
    }
}
