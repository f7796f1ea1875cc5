//! The limit on workers that holds for a worker's own account and thread, from the kernel's structs.

use aya_ebpf::Global;
use iowq_ebpf::ACCOUNT_UNBOUNDED;

use super::tables::read_at;
use crate::account;

/// Offset in `io_worker` of the address of what has the accounts: `acct` itself since Linux 6.15,
/// `wq` before, and `wqe` until 6.2.
#[unsafe(no_mangle)]
static LIMIT_FROM: Global<u32> = Global::new(0);
/// Offset of the bounded account's `max_workers` there; 0 if it is not known.
#[unsafe(no_mangle)]
static LIMIT_FIRST: Global<u32> = Global::new(0);
/// From there to that of the unbounded account; 0 if the address is that of the worker's own.
#[unsafe(no_mangle)]
static LIMIT_NEXT: Global<u32> = Global::new(0);

/// The limit for the current thread, which is a worker of this account; 0 if it is not known.
#[inline(always)]
pub(super) fn of_current(account: u32) -> u32 {
    let first = LIMIT_FIRST.load();
    if first == 0 {
        return 0;
    }
    let nth = u32::from(account == ACCOUNT_UNBOUNDED);
    let Some(worker) = account::worker() else { return 0 };
    let Some(accounts) = read_at::<u64>(worker, LIMIT_FROM.load()) else { return 0 };
    read_at(accounts, first + nth * LIMIT_NEXT.load()).unwrap_or(0)
}
