//! The pool's real threads under shuttle, which decides who goes on at each lock and each atomic.
//!
//! `cargo test -p iowq-pool --features shuttle --test shuttle`. A failing test prints the
//! schedule that failed, and how to replay it. The schedules are the same in every run unless
//! `SHUTTLE_RANDOM_SEED` says otherwise.

mod bench;
mod block;
mod exit;
mod explore;
mod failures;
mod leave;
mod limit;
mod order;
mod probe;
mod race;
mod toy;
