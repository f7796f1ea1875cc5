//! Sets: the runs of one policy or kernel out of one file, as the command line names them.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use iowq_contract::{Record, Role};

use crate::load::{LoadError, Loaded, RECORD_NAME};
use crate::runs::group::{self, POOL};
use crate::{format, load};

/// What stands between the file and the policy.
const POLICY_SIGN: char = '@';

/// Sets could not be made of what was asked for. Each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    /// The records could not be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The file holds runs of several policies, and none was named.
    #[error(
        "{file} holds runs of {policies} on {workload}, and a set is of one of them: name it, \
         such as `compare {example}`"
    )]
    Several {
        /// The file as it was named.
        file: String,
        /// The policies, as a list.
        policies: String,
        /// A workload that has runs of all of them.
        workload: String,
        /// What to type instead.
        example: String,
    },
    /// No run is of the policy.
    #[error("{file} holds no run of policy {policy:?}; it has {policies}")]
    NoPolicy {
        /// The file as it was named.
        file: String,
        /// The policy that was asked for.
        policy: String,
        /// The policies that there are.
        policies: String,
    },
    /// Base and test are the same runs.
    #[error("{name} is named twice: a set compared with itself shows nothing")]
    Same {
        /// The set as it was named.
        name: String,
    },
    /// There is no test.
    #[error("nothing to compare with: name a second set, `compare {base} TEST`")]
    Alone {
        /// The base as it was named.
        base: String,
    },
}

/// A set as it was named: `PATH` or `PATH@POLICY`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Named {
    path: PathBuf,
    policy: Option<String>,
}

impl Named {
    /// Takes a path that exists as it is, and else its part before the last `@`.
    fn parse(argument: &Path) -> Self {
        let whole = || Self { path: argument.to_owned(), policy: None };
        if argument.exists() {
            return whole();
        }
        let bytes = argument.as_os_str().as_bytes();
        let sign = bytes.iter().rposition(|byte| *byte == POLICY_SIGN as u8);
        let policy = |at| std::str::from_utf8(&bytes[at + 1..]).ok();
        sign.and_then(|at| Some((at, policy(at)?))).map_or_else(whole, |(at, policy)| Self {
            path: OsStr::from_bytes(&bytes[..at]).into(),
            policy: Some(policy.to_owned()),
        })
    }

    fn file(&self) -> PathBuf {
        if self.path.is_dir() { self.path.join(RECORD_NAME) } else { self.path.clone() }
    }
}

/// The files that sets are taken from, each read once.
#[derive(Debug)]
pub struct Files {
    named: Vec<(Named, usize)>,
    loaded: Vec<Loaded>,
}

/// Runs of one policy out of one file.
#[derive(Clone, Debug)]
pub struct Set<'a> {
    /// What it is called.
    pub name: String,
    /// Number of its file: sets with the same number are of the same bench.
    pub file: usize,
    /// All that is in its file, noise and control runs too.
    pub loaded: &'a Loaded,
    /// Its measured runs.
    pub runs: Vec<&'a Record>,
    /// The same by workload.
    by_workload: BTreeMap<&'a str, Vec<&'a Record>>,
    /// The noise and control runs of its file, by workload.
    extra: BTreeMap<&'a str, Vec<&'a Record>>,
}

impl<'a> Set<'a> {
    /// Of measured runs out of what is in a file.
    pub fn new(name: String, file: usize, loaded: &'a Loaded, runs: Vec<&'a Record>) -> Self {
        let extra = loaded.records.iter().filter(|run| !run.key.role.is_measured());
        let (extra, by_workload) = (by_workload(extra), by_workload(runs.iter().copied()));
        Self { name, file, loaded, runs, by_workload, extra }
    }

    /// Its measured runs of a workload.
    pub fn of(&self, workload: &str) -> Vec<&'a Record> {
        self.by_workload.get(workload).cloned().unwrap_or_default()
    }

    /// The noise and control runs of its file on a workload.
    pub fn extra(&self, workload: &str) -> impl Iterator<Item = &'a Record> {
        self.extra.get(workload).into_iter().flatten().copied()
    }

    /// Whether both are the same runs: sets of a file have all runs of a policy, or none.
    fn is_same(&self, other: &Set<'_>) -> bool {
        let first = self.runs.first().map(|run| &run.key);
        self.file == other.file && first == other.runs.first().map(|run| &run.key)
    }

    /// Its workloads, in the order in which they first ran.
    pub fn workloads(&self) -> Vec<&'a str> {
        workloads(&self.runs)
    }
}

