//! The commands of `iowq`: what a person types, turned into calls of the harness.

pub mod bench;
pub mod cell;
pub mod closed_ring;
pub mod host;
mod said;

use crate::sync::{Arc, SignalFlag};

/// Has a write beyond `ulimit -f` fail with `EFBIG`, as any other failure does: without a handler
/// the signal that comes with it ends the process, and its files stay.
pub fn outlive_file_size_limit() {
    // Where no handler can be set, all is as it was.
    let _ =
        signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::new(SignalFlag::new(false)));
}
