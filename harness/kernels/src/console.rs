//! The console of a kernel: kept as a file, and read for complaints, a panic and messages.

mod complaint;

use std::{
    collections::{BTreeMap, VecDeque},
    fs::File,
    io::{self, Write as _},
    path::Path,
};

use iowq_contract::{Complaint, ComplaintKind};

use crate::lines::Lines;
pub use complaint::kind;

/// A line of the console that starts with this and goes on in JSON is a message of the guest.
pub const MESSAGE_PREFIX: &str = "iowq-guest: ";

/// Bytes kept of a log that does not end.
const LOG_BYTES_MAX: u64 = 32 << 20;
/// A line may be a whole record.
const LINE_BYTES_MAX: usize = 4 << 20;
const TAIL_LINES: usize = 40;
const TAIL_LINE_CHARS_MAX: usize = 400;

/// Follows a console.
pub struct Console {
    log: File,
    log_bytes: u64,
    lines: Lines,
    tail: VecDeque<String>,
    complaints: BTreeMap<ComplaintKind, Complaint>,
    release: Option<String>,
    said_anything: bool,
}

/// What matters at once.
#[derive(Debug, PartialEq, Eq)]
pub enum ConsoleEvent {
    /// The kernel panicked: the line that says so.
    Panic(String),
    /// JSON of the guest, and whether its end is missing.
    Message(String, bool),
}

impl Console {
    /// Follows a console into a new log.
    ///
    /// # Errors
    ///
    /// The log cannot be created.
    pub fn create(log: &Path) -> io::Result<Console> {
        let log = File::create(log)?;
        iowq_contract::hand_over(&log);
        Ok(Console {
            log,
            log_bytes: 0,
            lines: Lines::new(LINE_BYTES_MAX),
            tail: VecDeque::new(),
            complaints: BTreeMap::new(),
            release: None,
            said_anything: false,
        })
    }

    /// Takes the next bytes, which may be any.
    ///
    /// # Errors
    ///
    /// The log cannot be written.
    pub fn push(&mut self, bytes: &[u8]) -> io::Result<Vec<ConsoleEvent>> {
        self.keep(bytes)?;
        let lines = self.lines.push(bytes);
        Ok(lines.iter().filter_map(|line| self.line(&line.bytes, line.cut)).collect())
    }

    /// Takes what came after the last line end as a line.
    pub fn end(&mut self) -> Option<ConsoleEvent> {
        let rest = self.lines.rest();
        if rest.is_empty() { None } else { self.line(&rest, true) }
    }

    /// The complaints so far, the worst first.
    #[must_use]
    pub fn complaints(&self) -> Vec<Complaint> {
        self.complaints.values().cloned().collect()
    }

    /// The last lines.
    #[must_use]
    pub fn tail(&self) -> Vec<String> {
        self.tail.iter().cloned().collect()
    }

    /// The release that the kernel's first line names.
    #[must_use]
    pub fn release(&self) -> Option<&str> {
        self.release.as_deref()
    }

    /// Whether there was a line with anything in it.
    #[must_use]
    pub fn said_anything(&self) -> bool {
        self.said_anything
    }

    fn keep(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.log_bytes >= LOG_BYTES_MAX {
            return Ok(());
        }
        let room = usize::try_from(LOG_BYTES_MAX - self.log_bytes).unwrap_or(usize::MAX);
        let kept = &bytes[..bytes.len().min(room)];
        self.log.write_all(kept)?;
        self.log_bytes += kept.len() as u64;
        if self.log_bytes == LOG_BYTES_MAX {
            writeln!(self.log, "\n(the log ends here, after {} MiB)", LOG_BYTES_MAX >> 20)?;
        }
        Ok(())
    }

    fn line(&mut self, bytes: &[u8], cut: bool) -> Option<ConsoleEvent> {
        let line = clean(bytes);
        let text = complaint::without_stamp(&line);
        if text.is_empty() {
            return None;
        }
        self.said_anything = true;
        if self.tail.len() == TAIL_LINES {
            self.tail.pop_front();
        }
        let short: String = line.chars().take(TAIL_LINE_CHARS_MAX).collect();
        self.tail.push_back(short.clone());
        if let Some(json) = text.strip_prefix(MESSAGE_PREFIX).filter(|rest| rest.starts_with('{')) {
            return Some(ConsoleEvent::Message(json.to_owned(), cut));
        }
        if let Some(release) = text.strip_prefix("Linux version ") {
            self.release = release.split_whitespace().next().map(str::to_owned);
        }
        let kind = kind(&line)?;
        let new = || Complaint { kind, line: short.clone(), count: 0 };
        let complaint = self.complaints.entry(kind).or_insert_with(new);
        complaint.count = complaint.count.saturating_add(1);
        (kind == ComplaintKind::Panic).then_some(ConsoleEvent::Panic(short))
    }
}

/// A line as text, without what moves the cursor and colours letters.
fn clean(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut clean = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c == '\u{1b}' {
            let mut sequence = rest.clone();
            if sequence.next() == Some('[') {
                // Ends with the first character that is no parameter.
                sequence.by_ref().find(|c| ('@'..='~').contains(c));
                rest = sequence;
            }
        } else if c == '\t' {
            clean.push(' ');
        } else if !c.is_control() {
            clean.push(c);
        }
    }
    clean.trim_end().to_owned()
}

#[cfg(test)]
mod tests;
