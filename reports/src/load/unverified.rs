//! The run whose data was being read back when its bench was killed: measured, on the device, and in
//! a file of its own beside the record.

use crate::load::line::LINE_BYTES_MAX;
use crate::load::{LoadError, RECORD_NAME, Reading, line, parse};
use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::path::Path;

use iowq_contract::UNVERIFIED_NAME;

impl Reading {
    /// Takes in what lies beside a record, unless the record has it; returns whether there was a run.
    pub(crate) fn add_unverified(&mut self, record: &Path) -> Result<bool, LoadError> {
        if record.file_name().is_none_or(|name| name != RECORD_NAME) {
            return Ok(false);
        }
        let path = record.with_file_name(UNVERIFIED_NAME);
        let io_error = |source| LoadError::Io { path: path.clone(), source };
        let file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            file => file.map_err(io_error)?,
        };
        let mut buffer = Vec::new();
        line::next(&mut BufReader::new(file), &mut buffer, LINE_BYTES_MAX).map_err(io_error)?;
        let fail = |problem| LoadError::Line { path: path.clone(), line: 1, problem };
        let run = parse(&buffer).map_err(fail)?;
        // The bench was killed between writing it there and removing it here.
        if self.duplicates.knows(&run) {
            return Ok(false);
        }
        self.loaded.files.push(path.clone());
        self.keep(run, 1).map_err(fail)?;
        Ok(true)
    }
}
