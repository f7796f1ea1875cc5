//! A timeline for Perfetto: workers as tracks, requests as slices, births and exits as marks.
//!
//! JSON of Chrome's trace event format, an event a line. Its readers take a file that ends early, so
//! what was written counts even if the trace is killed.

use std::collections::HashSet;
use std::io::Write;

use anyhow::Context as _;
use iowq_contract::trace::{Snapshot, TraceBirth, TraceExit, TraceLine, TraceRequest};
use serde_json::{Value, json};

use crate::sinks::Sink;

/// Writes lines as events.
pub struct Perfetto<W> {
    out: W,
    events: u64,
    requests: u64,
    /// Processes whose name was told.
    named: HashSet<u32>,
    /// Workers that are alive, with the time of their birth in ns.
    alive: HashSet<(u32, u32, u64)>,
}

impl<W: Write> Perfetto<W> {
    /// A timeline that goes to `out`.
    pub fn new(out: W) -> Perfetto<W> {
        Perfetto { out, events: 0, requests: 0, named: HashSet::new(), alive: HashSet::new() }
    }

    fn event(&mut self, event: &Value) -> anyhow::Result<()> {
        let before = if self.events == 0 { "[" } else { ",\n" };
        self.events += 1;
        write!(self.out, "{before}{event}").context("cannot write the timeline")
    }

    fn birth(&mut self, birth: &TraceBirth) -> anyhow::Result<()> {
        let TraceBirth { at_ns, pid, tid, by_tid, account, cause } = birth;
        self.alive.insert((*pid, *tid, *at_ns));
        self.event(&json!({
            "ph": "M", "name": "thread_name", "pid": pid, "tid": tid,
            "args": {"name": format!("iou-wrk {tid}")},
        }))?;
        self.event(&json!({
            "ph": "i", "s": "t", "cat": "worker", "name": "born", "ts": us(*at_ns), "pid": pid, "tid": tid,
            "args": {"by": by_tid, "account": account, "cause": cause},
        }))
    }

    fn exit(&mut self, exit: &TraceExit) -> anyhow::Result<()> {
        let TraceExit { at_ns, pid, tid, born_ns } = exit;
        self.alive.remove(&(*pid, *tid, born_ns.unwrap_or_default()));
        self.event(&json!({
            "ph": "i", "s": "t", "cat": "worker", "name": "gone", "ts": us(*at_ns), "pid": pid, "tid": tid,
        }))?;
        self.life(*pid, *tid, born_ns.unwrap_or_default(), *at_ns)
    }

    /// A worker as a slice on its own track.
    fn life(&mut self, pid: u32, tid: u32, born_ns: u64, until_ns: u64) -> anyhow::Result<()> {
        self.event(&json!({
            "ph": "X", "cat": "worker", "name": "worker", "pid": pid, "tid": tid,
            "ts": us(born_ns), "dur": us(until_ns.saturating_sub(born_ns)),
        }))
    }

    fn request(&mut self, request: &TraceRequest) -> anyhow::Result<()> {
        self.requests += 1;
        let TraceRequest { pid, tid, op, way, file, queued_ns, started_ns, done_ns, result } =
            request;
        let waited_us = started_ns.map(|started_ns| us(started_ns.saturating_sub(*queued_ns)));
        let id = format!("{:#x}", self.requests);
        self.event(&json!({
            "ph": "b", "cat": "request", "name": op, "id": id, "ts": us(*queued_ns), "pid": pid, "tid": tid,
            "args": {
                "file": file, "forced": way.forced, "hashed": way.hashed,
                "unbounded": way.unbounded, "result": result, "waited_us": waited_us,
            },
        }))?;
        self.event(&json!({
            "ph": "e", "cat": "request", "name": op, "id": id, "ts": us(*done_ns), "pid": pid, "tid": tid,
        }))
    }

    fn snapshot(&mut self, snapshot: &Snapshot) -> anyhow::Result<()> {
        for process in &snapshot.processes {
            let pid = process.pid;
            if self.named.insert(pid) {
                self.event(&json!({
                    "ph": "M", "name": "process_name", "pid": pid, "args": {"name": process.comm},
                }))?;
            }
            let counters = [
                ("requests in io-wq", process.in_flight),
                ("workers alive", process.alive.total().into()),
            ];
            for (name, value) in counters {
                self.event(&json!({
                    "ph": "C", "name": name, "ts": us(snapshot.at_ns), "pid": pid,
                    "args": {"value": value},
                }))?;
            }
        }
        Ok(())
    }

