//! A point of the grid: its name, and the plan that the name stands for.

use crate::check;
use crate::error::SpecError;
use crate::plan::{FileState, Meta, Open, Order, Plan, SocketKind};
use crate::source::Source;
use crate::spec::{self, OneOrMore, Spec};

/// The group whose names have no group.
pub(super) const WRITES: &str = "writes";

/// A workload of the grid.
#[derive(Clone, Copy)]
pub(super) struct GridPoint {
    /// The family it belongs to.
    pub(super) group: &'static str,
    /// Name of the family within the group; may be empty.
    pub(super) word: &'static str,
    /// Whether the grid runs without it, because another point says the same.
    pub(super) omitted: bool,
    pub(super) shape: Shape,
    /// Weights.
    pub(super) write: i64,
    pub(super) read: i64,
    pub(super) fallocate: i64,
    /// What is done to connections in the place of files, if there are.
    pub(super) messages: Option<Messages>,
    pub(super) meta: Meta,
    pub(super) state: State,
    pub(super) linked: bool,
    pub(super) forced: bool,
    /// Milliseconds without a ring after each eight ops; none for one ring all along.
    pub(super) closed_ms: Option<f64>,
    /// Processors that it is confined to; none for all there are.
    pub(super) cpus: Option<i64>,
    /// MiB in all files together.
    pub(super) size_mib: i64,
    pub(super) length: Length,
}

/// What the end of a name says.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) files: i64,
    pub(super) depth: i64,
    pub(super) writes_per_fsync: i64,
    /// Bounded workers at most; none for the kernel's own limits.
    pub(super) limit: Option<i64>,
    pub(super) open: Open,
}

/// What is done to connections.
#[derive(Clone, Copy)]
pub(super) struct Messages {
    pub(super) kind: SocketKind,
    pub(super) answer_ms: f64,
    /// Weights.
    pub(super) receive: i64,
    pub(super) send: i64,
    pub(super) splice: i64,
}

impl Messages {
    fn summary(&self) -> String {
        let all = [(self.receive, "receives"), (self.send, "sends"), (self.splice, "splices")];
        let done: Vec<_> =
            all.iter().filter(|(weight, _)| *weight > 0).map(|(_, what)| *what).collect();
        let mut text = format!("{} on {} connections", done.join(" and "), self.kind.name());
        text[..1].make_ascii_uppercase();
        text + &format!(", answered after {} ms", self.answer_ms)
    }
}

/// What the blocks of the files are before the run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// They lie behind the end of the file.
    Fresh,
    /// They have room on the device and were never written.
    Allocated,
    /// They were written, and are in the page cache.
    Cached,
    /// They were written, and are on the device alone.
    Uncached,
}

/// How much is run.
#[derive(Clone, Copy)]
pub(super) enum Length {
    Seconds(f64),
    Ops(i64),
}

/// Ops on each ring of a point that closes rings all along.
const OPS_PER_RING: i64 = 8;

/// MiB in all files together: 65,536 blocks. Half a second with fsyncs visits none of them twice; a
/// longer run, or one without fsyncs, may come round again. Little enough to be dirty
/// in the memory of a small guest, laid out in a few milliseconds, read back in a tenth of a second.
const TOTAL_SIZE_MIB: i64 = 256;

/// Bytes of a message: as many as a block has.
const MESSAGE_BYTES: i64 = 4096;

/// Length of a run, in seconds: long enough for thousands of ops, short enough for the whole grid.
const RUN_SECONDS: f64 = 0.5;

/// The same if the pool may still be growing by then: each fsync that finds no free worker may create
/// one, and how often that happens is up to the disk.
const GROWING_SECONDS: f64 = 1.5;

impl GridPoint {
    /// Writes alone, with nothing that another group adds.
    pub(super) const WRITES: GridPoint = GridPoint {
        group: WRITES,
        word: "",
        omitted: false,
        shape: Shape {
            files: 1,
            depth: 8,
            writes_per_fsync: 0,
            limit: Some(64),
            open: Open::Buffered,
        },
        write: 1,
        read: 0,
        fallocate: 0,
        messages: None,
        meta: Meta::NONE,
        state: State::Allocated,
        linked: false,
        forced: false,
        closed_ms: None,
        cpus: None,
        size_mib: TOTAL_SIZE_MIB,
        length: Length::Seconds(RUN_SECONDS),
    };

    pub(super) fn name(&self) -> String {
        let mut name = "grid-".to_owned();
        if self.group != WRITES {
            name += &format!("{}-", self.group);
        }
        if !self.word.is_empty() {
            name += &format!("{}-", self.word);
        }
        let Shape { files, depth, writes_per_fsync, limit, open } = self.shape;
        let limit = limit.map_or_else(|| "kernel".to_owned(), |limit| limit.to_string());
        name + &format!("f{files}-d{depth}-s{writes_per_fsync}-l{limit}-{}", open_name(open))
    }

    pub(super) fn plan(&self) -> Result<Plan, SpecError> {
        let name = self.name();
        check::plan(&self.spec(), &name, &name)
    }

    pub(super) fn source(&self) -> Result<Source, SpecError> {
        Source::made(&self.spec(), &self.name())
    }

