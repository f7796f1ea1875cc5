//! Reading records: files of JSON lines in, checked runs out, one line in memory at a time.

mod check;
mod line;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use iowq_record::{Record, SCHEMA};
use serde::Deserialize;

use crate::analysis::thin;
use crate::format::{clip, list};
use line::{LINE_BYTES_MAX, Line};

/// Name of the record inside a folder that `bench` wrote.
pub const RECORD_NAME: &str = "record.jsonl";

/// What was read.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The runs, in the order in which the files were named and written.
    pub records: Vec<Record>,
    /// The files they came from.
    pub files: Vec<PathBuf>,
    /// What a reader should know about the reading itself.
    pub notes: Vec<String>,
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

/// Workloads that an error names; the others are counted.
const NAMED_MAX: usize = 12;

impl Loaded {
    /// Leaves only the runs of these workloads; all of them where none is named.
    ///
    /// # Errors
    ///
    /// A name that no run has.
    pub fn keep_workloads(&mut self, names: &[String]) -> Result<(), LoadError> {
        let known: BTreeSet<&str> =
            self.records.iter().map(|record| record.cell.workload.as_str()).collect();
        if let Some(name) = names.iter().find(|name| !known.contains(name.as_str())) {
            let mut shown: Vec<String> =
                known.iter().take(NAMED_MAX).map(|name| clip(name, 60)).collect();
            if known.len() > NAMED_MAX {
                shown.push(format!("{} more", known.len() - NAMED_MAX));
            }
            let known = format!("the record has {}", list(&shown));
            return Err(LoadError::Workload { name: name.clone(), known });
        }
        if !names.is_empty() {
            self.records.retain(|record| names.contains(&record.cell.workload));
        }
        Ok(())
    }
}

/// Reads all runs of all `paths`; a folder stands for the `record.jsonl` inside it.
///
/// # Errors
///
/// A file that cannot be read, that holds no run, or a line that is not a record. A last line
/// without its line break that does not parse is what a killed bench leaves: it becomes a note.
pub fn load(paths: &[PathBuf]) -> Result<Loaded, LoadError> {
    let mut loaded = Loaded::default();
    for path in paths {
        let path = if path.is_dir() { path.join(RECORD_NAME) } else { path.clone() };
        read_file(&path, &mut loaded)?;
        loaded.files.push(path);
    }
    drop_twins(&mut loaded);
    Ok(loaded)
}

fn read_file(path: &Path, loaded: &mut Loaded) -> Result<(), LoadError> {
    let io_error = |source| LoadError::Io { path: path.to_owned(), source };
    let mut input = BufReader::with_capacity(1 << 16, File::open(path).map_err(io_error)?);
    let mut buffer = Vec::new();
    let mut found = 0;
    for line in 1.. {
        let fail = |problem| LoadError::Line { path: path.to_owned(), line, problem };
        let read = line::next(&mut input, &mut buffer, LINE_BYTES_MAX).map_err(io_error)?;
        match read {
            Line::End => break,
            Line::TooLong => {
                let mib = LINE_BYTES_MAX >> 20;
                return Err(fail(format!("longer than {mib} MiB: this is not a record")));
            }
            Line::Whole | Line::Last if buffer.trim_ascii().is_empty() => {}
            Line::Whole => {
                loaded.records.push(parse(&buffer).map_err(fail)?);
                found += 1;
            }
            Line::Last => match parse(&buffer) {
                Ok(record) => {
                    loaded.records.push(record);
                    found += 1;
                }
                Err(_) if is_cut_off(&buffer) => loaded.notes.push(cut_off_note(path, line)),
                Err(problem) => return Err(fail(problem)),
            },
        }
    }
    if found == 0 { Err(LoadError::Empty { path: path.to_owned() }) } else { Ok(()) }
}

fn cut_off_note(path: &Path, line: usize) -> String {
    format!(
        "{}, line {line} is cut off: the bench was stopped while it wrote that run, \
         which is left out",
        file_name(path)
    )
}

/// The name of a file without its folders, which say more about a machine than about a run.
fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.display().to_string())
}

/// Whether the bytes are the beginning of a JSON object that just stops.
fn is_cut_off(bytes: &[u8]) -> bool {
    let starts = bytes.trim_ascii_start().first() == Some(&b'{');
    let parsed = serde_json::from_slice::<serde::de::IgnoredAny>(bytes);
    starts && parsed.is_err_and(|error| error.is_eof())
}

/// One line as a run, its timeline thinned at once: a folder of long runs must fit in memory.
fn parse(line: &[u8]) -> Result<Record, String> {
    let mut record: Record = match serde_json::from_slice(line) {
        Ok(record) => record,
        Err(_) => return Err(explain(line)),
    };
    known_schema(&record.schema)?;
    check::check(&record)?;
    thin::timeline(&mut record.timeline, thin::TIMELINE_POINTS_MAX);
    thin::churn(&mut record.churn, thin::CHURN_SLICES_MAX);
    Ok(record)
}

fn known_schema(found: &str) -> Result<(), String> {
    if found == SCHEMA {
        return Ok(());
    }
    Err(format!(
        "schema is {:?}, and this version reads {SCHEMA:?}: \
         use the iowq-report that belongs to the record",
        clip(found, 60)
    ))
}

/// Parses a line again that did not parse, slowly, to find out which field is to blame.
fn explain(line: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Version {
        schema: String,
    }
    if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(line) {
        return format!("not JSON: {}", without_line(&error));
    }
    match serde_json::from_slice::<Version>(line) {
        Ok(version) => {
            if let Err(problem) = known_schema(&version.schema) {
                return problem;
            }
        }
        Err(_) => return format!("not a record: a record is an object with schema {SCHEMA:?}"),
    }
    let mut input = serde_json::Deserializer::from_slice(line);
    match serde_path_to_error::deserialize::<_, Record>(&mut input) {
        Ok(_) => "characters follow the record: write one record per line".to_owned(),
        Err(error) => {
            let path = error.path().to_string();
            let problem = without_line(error.inner());
            if path == "." { problem } else { format!("{path}: {problem}") }
        }
    }
}

/// A JSON error that counts columns only: to the parser every record is line 1.
fn without_line(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&place) {
        Some(problem) => format!("{problem} (column {})", error.column()),
        None => text,
    }
}

/// Drops runs that were read twice, which would make a result look surer than it is.
fn drop_twins(loaded: &mut Loaded) {
    let mut seen = BTreeSet::new();
    let before = loaded.records.len();
    loaded.records.retain(|record| {
        let cell = &record.cell;
        let names = (cell.workload.clone(), cell.engine.clone(), cell.policy.clone());
        seen.insert((record.started.clone(), record.duration_ns, cell.position, names))
    });
    let twins = before - loaded.records.len();
    if twins > 0 {
        let runs = crate::format::count(twins as u64, "run", "runs");
        loaded.notes.push(format!("{runs} read twice and counted once"));
    }
}
