//! Whole boots: each way in which one can end, and that it leaves nothing behind.

#[path = "../fifo/mod.rs"]
mod fifo;
mod real;
mod stand_in;
mod support;
mod undone;