    fn spec(&self) -> Spec {
        let Shape { writes_per_fsync, limit, depth, .. } = self.shape;
        let (seconds, ops) = match self.length {
            Length::Seconds(_) if self.grows() => (Some(GROWING_SECONDS), None),
            Length::Seconds(seconds) => (Some(seconds), None),
            Length::Ops(ops) => (None, Some(ops)),
        };
        Spec {
            summary: self.summary(),
            origin: "The grid on which the pool is held against the running kernel.".to_owned(),
            files: self.files(),
            sockets: self.messages.map(|messages| spec::Sockets {
                count: self.shape.files,
                kind: messages.kind,
                answer_ms: messages.answer_ms,
                message_bytes: MESSAGE_BYTES,
            }),
            mix: spec::Mix {
                write: Some(self.write),
                receive: self.messages.map_or(0, |messages| messages.receive),
                send: self.messages.map_or(0, |messages| messages.send),
                splice: self.messages.map_or(0, |messages| messages.splice),
                read: self.read,
                fallocate: self.fallocate,
                writes_per_fsync,
                linked: self.linked,
                openat: self.meta.openat.into(),
                statx: self.meta.statx.into(),
                rename: self.meta.rename.into(),
                unlink: self.meta.unlink.into(),
                truncate: self.meta.truncate.into(),
                sync_file_range: self.meta.sync_file_range.into(),
                ..spec::Mix::default()
            },
            ring: spec::Ring {
                depth,
                force_async: self.forced,
                reopen_after_ops: self.closed_ms.map_or(0, |_| OPS_PER_RING),
                closed_ms: self.closed_ms.unwrap_or(0.0),
                ..spec::Ring::default()
            },
            workers: spec::Workers {
                bounded: limit,
                // An op whose file is not known when it is queued is taken for unbounded.
                unbounded: limit.filter(|_| self.forced || self.linked || self.messages.is_some()),
                kernel_limits: limit.is_none(),
                ..spec::Workers::default()
            },
            run: spec::Run { seconds, ops, cpus: self.cpus, ..spec::Run::default() },
            ..Spec::default()
        }
    }

    /// Whether the pool slowly grows to dozens of workers.
    fn grows(&self) -> bool {
        let Shape { writes_per_fsync, limit, depth, .. } = self.shape;
        writes_per_fsync > 0 && depth >= 64 && limit.is_none_or(|limit| limit >= 64)
    }

    fn files(&self) -> spec::Files {
        let Shape { files, open, .. } = self.shape;
        spec::Files {
            count: files,
            size_mib: (self.size_mib / files) as f64,
            open: OneOrMore(vec![open]),
            // Read in sequence, what is not cached would be read ahead.
            order: if self.state == State::Uncached { Order::Random } else { Order::Sequential },
            state: Some(match self.state {
                State::Fresh => FileState::Fresh,
                State::Allocated => FileState::Allocated,
                State::Cached | State::Uncached => FileState::Written,
            }),
            cached: self.state == State::Cached && open != Open::Direct,
            ..spec::Files::default()
        }
    }

    /// The kinds of ops, as the start of a sentence.
    fn what(&self) -> String {
        let meta = self.meta.weights().into_iter().find(|(_, weight)| *weight > 0);
        let what = match (self.write, self.read, self.fallocate, meta) {
            (0, 0, 0, Some((kind, _))) => return format!("Ops `{}`", kind.name()),
            (_, _, _, Some((kind, _))) => return format!("Writes and ops `{}`", kind.name()),
            (0, 0, _, _) => "Fallocates",
            (0, _, _, _) => "Reads",
            (_, 0, 0, _) => "Writes",
            (_, 0, _, _) => "Writes and fallocates",
            _ => "Reads and writes",
        };
        what.to_owned()
    }

    fn summary(&self) -> String {
        let Shape { files, depth, writes_per_fsync, limit, open } = self.shape;
        let what = self.what();
        let blocks = match self.state {
            State::Fresh => " that grow",
            State::Allocated => "",
            State::Cached if open == Open::Direct => " of written blocks",
            State::Cached => " of written blocks in the page cache",
            State::Uncached => " of written blocks that are not in the page cache",
        };
        let on = if files == 1 { "1 file".to_owned() } else { format!("{files} files") };
        let mut text = match &self.messages {
            Some(messages) => format!("{}, {files} of them, {depth} in flight", messages.summary()),
            None => format!("{what} on {on}{blocks} ({}), {depth} in flight", open_name(open)),
        };
        let fsync = if self.linked { "a linked fsync" } else { "an fsync" };
        text += &match writes_per_fsync {
            0 if self.messages.is_some() => String::new(),
            0 => ", no fsync".to_owned(),
            1 => format!(", {fsync} after each write"),
            writes => format!(", {fsync} after {writes} writes"),
        };
        if self.forced {
            text += ", all handed to a worker at once";
        }
        text += &match limit {
            Some(limit) if self.messages.is_some() => format!(", at most {limit} workers"),
            Some(limit) => format!(", at most {limit} bounded workers"),
            None => ", as many workers as the kernel allows by itself".to_owned(),
        };
        if let Some(closed_ms) = self.closed_ms {
            text += &format!(
                ", on rings of {OPS_PER_RING} ops with {closed_ms} ms from one to the next"
            );
        }
        if let Some(cpus) = self.cpus {
            text += &format!(", on {cpus} processor{}", if cpus == 1 { "" } else { "s" });
        }
        text + "."
    }
}

/// As names and specs have it.
fn open_name(open: Open) -> &'static str {
    match open {
        Open::Buffered => "buffered",
        Open::Dsync => "dsync",
        Open::Sync => "sync",
        Open::Direct => "direct",
    }
}
