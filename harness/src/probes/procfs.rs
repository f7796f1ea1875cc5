//! A census by procfs: workers counted by reading `/proc/self/task`, the source that needs no privilege.
//!
//! A worker that is born and gone between two samples is missed. So samples are taken four times per
//! idle timeout, which a worker always outlives while a ring is open, and around each close of a
//! ring.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use crate::clock::{self, Nanos};
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc, thread};

/// Bounds of the sampling interval: a sample costs some 50 µs of one processor.
const PERIOD_MIN: Duration = Duration::from_millis(2);
const PERIOD_MAX: Duration = Duration::from_millis(250);

/// A thread that was joined is still listed until the kernel is through with it.
const EXIT_WAIT: Duration = Duration::from_secs(1);

/// A thread that the census knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Worker,
    Other,
    /// It still has its creator's name, since then.
    Unnamed(Nanos),
}

/// What the samples found.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    /// When a worker was first seen (true) or first missed (false).
    pub lives: Vec<(Nanos, bool)>,
    here: BTreeMap<u32, Kind>,
}

impl Samples {
    /// Workers seen.
    #[must_use]
    pub fn created(&self) -> u64 {
        self.lives.iter().filter(|(_, born)| *born).count() as u64
    }

    /// Workers that were seen, and later no more.
    #[must_use]
    pub fn exited(&self) -> u64 {
        self.lives.iter().filter(|(_, born)| !*born).count() as u64
    }

    fn alive(&self) -> usize {
        self.here.values().filter(|kind| **kind == Kind::Worker).count()
    }

    /// Takes one sample: the threads there are, and their names if they are wanted.
    fn sample(
        &mut self,
        now: Nanos,
        tids: &[u32],
        own: &str,
        name: impl Fn(u32) -> Option<String>,
    ) {
        for &tid in tids {
            let kind = self.here.entry(tid).or_insert(Kind::Unnamed(now));
            if matches!(kind, Kind::Unnamed(_))
                && let Some(named) = name(tid).and_then(|name| kind_of(&name, own))
            {
                *kind = named;
                if *kind == Kind::Worker {
                    self.lives.push((now, true));
                }
            }
        }
        let lives = &mut self.lives;
        self.here.retain(|tid, kind| {
            let stays = tids.binary_search(tid).is_ok();
            match *kind {
                Kind::Worker if !stays => lives.push((now, false)),
                // Only workers come and go while a run lasts.
                Kind::Unnamed(since) if !stays => lives.extend([(since, true), (now, false)]),
                _ => {}
            }
            stays
        });
    }
}

/// What a thread of this name is, once it has its own. The kernel's io-wq workers are threads of
/// the process too.
fn kind_of(name: &str, own: &str) -> Option<Kind> {
    if name.starts_with("wq-") || name.starts_with("iou-wrk-") {
        Some(Kind::Worker)
    } else {
        (name != own).then_some(Kind::Other)
    }
}

/// The kernel's io-wq workers that a process has now; none if it is gone.
#[must_use]
pub fn kernel_workers(process: u32) -> u32 {
    let name = |tid: &u32| fs::read_to_string(format!("/proc/{process}/task/{tid}/comm"));
    let names = tids_of(&process.to_string()).into_iter().filter_map(|tid| name(&tid).ok());
    names.filter(|name| name.starts_with("iou-wrk-")).count() as u32
}

/// Threads of this process, in order.
fn tids() -> Vec<u32> {
    tids_of("self")
}

fn tids_of(process: &str) -> Vec<u32> {
    let Ok(entries) = fs::read_dir(format!("/proc/{process}/task")) else { return Vec::new() };
    let mut tids: Vec<u32> =
        entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    tids.sort_unstable();
    tids
}

fn name_of(tid: u32) -> Option<String> {
    let name = fs::read_to_string(format!("/proc/self/task/{tid}/comm")).ok()?;
    Some(name.trim_end().to_owned())
}

/// A census under way.
#[derive(Debug)]
pub struct ProcCensus {
    samples: Arc<Mutex<Samples>>,
    own: String,
    stop: mpsc::Sender<()>,
    sampler: thread::JoinHandle<()>,
}

