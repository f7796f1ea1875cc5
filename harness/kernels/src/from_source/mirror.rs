//! The copy of a source that is a folder: brought up to date by what its files hold, so that a
//! file whose time alone changed is not built again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::BuildError;
use super::files::{self, Content};
use super::run::Runner;
use super::source::Source;

/// What the copy was made from, beside the copy.
const LISTING: &str = "listing.json";
/// What a build inside the folder leaves there. Make refuses to build such a source elsewhere.
const BUILT_INSIDE: [&str; 3] = [".config", "include/config", "arch/x86/include/generated"];

/// The files of a folder.
type Listing = BTreeMap<PathBuf, Entry>;

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    stamp: Stamp,
    sha256: String,
}

/// While this stays the same, a file is not read again.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    mode: u32,
    bytes: u64,
    modified_ns: i128,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Stamp {
        let seconds = i128::from(metadata.mtime()) * 1_000_000_000;
        Stamp {
            mode: metadata.mode(),
            bytes: metadata.len(),
            modified_ns: seconds + i128::from(metadata.mtime_nsec()),
        }
    }
}

/// Makes the copy hold what the folder holds. Returns a digest of that.
pub(super) fn update(
    from: &Path,
    source: &Source,
    run: &mut Runner<'_>,
) -> Result<String, BuildError> {
    let mut mirror = Mirror { from, source, before: before(source)?, is_pristine: false };
    if mirror.before.is_empty() {
        // None, or one that was not finished.
        mirror.begin()?;
        files::remove(&source.tree())?;
        run.say(&format!("copying {}", source.path().display()));
    }
    files::make_folder(&source.tree())?;
    let mut after = Listing::new();
    for path in list(from, source.path(), run)? {
        run.check()?;
        if let Some(entry) = mirror.file(&path)? {
            after.insert(path, entry);
        }
    }
    let before: Vec<_> = mirror.before.keys().cloned().collect();
    for path in before.iter().filter(|path| !after.contains_key(*path)) {
        mirror.begin()?;
        files::remove(&source.tree().join(path))?;
    }
    if after != mirror.before {
        let json = serde_json::to_vec(&after).map_err(std::io::Error::from);
        let path = source.file(LISTING);
        let json = json.map_err(|cause| BuildError::io("write", &path, cause))?;
        files::write_bytes(&path, &json)?;
    }
    Ok(digest(&after))
}

/// The listing of the copy; empty where there is none that can be read.
fn before(source: &Source) -> Result<Listing, BuildError> {
    let listing = files::content(&source.file(LISTING))?;
    Ok(listing.and_then(|file| serde_json::from_slice(&file.bytes).ok()).unwrap_or_default())
}

/// A digest of what files hold and of who may run them, whenever they were written.
fn digest(listing: &Listing) -> String {
    let mut all = Vec::new();
    for (path, entry) in listing {
        all.extend(path.as_os_str().as_bytes());
        // No path has a zero in it.
        all.extend(format!("\0{:o} {}\n", entry.stamp.mode, entry.sha256).into_bytes());
    }
    files::sha256(&all)
}

struct Mirror<'a> {
    from: &'a Path,
    source: &'a Source,
    before: Listing,
    /// Whether all patches were taken out, as they must be before a file is replaced.
    is_pristine: bool,
}

impl Mirror<'_> {
    /// Brings a file up to date. There is none where a list has what is no longer there.
    fn file(&mut self, path: &Path) -> Result<Option<Entry>, BuildError> {
        let here = self.from.join(path);
        let failed = |cause| BuildError::io("read", &here, cause);
        let metadata = match fs::symlink_metadata(&here) {
            Ok(metadata) if metadata.is_file() || metadata.is_symlink() => metadata,
            // A folder is a repository inside this one; pipes and the like are no source.
            Ok(_) => return Ok(None),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(failed(cause)),
        };
        let stamp = Stamp::of(&metadata);
        let before = self.before.get(path).cloned();
        if let Some(before) = before.as_ref().filter(|before| before.stamp == stamp) {
            return Ok(Some(before.clone()));
        }
        let bytes = if metadata.is_symlink() {
            fs::read_link(&here).map_err(failed)?.into_os_string().into_encoded_bytes()
        } else {
            fs::read(&here).map_err(failed)?
        };
        let sha256 = files::sha256(&bytes);
        if before.is_none_or(|old| old.sha256 != sha256 || old.stamp.mode != stamp.mode) {
            self.begin()?;
            self.replace(path, metadata.is_symlink(), bytes, stamp.mode)?;
        }
        Ok(Some(Entry { stamp, sha256 }))
    }

    fn replace(
        &self,
        path: &Path,
        is_link: bool,
        bytes: Vec<u8>,
        mode: u32,
    ) -> Result<(), BuildError> {
        let here = self.source.tree().join(path);
        if !is_link {
            return files::write(&here, &Content { bytes, mode: mode & 0o777 });
        }
        files::remove(&here)?;
        files::make_folder(here.parent().unwrap_or(&here))?;
        let to = std::ffi::OsStr::from_bytes(&bytes);
        symlink(to, &here).map_err(|cause| BuildError::io("create", &here, cause))
    }

    /// Before the first change. Without a listing the copy counts as unfinished.
    fn begin(&mut self) -> Result<(), BuildError> {
        if !self.is_pristine {
            self.source.reset()?;
            files::remove(&self.source.file(LISTING))?;
            self.is_pristine = true;
        }
        Ok(())
    }
}

/// The files that are source: in a git repository those that git knows or would take, otherwise
/// all.
fn list(from: &Path, named: &Path, run: &Runner<'_>) -> Result<BTreeSet<PathBuf>, BuildError> {
    if from.join(".git").exists() {
        return of_git(from, named, run);
    }
    if let Some(left) = BUILT_INSIDE.iter().find(|path| from.join(path).exists()) {
        return Err(BuildError::source(
            named,
            format!(
                "was built in ({left} is there), and it is no git repository, which would tell \
                 source from the rest. Run `make mrproper` in it, or name a clean copy"
            ),
        ));
    }
    let mut found = BTreeSet::new();
    let mut folders = vec![from.to_owned()];
    while let Some(folder) = folders.pop() {
        let failed = |cause| BuildError::io("read", &folder, cause);
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_type().map_err(failed)?.is_dir() {
                folders.push(entry.path());
            } else {
                found.extend(entry.path().strip_prefix(from).map(Path::to_owned));
            }
        }
    }
    Ok(found)
}

fn of_git(from: &Path, named: &Path, run: &Runner<'_>) -> Result<BTreeSet<PathBuf>, BuildError> {
    let mut git = Command::new("git");
    // A source may belong to somebody else than root; its Makefile is run all the same.
    git.args(["-c", "safe.directory=*", "-C"]).arg(from);
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let output = run.output(&git)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(BuildError::source(named, format!("git cannot list its files: {said}")));
    }
    let names = output.stdout.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    Ok(names.map(|name| PathBuf::from(std::ffi::OsStr::from_bytes(name))).collect())
}
