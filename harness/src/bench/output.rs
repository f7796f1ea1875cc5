//! The record file: a line per run, on the device before the next run starts.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use iowq_contract::{NewFolders, RECORD_NAME, Record, UNVERIFIED_NAME, hand_over, jsonl, way_out};

use super::unverified::Unverified;

/// `record.jsonl`, open for appending. Without a line in it, it is gone again on drop.
pub(super) struct Output {
    path: PathBuf,
    file: File,
    empty: bool,
    unverified: Unverified,
    _folders: NewFolders,
}

impl Output {
    /// Makes the folder and the file, which must not be there yet.
    pub(super) fn create(out: &Path) -> anyhow::Result<Output> {
        let folders = NewFolders::make(out).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists | ErrorKind::NotADirectory => anyhow::anyhow!(
                "--out {}: found a file where a folder is needed; name a folder",
                out.display()
            ),
            _ => anyhow::anyhow!(
                "--out {}: the folder cannot be made: {error}{}",
                out.display(),
                way_out(out, &error)
            ),
        })?;
        let path = out.join(RECORD_NAME);
        let unverified = Unverified::new(out);
        if unverified.exists() {
            anyhow::bail!(
                "--out {}: there is a {UNVERIFIED_NAME} already, with a run of a bench that was \
                 killed; name another folder, because results are never written over",
                out.display()
            );
        }
        match OpenOptions::new().append(true).create_new(true).open(&path) {
            Ok(file) => {
                hand_over(&file);
                Ok(Output { path, file, empty: true, unverified, _folders: folders })
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => anyhow::bail!(
                "--out {}: there is a record.jsonl already; name another folder, because results \
                 are never written over",
                out.display()
            ),
            Err(error) => {
                anyhow::bail!(
                    "--out {}: record.jsonl cannot be made in it: {error}{}",
                    out.display(),
                    way_out(out, &error)
                )
            }
        }
    }

    /// Brings a run to the device whose data is still to be read back; none but the last is kept.
    pub(super) fn keep_unverified(&mut self, record: &Record) -> anyhow::Result<()> {
        self.unverified.keep(record)
    }

    /// Appends a run and brings it to the device.
    pub(super) fn append(&mut self, record: &Record) -> anyhow::Result<()> {
        self.empty = false;
        jsonl::append(&mut self.file, record).with_context(|| {
            format!("{}: the record of a run cannot be written", self.path.display())
        })?;
        self.unverified.drop_kept()
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if self.empty {
            // Nobody misses it; and it is empty, so nothing is lost where it stays.
            let _ = fs::remove_file(&self.path);
        }
    }
}
