//! The host: where a run was made, so that unlike machines are not compared by mistake.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::unknown;

/// Where a run was made. A text that could not be read is `unknown`, and a number is absent, which is
/// 0 here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Host {
    /// Kernel release and version, as `uname -r -v` prints them.
    pub kernel: String,
    /// Model name of the processor.
    pub cpu: String,
    /// Processors that the run could use.
    #[serde(default, skip_serializing_if = "unknown::is_zero")]
    pub cpus: u32,
    /// Memory of the machine.
    #[serde(default, skip_serializing_if = "unknown::is_zero")]
    pub memory_bytes: u64,
    /// File system under the files, such as `ext4`.
    pub filesystem: String,
    /// Its mount options.
    pub mount_options: String,
    /// Device under the file system.
    pub device: String,
    /// Frequency governor of the first processor.
    pub governor: String,
    /// The hypervisor or emulator that is known to be below, or `none seen`.
    pub accelerator: String,
    /// Commit of the code that was measured, with `-dirty` if it had changes.
    pub commit: String,
    /// Compiler that built it.
    pub rustc: String,
    /// `release` or `debug`.
    pub profile: String,
}
