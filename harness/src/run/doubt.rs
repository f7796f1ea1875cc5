//! A doubt, as what looks at one side of a run returns it.

use iowq_contract::Code;

/// Whether it holds, its code, and what it means for the reader.
pub(super) type Doubt = (bool, Code, String);
