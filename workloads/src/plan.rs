//! A plan: a spec that was checked, with every default filled in.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::limits;
pub use crate::meta::Meta;
pub use crate::only::{Later, Only};
use crate::op::OpKind;
pub use crate::sockets::{SocketKind, Sockets};

/// A workload, ready to run. It is read once, and handed on as this to whatever runs it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Name, as in `--workload`.
    pub name: String,
    /// One sentence on what it shows.
    pub summary: String,
    /// Where it comes from.
    pub origin: String,
    /// Files under test, the log among them; each is [`Plan::file_blocks`] long.
    pub files: u32,
    /// Blocks in a file.
    pub file_blocks: u64,
    /// Bytes in a block: the unit of contents and of what is compared. Without [`Plan::sizes`] every
    /// read and write is of one.
    pub block_bytes: u32,
    /// How many blocks a read, write or fallocate is of, and how often, smallest first; empty if all
    /// are of one block.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sizes: Vec<OpSize>,
    /// What the first block of an op at random is a multiple of if there are sizes, as in jobs of
    /// fio; 0 for the size of the op.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub align_blocks: u32,
    /// Whether an op at random ends before a block that was visited, by reads or by writes, so that
    /// all come before one returns whatever sizes there are; as in jobs of fio with a map.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub is_cut: bool,
    /// How each file is opened; as many as there are files.
    pub open: Vec<Open>,
    /// What is in each file before the first op; as many as there are files.
    pub state: Vec<FileState>,
    /// Whether the data of files that are written before is in the page cache, too.
    pub cached: bool,
    /// The identity of each file that is hashed to a bucket, in place of the inode's address;
    /// see [`hash_ids`](crate::bucket::hash_ids) for which files share one.
    pub hash_ids: Vec<u64>,
    /// Connections in the place of files, each with someone at its other end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sockets: Option<Sockets>,
    /// What is done to the files but the log.
    pub mix: Mix,
    /// A log beside them, which is then file 0.
    pub log: Option<Log>,
    /// Ops in flight at most.
    pub depth: u32,
    /// Whether every op goes to a worker at once, with `IOSQE_ASYNC`. One that does nothing always
    /// does.
    pub force_async: bool,
    /// What only io_uring has.
    #[serde(default, skip_serializing_if = "Only::is_nothing")]
    pub only: Only,
    /// How ops arrive.
    pub arrival: Arrival,
    /// When rings are opened and closed.
    pub life: Life,
    /// Limits on bounded and on unbounded workers.
    pub limits: [u32; 2],
    /// Other limits, from a moment in the middle of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub later: Option<Later>,
    /// Whether the kernel's own limits on the machine at hand are to take their place.
    pub kernel_limits: bool,
    /// How long an idle worker waits before it leaves.
    pub idle_timeout: Duration,
    /// How much is run and measured.
    pub length: Length,
    /// Blocks to be read and written in place of the ops of [`Plan::length`], which are then as many
    /// as are expected; 0 for none, which is what all but jobs of fio with several sizes have.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub io_blocks: u64,
    /// How long it runs before anything is counted.
    pub warmup: Duration,
    /// The seed if the command line names none.
    pub seed: u64,
    /// Whether what was written is read back and compared at the end.
    pub verify: bool,
    /// How many processors the run is confined to; none for all that there are.
    pub cpus: Option<u32>,
    /// How long after the streams beside it it begins.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub begins_after: Duration,
    /// Its group, of up to 64, among the streams beside it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub group: u32,
    /// Groups that end when it does, a bit for each; 0 for none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub ends_groups: u64,
    /// Streams that run at the same time, in place of one by this plan itself; none if it is the
    /// only one. Their seed and processors are its own; so are length and warm-up, but of jobs of
    /// fio.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<Task>,
}

/// Tasks that are alike: each has a thread, a ring, an io-wq and files of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// What reports call it.
    pub name: String,
    /// How many there are of it.
    pub count: u32,
    /// What each does.
    pub plan: Plan,
}

impl Task {
    /// The streams, one for each.
    fn streams(&self) -> impl Iterator<Item = &Plan> + Clone {
        std::iter::repeat_n(&self.plan, self.count as usize)
    }
}

impl Plan {
    /// The same plan without what decides nothing about a run: its name, its prose, its seed, which
    /// each run has of its own, and limits that are the kernel's to say.
    #[must_use]
    pub fn canonical(&self) -> Plan {
        let prose = String::new;
        let limits = if self.kernel_limits { [0, 0] } else { self.limits };
        let of_task = |task: &Task| Task { plan: task.plan.canonical(), ..task.clone() };
        Plan {
            name: prose(),
            summary: prose(),
            origin: prose(),
            seed: 0,
            limits,
            tasks: self.tasks.iter().map(of_task).collect(),
            ..self.clone()
        }
    }

