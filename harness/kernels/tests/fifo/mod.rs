//! Reading a pipe that has a name, from a process that may fail before it writes.

use std::{
    fs,
    path::Path,
    process::Child,
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

/// How long a process may take to write: it may have a kernel's build to prepare.
const WORDS_MAX: Duration = Duration::from_secs(120);
/// How often it is checked whether it still exists.
const LOOK: Duration = Duration::from_millis(100);
/// What it wrote before it ended is there by then.
const LAST_WORDS_MAX: Duration = Duration::from_secs(5);

/// All that is written into the pipe until its other end is closed. `writer`, or what it started, is
/// to do that: if it ends without, or takes too long and is ended, the test fails.
pub fn words(pipe: &Path, writer: &mut Child) -> String {
    let (sender, receiver) = channel();
    let path = pipe.to_owned();
    // Opening blocks until the other end is opened; the thread ends with the tests.
    thread::spawn(move || sender.send(fs::read_to_string(path)));
    let began = Instant::now();
    let mut ended = None;
    loop {
        let time_max = if ended.is_some() { LAST_WORDS_MAX } else { LOOK };
        match receiver.recv_timeout(time_max) {
            Ok(words) => return words.expect("the pipe is text"),
            Err(RecvTimeoutError::Disconnected) => panic!("the pipe cannot be read"),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if let Some(status) = ended {
            panic!("{} was not written, and its writer ended with {status}", pipe.display());
        }
        ended = writer.try_wait().expect("it is our child");
        if ended.is_none() && began.elapsed() >= WORDS_MAX {
            let _ = writer.kill();
            let _ = writer.wait();
            panic!("{} was not written within {} s", pipe.display(), WORDS_MAX.as_secs());
        }
    }
}
