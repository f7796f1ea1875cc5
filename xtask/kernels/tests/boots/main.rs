//! Whole boots: each way in which one can end, and that it leaves nothing behind.

mod real;
mod stand_in;
mod support;
mod undone;
