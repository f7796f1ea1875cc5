//! A check of one side of a run.

use iowq_contract::Code;

/// Whether it holds, its code, and what it means for the reader.
pub(super) type Check = (bool, Code, String);
