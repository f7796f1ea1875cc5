//! Sets: the runs of one variant out of one file, as the command line names them.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use iowq_contract::{Record, Role};

use crate::compare::selector::{SIGN, Variant, example, list, variants};
use crate::load;
use crate::load::{LoadError, Loaded, RECORD_NAME};

/// Sets could not be made of what was asked for. Each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    /// The records could not be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The runs that were named are of several variants.
    #[error(
        "{file} holds runs of {variants} on {workload}, and a set is of one of them: name it, \
         such as `compare {example}`"
    )]
    Several {
        /// The file as it was named.
        file: String,
        /// The variants, as a list.
        variants: String,
        /// A workload that has runs of all of them.
        workload: String,
        /// What to type instead.
        example: String,
    },
    /// No run is of the variant.
    #[error("{file} holds no run of {variant:?}; it has {variants}")]
    NoVariant {
        /// The file as it was named.
        file: String,
        /// The variant that was asked for.
        variant: String,
        /// The variants that there are.
        variants: String,
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

/// A set as it was named: `PATH` or `PATH@VARIANT`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Named {
    path: PathBuf,
    selector: Option<String>,
}

impl Named {
    /// Takes a path that exists as it is, and else its part before the last `@`.
    fn parse(argument: &Path) -> Self {
        let whole = || Self { path: argument.to_owned(), selector: None };
        if argument.exists() {
            return whole();
        }
        let bytes = argument.as_os_str().as_bytes();
        let sign = bytes.iter().rposition(|byte| *byte == SIGN as u8);
        let selector = |at| std::str::from_utf8(&bytes[at + 1..]).ok();
        sign.and_then(|at| Some((at, selector(at)?))).map_or_else(whole, |(at, selector)| Self {
            path: OsStr::from_bytes(&bytes[..at]).into(),
            selector: Some(selector.to_owned()),
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

/// Runs of one variant out of one file.
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

    /// Whether both are the same runs: sets of a file have all runs of a variant, or none.
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
    /// A set of several variants or of none, a set that is named twice, or one set alone.
    pub fn sets(&self) -> Result<Vec<Set<'_>>, SetError> {
        let mut sets: Vec<Set<'_>> = Vec::new();
        let one_file = self.loaded.len() == 1;
        for (named, file) in &self.named {
            let Some(loaded) = self.loaded.get(*file) else { continue };
            let runs = runs_of(named, loaded)?;
            let name = if one_file { list(&variants(runs.iter().copied())) } else { shown(named) };
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

/// The measured runs that a set is made of, of one variant on each workload.
fn runs_of<'a>(named: &Named, loaded: &'a Loaded) -> Result<Vec<&'a Record>, SetError> {
    let file = || named.path.display().to_string();
    let selector = named.selector.as_deref();
    let measured = loaded.records.iter().filter(|run| run.key.role == Role::Measured);
    let of = |run: &&Record| selector.is_none_or(|it| Variant::of(run).is_meant_by(it));
    let runs: Vec<&Record> = measured.clone().filter(of).collect();
    if runs.is_empty() {
        let there = list(&variants(measured));
        let noise = "noise and control runs only".to_owned();
        return Err(SetError::NoVariant {
            file: file(),
            variant: selector.unwrap_or("any variant").to_owned(),
            variants: if there.is_empty() { noise } else { there },
        });
    }
    let by_workload = by_workload(runs.iter().copied());
    for workload in workloads(&runs) {
        let of = by_workload.get(workload).into_iter().flatten().copied();
        let found = variants(of);
        if let [first, second, ..] = found.as_slice() {
            return Err(SetError::Several {
                example: example(&file(), [first, second]),
                variants: list(&found),
                workload: workload.to_owned(),
                file: file(),
            });
        }
    }
    Ok(runs)
}

/// Workloads of runs, in the order in which they first ran.
fn workloads<'a>(runs: &[&'a Record]) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    let names = runs.iter().map(|run| run.key.workload.as_str());
    names.filter(|name| seen.insert(*name)).collect()
}

/// The last part of a set's path, and its variant: what tells sets of different files apart.
fn shown(named: &Named) -> String {
    let is_record = named.path.file_name().is_some_and(|name| name == RECORD_NAME);
    let folder = named.path.parent().filter(|_| is_record);
    let folder = folder.filter(|folder| folder.file_name().is_some());
    let path = folder.unwrap_or(&named.path);
    let name = path.file_name().unwrap_or(path.as_os_str()).display().to_string();
    named.selector.as_ref().map_or(name.clone(), |selector| format!("{name}{SIGN}{selector}"))
}

/// A set as it was typed.
fn typed(named: &Named) -> String {
    let path = named.path.display().to_string();
    named.selector.as_ref().map_or(path.clone(), |selector| format!("{path}{SIGN}{selector}"))
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
    fn a_policy_that_never_ran_is_refused_with_those_that_ran() {
        let folder = folder(&sample::bench(1));
        let error = names(&[at(&folder, "6.99")]).expect_err("it never ran");
        assert!(error.contains("\"6.99\"; it has 6.12, 6.16, 6.17 and exit-on-idle"), "{error}");
    }

    /// Two policies, each with two limits.
    fn limited() -> Vec<Record> {
        let policies = ["6.12", "6.17"].into_iter();
        let runs = policies.flat_map(|policy| ["64", "4"].map(|limit| (policy, limit)));
        let run = |(at, (policy, limit)): (u32, (&str, &str))| {
            let mut run = sample::run("dsync", policy, 0);
            run.key.position = at;
            run.key.set.0.insert("workers.bounded".to_owned(), limit.to_owned());
            run
        };
        (0..).zip(runs).map(run).collect()
    }

    #[test]
    fn sets_are_named_by_what_was_set_alone_or_with_a_policy() {
        let folder = folder(&limited());
        let of = |selectors: [&str; 2]| names(&selectors.map(|selector| at(&folder, selector)));
        let labels = |labels: [&str; 2]| Ok(labels.map(str::to_owned).to_vec());
        assert_eq!(
            of(["6.17,bounded=4", "6.17,workers.bounded=64"]),
            labels(["6.17 bounded=4", "6.17 bounded=64"])
        );
        assert_eq!(
            of(["6.12 bounded=4", "bounded=4,6.17"]),
            labels(["6.12 bounded=4", "6.17 bounded=4"])
        );
    }

    #[test]
    fn a_name_that_several_variants_have_is_refused_with_names_that_one_has() {
        let folder = folder(&limited());
        let error = names(&[at(&folder, "bounded=4"), at(&folder, "bounded=64")]);
        let error = error.expect_err("two policies have it");
        let path = folder.path().display();
        assert!(
            error.contains("holds runs of 6.12 bounded=4 and 6.17 bounded=4 on dsync"),
            "{error}"
        );
        let example = format!("`compare {path}@6.12,bounded=4 {path}@6.17,bounded=4`");
        assert!(error.contains(&example), "{error}");
        let error = names(&[at(&folder, "bounded=5")]).expect_err("it never ran");
        assert!(
            error.contains("no run of \"bounded=5\"; it has 6.12 bounded=4, 6.12 bounded=64"),
            "{error}"
        );
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
        assert_eq!(Named::parse(&path), Named { path: path.clone(), selector: None });
        fs::remove_file(&path).expect("it is there");
        assert_eq!(Named::parse(&path).selector.as_deref(), Some("b"));
    }
}
