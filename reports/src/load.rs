//! Reading records: files of JSON lines in, checked runs out, one line in memory at a time.

mod bulk;
mod check;
mod contradictions;
mod duplicates;
mod line;
mod sharing;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use iowq_contract::jsonl::{Limits, Line, Lines};
use iowq_contract::{Caveat, Code, Record, UNVERIFIED_NAME, is_stream};

use crate::format::{clip, first_of};
use crate::load::bulk::Bulk;
use crate::load::duplicates::Duplicates;
use crate::load::line::parse;
pub(crate) use crate::load::line::validate;
use crate::load::sharing::Sharing;

/// Name of the record inside a folder that `bench` wrote.
pub const RECORD_NAME: &str = "record.jsonl";

/// What is said of a last line that is cut off, if it cannot be left out.
const CUT_OFF: &str = "cut off: the bench was stopped while it wrote that run. Remove the line, \
                       so that its round is not compared, or run the bench again";

/// What was read.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The runs, in the order in which the files were named and written, without their bulk:
    /// [`Loaded::whole`] has it.
    pub records: Vec<Record>,
    /// The files they came from.
    pub files: Vec<PathBuf>,
    /// What a reader should know about the reading itself.
    pub notes: Vec<Caveat>,
    /// Where the bulk is.
    pub bulk: Bulk,
}

/// Why records could not be read. Each text names the file and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file could not be opened or read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no line in the file.
    #[error("{}: no finished run in this file: run the bench again", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// No run is of a workload that was asked for.
    #[error("no run of workload {name:?}: {known}")]
    Workload {
        /// The name that was asked for.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// A line is not a record.
    #[error("{}, line {line}: {problem}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The field, what was found, and what is allowed.
        problem: String,
    },
}

/// The most runs that are read. All are kept in memory without their bulk.
const RECORDS_MAX: usize = 100_000;

/// Workloads that an error names; the others are counted.
const NAMED_MAX: usize = 12;

impl Loaded {
    /// Leaves only the runs of these workloads; all of them if none is named.
    ///
    /// # Errors
    ///
    /// A name that no run has.
    pub fn keep_workloads(&mut self, names: &[String]) -> Result<(), LoadError> {
        let known: BTreeSet<&str> =
            self.records.iter().map(|record| record.key.workload.as_str()).collect();
        if let Some(name) = names.iter().find(|name| !known.contains(name.as_str())) {
            let known = known.iter().map(|name| clip(name, 60)).collect();
            let known = format!("the record has {}", first_of(known, NAMED_MAX));
            return Err(LoadError::Workload { name: name.clone(), known });
        }
        if !names.is_empty() {
            self.retain(|record| names.contains(&record.key.workload));
        }
        Ok(())
    }

    /// Leaves only some runs.
    pub fn retain(&mut self, stays: impl Fn(&Record) -> bool) {
        let stays: Vec<bool> = self.records.iter().map(stays).collect();
        self.bulk.retain(&stays);
        let mut stays = stays.into_iter();
        self.records.retain(|_| stays.next().unwrap_or(true));
    }

    /// A run of these with its histograms and its timeline, read again from its file.
    ///
    /// # Errors
    ///
    /// A file that can no longer be read, or that was changed.
    pub fn whole<'a>(&self, run: &'a Record) -> io::Result<Cow<'a, Record>> {
        let at = self.records.element_offset(run);
        let again = at.map(|at| self.bulk.whole(at, &self.files)).transpose()?.flatten();
        Ok(again.map_or(Cow::Borrowed(run), Cow::Owned))
    }

    /// Whether some run has a histogram of response times.
    pub fn has_histogram<'a>(&self, mut runs: impl Iterator<Item = &'a Record>) -> bool {
        runs.any(|run| {
            let at = self.records.element_offset(run);
            let known = at.and_then(|at| self.bulk.has_histogram(at));
            known.unwrap_or_else(|| bulk::has_histogram(&run.latency))
        })
    }
}

/// Reads all runs of all `paths`; a folder stands for the `record.jsonl` inside it. The run that a
/// killed bench left beside a record of that name belongs to it.
///
/// # Errors
///
/// A file that cannot be read, that holds no run, or a line that is not a record. A last line
/// without its line break that does not parse is what a killed bench leaves: it becomes a note.
pub fn load(paths: &[PathBuf]) -> Result<Loaded, LoadError> {
    Reading::default().all(paths)
}

/// The same for what is to be judged: there a line that is cut off and a run that is there twice
/// are errors, because a verdict must not rest on what a reader would have to mend.
///
/// # Errors
///
/// As [`load`], and for these.
pub fn load_strictly(paths: &[PathBuf]) -> Result<Loaded, LoadError> {
    Reading { strict: true, ..Reading::default() }.all(paths)
}

/// Reads all runs of one input, which errors and notes call `path`.
///
/// # Errors
///
/// As [`load`].
pub fn read(input: impl BufRead, path: &Path) -> Result<Loaded, LoadError> {
    let mut reading = Reading::default();
    reading.add(input, path.to_owned(), true)?;
    Ok(reading.end())
}

/// A reading under way.
#[derive(Default)]
struct Reading {
    loaded: Loaded,
    duplicates: Duplicates,
    sharing: Sharing,
    /// Whether what is cut off or there twice is an error.
    strict: bool,
}

