//! Pools of threads from other crates. All report ends through the same channel.

use anyhow::Context as _;
use crossbeam_channel::{Receiver, Sender, bounded};

use super::{Contender, Wait};
use crate::task::Task;

/// A way to hand over an op, and the channel of those that ended.
pub struct Threads {
    spawn: Box<dyn FnMut(u32, Task)>,
    ended: Receiver<u32>,
}

impl Threads {
    /// `spawn` is made of the sender, which each op gets a clone or a reference of.
    fn new(depth: u32, spawn: impl FnOnce(Sender<u32>) -> Box<dyn FnMut(u32, Task)>) -> Threads {
        let (sender, ended) = bounded(depth as usize);
        Threads { spawn: spawn(sender), ended }
    }
}

impl Contender for Threads {
    fn submit(&mut self, ops: &[(u32, Task)]) {
        for &(op, task) in ops {
            (self.spawn)(op, task);
        }
    }

    fn reap(&mut self, wait: Wait, out: &mut Vec<u32>) {
        if wait == Wait::Sleeping && self.ended.is_empty() {
            out.extend(self.ended.recv());
        }
        out.extend(self.ended.try_iter());
    }
}

fn end(ended: &Sender<u32>, op: u32, task: Task) {
    task.run();
    // The receiver is dropped only when the run is over.
    let _ = ended.send(op);
}

/// rayon's `ThreadPool::spawn`, from outside of it.
pub fn rayon(workers: u32, depth: u32) -> anyhow::Result<Threads> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(workers as usize).build()?;
    Ok(Threads::new(depth, |sender| {
        Box::new(move |op, task| {
            let sender = sender.clone();
            pool.spawn(move || end(&sender, op, task));
        })
    }))
}

/// threadpool's `execute`.
pub fn threadpool(workers: u32, depth: u32) -> Threads {
    let pool = threadpool::ThreadPool::new(workers as usize);
    Threads::new(depth, |sender| {
        Box::new(move |op, task| {
            let sender = sender.clone();
            pool.execute(move || end(&sender, op, task));
        })
    })
}

/// tokio's `spawn_blocking`.
pub fn tokio(workers: u32, depth: u32) -> anyhow::Result<Threads> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(workers as usize)
        .build()
        .context("tokio")?;
    Ok(Threads::new(depth, |sender| {
        Box::new(move |op, task| {
            let sender = sender.clone();
            // Its handle is not awaited: the end comes through the channel.
            drop(runtime.spawn_blocking(move || end(&sender, op, task)));
        })
    }))
}

/// smol's `blocking::unblock`. Its threads are the process's, which `BLOCKING_MAX_THREADS` limits.
pub fn blocking(workers: u32, depth: u32) -> Threads {
    // SAFETY: no thread has been started yet that might read the environment.
    unsafe { std::env::set_var("BLOCKING_MAX_THREADS", workers.to_string()) };
    Threads::new(depth, |sender| {
        Box::new(move |op, task| {
            let sender = sender.clone();
            blocking::unblock(move || end(&sender, op, task)).detach();
        })
    })
}

/// Threads that take ops from one crossbeam-channel: `recv`, which spins a little and then parks, or
/// `try_recv` for ever.
pub fn channel(workers: u32, depth: u32, spins: bool) -> Threads {
    let (to, from) = bounded::<(u32, Task)>(depth as usize);
    Threads::new(depth, |sender| {
        for _ in 0..workers {
            let (from, sender) = (from.clone(), sender.clone());
            std::thread::spawn(move || {
                if spins {
                    spin(&from, &sender);
                } else {
                    from.iter().for_each(|(op, task)| end(&sender, op, task));
                }
            });
        }
        Box::new(move |op, task| {
            let _ = to.send((op, task));
        })
    })
}

fn spin(from: &Receiver<(u32, Task)>, ended: &Sender<u32>) {
    let mut misses = 0_u32;
    loop {
        match from.try_recv() {
            Ok((op, task)) => {
                misses = 0;
                end(ended, op, task);
            }
            Err(error) if error.is_disconnected() => return,
            Err(_) => {
                misses += 1;
                // Where threads outnumber processors, one that has the work must get to run.
                if misses.is_multiple_of(64) {
                    std::thread::yield_now();
                }
                std::hint::spin_loop();
            }
        }
    }
}
