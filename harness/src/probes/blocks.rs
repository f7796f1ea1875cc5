//! The readers of block events: an account's last running worker fell asleep over its work.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use aya::maps::{MapData, RingBuf};
use iowq_ebpf::BlockEvent;

use super::ring;
use crate::doorbell::{Caller, Doorbell};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

/// Reads a pool's events out of the ring `BLOCKS`, and can wait for them. There is one for each pool,
/// for one thread.
///
/// The ring is one for all pools. A record wakes all readers that sleep, and who comes first takes
/// what there is, and puts what is another's into that one's box.
pub struct BlockReader {
    shared: Arc<Readers>,
    pool: usize,
    doorbell: Doorbell,
}

/// What the readers of a ring share.
struct Readers {
    ring: Mutex<RingBuf<MapData>>,
    boxes: Vec<Inbox>,
    /// Slots of each pool.
    slots: u32,
}

/// Events of a pool that another pool's reader took.
struct Inbox {
    events: Mutex<Vec<BlockEvent>>,
    /// Whether there are any; told after they are put there.
    some: AtomicBool,
    owner: Arc<Caller>,
}

impl BlockReader {
    /// A reader for each of `pools` pools, each of which has `slots` slots.
    ///
    /// # Errors
    ///
    /// If there is no file descriptor left.
    pub(super) fn several(
        ring: RingBuf<MapData>,
        pools: usize,
        slots: u32,
    ) -> io::Result<Vec<BlockReader>> {
        let doorbells = (0..pools).map(|_| Doorbell::new()).collect::<io::Result<Vec<_>>>()?;
        doorbells.iter().try_for_each(|doorbell| doorbell.watch(ring.as_fd()))?;
        let inbox = |doorbell: &Doorbell| Inbox {
            events: Mutex::default(),
            some: AtomicBool::new(false),
            owner: doorbell.caller(),
        };
        let boxes = doorbells.iter().map(inbox).collect();
        let shared = Arc::new(Readers { ring: Mutex::new(ring), boxes, slots });
        let reader = |(pool, doorbell)| BlockReader { shared: Arc::clone(&shared), pool, doorbell };
        Ok(doorbells.into_iter().enumerate().map(reader).collect())
    }

    /// Ends waits as long as this descriptor is readable, too.
    ///
    /// # Errors
    ///
    /// What epoll_ctl(2) says.
    pub fn watch(&self, descriptor: impl AsFd) -> io::Result<()> {
        self.doorbell.watch(descriptor)
    }

    /// What ends its waits.
    #[must_use]
    pub fn waker(&self) -> Arc<Caller> {
        self.doorbell.caller()
    }

    /// Waits for an event or the waker, at most `timeout` if there is one. A signal ends the
    /// wait, too, and so does an event of another pool.
    ///
    /// # Errors
    ///
    /// As [`Doorbell::wait`].
    pub fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.doorbell.wait(timeout)
    }

    /// Passes on all events of its pool that there are, oldest first; their slots count from the
    /// pool's first. Does not wait; makes a system call only for another pool that sleeps.
    pub fn drain(&mut self, mut take: impl FnMut(BlockEvent)) {
        let Readers { ring, boxes, slots } = &*self.shared;
        let of_pool = |event: BlockEvent| BlockEvent { slot: event.slot % slots, ..event };
        let own = &boxes[self.pool];
        // What another reader took is older than what is still in the ring.
        let mut empty = || {
            if own.some.swap(false, Ordering::SeqCst) {
                whole(&own.events).drain(..).for_each(|event| take(of_pool(event)));
            }
        };
        empty();
        // Who holds the ring hands over what is not its own, and calls.
        let mut ring = match ring.try_lock() {
            Ok(ring) => ring,
            Err(TryLockError::Poisoned(error)) => error.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        empty();
        ring::take_all(&mut ring, |event: BlockEvent| {
            let pool = (event.slot / slots) as usize;
            match boxes.get(pool) {
                Some(other) if pool != self.pool => {
                    whole(&other.events).push(event);
                    other.some.store(true, Ordering::SeqCst);
                    other.owner.call();
                }
                _ => take(of_pool(event)),
            }
        });
    }
}

/// The events of a box, which are whole whatever happened to who held them.
fn whole(events: &Mutex<Vec<BlockEvent>>) -> MutexGuard<'_, Vec<BlockEvent>> {
    events.lock().unwrap_or_else(PoisonError::into_inner)
}
