//! What is left of the pool without its rules: one lock, one list each way, threads that sleep.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::{Contender, Wait};
use crate::task::Task;

#[derive(Default)]
struct Lists {
    queued: VecDeque<(u32, Task)>,
    ended: Vec<u32>,
    over: bool,
}

#[derive(Default)]
struct Shared {
    lists: Mutex<Lists>,
    queued: Condvar,
    ended: Condvar,
}

/// Threads around two lists.
pub struct Bare(Arc<Shared>);

impl Bare {
    /// This many threads.
    pub fn new(workers: u32) -> Bare {
        let shared = Arc::new(Shared::default());
        for _ in 0..workers {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || work(&shared));
        }
        Bare(shared)
    }
}

fn work(shared: &Shared) {
    let mut lists = shared.lists.lock().unwrap_or_else(PoisonError::into_inner);
    while !lists.over {
        if let Some((op, task)) = lists.queued.pop_front() {
            drop(lists);
            task.run();
            lists = shared.lists.lock().unwrap_or_else(PoisonError::into_inner);
            lists.ended.push(op);
            shared.ended.notify_one();
        } else {
            lists = shared.queued.wait(lists).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Contender for Bare {
    fn submit(&mut self, ops: &[(u32, Task)]) {
        let mut lists = self.0.lists.lock().unwrap_or_else(PoisonError::into_inner);
        lists.queued.extend(ops);
        drop(lists);
        for _ in ops {
            self.0.queued.notify_one();
        }
    }

    fn reap(&mut self, wait: Wait, out: &mut Vec<u32>) {
        let mut lists = self.0.lists.lock().unwrap_or_else(PoisonError::into_inner);
        while wait == Wait::Sleeping && lists.ended.is_empty() {
            lists = self.0.ended.wait(lists).unwrap_or_else(PoisonError::into_inner);
        }
        out.append(&mut lists.ended);
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.0.lists.lock().unwrap_or_else(PoisonError::into_inner).over = true;
        self.0.queued.notify_all();
    }
}
