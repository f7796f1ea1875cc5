//! The census by procfs in a process of its own: no other test's threads come and go in it.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use iowq_harness::probes::procfs::ProcCensus;

#[test]
fn threads_of_this_very_process_are_seen() {
    let census = ProcCensus::start(Duration::from_secs(5)).expect("proc is mounted");
    let (leave, wait) = mpsc::channel::<()>();
    let (runs, running) = mpsc::channel();
    let worker = thread::Builder::new()
        .name("wq-test-0".to_owned())
        .spawn(move || {
            let _ = runs.send(());
            wait.recv()
        })
        .expect("a thread");
    running.recv().expect("it runs, so it has its name");
    census.sample();
    drop(leave);
    let _ = worker.join();
    let found = census.finish();
    assert_eq!((found.created(), found.exited()), (1, 1));
}
