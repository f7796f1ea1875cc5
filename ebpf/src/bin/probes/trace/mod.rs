//! What `iowq trace` counts of every process that uses an `io_uring`: its requests and its workers.
//!
//! Counts and times are summed here, so that a request costs no record. Only births and exits of
//! workers, and what changes about processes, go through a ring.

mod lives;
mod requests;
mod tables;
