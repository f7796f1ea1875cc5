//! Files of JSON lines: a value per line, appended one at a time and on the device before the next.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, ErrorKind, Read, Seek, SeekFrom, Write as _};
use std::path::Path;

use serde::{Serialize, de::IgnoredAny};

use crate::owner::hand_over;

/// How many bytes are looked at in one step for the last line break.
const BLOCK_BYTES: u64 = 64 << 10;

/// Most that is read of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest line, without its line break.
    pub line_bytes: u64,
    /// Most lines, empty ones not counted.
    pub lines: usize,
}

impl Default for Limits {
    /// A run with ten million points of timeline is a line of about 200 MB. What is longer than
    /// 1 GiB is no record, and to read on would only exhaust memory.
    fn default() -> Limits {
        Limits { line_bytes: 1 << 30, lines: usize::MAX }
    }
}

/// A line that is not empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Its number in the file, from 1, empty lines counted.
    pub number: usize,
    /// Where it begins, in bytes from where reading began.
    pub offset: u64,
    /// What is in it, without its line break.
    pub bytes: Vec<u8>,
    /// Whether it has a line break. A line that [`append`] finished has one.
    pub is_ended: bool,
}

impl Line {
    /// Whether this is the beginning of a JSON object that stops where the file ends, as a process
    /// leaves it that was killed while it wrote.
    #[must_use]
    pub fn is_cut_off(&self) -> bool {
        let starts = self.bytes.trim_ascii_start().first() == Some(&b'{');
        let parsed = serde_json::from_slice::<IgnoredAny>(&self.bytes);
        !self.is_ended && starts && parsed.is_err_and(|error| error.is_eof())
    }
}

/// The lines of a file, one in memory at a time, empty ones left out.
#[derive(Debug)]
pub struct Lines<R> {
    input: R,
    limits: Limits,
    number: usize,
    offset: u64,
    found: usize,
}

impl<R: BufRead> Lines<R> {
    /// Reads from here.
    pub fn new(input: R, limits: Limits) -> Lines<R> {
        Lines { input, limits, number: 0, offset: 0, found: 0 }
    }

    fn line(&mut self) -> io::Result<Option<Line>> {
        loop {
            self.number += 1;
            let (number, offset) = (self.number, self.offset);
            let mut bytes = Vec::new();
            let most = self.limits.line_bytes.saturating_add(1);
            match self.input.by_ref().take(most).read_until(b'\n', &mut bytes)? {
                0 => return Ok(None),
                read => self.offset += read as u64,
            }
            let is_ended = bytes.pop_if(|byte| *byte == b'\n').is_some();
            if bytes.len() as u64 > self.limits.line_bytes {
                let most = self.limits.line_bytes;
                return Err(invalid(format!("line {number} has more than {most} bytes")));
            }
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            self.found += 1;
            if self.found > self.limits.lines {
                return Err(invalid(format!("more than {} lines", self.limits.lines)));
            }
            return Ok(Some(Line { number, offset, bytes, is_ended }));
        }
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Line>;

    /// The next line. After an error, such as [`ErrorKind::InvalidData`] for a limit that is
    /// exceeded, the rest makes no sense.
    fn next(&mut self) -> Option<io::Result<Line>> {
        self.line().transpose()
    }
}

/// A value as a line, with its line break.
///
/// # Errors
///
/// A value that JSON cannot represent.
pub fn line(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}

/// Opens a file for [`append`]. A last line without a line break, which a process left that was
/// killed while it wrote, is cut off.
///
/// # Errors
///
/// What the system says to opening, reading or shortening the file.
pub fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
    let bytes = file.metadata()?.len();
    if bytes == 0 {
        hand_over(&file);
    }
    let ended = end_of_last_line(&file, bytes)?;
    if ended < bytes {
        file.set_len(ended)?;
        file.sync_all()?;
    }
    Ok(file)
}

/// Appends a value as a line and brings it to the device.
///
/// # Errors
///
/// What the system says to writing or syncing, or a value that JSON cannot represent.
pub fn append(file: &mut File, value: &impl Serialize) -> io::Result<()> {
    file.write_all(&line(value)?)?;
    file.sync_all()
}

/// The offset behind the last line break; 0 without any.
fn end_of_last_line(mut file: &File, bytes: u64) -> io::Result<u64> {
    let mut end = bytes;
    while end > 0 {
        let start = end.saturating_sub(BLOCK_BYTES);
        file.seek(SeekFrom::Start(start))?;
        let mut block = Vec::new();
        file.take(end - start).read_to_end(&mut block)?;
        if let Some(at) = block.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

fn invalid(problem: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, problem)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const LIMITS: Limits = Limits { line_bytes: 9, lines: 3 };

    fn lines(text: &str) -> io::Result<Vec<Line>> {
        Lines::new(text.as_bytes(), LIMITS).collect()
    }

    #[test]
    fn lines_come_one_by_one_without_empty_ones_and_the_last_may_lack_its_break() -> io::Result<()>
    {
        let line = |number, offset, text: &str, is_ended| {
            let bytes = text.into();
            Line { number, offset, bytes, is_ended }
        };
        assert_eq!(lines("one\n\n \ntwo")?, [line(1, 0, "one", true), line(4, 7, "two", false)]);
        assert_eq!(lines("123456789\n")?, [line(1, 0, "123456789", true)]);
        assert_eq!(lines("")?, []);
        Ok(())
    }

    #[test]
    fn a_line_that_is_too_long_and_too_many_lines_are_errors() {
        let error = |text| lines(text).expect_err("over a limit").to_string();
        assert_eq!(error("a\n0123456789\n"), "line 2 has more than 9 bytes");
        assert_eq!(error("a\n0123456789"), "line 2 has more than 9 bytes");
        assert_eq!(error("a\nb\nc\n\nd\n"), "more than 3 lines");
    }

    #[test]
    fn an_object_that_stops_at_the_end_of_the_file_is_cut_off() -> io::Result<()> {
        let is_cut_off = |text| Ok::<_, io::Error>(lines(text)?[0].is_cut_off());
        assert!(is_cut_off("{\"a\": 1")?);
        for text in ["{\"a\": 1\n", "{}", "{]", "a"] {
            assert!(!is_cut_off(text)?, "{text}");
        }
        Ok(())
    }

    #[test]
    fn what_was_appended_is_read_and_half_a_line_is_cut_off_before_the_next() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("record.jsonl");
        append(&mut open(&path)?, &[1])?;
        append(&mut open(&path)?, &[2, 3])?;
        assert_eq!(fs::read_to_string(&path)?, "[1]\n[2,3]\n");
        let long = "x".repeat(3 * BLOCK_BYTES as usize);
        for (found, kept) in [(format!("[1]\n{long}"), "[1]\n"), (long, ""), ("[1]".into(), "")] {
            fs::write(&path, found)?;
            append(&mut open(&path)?, &4)?;
            assert_eq!(fs::read_to_string(&path)?, format!("{kept}4\n"));
        }
        Ok(())
    }
}