impl Files {
    /// Reads the files of all sets; only runs of `workloads` stay, or all if none is named.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or that has no run of a workload.
    pub fn read(arguments: &[PathBuf], workloads: &[String]) -> Result<Self, SetError> {
        let mut files = Self { named: Vec::new(), loaded: Vec::new() };
        let mut places: BTreeMap<PathBuf, usize> = BTreeMap::new();
        for argument in arguments {
            let named = Named::parse(argument);
            let file = named.file();
            let key = file.canonicalize().unwrap_or(file);
            let place = match places.get(&key) {
                Some(place) => *place,
                None => {
                    let mut loaded = load::load_strictly(std::slice::from_ref(&named.path))?;
                    loaded.keep_workloads(workloads)?;
                    places.insert(key, files.loaded.len());
                    files.loaded.push(loaded);
                    files.loaded.len() - 1
                }
            };
            files.named.push((named, place));
        }
        Ok(files)
    }

    /// The sets, in the order in which they were named; the first is the base.
    ///
    /// # Errors
    ///
    /// A set of several policies or of none, a set that is named twice, or one set alone.
    pub fn sets(&self) -> Result<Vec<Set<'_>>, SetError> {
        let mut sets: Vec<Set<'_>> = Vec::new();
        let one_file = self.loaded.len() == 1;
        for (named, file) in &self.named {
            let Some(loaded) = self.loaded.get(*file) else { continue };
            let runs = runs_of(named, loaded)?;
            let name = if one_file { variant_of(&runs) } else { shown(named) };
            let set = Set::new(name, *file, loaded, runs);
            if sets.iter().any(|other| other.is_same(&set)) {
                return Err(SetError::Same { name: set.name });
            }
            sets.push(set);
        }
        if let ([_], [(base, _)]) = (sets.as_slice(), self.named.as_slice()) {
            return Err(SetError::Alone { base: typed(base) });
        }
        if (1..sets.len()).any(|at| sets[..at].iter().any(|set| set.name == sets[at].name)) {
            for (set, (named, _)) in sets.iter_mut().zip(&self.named) {
                set.name = typed(named);
            }
        }
        Ok(sets)
    }
}

fn by_workload<'a>(runs: impl Iterator<Item = &'a Record>) -> BTreeMap<&'a str, Vec<&'a Record>> {
    let mut by_workload: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    for run in runs {
        by_workload.entry(&run.key.workload).or_default().push(run);
    }
    by_workload
}

/// The measured runs that a set is made of.
fn runs_of<'a>(named: &Named, loaded: &'a Loaded) -> Result<Vec<&'a Record>, SetError> {
    let measured = loaded.records.iter().filter(|run| run.key.role == Role::Measured);
    if let Some(policy) = &named.policy {
        let runs: Vec<&Record> = measured.clone().filter(|run| variant(run) == *policy).collect();
        if runs.is_empty() {
            return Err(SetError::NoPolicy {
                file: named.path.display().to_string(),
                policy: policy.clone(),
                policies: format::list(&variants(measured)),
            });
        }
        return Ok(runs);
    }
    let runs: Vec<&Record> = measured.collect();
    let by_workload = by_workload(runs.iter().copied());
    for workload in workloads(&runs) {
        let of = by_workload.get(workload).into_iter().flatten().copied();
        let found = variants(of);
        if let [first, second, ..] = found.as_slice() {
            let file = named.path.display().to_string();
            let name = |policy: &str| format!("{file}{POLICY_SIGN}{policy}");
            return Err(SetError::Several {
                example: format!("{} {}", name(first), name(second)),
                policies: format::list(&found),
                workload: workload.to_owned(),
                file,
            });
        }
    }
    if runs.is_empty() {
        return Err(SetError::NoPolicy {
            file: named.path.display().to_string(),
            policy: "any".to_owned(),
            policies: "noise and control runs only".to_owned(),
        });
    }
    Ok(runs)
}

/// Workloads of runs, in the order in which they first ran.
fn workloads<'a>(runs: &[&'a Record]) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    let names = runs.iter().map(|run| run.key.workload.as_str());
    names.filter(|name| seen.insert(*name)).collect()
}

/// What a run's policy is called on a command line. In a boot that is the kernel, and what the pool
/// did in that boot is told apart, for a kernel may be called as a preset is.
fn variant(run: &Record) -> String {
    let label = group::label(run).into_owned();
    let beside = run.key.boot.is_some() && run.key.engine == POOL;
    if beside { format!("{label} on {POOL}") } else { label }
}

/// The policies of runs, each once: presets in the order of kernels, then others as they ran.
fn variants<'a>(runs: impl Iterator<Item = &'a Record>) -> Vec<String> {
    let mut variants = format::distinct(runs.map(variant));
    variants.sort_by_key(|variant| group::rank(variant));
    variants
}