impl ProcCensus {
    /// Starts sampling, often enough for workers that live `idle_timeout` or longer.
    ///
    /// # Errors
    /// If `/proc` is absent or no thread can be created, for a reader.
    pub fn start(idle_timeout: Duration) -> Result<ProcCensus, String> {
        if tids().is_empty() {
            return Err("/proc/self/task cannot be read; mount proc".to_owned());
        }
        let period = (idle_timeout / 4).clamp(PERIOD_MIN, PERIOD_MAX);
        let samples = Arc::new(Mutex::new(Samples::default()));
        let own = name_of(std::process::id()).unwrap_or_default();
        let (stop, stopped) = mpsc::channel();
        let (shared, name) = (Arc::clone(&samples), own.clone());
        let (ready_sender, ready) = mpsc::channel();
        let sampler = thread::Builder::new()
            .name("census".to_owned())
            .spawn(move || {
                // The other end waits for it.
                let _ = ready_sender.send(());
                while stopped.recv_timeout(period) == Err(mpsc::RecvTimeoutError::Timeout) {
                    sample(&shared, &name);
                }
            })
            .map_err(|error| format!("the census has no thread: {error}"))?;
        // Now it has its name, and is not taken for a worker that has none yet.
        ready.recv().map_err(|error| format!("the census has no thread: {error}"))?;
        Ok(ProcCensus { samples, own, stop, sampler })
    }

    /// Excludes a short-lived thread that is no worker, though it has no name of its own.
    pub fn disregard(&self, tid: u32) {
        lock(&self.samples).here.insert(tid, Kind::Other);
    }

    /// Takes a sample now.
    pub fn sample(&self) {
        sample(&self.samples, &self.own);
    }

    /// Samples until the last worker is gone, for a second at most, and ends.
    #[must_use]
    pub fn finish(self) -> Samples {
        drop(self.stop);
        // It cannot panic; and if it did, the samples until then stand.
        let _ = self.sampler.join();
        let deadline = clock::now().after(EXIT_WAIT);
        loop {
            sample(&self.samples, &self.own);
            let samples = lock(&self.samples);
            if samples.alive() == 0 || deadline < clock::now() {
                return samples.clone();
            }
            drop(samples);
            thread::yield_now();
        }
    }
}

fn sample(samples: &Mutex<Samples>, own: &str) {
    let mut samples = lock(samples);
    samples.sample(clock::now(), &tids(), own, name_of);
}

fn lock(samples: &Mutex<Samples>) -> MutexGuard<'_, Samples> {
    samples.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(tid: u32) -> Option<String> {
        Some(match tid {
            1 => "iowq".to_owned(),
            2 => "census".to_owned(),
            tid => format!("wq-pool-{tid}"),
        })
    }

    #[test]
    fn a_worker_is_counted_once_however_often_it_is_seen() {
        let mut samples = Samples::default();
        for at in 0..5 {
            samples.sample(Nanos(at), &[1, 2, 3], "iowq", name);
        }
        assert_eq!((samples.created(), samples.exited()), (1, 0));
    }

    #[test]
    fn a_thread_that_is_disregarded_may_come_and_go() {
        let mut samples = Samples::default();
        samples.sample(Nanos(1), &[1, 2], "iowq", |_| Some("iowq".to_owned()));
        samples.here.insert(2, Kind::Other);
        samples.sample(Nanos(2), &[1], "iowq", |_| Some("iowq".to_owned()));
        assert_eq!((samples.created(), samples.exited()), (0, 0));
    }

    #[test]
    fn a_thread_that_took_a_number_over_is_another_worker() {
        let mut samples = Samples::default();
        samples.sample(Nanos(1), &[1, 3], "iowq", name);
        samples.sample(Nanos(2), &[1], "iowq", name);
        samples.sample(Nanos(3), &[1, 3], "iowq", name);
        assert_eq!((samples.created(), samples.exited()), (2, 1));
    }

    #[test]
    fn a_worker_that_still_has_its_creators_name_is_recognised_later() {
        let mut samples = Samples::default();
        samples.sample(Nanos(1), &[3], "iowq", |_| Some("iowq".to_owned()));
        assert_eq!(samples.created(), 0);
        samples.sample(Nanos(2), &[3], "iowq", name);
        assert_eq!(samples.created(), 1);
    }

    #[test]
    fn a_worker_that_is_gone_before_it_has_its_name_is_counted() {
        let mut samples = Samples::default();
        samples.sample(Nanos(1), &[1, 3], "iowq", |_| Some("iowq".to_owned()));
        samples.sample(Nanos(2), &[1], "iowq", |_| Some("iowq".to_owned()));
        assert_eq!(samples.lives, [(Nanos(1), true), (Nanos(2), false)]);
        assert_eq!(samples.alive(), 0, "the main thread has that name for good");
    }
}
