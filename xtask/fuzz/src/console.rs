//! The console of a kernel: it ends up in the same state however its bytes arrive.

use iowq_kernels::console::{Console, ConsoleEvent};

use crate::folder;

pub(crate) fn console(bytes: &[u8]) {
    let Some((size, bytes)) = bytes.split_first() else { return };
    let whole = follow(bytes, bytes.len().max(1));
    assert_eq!(follow(bytes, usize::from(*size).max(1)), whole);
}

fn follow(bytes: &[u8], size: usize) -> (Vec<ConsoleEvent>, Vec<String>, Option<String>) {
    let log = folder::path().join("console.log");
    let mut console = Console::create(&log).expect("room for a log");
    let mut events = Vec::new();
    for piece in bytes.chunks(size) {
        events.extend(console.push(piece).expect("room for a log"));
    }
    events.extend(console.end());
    let complaints = console.complaints();
    assert!(complaints.iter().all(|complaint| complaint.count > 0));
    (events, console.tail(), console.release().map(str::to_owned))
}
