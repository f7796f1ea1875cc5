//! Weights of ops that neither read nor write, but change or ask what a file system knows of files.

use serde::{Deserialize, Serialize};

use crate::op::OpKind;

/// Weights of ops on what a file system knows of files: their names, status, length and dirty pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Meta {
    /// Of opens by name.
    pub openat: u32,
    /// Of questions for the status by name.
    pub statx: u32,
    /// Of renames of a file beside those under test.
    pub rename: u32,
    /// Of removals of a file beside those under test.
    pub unlink: u32,
    /// Of changes of length.
    pub truncate: u32,
    /// Of writebacks without a promise.
    pub sync_file_range: u32,
}

impl Meta {
    /// None of them.
    pub const NONE: Meta =
        Meta { openat: 0, statx: 0, rename: 0, unlink: 0, truncate: 0, sync_file_range: 0 };

    /// Each kind with its weight.
    #[must_use]
    pub fn weights(self) -> [(OpKind, u32); 6] {
        [
            (OpKind::Openat, self.openat),
            (OpKind::Statx, self.statx),
            (OpKind::Rename, self.rename),
            (OpKind::Unlink, self.unlink),
            (OpKind::Truncate, self.truncate),
            (OpKind::SyncFileRange, self.sync_file_range),
        ]
    }

    /// The sum of all weights.
    #[must_use]
    pub fn total(self) -> u32 {
        self.weights().iter().map(|(_, weight)| weight).sum()
    }

    /// Whether none of these kinds is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.total() == 0
    }
}
