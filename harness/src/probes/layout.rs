//! Where the running kernel's structs have what the programs read, for those that need BTF.

use iowq_ebpf::{ACCOUNT_BY_FLAG, ACCOUNT_BY_PLACE};

use super::btf::Btf;
use super::events::Offset;
use super::starts;

/// Offsets for the programs, and why some are missing.
pub(super) struct Layout {
    /// That of a thread's id, or why it is not known.
    pub(super) task_pid: Result<u32, String>,
    /// Those by which a worker's account is found, or why it is not.
    pub(super) account: Result<Vec<Offset>, String>,
    /// Those of what is counted of requests on bare trace points, or why they are not known.
    pub(super) requests: Result<Vec<Offset>, String>,
}

impl Layout {
    /// Of the running kernel.
    pub(super) fn of_kernel() -> Layout {
        match Btf::of_kernel() {
            Ok(btf) => Layout::of(&btf),
            Err(error) => {
                let reason = format!("the kernel shows no BTF: {error}");
                let [task_pid, account] = [reason.clone(), reason.clone()];
                Layout { task_pid: Err(task_pid), account: Err(account), requests: Err(reason) }
            }
        }
    }

    fn of(btf: &Btf) -> Layout {
        let missing = || "the kernel's BTF does not have it".to_owned();
        Layout {
            task_pid: btf.offset("task_struct", "pid").ok_or_else(missing),
            account: account(btf).ok_or_else(missing),
            requests: requests(btf).ok_or_else(missing),
        }
    }
}

/// A worker points to its account since Linux 6.15, and has it in its flags before.
pub(super) fn account(btf: &Btf) -> Option<Vec<Offset>> {
    let worker = ("TASK_WORKER", btf.offset("task_struct", "worker_private")?);
    if let Some(account) = btf.offset("io_worker", "acct") {
        return Some(vec![
            ("ACCOUNT_BY", ACCOUNT_BY_PLACE),
            worker,
            ("WORKER_ACCT", account),
            ("WORKER_WQ", btf.offset("io_worker", "wq")?),
            ("WQ_ACCT", btf.offset("io_wq", "acct")?),
        ]);
    }
    let flags = btf.offset("io_worker", "flags")?;
    Some(vec![("ACCOUNT_BY", ACCOUNT_BY_FLAG), worker, ("WORKER_FLAGS", flags)])
}

/// Arguments of `io_uring_complete` on kernels that pass the completion by its address.
const ARGUMENTS_OF_COMPLETE: usize = 3;

/// Whether `io_uring_complete` has the address of the completion, and not what is in it.
pub(super) fn completes_by_address(btf: &Btf) -> Option<bool> {
    Some(btf.arguments("io_uring_complete")? == ARGUMENTS_OF_COMPLETE)
}

/// Arguments of `io_uring_queue_async_work` since Linux 6.0: the request, whether it is hashed.
const ARGUMENTS_OF_QUEUE: usize = 2;

/// Where a request has its user data and its work, and a completion its user data.
fn requests(btf: &Btf) -> Option<Vec<Offset>> {
    if btf.arguments("io_uring_queue_async_work")? != ARGUMENTS_OF_QUEUE {
        return None;
    }
    let user_data = btf.offset("io_kiocb", "cqe")? + btf.offset("io_cqe", "user_data")?;
    let work = btf.offset("io_kiocb", "work")?;
    let by_address = completes_by_address(btf)?;
    Some(vec![
        ("REQ_USER_DATA", user_data),
        ("REQ_WORK_FLAGS", work + btf.offset("io_wq_work", "flags")?),
        (starts::DISTANCE, work.checked_sub(user_data)?),
        ("COMPLETE_BY_ADDRESS", u32::from(by_address)),
        ("CQE_USER_DATA", btf.offset("io_uring_cqe", "user_data")?),
    ])
}

/// Where the limit of a worker's account is: in the account that the worker points to since Linux
/// 6.15, in those of its queue before, and in those of its queue's node until 6.2.
pub(super) fn limit(btf: &Btf) -> Option<Vec<Offset>> {
    if let Some(account) = btf.offset("io_worker", "acct") {
        let limit = btf.offset("io_wq_acct", "max_workers")?;
        return Some(vec![("LIMIT_FROM", account), ("LIMIT_FIRST", limit), ("LIMIT_NEXT", 0)]);
    }
    let places = [("wq", "io_wq", "io_wq_acct"), ("wqe", "io_wqe", "io_wqe_acct")];
    places.into_iter().find_map(|(pointer, accounts, account)| {
        let first = btf.offset(accounts, "acct")? + btf.offset(account, "max_workers")?;
        let (from, next) = (btf.offset("io_worker", pointer)?, btf.size(account)?);
        Some(vec![("LIMIT_FROM", from), ("LIMIT_FIRST", first), ("LIMIT_NEXT", next)])
    })
}
