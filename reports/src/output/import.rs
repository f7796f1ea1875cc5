//! Importing: what another tool measured in, records out.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use iowq_contract::{Record, jsonl, write_new};

use crate::import::fio;
use crate::load;

/// The largest text of fio that is read: bins of a thousand jobs are some ten megabytes.
const FIO_BYTES_MAX: u64 = 256 << 20;

/// What is said of a run that another file has, too.
const TWICE: &str = "has a run that was read from another file already, and would count twice: name \
                     each file once";

/// What is wanted.
#[derive(Clone, Copy, Debug)]
pub struct ImportRequest<'a> {
    /// Files that `fio --output-format=json+` wrote, one for each round.
    pub fio: &'a [PathBuf],
    /// What to call the workload: the name of the job if not given.
    pub workload: Option<&'a str>,
    /// The file to write, which must not exist.
    pub out: &'a Path,
}

/// What was imported.
#[derive(Clone, Copy, Debug)]
pub struct Imported {
    /// Runs that were written.
    pub runs: usize,
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
    /// A file is not a report of fio, or holds none that a record can be made of.
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
    let mut runs: u32 = 0;
    let path = request.out.to_owned();
    let mut taken: Vec<Record> = Vec::new();
    for (round, file) in (0..).zip(request.fio) {
        let content = |problem| ImportError::Content { path: file.clone(), problem };
        for mut record in fio::records(&read(file)?, request.workload).map_err(content)? {
            load::validate(&record).map_err(|problem| content(contradicts_itself(&problem)))?;
            if taken.contains(&record) {
                return Err(content(TWICE.to_owned()));
            }
            taken.push(record.clone());
            // Files are taken in the order in which they were named; fio does not say which run was
            // made beside which.
            (record.key.round, record.key.position) = (round, runs);
            runs = runs.saturating_add(1);
            let line = jsonl::line(&record);
            lines.extend(line.map_err(|source| ImportError::Write { path: path.clone(), source })?);
        }
    }
    write_new(request.out, &lines).map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => ImportError::Exists(path),
        _ => ImportError::Write { path, source },
    })?;
    Ok(Imported { runs: runs as usize })
}

fn contradicts_itself(problem: &str) -> String {
    format!(
        "its figures contradict each other ({problem}), so that no report would take the record"
    )
}

fn read(path: &Path) -> Result<Vec<u8>, ImportError> {
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| {
        let mut file = file.take(FIO_BYTES_MAX + 1);
        file.read_to_end(&mut text)
    });
    read.map_err(|source| ImportError::Read { path: path.to_owned(), source })?;
    if text.len() as u64 > FIO_BYTES_MAX {
        let problem =
            format!("longer than {} MiB: this is not a report of fio", FIO_BYTES_MAX >> 20);
        return Err(ImportError::Content { path: path.to_owned(), problem });
    }
    Ok(text)
}
