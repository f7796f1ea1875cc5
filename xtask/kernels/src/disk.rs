//! Disks: a fresh image with a file system for each boot.