impl Reading {
    fn all(mut self, paths: &[PathBuf]) -> Result<Loaded, LoadError> {
        for path in paths {
            let path = if path.is_dir() { path.join(RECORD_NAME) } else { path.clone() };
            let file = File::open(&path);
            let file = file.map_err(|source| LoadError::Io { path: path.clone(), source })?;
            let added =
                self.add(BufReader::with_capacity(1 << 16, file), path.clone(), is_stream(&path));
            match (added, self.add_unverified(&path)?) {
                (Err(LoadError::Empty { .. }), true) => {}
                (added, _) => added?,
            }
        }
        Ok(self.end())
    }

    fn add(
        &mut self,
        input: impl BufRead,
        path: PathBuf,
        is_stream: bool,
    ) -> Result<(), LoadError> {
        let mut found = false;
        self.begin(&path, is_stream)?;
        for line in Lines::new(input, Limits::default()) {
            let line = line.map_err(|source| LoadError::Io { path: path.clone(), source })?;
            let number = line.number;
            let fail = |problem| LoadError::Line { path: path.clone(), line: number, problem };
            let record = match parse(&line.bytes) {
                Ok(record) => record,
                Err(_) if line.is_cut_off() && self.strict => return Err(fail(CUT_OFF.to_owned())),
                Err(_) if line.is_cut_off() => {
                    self.loaded.notes.push(cut_off_note(&path, number));
                    continue;
                }
                Err(problem) => return Err(fail(problem)),
            };
            found = true;
            self.keep(record, &line).map_err(fail)?;
        }
        if found { Ok(()) } else { Err(LoadError::Empty { path }) }
    }

    fn begin(&mut self, path: &Path, is_stream: bool) -> Result<(), LoadError> {
        self.loaded.files.push(path.to_owned());
        let begun = self.loaded.bulk.begin(is_stream);
        begun.map_err(|source| LoadError::Io { path: std::env::temp_dir(), source })
    }

    /// Adds the run whose data was being read back when its bench was killed, which is in a file of
    /// its own beside the record, unless the record has it; returns whether there was one.
    fn add_unverified(&mut self, record: &Path) -> Result<bool, LoadError> {
        if record.file_name().is_none_or(|name| name != RECORD_NAME) {
            return Ok(false);
        }
        let path = record.with_file_name(UNVERIFIED_NAME);
        let io_error = |source| LoadError::Io { path: path.clone(), source };
        let file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            file => file.map_err(io_error)?,
        };
        let line = Lines::new(BufReader::new(file), Limits::default()).next().transpose();
        let line = line.map_err(io_error)?.unwrap_or_default();
        let fail = |problem| LoadError::Line { path: path.clone(), line: 1, problem };
        let run = parse(&line.bytes).map_err(fail)?;
        // The bench was killed between writing it there and removing it here.
        if self.duplicates.knows(&run) {
            return Ok(false);
        }
        // A bench that goes on removes it.
        self.begin(&path, true)?;
        self.keep(run, &line).map_err(fail)?;
        Ok(true)
    }

    /// Keeps a run of the last file, unless it was read before.
    fn keep(&mut self, mut record: Record, line: &Line) -> Result<(), String> {
        let Loaded { records, files, bulk, .. } = &mut self.loaded;
        let place = (files.len() - 1, line.number);
        let taken = bulk.take(&mut record, line).map_err(|error| {
            let dir = std::env::temp_dir();
            format!("cannot be copied to {}, which TMPDIR names: {error}", dir.display())
        })?;
        match self.duplicates.has(&record, taken.digest, place, records) {
            Ok(Some((file, line))) if self.strict => {
                let file = files.get(file).map_or_else(String::new, |file| file_name(file));
                return Err(format!(
                    "is the same run as {file}, line {line}, once more, and would count twice: \
                     remove one of the two lines"
                ));
            }
            Ok(Some(_)) => return Ok(()),
            Ok(None) => {}
            Err((file, line)) => {
                let file = files.get(file).map_or_else(String::new, |file| file_name(file));
                return Err(format!(
                    "differs from {file}, line {line}, which is the same run: one of them was \
                     edited, so remove it"
                ));
            }
        }
        if records.len() >= RECORDS_MAX {
            return Err(format!(
                "more than {RECORDS_MAX} runs: compare or report fewer files at a time"
            ));
        }
        self.sharing.share(&mut record);
        records.push(record);
        bulk.push(taken);
        Ok(())
    }

    fn end(mut self) -> Loaded {
        if self.duplicates.count > 0 {
            let runs = crate::format::count(self.duplicates.count, "run", "runs");
            let text = format!("{runs} read twice and counted once");
            self.loaded.notes.push(Caveat::new(Code::ReadTwice, text));
        }
        self.loaded
    }
}

fn cut_off_note(path: &Path, line: usize) -> Caveat {
    let text = format!(
        "{}, line {line} is cut off: the bench was stopped while it wrote that run, which is \
         omitted",
        file_name(path)
    );
    Caveat::new(Code::RecordCutOff, text)
}

/// The name of a file without its folders, which say more about a machine than about a run.
fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.display().to_string())
}