    /// The streams that run at the same time, one for each task; itself if it has none.
    pub fn streams(&self) -> impl Iterator<Item = &Plan> + Clone {
        let itself = self.tasks.is_empty().then_some(self);
        itself.into_iter().chain(self.tasks.iter().flat_map(Task::streams))
    }

    /// How long all streams together are measured: from the first one's measured part to the end of
    /// the last one's; none if ops end one of them.
    #[must_use]
    pub fn time_of_all(&self) -> Option<Duration> {
        let from = |plan: &Plan| plan.begins_after.saturating_add(plan.warmup);
        let until = |plan: &Plan| match plan.length {
            Length::Time(time) => Some(from(plan).saturating_add(time)),
            Length::Ops(_) | Length::Either { .. } => None,
        };
        let first = self.streams().map(from).min()?;
        let ends: Vec<Duration> = self.streams().map(until).collect::<Option<_>>()?;
        ends.into_iter().max().map(|last| last.saturating_sub(first))
    }

    /// The highest limit of an account at any time.
    #[must_use]
    pub fn limit_max(&self, account: usize) -> u32 {
        let later = self.later.and_then(|later| later.limits[account]);
        later.map_or(self.limits[account], |later| later.max(self.limits[account]))
    }

    /// Changes it and the plans of its tasks alike.
    pub fn change_all(&mut self, change: impl Fn(&mut Plan)) {
        change(self);
        self.tasks.iter_mut().for_each(|task| change(&mut task.plan));
    }

    /// Blocks of the largest op.
    #[must_use]
    pub fn op_blocks_max(&self) -> u32 {
        self.sizes.iter().map(|size| size.blocks).fold(1, u32::max)
    }

    /// The first file that is not the log.
    #[must_use]
    pub fn first_of_mix(&self) -> u32 {
        u32::from(self.log.is_some())
    }

    /// The kinds of op that its stream can have.
    pub fn kinds(&self) -> impl Iterator<Item = OpKind> {
        let Mix { write, read, fallocate, nop, writes_per_fsync, data_only, .. } = self.mix;
        let Mix { receive, send, splice, .. } = self.mix;
        let log = self.log.is_some();
        let mix_fsyncs = write > 0 && writes_per_fsync > 0;
        let shares = [
            (OpKind::Write, write > 0 || log),
            (OpKind::Read, read > 0),
            (OpKind::Fallocate, fallocate > 0),
            (OpKind::Nop, nop > 0),
            (OpKind::Fsync, (mix_fsyncs || log) && !data_only),
            (OpKind::Fdatasync, (mix_fsyncs || log) && data_only),
            (OpKind::Receive, receive > 0),
            (OpKind::Send, send > 0),
            (OpKind::Splice, splice > 0),
        ];
        let meta = self.mix.meta.weights().map(|(kind, weight)| (kind, weight > 0));
        let shares = shares.into_iter().chain(meta);
        shares.filter_map(|(kind, has)| has.then_some(kind))
    }
}

fn is_zero<T: Default + PartialEq>(number: &T) -> bool {
    *number == T::default()
}

/// A size of ops, and its share of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpSize {
    /// Blocks.
    pub blocks: u32,
    /// Weight against the other sizes.
    pub weight: u32,
}

/// What is done to files, and in which shares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mix {
    /// Weight of writes.
    pub write: u32,
    /// Weight of reads.
    pub read: u32,
    /// Weight of fallocates.
    pub fallocate: u32,
    /// Weight of ops that do nothing.
    pub nop: u32,
    /// Weight of receives from connections.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub receive: u32,
    /// Weight of sends to connections.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub send: u32,
    /// Weight of splices out of pipes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub splice: u32,
    /// Writes to a file before each fsync of it; 0 for no fsync.
    pub writes_per_fsync: u32,
    /// Whether that fsync flushes no more than the data needs (fdatasync).
    pub data_only: bool,
    /// Whether that fsync is linked to the last of those writes.
    pub linked: bool,
    /// In which order the blocks of a file are visited.
    pub order: Order,
    /// Weights of ops that neither read nor write.
    #[serde(default, skip_serializing_if = "Meta::is_empty")]
    pub meta: Meta,
}

impl Mix {
    /// The sum of all weights.
    #[must_use]
    pub fn total(&self) -> u32 {
        let Mix { write, read, fallocate, nop, receive, send, splice, meta, .. } = self;
        write + read + fallocate + nop + receive + send + splice + meta.total()
    }
}

