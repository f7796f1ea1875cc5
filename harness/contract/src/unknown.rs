//! Unknown numbers: those of which 0 is no value, so that a record leaves them out instead.

/// Whether a number that is never 0 is unknown.
pub(crate) fn is_zero<N: Default + PartialEq>(number: &N) -> bool {
    *number == N::default()
}
