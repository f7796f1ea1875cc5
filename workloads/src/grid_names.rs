//! Names of the fidelity grid, for lists and for errors.

/// What a name of the grid looks like. In `writes` it has no group; `WORD` names families of a group
/// apart, and in `limits` L is `kernel`.
pub const GRID_NAMES: &str = "grid-[GROUP-[WORD-]]fF-dD-sS-lL-OPEN";
