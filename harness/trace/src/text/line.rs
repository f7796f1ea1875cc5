//! A line for each process in which something happened since the snapshot before.

use std::collections::HashMap;

use iowq_contract::trace::{Snapshot, TraceProcess, TraceStart};

use crate::story::is_lower_bound;

/// Makes lines of snapshots.
#[derive(Debug, Default)]
pub struct Lines {
    before: HashMap<u32, TraceProcess>,
    before_ns: u64,
    is_lower_bound: bool,
}

impl Lines {
    /// Takes how the trace is watched.
    pub fn begin(&mut self, start: &TraceStart) {
        self.is_lower_bound = is_lower_bound(start);
    }

    /// The lines of a snapshot; empty if nothing happened.
    pub fn of(&mut self, snapshot: &Snapshot) -> String {
        let seconds = snapshot.at_ns.saturating_sub(self.before_ns) as f64 / 1e9;
        let none = TraceProcess::default();
        let lines = snapshot.processes.iter().filter_map(|process| {
            let before = self.before.get(&process.pid).unwrap_or(&none);
            line(before, process, seconds, self.is_lower_bound)
        });
        let lines: String =
            lines.map(|line| format!("{:>6.0} s  {line}\n", snapshot.at_ns as f64 / 1e9)).collect();
        self.before =
            snapshot.processes.iter().map(|process| (process.pid, process.clone())).collect();
        self.before_ns = snapshot.at_ns;
        lines
    }
}

fn line(
    before: &TraceProcess,
    now: &TraceProcess,
    seconds: f64,
    is_lower_bound: bool,
) -> Option<String> {
    let born = now.born.saturating_sub(before.born);
    let exited = now.exited.saturating_sub(before.exited);
    let ops: Vec<_> = now
        .ops
        .iter()
        .filter_map(|op| {
            let was = before.ops.iter().find(|was| was.op == op.op);
            let queued = op.queued - was.map_or(0, |was| was.queued).min(op.queued);
            (queued > 0).then(|| format!("{} {:.0}/s", op.op, queued as f64 / seconds))
        })
        .collect();
    if born + exited == 0 && ops.is_empty() {
        return None;
    }
    let (comm, pid, alive) = (&now.comm, now.pid, now.alive.total());
    if is_lower_bound {
        // Then requests are not seen.
        return Some(format!("{comm}[{pid}]  workers {alive} (at least +{born} -{exited})"));
    }
    let queued = if ops.is_empty() { String::new() } else { format!("  {}", ops.join(", ")) };
    let in_flight = now.in_flight;
    Some(format!(
        "{comm}[{pid}]  workers {alive} (+{born} -{exited})  in io-wq {in_flight}{queued}"
    ))
}

#[cfg(test)]
mod tests {
    use iowq_contract::trace::{ByAccount, TraceOp};

    use super::*;

    #[test]
    fn a_line_has_what_happened_since_the_last_and_quiet_processes_have_none() {
        let op = |queued| TraceOp { op: "WRITE".into(), queued, ..TraceOp::default() };
        let process = |born, queued| TraceProcess {
            pid: 7,
            comm: "fio".into(),
            born,
            alive: ByAccount { bounded: 3, ..ByAccount::default() },
            ops: vec![op(queued)],
            ..TraceProcess::default()
        };
        let snapshot = |at_s: u64, process| Snapshot {
            at_ns: at_s * 1_000_000_000,
            processes: vec![process],
            ..Snapshot::default()
        };
        let mut lines = Lines::default();
        lines.of(&snapshot(1, process(3, 10)));
        let second = lines.of(&snapshot(3, process(5, 110)));
        assert_eq!(second, "     3 s  fio[7]  workers 3 (+2 -0)  in io-wq 0  WRITE 50/s\n");
        assert_eq!(lines.of(&snapshot(4, process(5, 110))), "");
        let polled =
            Lines { is_lower_bound: true, ..Lines::default() }.of(&snapshot(1, process(3, 0)));
        assert_eq!(polled, "     1 s  fio[7]  workers 3 (at least +3 -0)\n");
    }
}
