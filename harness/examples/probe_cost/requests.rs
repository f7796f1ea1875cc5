//! Floods of forced no-ops, which do nothing but go to io-wq and back.

use std::hint::black_box;

use anyhow::Context as _;
use io_uring::{IoUring, opcode, squeue};
use iowq_harness::clock;
use iowq_harness::probes::Requests;

use crate::spread::median;

/// Requests in flight.
pub const DEPTH: u32 = 32;
/// Requests of a part, of which the first is not measured: by then there are workers.
const REQUESTS: u64 = 25_000;
/// Parts.
const PARTS: usize = 21;

/// Nanoseconds per request with this many workers at most, 0 for as many as the kernel likes: the
/// median of all parts. What the probes write down is read, as an engine does.
pub fn flood(seen: Option<&Requests>, workers: u32) -> anyhow::Result<f64> {
    let ring = IoUring::builder().setup_coop_taskrun().build(DEPTH);
    let mut ring: IoUring = ring.context("opening a ring")?;
    ring.submitter().register_iowq_max_workers(&mut [workers, 0])?;
    let mut free: Vec<u32> = (0..DEPTH).collect();
    let mut parts = (0..PARTS).map(|_| part(&mut ring, &mut free, seen));
    parts.next().transpose()?;
    Ok(median(parts.collect::<Result<_, _>>()?))
}

/// Nanoseconds per request of a part.
fn part(ring: &mut IoUring, free: &mut Vec<u32>, seen: Option<&Requests>) -> anyhow::Result<f64> {
    let nop = opcode::Nop::new().build().flags(squeue::Flags::ASYNC);
    let (mut ended, from) = (0, clock::now());
    while ended < REQUESTS {
        for slot in free.drain(..) {
            if let Some(seen) = seen {
                seen.prepare(slot);
            }
            let one_in_eight = (ended / u64::from(DEPTH) + u64::from(slot)).is_multiple_of(8);
            let entry = nop.clone().user_data(Requests::user_data(slot, one_in_eight));
            // SAFETY: the entry points to nothing.
            unsafe { ring.submission().push(&entry) }?;
        }
        ring.submit_and_wait(1)?;
        free.extend(ring.completion().map(|it| Requests::slot(it.user_data())));
        for slot in free.iter() {
            black_box(seen.map(|seen| seen.times(*slot, from)));
        }
        ended += free.len() as u64;
    }
    Ok(clock::now().since(from) as f64 / ended as f64)
}
