//! What `iowq trace` counts of every process that uses an `io_uring`: its requests and its workers.
//!
//! Counts and times are summed here, so that a request costs no record. Only births and exits of
//! workers, and what changes about processes, go through a ring.
//!
//! Each event has two programs, of which userspace attaches one: that on the bare trace point takes
//! what it needs out of the kernel's structs, which takes BTF; that on the event reads the record
//! which the kernel writes first, and needs only its format.

mod bare;
mod event;
mod flights;
mod limit;
mod lives;
mod requests;
mod rows;
mod tables;
