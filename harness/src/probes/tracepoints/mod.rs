//! The tier `tracefs` of a trace: the tracepoints of the BPF programs, read as records, one an event.
//!
//! They are read through perf_event_open(2) and not through an instance of tracefs, because its
//! descriptors go with this process, whatever ends it, and an instance stays. What the programs count in
//! the kernel is counted here.

mod decode;
mod find;
mod perf;
mod sample;
mod sums;

use iowq_contract::Tier;
use iowq_ebpf::trace::{FileKey, LifeEvent, OpCounts, OpKey, RequestEvent};

use super::advice;
use super::error::ProbeError;
use super::source::TraceSource;
use super::trace::TraceOptions;
use super::tracefs::with_tracefs;
use crate::clock;
use crate::machine::rights::Rights;
use decode::Decoder;
use find::{find, wanted};
use perf::Opened;
use sample::Sample;
use sums::{Seen, Sums};

/// Bytes of all rings for births and exits together; a record takes some 90.
const LIVES_BYTES_ALL: usize = 1 << 25;
/// Bytes of a processor's ring for births and exits, at least and at most.
const LIVES_BYTES: (usize, usize) = (1 << 18, 1 << 20);
/// Bytes of all rings for requests together; a record takes some 100.
const REQUESTS_BYTES_ALL: usize = 1 << 27;
/// Bytes of a processor's ring for requests, at least and at most.
const REQUESTS_BYTES: (usize, usize) = (1 << 18, 1 << 25);

/// A cause of loss that has no count of its own.
const WITHHELD: &str = "looks that found a BPF program on these events, which withholds those for \
                        which it returns 0";

/// The tracepoints, open. Dropping it closes them and leaves nothing behind.
pub struct Tracepoints {
    decoder: Decoder,
    opened: Opened,
    sums: Sums,
    unseen: Vec<String>,
    /// Records of this drain; kept for its memory.
    seen: Vec<Seen>,
    strange: u64,
    /// Looks at which there were BPF programs on these events.
    looks_withheld: u64,
}

impl Tracepoints {
    /// Opens the tracepoints on all processors.
    ///
    /// # Errors
    ///
    /// Says what is missing and what helps, see [`ProbeError`].
    pub fn start(options: &TraceOptions) -> Result<Tracepoints, ProbeError> {
        advice::check_sampling()?;
        if Rights::here().pid_namespace {
            return Err(ProbeError::PidNamespace);
        }
        let found = with_tracefs(find)?;
        let lives = wanted(&found.lives, options.some);
        let requests = wanted(&found.requests, options.some);
        let cpus = aya::util::online_cpus()
            .map_err(|(path, error)| advice::kernel(&format!("reading {path}"), &error))?;
        let bytes = [
            ring_bytes(LIVES_BYTES_ALL, LIVES_BYTES, cpus.len()),
            ring_bytes(REQUESTS_BYTES_ALL, REQUESTS_BYTES, cpus.len()),
        ];
        let opened = Opened::open(&cpus, &[lives, requests], &bytes)?;
        let events = found.lives.into_iter().chain(found.requests);
        Ok(Tracepoints {
            decoder: Decoder::new(events),
            opened,
            sums: Sums::new(options),
            unseen: found.unseen,
            seen: Vec::new(),
            strange: 0,
            looks_withheld: 0,
        })
    }

    /// Reads what is there, and counts it.
    fn drain(&mut self) {
        // What comes later stays for the next time, so that the order of events on different
        // processors is known.
        let until = clock::now();
        let Tracepoints { decoder, opened, seen, strange, .. } = self;
        opened.take(|bytes| {
            let Some(sample) = Sample::parse(bytes) else {
                *strange += 1;
                return true;
            };
            if sample.time_ns > until.0 {
                return false;
            }
            match decoder.decode(&sample) {
                Some(event) => seen.push(event),
                None => *strange += 1,
            }
            true
        });
        // Of one processor they are in order, and stay so.
        seen.sort_by_key(|event| event.time_ns);
        self.sums.take(seen.drain(..), until.0);
    }

    fn take_strange(&mut self) -> u64 {
        std::mem::take(&mut self.strange)
    }
}

impl TraceSource for Tracepoints {
    fn tier(&self) -> Tier {
        Tier::Tracefs
    }

    fn unseen(&self) -> Vec<String> {
        self.unseen.clone()
    }

    fn trace(&mut self, tgid: u32) -> Result<(), ProbeError> {
        self.drain();
        self.sums.trace(tgid);
        Ok(())
    }

    fn forget(&mut self, over: &[u32]) {
        // Their children are known by then.
        self.drain();
        self.sums.forget(over);
    }

    fn ops(&mut self) -> Vec<(OpKey, OpCounts)> {
        self.drain();
        self.sums.ops()
    }

    fn files(&mut self) -> Vec<(FileKey, u64)> {
        Vec::new()
    }

    fn take_lives(&mut self, take: &mut dyn FnMut(LifeEvent)) -> u64 {
        self.drain();
        self.sums.take_lives().for_each(take);
        self.take_strange()
    }

    fn take_requests(&mut self, take: &mut dyn FnMut(RequestEvent)) -> u64 {
        self.drain();
        self.sums.take_requests().for_each(take);
        self.take_strange()
    }

    fn lost(&mut self) -> Result<Vec<(String, u64)>, ProbeError> {
        let mut lost = self.sums.lost();
        let events = self.opened.lost().map_err(|error| {
            advice::kernel("reading how many records of tracepoints were lost", &error)
        })?;
        // There is no count of what they withheld.
        self.looks_withheld += u64::from(self.opened.has_programs());
        lost.push((WITHHELD.to_owned(), self.looks_withheld));
        let named = |title: &str| format!("{title}: the reader came too late");
        lost.extend(events.into_iter().map(|(title, count)| (named(title), count)));
        Ok(lost)
    }
}

/// Size of a ring, if each processor has one and all together this much: a power of two.
fn ring_bytes(all: usize, (least, most): (usize, usize), cpus: usize) -> usize {
    let fit = (all / cpus.max(1)).clamp(least, most);
    1 << fit.ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_share_what_there_is_and_are_powers_of_two_within_limits() {
        let bytes = |cpus| ring_bytes(REQUESTS_BYTES_ALL, REQUESTS_BYTES, cpus);
        assert_eq!([0, 1, 2, 4].map(bytes), [1 << 25; 4]);
        assert_eq!((bytes(6), bytes(64), bytes(4096)), (1 << 24, 1 << 21, 1 << 18));
    }
}
