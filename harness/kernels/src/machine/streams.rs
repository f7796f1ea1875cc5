//! What comes out of QEMU, from a thread for each stream, into one channel.

use std::{
    io::{self, ErrorKind, Read},
    sync::mpsc::SyncSender,
    thread,
};

use rustix::{
    io::Errno,
    process::{Pid, WaitId, WaitIdOptions, waitid},
};

const PIECE_BYTES_MAX: usize = 64 << 10;

/// Something that happened.
pub(super) enum Piece {
    /// A stream had bytes.
    Bytes(Stream, Vec<u8>),
    /// A stream ended.
    Closed,
    /// The process ended, and is there to be waited for.
    Ended,
    /// Somebody asked to stop.
    Stop,
}

/// A stream of QEMU.
#[derive(Clone, Copy)]
pub(super) enum Stream {
    Console,
    Port,
    Errors,
}

/// Reads a stream to its end. The thread ends with the stream, or when nobody listens any more.
pub(super) fn follow(
    stream: Stream,
    mut source: impl Read + Send + 'static,
    sender: SyncSender<Piece>,
) -> io::Result<()> {
    let read = move || {
        let mut buffer = vec![0; PIECE_BYTES_MAX];
        loop {
            let piece = match source.read(&mut buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                // A reset is what a socket says whose other end died with bytes unread.
                Ok(0) | Err(_) => Piece::Closed,
                Ok(count) => Piece::Bytes(stream, buffer[..count].to_vec()),
            };
            let last = matches!(piece, Piece::Closed);
            if sender.send(piece).is_err() || last {
                return;
            }
        }
    };
    thread::Builder::new().name("qemu-stream".to_owned()).spawn(read).map(drop)
}

/// Says when a process has ended, and leaves it to be waited for.
pub(super) fn await_end(pid: Pid, sender: SyncSender<Piece>) -> io::Result<()> {
    let wait = move || {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while let Err(Errno::INTR) = waitid(WaitId::Pid(pid), options) {}
        // Nobody listens once the machine was dropped.
        let _ = sender.send(Piece::Ended);
    };
    thread::Builder::new().name("qemu-end".to_owned()).spawn(wait).map(drop)
}
