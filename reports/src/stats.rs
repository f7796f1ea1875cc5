//! Statistics of few runs: exact tests and intervals, pure and without a clock or a file.
//!
//! The unit is the run: values of single operations are not independent and never come here. No
//! function panics. Where there is nothing to say the answer is `None`: no value at all, a value
//! that is not finite (dropping it would hide it), a confidence outside of 0 to 1, too few values.

pub mod adjust;
pub(crate) mod correlation;
pub mod fisher;
mod normal;
mod null;
mod order;
pub mod power;
pub mod rank_sum;
pub mod signed_rank;
pub(crate) mod ties;
pub mod trend;
pub mod walsh;
