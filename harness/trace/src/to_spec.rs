//! From a trace to a workload: the spec that is nearest to what a process did, for `iowq bench`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use iowq_contract::trace::{Snapshot, TraceProcess};

/// Limits of a spec.
const FILES_MAX: usize = 64;
const DEPTH_MAX: u32 = 4096;
/// Entries of a ring that was not seen.
const DEPTH_UNKNOWN: u32 = 64;
/// Writes to a file before an fsync, at most.
const WRITES_PER_FSYNC_MAX: u64 = 1000;

/// What a process did of what a spec can say.
struct Counts {
    writes: u64,
    reads: u64,
    fsyncs: u64,
    fallocates: u64,
    others: u64,
}

/// The spec, as TOML, of the process with the most requests in io-wq; none if no process wrote, read
/// or synced anything.
#[must_use]
pub fn to_spec(last: &Snapshot) -> Option<String> {
    let queued = |process: &&TraceProcess| process.ops.iter().map(|op| op.queued).sum::<u64>();
    let process = last.processes.iter().max_by_key(queued)?;
    let counts = Counts::of(process);
    let done = counts.writes + counts.reads + counts.fsyncs + counts.fallocates;
    if done == 0 {
        return None;
    }
    let seconds = last.at_ns as f64 / 1e9;
    let depth = process.rings.iter().filter_map(|ring| ring.entries).max();
    let mut text = format!(
        "# What {}[{}] did in {seconds:.1} s, as far as a spec can say it. A trace does not show the size\n\
         # of a request, the order of blocks, the flags that files were opened with, or pauses: set them.\n",
        process.comm.escape_debug(),
        process.pid,
    );
    if counts.others > 0 {
        let _ = writeln!(text, "# {} requests of other ops are left out.", counts.others);
    }
    let forced: u64 = process
        .ops
        .iter()
        .filter(|op| op.op == "WRITE" || op.op == "READ")
        .map(|op| op.forced)
        .sum();
    let _ = write!(
        text,
        "\n[files]\ncount = {}\nsize_mib = 16\n\n[mix]\nwrite = {}\nread = {}\nfallocate = {}\n\
         writes_per_fsync = {}\n\n[arrival]\npattern = \"rate\"\nper_s = {:.0}\n\n\
         [ring]\ndepth = {}\nforce_async = {}\n\n[workers]\nkernel_limits = true\n\n[run]\nseconds = 10\n",
        files(process),
        share(counts.writes, done),
        share(counts.reads, done),
        share(counts.fallocates, done),
        counts.writes_per_fsync(),
        (done as f64 / seconds.max(0.1)).max(1.0),
        depth.unwrap_or(DEPTH_UNKNOWN).clamp(1, DEPTH_MAX),
        forced * 2 > done,
    );
    Some(text)
}

impl Counts {
    fn of(process: &TraceProcess) -> Counts {
        let mut counts = Counts { writes: 0, reads: 0, fsyncs: 0, fallocates: 0, others: 0 };
        for op in &process.ops {
            let kind = match op.op.as_str() {
                "WRITE" | "WRITEV" | "WRITE_FIXED" | "WRITEV_FIXED" => &mut counts.writes,
                "READ" | "READV" | "READ_FIXED" | "READV_FIXED" => &mut counts.reads,
                "FSYNC" => &mut counts.fsyncs,
                "FALLOCATE" => &mut counts.fallocates,
                _ => &mut counts.others,
            };
            *kind += op.submitted.max(op.queued);
        }
        counts
    }

    fn writes_per_fsync(&self) -> u64 {
        match self.fsyncs {
            0 => 0,
            fsyncs => ((self.writes + fsyncs / 2) / fsyncs).clamp(1, WRITES_PER_FSYNC_MAX),
        }
    }
}

/// Files that were written, read or synced.
fn files(process: &TraceProcess) -> usize {
    let names: BTreeSet<_> = process.files.iter().map(|file| &file.file).collect();
    let more = usize::try_from(process.files_more).unwrap_or(FILES_MAX);
    names.len().saturating_add(more).clamp(1, FILES_MAX)
}

/// A weight in percent; at least one if there is any.
fn share(count: u64, all: u64) -> u64 {
    if count == 0 { 0 } else { (count * 100 / all).max(1) }
}

#[cfg(test)]
mod tests {
    use iowq_contract::trace::{TraceOp, TraceRing};
    use iowq_workloads::Plan;

    use super::*;

    fn snapshot(ops: &[(&str, u64)]) -> Snapshot {
        let op = |&(name, submitted): &(&str, u64)| TraceOp {
            op: name.to_owned(),
            submitted,
            queued: submitted,
            ..TraceOp::default()
        };
        let process = TraceProcess {
            pid: 7,
            comm: "db\nx".into(),
            rings: vec![TraceRing { fd: 3, entries: Some(128), by_tid: None }],
            ops: ops.iter().map(op).collect(),
            ..TraceProcess::default()
        };
        Snapshot { at_ns: 10_000_000_000, processes: vec![process], ..Snapshot::default() }
    }

    #[test]
    fn writes_and_fsyncs_become_a_spec_that_can_be_run() {
        let text =
            to_spec(&snapshot(&[("WRITE", 4000), ("FSYNC", 1000), ("NOP", 5)])).expect("a spec");
        let plan = Plan::parse("db", "db.toml", &text).expect("it can be run");
        assert_eq!((plan.depth, plan.mix.writes_per_fsync), (128, 4), "{text}");
    }

    #[test]
    fn what_no_spec_can_say_is_none() {
        assert_eq!(to_spec(&snapshot(&[("RECV", 4000)])), None);
        assert_eq!(to_spec(&Snapshot::default()), None);
    }
}
