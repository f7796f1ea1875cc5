//! Direct ops that a worker only begins: it hands them to the device, as the kernel's worker does.
//!
//! The kernel's worker submits a direct read or write and takes its next work; the op completes when
//! the device is done. `io_submit(2)` does the same, and blocks if that worker would.

use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd, RawFd};

use iowq_workloads::{Open, Plan};
use rustix::event::{EventfdFlags, eventfd};

use super::buffers::Buffer;

/// `IOCB_CMD_PREAD` and `IOCB_CMD_PWRITE` of `linux/aio_abi.h`.
const COMMANDS: [u16; 2] = [0, 1];
/// `IOCB_FLAG_RESFD`: the event counter is raised when the op ends.
const TELLS_BELL: u32 = 1;

/// `struct iocb` of `linux/aio_abi.h`.
#[repr(C)]
#[derive(Default)]
struct Control {
    data: u64,
    key: u32,
    rw_flags: u32,
    command: u16,
    priority: i16,
    file: u32,
    start: u64,
    bytes: u64,
    offset_bytes: i64,
    reserved: u64,
    flags: u32,
    bell: u32,
}

/// `struct io_event` of `linux/aio_abi.h`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Event {
    data: u64,
    control: u64,
    result: i64,
    result_more: i64,
}

/// State of an op, whose worker and device may finish with it in either order.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Unknown,
    /// Its worker has begun it.
    Begun,
    /// It ended with this result, and its worker has not said yet that it began it.
    Ended(i32),
}

/// The part with which a worker begins ops.
#[derive(Clone, Copy, Debug)]
pub struct Beginner {
    context: libc::c_ulong,
    bell: RawFd,
}

impl Beginner {
    /// Hands a read or write to the device. False if the kernel refuses; a plain call then shows why,
    /// or does it.
    #[must_use]
    pub fn begin(self, slot: u32, write: bool, file: RawFd, place: (u64, Buffer)) -> bool {
        let (offset_bytes, buffer) = place;
        let mut control = Control {
            data: u64::from(slot),
            command: COMMANDS[usize::from(write)],
            file: file as u32,
            start: buffer.start() as u64,
            bytes: u64::from(buffer.bytes()),
            offset_bytes: offset_bytes as i64,
            flags: TELLS_BELL,
            bell: self.bell as u32,
            ..Control::default()
        };
        let mut controls = [&raw mut control];
        // SAFETY: the kernel copies the control block; file and buffer are the op's own until it
        // ended, see `PoolEngine`, and the context is there as long as an op is in flight.
        let taken = unsafe {
            libc::syscall(
                libc::SYS_io_submit,
                self.context,
                1 as libc::c_long,
                controls.as_mut_ptr(),
            )
        };
        taken == 1
    }
}

/// The ops that were begun, as the submitter holds them.
pub struct Begun {
    beginner: Beginner,
    bell: OwnedFd,
    /// By slot.
    stages: Vec<Stage>,
    events: Vec<Event>,
    /// What ended and is still to be delivered.
    ended: Vec<(u32, i32)>,
}

impl Begun {
    /// Room for the ops of this plan; none if it has no direct ops that the submitter does not try.
    ///
    /// # Errors
    /// If the kernel has no asynchronous I/O (`CONFIG_AIO`), or no room (`fs.aio-max-nr`).
    pub fn of(plan: &Plan) -> io::Result<Option<Begun>> {
        if !plan.force_async || !plan.open.contains(&Open::Direct) {
            return Ok(None);
        }
        Begun::new(plan).map(Some)
    }

    fn new(plan: &Plan) -> io::Result<Begun> {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let mut context: libc::c_ulong = 0;
        // SAFETY: the kernel writes the context, which is all that it needs.
        let made = unsafe { libc::syscall(libc::SYS_io_setup, plan.depth, &raw mut context) };
        if made != 0 {
            return Err(io::Error::last_os_error());
        }
        let depth = plan.depth as usize;
        Ok(Begun {
            beginner: Beginner { context, bell: bell.as_raw_fd() },
            bell,
            stages: vec![Stage::Unknown; depth],
            events: vec![Event::default(); depth],
            ended: Vec::with_capacity(depth),
        })
    }

    /// The part with which a worker begins them.
    #[must_use]
    pub fn beginner(&self) -> Beginner {
        self.beginner
    }

    /// Its worker has begun this op. Returns its result if it has ended.
    pub fn begun(&mut self, slot: u32) -> Option<i32> {
        match std::mem::replace(&mut self.stages[slot as usize], Stage::Begun) {
            Stage::Ended(result) => {
                self.stages[slot as usize] = Stage::Unknown;
                Some(result)
            }
            Stage::Unknown | Stage::Begun => None,
        }
    }

    /// The next op that ended after its worker began it, and its result.
    pub fn reap(&mut self) -> Option<(u32, i32)> {
        if self.ended.is_empty() {
            self.take_events();
        }
        self.ended.pop()
    }

    fn take_events(&mut self) {
        // The counter is above zero if an op ended since it was read last.
        if rustix::io::read(&self.bell, &mut [0; 8]).is_err() {
            return;
        }
        let none = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: there is room for as many events as are requested.
        let taken = unsafe {
            libc::syscall(
                libc::SYS_io_getevents,
                self.beginner.context,
                0,
                self.events.len(),
                self.events.as_mut_ptr(),
                &raw const none,
            )
        };
        for event in &self.events[..usize::try_from(taken).unwrap_or(0)] {
            // As it was begun: a slot, and at most a block of bytes.
            let (slot, result) = (event.data as u32, event.result as i32);
            let stage = &mut self.stages[slot as usize];
            if *stage == Stage::Begun {
                *stage = Stage::Unknown;
                self.ended.push((slot, result));
            } else {
                *stage = Stage::Ended(result);
            }
        }
    }
}

impl AsFd for Begun {
    /// Readable if an op has ended since [`Begun::reap`] found none.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}

impl Drop for Begun {
    /// Waits for what is in flight.
    fn drop(&mut self) {
        // SAFETY: the context is this one's, and no worker is left that would use it.
        unsafe { libc::syscall(libc::SYS_io_destroy, self.beginner.context) };
    }
}
