//! Reading a folder of boots: what was booted, how boots ended, and the runs that came back.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use iowq_contract::jsonl::{Limits, Lines};
use iowq_contract::{
    BOOT_SCHEMA, BOOTS_NAME, Boot, Caveat, Code, InBoot, KERNELS_MAX, KERNELS_NAME, KERNELS_SCHEMA,
    Kernels, LABEL_BYTES_MAX, Record, Role,
};
use serde::de::DeserializeOwned;

use crate::compare::set::Set;
use crate::load::{LoadError, Loaded, RECORD_NAME};
use crate::runs::group::URING;
use crate::{format, load};

/// A folder of boots.
#[derive(Debug)]
pub struct Booted {
    /// What was booted.
    pub kernels: Kernels,
    /// How each boot ended, in the order in which they were made.
    pub boots: Vec<Boot>,
    /// The runs that came back; none if no boot came so far.
    pub loaded: Loaded,
}

impl Booted {
    /// The runs of each kernel, the base first. A kernel without a run has a set without runs.
    pub fn sets(&self) -> Vec<Set<'_>> {
        let loaded = &self.loaded;
        let labels = self.kernels.kernels.iter().map(|kernel| &kernel.label);
        let set = |label: &String| {
            let runs = loaded.records.iter().filter(|run| is_of(run, label)).collect();
            Set::new(label.clone(), 0, loaded, runs)
        };
        labels.map(set).collect()
    }
}

/// Whether a run is one of a kernel's own io-wq, to be compared.
pub(crate) fn is_of(run: &Record, label: &str) -> bool {
    let kernel = run.key.boot.as_ref().map(|boot| boot.kernel.as_str());
    kernel == Some(label) && run.key.engine == URING && run.key.role == Role::Measured
}

/// A folder is not one of boots. Each text names the file and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file could not be read.
    #[error("{}: {source}: a folder that `kernels` wrote is needed", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("{}: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The field or line, what was found, and what is allowed.
        problem: String,
    },
    /// The runs could not be read.
    #[error(transparent)]
    Load(#[from] LoadError),
}

/// Reads a folder.
///
/// # Errors
///
/// A file that is missing or holds something else. Without runs the boots alone are read.
pub fn read(dir: &Path) -> Result<Booted, ReadError> {
    let kernels = kernels(&dir.join(KERNELS_NAME))?;
    let mut notes = Vec::new();
    let boots = boots(&dir.join(BOOTS_NAME), &kernels, &mut notes)?;
    let mut loaded = match load::load(&[dir.join(RECORD_NAME)]) {
        Ok(loaded) => loaded,
        Err(LoadError::Empty { .. }) => Loaded::default(),
        Err(LoadError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Loaded::default()
        }
        Err(error) => return Err(error.into()),
    };
    let known = |run: &Record| {
        let boot = run.key.boot.as_ref();
        boot.is_none_or(|boot| find(&boots, boot.number).is_some())
    };
    let read = loaded.records.len();
    loaded.retain(known);
    let left_out = read - loaded.records.len();
    if left_out > 0 {
        let runs = format::count(left_out as u64, "run", "runs");
        let text = format!("{runs} of boots that were not observed until their end are omitted");
        notes.push(Caveat::new(Code::Reading, text));
    }
    are_of_their_boots(&boots, &loaded.records)
        .map_err(|problem| ReadError::Content { path: dir.join(RECORD_NAME), problem })?;
    if loaded.records.is_empty() {
        notes.push(Caveat::new(Code::Reading, "No boot returned a run"));
    }
    loaded.records.iter_mut().for_each(as_workload_of_its_own);
    loaded.notes.extend(notes);
    Ok(Booted { kernels, boots, loaded })
}

/// Kernels are compared with each other under the same settings: a workload with a field at another
/// value is one of its own, `dsync bounded=4`.
fn as_workload_of_its_own(run: &mut Record) {
    let set = std::mem::take(&mut run.key.set);
    if !set.is_empty() {
        run.key.workload = format!("{} {set}", run.key.workload);
        run.settings_unset = None;
    }
}

/// The boot with a number, of boots in the order of numbers.
fn find(boots: &[Boot], number: u32) -> Option<&Boot> {
    boots.binary_search_by_key(&number, |boot| boot.number).ok().and_then(|at| boots.get(at))
}

