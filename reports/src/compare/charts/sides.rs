//! Places of base and test among colours and signs, and how many pairs are drawn.

/// Pairs that one chart draws at most: more would hide each other, and make the page too large.
pub(crate) const PAIRS_MAX: usize = 200;

/// Places of base and test among the colours and signs.
pub(crate) const BASE: usize = 0;

/// Place of the test.
pub(crate) const TEST: usize = 1;
