//! Records of tracepoints, read by the layouts that the running kernel has for them.

use super::find::Found;
use super::sample::{Sample, u32_at, u64_at};
use super::sums::{Seen, What};

/// Knows all events by their numbers.
pub(super) struct Decoder {
    layouts: Vec<Layout>,
}

struct Layout {
    /// The number, as an event begins with.
    id: u16,
    offsets: Vec<usize>,
    read: fn(&Fields<'_>) -> Option<What>,
}

impl Decoder {
    /// Of these events.
    pub(super) fn new(events: impl Iterator<Item = Found>) -> Decoder {
        let layout = |found: Found| {
            Some(Layout {
                id: u16::try_from(found.id).ok()?,
                offsets: found.offsets,
                read: reader(found.event.program)?,
            })
        };
        Decoder { layouts: events.filter_map(layout).collect() }
    }

    /// Reads an event; none if it is not one of these, or too short.
    pub(super) fn decode(&self, sample: &Sample<'_>) -> Option<Seen> {
        let id = u16::from_ne_bytes(sample.event.get(..2)?.try_into().ok()?);
        let layout = self.layouts.iter().find(|layout| layout.id == id)?;
        let fields = Fields { event: sample.event, offsets: &layout.offsets };
        Some(Seen {
            time_ns: sample.time_ns,
            tgid: sample.tgid,
            tid: sample.tid,
            cpu: sample.cpu,
            what: (layout.read)(&fields)?,
        })
    }
}

/// What reads the event that a BPF program of this name is for. Fields are numbered as in its table
/// of fields.
fn reader(program: &str) -> Option<fn(&Fields<'_>) -> Option<What>> {
    Some(match program {
        "trace_born" => {
            |it| Some(What::Born { tid: it.u32(0)?, comm: it.comm(1)?, flags: it.u64(2)? })
        }
        "trace_named" => |it| Some(What::Named { tid: it.u32(0)?, comm: it.comm(1)? }),
        "trace_exited" => |it| Some(What::Exited { comm: it.comm(0)? }),
        "trace_ring" => |it| Some(What::Ring { fd: it.u32(0)?, entries: it.u32(1)? }),
        "trace_registered" => |it| Some(What::Registered { opcode: it.u32(0)? }),
        "trace_submitted" => |it| Some(What::Submitted { opcode: it.u8(0)?, flags: it.u32(1)? }),
        "trace_queued" => |it| {
            Some(What::Queued {
                request: it.u64(0)?,
                opcode: it.u8(1)?,
                flags: it.u32(2)?,
                hashed: it.u32(4)? != 0,
            })
        },
        "trace_completed" => {
            |it| Some(What::Completed { request: it.u64(0)?, result: it.u32(1)?.cast_signed() })
        }
        _ => return None,
    })
}

/// The fields of an event, by their place in its table.
struct Fields<'a> {
    event: &'a [u8],
    offsets: &'a [usize],
}

impl Fields<'_> {
    fn at(&self, nth: usize) -> Option<usize> {
        self.offsets.get(nth).copied()
    }

    fn u8(&self, nth: usize) -> Option<u8> {
        self.event.get(self.at(nth)?).copied()
    }

    fn u32(&self, nth: usize) -> Option<u32> {
        u32_at(self.event, self.at(nth)?)
    }

    fn u64(&self, nth: usize) -> Option<u64> {
        u64_at(self.event, self.at(nth)?)
    }

    fn comm(&self, nth: usize) -> Option<[u8; 16]> {
        let at = self.at(nth)?;
        self.event.get(at..at.checked_add(16)?)?.try_into().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probes::trace::events::{LIVES, QUEUED, SUBMITTED};

    #[test]
    fn fields_are_read_by_the_place_that_they_have_in_the_table() {
        let places = [
            ("trace_born", 0, "pid"),
            ("trace_born", 1, "comm"),
            ("trace_born", 2, "clone_flags"),
            ("trace_named", 0, "pid"),
            ("trace_named", 1, "newcomm"),
            ("trace_exited", 0, "comm"),
            ("trace_ring", 0, "fd"),
            ("trace_ring", 1, "sq_entries"),
            ("trace_registered", 0, "opcode"),
            ("trace_submitted", 0, "opcode"),
            ("trace_submitted", 1, "flags"),
            ("trace_queued", 0, "req"),
            ("trace_queued", 1, "opcode"),
            ("trace_queued", 2, "flags"),
            ("trace_queued", 4, "rw"),
            ("trace_completed", 0, "req"),
            ("trace_completed", 1, "res"),
        ];
        for event in LIVES.iter().chain(&QUEUED).chain(&SUBMITTED) {
            assert!(reader(event.program).is_some(), "{}", event.title);
            for (_, nth, name) in places.iter().filter(|place| place.0 == event.program) {
                assert_eq!(event.fields[*nth].1, *name, "{}", event.title);
            }
        }
    }

    fn decoder() -> Decoder {
        let found = Found { event: &QUEUED[0], id: 300, offsets: vec![8, 16] };
        Decoder::new([found].into_iter())
    }

    fn decode(event: &[u8]) -> Option<Seen> {
        let sample = Sample { tgid: 1, tid: 2, time_ns: 3, cpu: 0, event };
        decoder().decode(&sample)
    }

    #[test]
    fn an_event_is_known_by_its_number() {
        let mut event = vec![0; 24];
        event[..2].copy_from_slice(&300_u16.to_ne_bytes());
        event[8..16].copy_from_slice(&0xffff_8880_0000_0001_u64.to_ne_bytes());
        event[16..20].copy_from_slice(&(-5_i32).to_ne_bytes());
        let seen = decode(&event).expect("it is known");
        assert!((seen.tgid, seen.tid, seen.time_ns) == (1, 2, 3));
        assert_eq!(seen.what, What::Completed { request: 0xffff_8880_0000_0001, result: -5 });
        assert_eq!(decode(&event[..18]), None, "too short");
        event[0] += 1;
        assert_eq!(decode(&event), None, "another");
    }
}