/// The policies of a set, which are one unless they differ from workload to workload.
fn variant_of(runs: &[&Record]) -> String {
    format::list(&variants(runs.iter().copied()))
}

/// The last part of a set's path, and its policy: what tells sets of different files apart.
fn shown(named: &Named) -> String {
    let is_record = named.path.file_name().is_some_and(|name| name == RECORD_NAME);
    let folder = named.path.parent().filter(|_| is_record);
    let folder = folder.filter(|folder| folder.file_name().is_some());
    let path = folder.unwrap_or(&named.path);
    let name = path.file_name().unwrap_or(path.as_os_str()).display().to_string();
    named.policy.as_ref().map_or(name.clone(), |policy| format!("{name}{POLICY_SIGN}{policy}"))
}

/// A set as it was typed.
fn typed(named: &Named) -> String {
    let path = named.path.display().to_string();
    named.policy.as_ref().map_or(path.clone(), |policy| format!("{path}{POLICY_SIGN}{policy}"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use iowq_sample as sample;

    use super::*;

    fn folder(records: &[Record]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder can be made");
        fs::write(folder.path().join(RECORD_NAME), sample::lines(records)).expect("it is written");
        folder
    }

    fn at(folder: &tempfile::TempDir, policy: &str) -> PathBuf {
        format!("{}@{policy}", folder.path().display()).into()
    }

    fn names(arguments: &[PathBuf]) -> Result<Vec<String>, String> {
        let files = Files::read(arguments, &[]).map_err(|error| error.to_string())?;
        let sets = files.sets().map_err(|error| error.to_string())?;
        Ok(sets.into_iter().map(|set| set.name).collect())
    }

    #[test]
    fn sets_of_one_file_are_called_by_their_policies_and_share_its_number() {
        let folder = folder(&sample::bench_with_kernel(2));
        let arguments = [at(&folder, "6.12"), at(&folder, "io_uring")];
        assert_eq!(names(&arguments), Ok(vec!["6.12".to_owned(), "io_uring".to_owned()]));
        let files = Files::read(&arguments, &["dsync".to_owned()]).expect("it is a record");
        let sets = files.sets().expect("there are two");
        assert_eq!((sets[0].file, sets[1].file), (0, 0));
        assert_eq!((sets[0].of("dsync").len(), sets[0].workloads()), (2, vec!["dsync"]));
    }

    #[test]
    fn a_file_of_several_policies_is_refused_with_the_command_to_type() {
        let folder = folder(&sample::bench(1));
        let error = names(&[folder.path().to_owned()]).expect_err("it has four policies");
        assert!(error.contains("6.12, 6.16, 6.17 and exit-on-idle"), "{error}");
        let path = folder.path().display();
        assert!(error.contains(&format!("`compare {path}@6.12 {path}@6.16`")), "{error}");
    }

    #[test]
    fn a_policy_that_nobody_ran_is_refused_with_those_that_ran() {
        let folder = folder(&sample::bench(1));
        let error = names(&[at(&folder, "6.99")]).expect_err("nobody ran it");
        assert!(error.contains("\"6.99\"; it has 6.12, 6.16, 6.17 and exit-on-idle"), "{error}");
    }

    #[test]
    fn a_set_alone_or_twice_is_refused() {
        let folder = folder(&sample::bench(1));
        let one = at(&folder, "6.12");
        assert!(names(std::slice::from_ref(&one)).is_err_and(|error| error.contains("second set")));
        assert!(names(&[one.clone(), one]).is_err_and(|error| error.contains("twice")));
    }

    #[test]
    fn sets_of_two_files_are_called_by_their_files() {
        let one = |policy| folder(&[sample::run("dsync", policy, 0)]);
        let (before, after) = (one("6.12"), one("6.17"));
        let name = |folder: &tempfile::TempDir| {
            folder.path().file_name().expect("it has a name").display().to_string()
        };
        let arguments = [before.path().join(RECORD_NAME), at(&after, "6.17")];
        let expected = vec![name(&before), format!("{}@6.17", name(&after))];
        assert_eq!(names(&arguments), Ok(expected));
    }

    #[test]
    fn a_path_with_the_sign_in_it_is_a_path_where_it_exists() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("a@b");
        fs::write(&path, "").expect("it is written");
        assert_eq!(Named::parse(&path), Named { path: path.clone(), policy: None });
        fs::remove_file(&path).expect("it is there");
        assert_eq!(Named::parse(&path).policy.as_deref(), Some("b"));
    }
}
