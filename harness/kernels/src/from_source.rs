//! Builds: a kernel and its patched versions out of one source tree.
//!
//! All of them are built in one folder of objects, one after the other, so that a further patch
//! costs what it changed and no more. The cache holds
//!
//! - `sources/ID/git`, a repository with a source and its patched versions, `tree`, the one of them
//!   that is built, and `objects`, what was built of it;
//! - `kernels/DIGEST`, a kernel each: the digest is of source, configuration, patches and compiler;
//! - `logs`: what make said.

mod config;
mod error;
mod files;
mod git;
mod make;
mod run;
mod series;
mod source;
#[cfg(test)]
mod tests;
mod tools;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use rustix::io::{FdFlags, fcntl_setfd};

pub use error::{BuildError, Tool};

use self::config::Config;
use self::make::Make;
use self::run::Runner;
use self::series::Revision;
use self::source::Source;
use crate::stop::Stop;

/// What is to be built.
#[derive(Clone, Debug)]
pub struct Request {
    /// The kernel's source: a folder or a tarball. Neither is ever changed.
    pub source: PathBuf,
    /// The series, in order: the first kernel has none of it, and each further one has one more.
    pub patches: Vec<PathBuf>,
    /// Patches that every kernel has, the first too, such as a knob for tests.
    pub aids: Vec<PathBuf>,
    /// The folder that all this is kept in, and found again next time.
    pub cache: PathBuf,
    /// How many things make does at once.
    pub jobs: usize,
    /// A configuration (`.config`) instead of our minimal one.
    pub config: Option<PathBuf>,
}

/// A kernel that was built, now or before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// `base`, or the file name of its last patch, shortened to what a label may be.
    pub label: String,
    /// The image.
    pub bzimage: PathBuf,
    /// Its whole configuration.
    pub config: PathBuf,
    /// File names of its patches, those that all kernels have first.
    pub patches: Vec<String>,
    /// The release that it gives itself, such as `6.12.117`.
    pub release: String,
}

/// Builds what is not in the cache yet. `say` gets progress, line by line.
///
/// If a stop is requested, whatever it started is ended, and [`Stopped`](crate::stop::Stopped) comes
/// back. If it is killed, make is ended by the kernel, and until all that make had started is
/// gone no other build uses the cache.
///
/// # Errors
///
/// Whatever keeps a kernel from being built; nothing is built if a tool is missing or a patch
/// of the series does not apply.
pub fn build(
    request: &Request,
    stop: &Stop,
    say: &mut dyn FnMut(&str),
) -> anyhow::Result<Vec<Built>> {
    let config = Config::read(request.config.as_deref())?;
    let missing = tools::missing(&request.source, &config, stop)?;
    if !missing.is_empty() {
        bail!(BuildError::Tools(missing));
    }
    build_with(request, &config, &tools::compiler(stop)?, stop, say)
}

/// The same, with these tools.
fn build_with(
    request: &Request,
    config: &Config,
    compiler: &str,
    stop: &Stop,
    say: &mut dyn FnMut(&str),
) -> anyhow::Result<Vec<Built>> {
    let cache = files::make_folder(&request.cache)?;
    let _lock = Lock::of(&cache)?;
    let mut run = Runner::new(files::make_folder(&cache.join("logs"))?, say, stop);
    let source = Source::open(&request.source, &cache, &mut run)?;
    let revisions = series::revisions(&request.aids, &request.patches, &source, &mut run)?;
    let mut built = Vec::new();
    for revision in &revisions {
        let digest = revision.digest(config, compiler);
        let folder = cache.join("kernels").join(&digest);
        if folder.is_dir() {
            run.say(&format!("{} is there already", revision.label));
        } else {
            source.repository.check_out(&revision.tree, &source.tree(), &run)?;
            let make = Make { source: &source, digest: &digest, jobs: request.jobs };
            let made = make.kernel(&revision.label, config, &mut run)?;
            made.keep(&folder)?;
        }
        built.push(of_cache(revision, &folder)?);
    }
    Ok(built)
}

/// A kernel of the cache.
fn of_cache(revision: &Revision, folder: &Path) -> anyhow::Result<Built> {
    let release = files::read(&folder.join(make::RELEASE))?;
    Ok(Built {
        label: revision.label.clone(),
        bzimage: folder.join(make::IMAGE),
        config: folder.join(make::CONFIG),
        patches: revision.patches.clone(),
        release: String::from_utf8_lossy(&release).trim().to_owned(),
    })
}

/// Keeps other builds out of the cache until it is dropped. If that never happens, because we were
/// killed, it holds as long as a process is there that has the file open: what we started has.
struct Lock(File);

impl Lock {
    fn of(cache: &Path) -> anyhow::Result<Lock> {
        let path = cache.join("lock");
        let failed = || format!("cannot lock {}", path.display());
        let file = File::create(&path).with_context(failed)?;
        match file.try_lock() {
            Ok(()) => {
                // What is started from now on inherits the file.
                fcntl_setfd(&file, FdFlags::empty()).with_context(failed)?;
                Ok(Lock(file))
            }
            Err(TryLockError::WouldBlock) => bail!(BuildError::Busy(cache.to_owned())),
            Err(TryLockError::Error(cause)) => Err(cause).with_context(failed),
        }
    }
}

impl Drop for Lock {
    /// All that was started is gone or killed. Closing the file is not enough, as a daemon that a
    /// compiler left behind may have it open. What fails here is over when this process ends.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}