    /// Workers that are still alive last until the end.
    fn end(&mut self, at_ns: u64) -> anyhow::Result<()> {
        for (pid, tid, born_ns) in std::mem::take(&mut self.alive) {
            self.life(pid, tid, born_ns, at_ns)?;
        }
        let before = if self.events == 0 { "[" } else { "" };
        writeln!(self.out, "{before}]")
            .and_then(|()| self.out.flush())
            .context("cannot write the timeline")
    }
}

impl<W: Write> Sink for Perfetto<W> {
    fn take(&mut self, line: &TraceLine) -> anyhow::Result<()> {
        match line {
            TraceLine::Start(_) => Ok(()),
            TraceLine::Birth(birth) => self.birth(birth),
            TraceLine::Exit(exit) => self.exit(exit),
            TraceLine::Request(request) => self.request(request),
            TraceLine::Snapshot(snapshot) => self.snapshot(snapshot),
            TraceLine::End(end) => self.end(end.at_ns),
        }
    }
}

/// Times are in µs there.
fn us(ns: u64) -> f64 {
    ns as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use iowq_contract::trace::{TraceEnd, TraceProcess, Way};

    use super::*;

    /// What a trace with a worker that leaves, one that stays and a request comes to.
    fn timeline() -> Vec<u8> {
        let birth = |tid, at_ns| {
            TraceLine::Birth(TraceBirth {
                at_ns,
                pid: 7,
                tid,
                by_tid: 7,
                account: None,
                cause: None,
            })
        };
        let process = TraceProcess { pid: 7, comm: "fio".into(), ..TraceProcess::default() };
        let lines = [
            birth(8, 1000),
            birth(9, 2000),
            TraceLine::Exit(TraceExit { at_ns: 5000, pid: 7, tid: 8, born_ns: Some(1000) }),
            TraceLine::Request(TraceRequest {
                pid: 7,
                tid: 9,
                op: "WRITE".into(),
                way: Way::default(),
                file: Some("/a \"b\"".into()),
                queued_ns: 1500,
                started_ns: Some(2500),
                done_ns: 4500,
                result: 512,
            }),
            TraceLine::Snapshot(Snapshot {
                at_ns: 6000,
                processes: vec![process],
                ..Snapshot::default()
            }),
            TraceLine::End(TraceEnd { at_ns: 9000, reason: String::new(), findings: Vec::new() }),
        ];
        let mut bytes = Vec::new();
        let mut perfetto = Perfetto::new(&mut bytes);
        lines.iter().try_for_each(|line| perfetto.take(line)).expect("memory takes it all");
        bytes
    }

    #[test]
    fn each_worker_is_a_slice_from_its_birth_to_its_exit_or_to_the_end() {
        let events: Vec<Value> = serde_json::from_slice(&timeline()).expect("JSON");
        let slice = |tid: u32| events.iter().find(|it| it["ph"] == "X" && it["tid"] == tid);
        assert!(slice(8).is_some_and(|it| it["ts"] == 1.0 && it["dur"] == 4.0));
        assert!(slice(9).is_some_and(|it| it["ts"] == 2.0 && it["dur"] == 7.0));
        let marks = |name: &str| events.iter().filter(|it| it["name"] == name).count();
        assert_eq!((marks("born"), marks("gone")), (2, 1));
    }

    #[test]
    fn a_request_begins_and_ends_under_one_id() {
        let events: Vec<Value> = serde_json::from_slice(&timeline()).expect("JSON");
        let of = |phase: &str| events.iter().find(|it| it["ph"] == phase).expect("an event");
        assert_eq!(of("b")["id"], of("e")["id"]);
        assert_eq!((&of("b")["args"]["file"], &of("e")["ts"]), (&json!("/a \"b\""), &json!(4.5)));
    }

    #[test]
    fn a_trace_without_events_is_an_empty_list() {
        let mut bytes = Vec::new();
        let end = TraceEnd { at_ns: 1, reason: String::new(), findings: Vec::new() };
        Perfetto::new(&mut bytes).take(&TraceLine::End(end)).expect("memory takes it");
        assert_eq!(bytes, b"[]\n");
    }
}
