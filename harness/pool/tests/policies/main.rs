//! Two policies from outside the crate, through its public API alone, and what they decide.

mod bench;
mod head_age;
mod per_op;
