//! The disk of a virtual machine.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The disk that files under test lie on, new for each boot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Eq)]
pub struct Disk {
    /// `ext4`, `xfs`, `btrfs` or `tmpfs`.
    pub filesystem: String,
    /// Its size.
    pub size_mib: u32,
    /// How long dm-delay holds each write and flush back; 0 without dm-delay.
    pub delay_us: u64,
    /// Requests per second at most; null without a limit.
    pub iops_max: Option<u32>,
}
