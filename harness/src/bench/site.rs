//! Where a bench runs, with which program, and who is told of it.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use iowq_contract::{InjectedDelay, Record, Step, Variant};
use iowq_pool::policy::Registry;

use crate::sync::SignalFlag;
use crate::sync::atomic::Ordering;

/// The program that measures. It is opened once, so that all runs are made by the same, whatever
/// becomes of its file: a build may replace it.
#[derive(Debug)]
pub struct Program {
    path: PathBuf,
    file: File,
}

impl Program {
    /// Opens it.
    ///
    /// # Errors
    /// If it is not there, or cannot be read.
    pub fn open(path: PathBuf) -> io::Result<Program> {
        Ok(Program { file: File::open(&path)?, path })
    }

    /// Where it was found.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A command that starts it.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(format!("/proc/self/fd/{}", self.file.as_raw_fd()));
        command.arg0(&self.path);
        command
    }
}

/// What a bench reports while it goes on.
pub trait Observer {
    /// The first variant runs on a workload, to find how long a control's delay has to be.
    fn pilot(&mut self, workload: &str, median_ns: u64, delay: InjectedDelay);
    /// A run starts.
    fn start(&mut self, workload: &str, variant: &Variant);
    /// A step of the run beside its measured part goes on.
    fn step(&mut self, step: Step, done_bytes: u64, all_bytes: u64);
    /// Nothing new; called some times a second.
    fn look(&mut self);
    /// A run ended, well or not.
    ///
    /// # Errors
    /// Ends the bench.
    fn done(&mut self, record: &Record, workload: &str, variant: &Variant) -> anyhow::Result<()>;
}

/// Where a bench runs.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// The policies that there are, the same as the program knows.
    pub registry: &'a Registry,
    /// The program that measures.
    pub program: &'a Program,
    /// Folder for the files under test; none for the default.
    pub dir: Option<&'a Path>,
    /// Folder for the results.
    pub out: &'a Path,
    /// Set if the bench is to end; nothing is left behind then but finished runs.
    pub stop: &'a SignalFlag,
}

/// Whether a stop was asked for.
pub(super) fn stopped(stop: &SignalFlag) -> bool {
    stop.load(Ordering::Relaxed)
}