/// A log: a file that is only appended to, from its start again once it is full. The last append
/// before each fsync is linked to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    /// Weight of appends, against the weights of the mix.
    pub weight: u32,
    /// Appends before each fsync.
    pub writes_per_fsync: u32,
}

/// What is in a file before the first op.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FileState {
    /// Nothing: the file is empty and grows as it is written. If it is read it has its full
    /// length, and is one hole.
    Fresh,
    /// Space for all blocks, of which none was ever written.
    Allocated,
    /// Data, on the device.
    Written,
}

impl FileState {
    /// The name in a spec.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            FileState::Fresh => "fresh",
            FileState::Allocated => "allocated",
            FileState::Written => "written",
        }
    }
}

/// In which order the blocks of a file are visited. If it has no skew, all others come before one
/// returns. As text it is its name, with the parameter behind a colon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Order {
    /// From the first to the last, then again.
    #[default]
    Sequential,
    /// Each as many blocks behind the one before it, and from the first again once that is beyond
    /// the file. If that is less than nothing it goes backwards: from the first to that many before
    /// the last, as fio does.
    Step {
        /// Blocks from one to the next.
        blocks: i64,
    },
    /// In an order drawn from the seed.
    Random,
    /// Some far more often: the k-th in proportion to `1 / k^theta`, scattered over the file.
    Zipf {
        /// The exponent.
        theta: f64,
    },
    /// Some more often: the share `h` of all gets the share `1 - h` of visits, scattered over the
    /// file.
    Pareto {
        /// The share.
        h: f64,
    },
    /// Those about the middle of the file more often.
    Normal {
        /// The standard deviation, in percent of the file.
        percent: f64,
    },
    /// Each zone of the file with a share of its own, and all within a zone alike.
    Zoned(Zones),
}

impl Order {
    /// Whether some blocks come more often than others.
    #[must_use]
    pub fn is_skewed(self) -> bool {
        !matches!(self, Order::Sequential | Order::Step { .. } | Order::Random)
    }
}

/// Zones of a file, from its start on: of each the share of visits and the share of the file, both in
/// percent. Those behind the last one are empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Zones(pub(crate) [(u8, u8); limits::ZONES_MAX]);

impl Zones {
    /// Share of visits and share of the file of each.
    pub(crate) fn shares(&self) -> impl Iterator<Item = (u8, u8)> + '_ {
        self.0.iter().copied().filter(|(visits, _)| *visits > 0)
    }
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Open {
    /// Through the page cache.
    Buffered,
    /// `O_DSYNC`: a write returns when its data is on the device.
    Dsync,
    /// `O_SYNC`: the same, with all that the file system knows of the file, its times among it.
    Sync,
    /// `O_DIRECT`: around the page cache.
    Direct,
}

/// How ops arrive.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Arrival {
    /// New ops as soon as enough are done, [`Plan::depth`] in flight; after each round of submitting
    /// and reaping the submitter pauses.
    Closed {
        /// Length of the pause; zero for none.
        pause: Duration,
        /// How many ops must be done before the next round, as `min_complete` of
        /// io_uring_enter(2) has it; if fewer are in flight, all of them. Without probes the
        /// submitter still wakes up for each, to stamp it.
        min_complete: u32,
    },
    /// One op each `1 / per_s` seconds, whether or not earlier ones are done.
    Rate {
        /// Ops per second.
        per_s: f64,
    },
    /// Independent arrivals with exponential gaps.
    Poisson {
        /// Ops per second on average.
        per_s: f64,
    },
    /// Bursts of ops, with a gap counted from burst to burst.
    Bursts {
        /// Ops in a burst.
        ops: u32,
        /// From the start of a burst to the start of the next.
        gap: Duration,
    },
}

impl Arrival {
    /// Ops per second of an open loop, on average; none in a closed loop.
    #[must_use]
    pub fn per_s(&self) -> Option<f64> {
        match self {
            Arrival::Closed { .. } => None,
            Arrival::Rate { per_s } | Arrival::Poisson { per_s } => Some(*per_s),
            Arrival::Bursts { ops, gap } => Some(f64::from(*ops) / gap.as_secs_f64()),
        }
    }
}

/// The life of rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Life {
    /// Drain and close the ring after this many ops, then open a new one; 0 for one ring all along.
    /// If that falls between a write and the fsync linked to it, the ring takes both.
    pub reopen_after_ops: u64,
    /// How long no ring is open in between.
    pub closed: Duration,
    /// How long the task lives on and is watched after its last ring was closed.
    pub linger: Duration,
}

/// How much is run, after the warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Length {
    /// A number of ops.
    Ops(u64),
    /// A time.
    Time(Duration),
    /// A number of ops or a time, whichever is over first.
    Either {
        /// The number of ops.
        ops: u64,
        /// The time.
        time: Duration,
    },
}
