//! Importing: what another tool measured in, records out.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use iowq_contract::{Record, jsonl, write_new};

use crate::import::{Tool, Unit};
use crate::load;

/// The largest text that is read: bins of a thousand jobs of fio are some ten megabytes.
const BYTES_MAX: u64 = 256 << 20;

/// What is wanted.
#[derive(Clone, Copy, Debug)]
pub struct ImportRequest<'a> {
    /// Files that the tool wrote, one for each round.
    pub files: &'a [PathBuf],
    /// What wrote them.
    pub tool: Tool,
    /// The unit of latencies of which a file does not say it.
    pub unit: Option<Unit>,
    /// What to call the workload: the name of the job if not given.
    pub workload: Option<&'a str>,
    /// The file to write, which must not exist.
    pub out: &'a Path,
}

/// What was imported.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Runs that were written.
    pub runs: usize,
    /// Those of them that failed.
    pub failed: usize,
    /// What a reader should know about the reading itself, a sentence each.
    pub notes: Vec<String>,
}

/// Something could not be imported. Each text names the file and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file could not be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is not what the tool writes, or holds nothing that a record can be made of.
    #[error("{}: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// The file to write is there already.
    #[error("{}: is there already, and --out replaces no file: name another", .0.display())]
    Exists(PathBuf),
    /// The records could not be written.
    #[error("{}: cannot be written: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Reads files of another tool and writes records.
///
/// # Errors
///
/// Files that cannot be read or are of no use, or a file that exists or cannot be written.
pub fn import(request: &ImportRequest<'_>) -> Result<Imported, ImportError> {
    let mut lines = Vec::new();
    let mut imported = Imported { runs: 0, failed: 0, notes: Vec::new() };
    let mut runs: u32 = 0;
    let path = request.out.to_owned();
    let mut taken: Vec<(&PathBuf, Record)> = Vec::new();
    for (round, file) in (0..).zip(request.files) {
        let content = |problem| ImportError::Content { path: file.clone(), problem };
        let import = request.tool.records(&read(file)?, request.workload, request.unit);
        let import = import.map_err(content)?;
        let note = |note: &String| format!("{}: {note}", file.display());
        imported.notes.extend(import.notes.iter().map(note));
        let mut own = Vec::new();
        for mut record in import.records {
            load::validate(&record).map_err(|problem| content(contradicts_itself(&problem)))?;
            if let Some((other, _)) = taken.iter().find(|(_, known)| *known == record) {
                return Err(content(twice(other, &record)));
            }
            own.push((file, record.clone()));
            imported.failed += usize::from(record.error.is_some());
            // Files are taken in the order in which they were named; fio does not say which run was
            // made beside which.
            (record.key.round, record.key.position) = (round, runs);
            runs = runs.saturating_add(1);
            let line = jsonl::line(&record);
            lines.extend(line.map_err(|source| ImportError::Write { path: path.clone(), source })?);
        }
        taken.extend(own);
    }
    write_new(request.out, &lines).map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => ImportError::Exists(path),
        _ => ImportError::Write { path, source },
    })?;
    Ok(Imported { runs: runs as usize, ..imported })
}

/// What is said of a run that another file has, too.
fn twice(other: &Path, record: &Record) -> String {
    format!(
        "its run of {:?} is the one that {} has, too, and would count twice: name each file once",
        record.key.workload,
        other.display()
    )
}

fn contradicts_itself(problem: &str) -> String {
    format!(
        "its figures contradict each other ({problem}), so that no report would take the record"
    )
}

fn read(path: &Path) -> Result<Vec<u8>, ImportError> {
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| {
        let mut file = file.take(BYTES_MAX + 1);
        file.read_to_end(&mut text)
    });
    read.map_err(|source| ImportError::Read { path: path.to_owned(), source })?;
    if text.len() as u64 > BYTES_MAX {
        let problem = format!("longer than {} MiB, which no report is", BYTES_MAX >> 20);
        return Err(ImportError::Content { path: path.to_owned(), problem });
    }
    Ok(text)
}