/// Runs have kernel, round and role of their boot, and are as many as came back from it: a verdict
/// rests on whole boots.
fn are_of_their_boots(boots: &[Boot], records: &[Record]) -> Result<(), String> {
    let mut by_boot: BTreeMap<u32, Vec<(&InBoot, &Record)>> = BTreeMap::new();
    for run in records {
        if let Some(boot) = &run.key.boot {
            by_boot.entry(boot.number).or_default().push((boot, run));
        }
    }
    for boot in boots {
        let number = boot.number;
        let runs = by_boot.remove(&number).unwrap_or_default();
        for (it, run) in &runs {
            let fields = [
                ("role", run.key.role.name().to_owned(), boot.role.name().to_owned()),
                ("kernel", format::clip(&it.kernel, 60), boot.kernel.clone()),
                ("round", it.round.to_string(), boot.round.to_string()),
            ];
            if let Some((field, found, allowed)) =
                fields.iter().find(|(_, of_run, of_boot)| of_run != of_boot)
            {
                return Err(format!(
                    "{field} of a run of boot {number} is {found:?}: that of the boot, {allowed:?}, is \
                     allowed"
                ));
            }
        }
        if runs.len() != boot.runs as usize {
            return Err(format!(
                "has {} of boot {number}, and {BOOTS_NAME} says {}: lines were removed or added. \
                 `kernels` with the same flags makes the boot again",
                format::count(runs.len() as u64, "run", "runs"),
                boot.runs
            ));
        }
    }
    Ok(())
}

fn kernels(path: &Path) -> Result<Kernels, ReadError> {
    let fail = |problem| ReadError::Content { path: path.to_owned(), problem };
    let text = fs::read(path).map_err(|source| ReadError::Io { path: path.to_owned(), source })?;
    let kernels: Kernels = parse(&text).map_err(fail)?;
    schema(&kernels.schema, KERNELS_SCHEMA).map_err(fail)?;
    let labels: BTreeSet<&str> = kernels.kernels.iter().map(|one| one.label.as_str()).collect();
    let count = kernels.kernels.len();
    if !(2..=KERNELS_MAX).contains(&count) {
        return Err(fail(format!("kernels has {count}: from 2 to {KERNELS_MAX} are allowed")));
    }
    if labels.len() < count
        || labels.iter().any(|label| !(1..=LABEL_BYTES_MAX).contains(&label.len()))
    {
        let problem =
            format!("labels of kernels must differ and have 1 to {LABEL_BYTES_MAX} bytes");
        return Err(fail(problem));
    }
    Ok(kernels)
}

/// The boots. A last line that is cut off is what a killed comparison leaves: it becomes a note.
fn boots(path: &Path, kernels: &Kernels, notes: &mut Vec<Caveat>) -> Result<Vec<Boot>, ReadError> {
    let io_error = |source| ReadError::Io { path: path.to_owned(), source };
    let file = BufReader::new(File::open(path).map_err(io_error)?);
    let mut boots: Vec<Boot> = Vec::new();
    for line in Lines::new(file, Limits::default()) {
        let line = line.map_err(io_error)?;
        let number = line.number;
        let fail = |problem: String| ReadError::Content {
            path: path.to_owned(),
            problem: format!("line {number}: {problem}"),
        };
        let boot: Boot = match parse(&line.bytes) {
            Ok(boot) => boot,
            Err(_) if !line.is_ended => {
                let text = format!("{BOOTS_NAME}, line {number} is cut off and omitted");
                notes.push(Caveat::new(Code::RecordCutOff, text));
                continue;
            }
            Err(problem) => return Err(fail(problem)),
        };
        schema(&boot.schema, BOOT_SCHEMA).map_err(fail)?;
        if kernels.kernels.iter().all(|kernel| kernel.label != boot.kernel) {
            let label = format::clip(&boot.kernel, 60);
            return Err(fail(format!("kernel is {label:?}, which {KERNELS_NAME} does not have")));
        }
        let base = kernels.kernels.first().is_some_and(|base| base.label == boot.kernel);
        if !(boot.role == Role::Measured || boot.role == Role::Noise && base && kernels.noise) {
            return Err(fail(format!(
                "role is {:?}: measured is allowed, and for the base noise where {KERNELS_NAME} \
                 says so",
                boot.role.name()
            )));
        }
        if boots.iter().any(|other| other.number == boot.number) {
            return Err(fail(format!("number is {}, as that of another boot", boot.number)));
        }
        boots.push(boot);
    }
    boots.sort_by_key(|boot| boot.number);
    Ok(boots)
}

fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    let mut input = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(&mut input).map_err(|error| error.to_string())?;
    input.end().map_err(|error| error.to_string())?;
    Ok(value)
}

fn schema(found: &str, known: &str) -> Result<(), String> {
    if found == known {
        return Ok(());
    }
    let found = format::clip(found, 60);
    Err(format!(
        "schema is {found:?}, and this version reads {known:?}: use the iowq-report that belongs \
         to it"
    ))
}
