//! Modes of one process.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use io_uring::{opcode, types};

use super::report::{Done, Report};
use super::ring::{Gate, Ring, until};
use super::{Task, stay};

/// Writes in flight.
const DEPTH: usize = 8;
/// Bytes of each.
const BYTES: u32 = 512;
/// A ring is closed for good 10 to 30 ms after its last descriptor.
const CLOSE: Duration = Duration::from_secs(2);

/// Forced writes to files in turn.
pub(super) fn writes(task: &Task) -> anyhow::Result<()> {
    let (files, writes) = (task.number(0)?, task.number(1)?);
    let mut done = Done::nothing();
    let mut opened = Vec::new();
    for nth in 0..files {
        let path = task.folder.join(format!("file-{nth}"));
        let file = File::create(&path)?;
        opened.push((file, path.canonicalize()?.display().to_string()));
    }
    let block = [7; BYTES as usize];
    let mut ring = Ring::open(u32::try_from(DEPTH)?, &mut done)?;
    let (mut in_flight, mut begun) = (0, 0);
    while begun < writes || in_flight > 0 {
        while begun < writes && in_flight < DEPTH {
            let (file, path) = &opened[usize::try_from(begun % files)?];
            let fd = types::Fd(file.as_raw_fd());
            let write = opcode::Write::new(fd, block.as_ptr(), BYTES);
            let write = write.offset(begun / files * u64::from(BYTES)).build();
            ring.force(&mut done, "WRITE", write)?;
            *done.files.entry(path.clone()).or_default() += 1;
            (in_flight, begun) = (in_flight + 1, begun + 1);
        }
        let results = ring.wait(1)?;
        ensure!(results.iter().all(|it| i64::from(*it) == i64::from(BYTES)), "{results:?}");
        in_flight -= results.len();
    }
    settle(&mut done)?;
    Report { processes: vec![done] }.write(&task.folder)?;
    stay()
}

/// Rings one after the other, with opens that all wait at one time.
pub(super) fn rings(task: &Task) -> anyhow::Result<()> {
    let (rings, opens) = (task.number(0)?, task.number(1)?);
    let mut done = Done::nothing();
    let gate = Gate::new(&task.folder)?;
    let mut leaves = true;
    for _ in 0..rings {
        let mut ring = Ring::open(u32::try_from(opens)?, &mut done)?;
        gate.hold(&mut ring, &mut done, opens)?;
        let _other_end = gate.open()?;
        for fd in ring.wait(usize::try_from(opens)?)? {
            ensure!(fd >= 0, "an open fails: {fd}");
            // SAFETY: the kernel just gave it to this process, and nothing else knows it.
            drop(unsafe { OwnedFd::from_raw_fd(fd) });
        }
        settle(&mut done)?;
        drop(ring);
        // Where idle workers leave with the last ring, the next one has others.
        leaves = leaves && is_soon(|| done.look() == 0);
    }
    Report { processes: vec![done] }.write(&task.folder)?;
    stay()
}

/// Whether something is so within the time that a kernel takes to close a ring.
fn is_soon(mut is_so: impl FnMut() -> bool) -> bool {
    let began = Instant::now();
    while !is_so() {
        if began.elapsed() > CLOSE {
            return false;
        }
        std::thread::yield_now();
    }
    true
}

/// Forced receives on sockets that have nothing until all of them wait.
pub(super) fn sockets(task: &Task) -> anyhow::Result<()> {
    let count = usize::try_from(task.number(0)?)?;
    let mut done = Done::nothing();
    let mut ring = Ring::open(u32::try_from(count)?, &mut done)?;
    let pairs: Vec<_> = (0..count).map(|_| UnixStream::pair()).collect::<Result<_, _>>()?;
    let mut byte = [0_u8];
    for (here, _) in &pairs {
        let receive = opcode::Recv::new(types::Fd(here.as_raw_fd()), byte.as_mut_ptr(), 1);
        ring.force(&mut done, "RECV", receive.build())?;
        let name = fs::read_link(format!("/proc/self/fd/{}", here.as_raw_fd()))?;
        *done.files.entry(name.display().to_string()).or_default() += 1;
    }
    until("all are left to a poll", || polled(&ring) == count)?;
    settle(&mut done)?;
    done.ops.get_mut("RECV").context("a receive")?.polled = count as u64;
    for (_, there) in &pairs {
        (&*there).write_all(&[1])?;
    }
    let mut received = 0;
    while received < count {
        let results = ring.wait(1)?;
        ensure!(results.iter().all(|it| *it == 1), "{results:?}");
        received += results.len();
    }
    settle(&mut done)?;
    Report { processes: vec![done] }.write(&task.folder)?;
    stay()
}

/// Requests of a ring that wait for their file by a poll, as the kernel lists them.
fn polled(ring: &Ring) -> usize {
    let path = format!("/proc/self/fdinfo/{}", ring.0.as_raw_fd());
    let text = fs::read_to_string(path).unwrap_or_default();
    let polls = text.lines().skip_while(|line| !line.starts_with("PollList:"));
    polls.skip(1).take_while(|line| line.trim_start().starts_with("op=")).count()
}

/// Looks at the workers until two looks in a row find the same.
fn settle(done: &mut Done) -> anyhow::Result<()> {
    until("the workers are known", || {
        let before = done.workers.len();
        done.look();
        done.workers.len() == before
    })
}
