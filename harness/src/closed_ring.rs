//! The command `closed-ring`: a process that used a ring and closed it, to be dumped.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use iowq_workloads::{Ledger, Length, Life, Plan, builtin};
use serde::{Deserialize, Serialize};

use crate::child_commands::end_with_parent;
use crate::drive::Driver;
use crate::engine::buffers::Buffers;
use crate::engine::uring::{self, UringEngine};
use crate::files::Scratch;
use crate::io;
use crate::sync::thread;

/// File by which it says that its ring is closed.
pub const READY_NAME: &str = "ready";

/// What is done before the ring is closed: enough to have every worker that the depth allows, and
/// soon over on an emulated machine.
const OPS: u64 = 200;

/// Blocks in each file: the folder may be in memory.
const FILE_BLOCKS: u64 = 256;

/// The request, as JSON in the only argument: the guest has no standard input to pass on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// Folder for the files under test, and for the file that says that the ring is closed.
    pub dir: PathBuf,
    /// Opens no ring, and does all else the same: the control.
    pub without_ring: bool,
    /// The process that starts this one, and must outlive it.
    pub parent: Option<u32>,
}

impl Options {
    /// From the arguments after the command.
    ///
    /// # Errors
    /// If they are not one such text.
    pub fn of(arguments: &[OsString]) -> anyhow::Result<Options> {
        let [text] = arguments else {
            anyhow::bail!("closed-ring: expected one argument, as JSON")
        };
        serde_json::from_slice(text.as_encoded_bytes()).context("the argument of closed-ring")
    }
}

/// Uses a ring and closes it, unless it is the control; says so by an empty file `ready`, and then
/// does nothing for good. Then this process has nothing open but its standard three descriptors.
///
/// # Errors
/// If the ring was not used and closed; for a reader.
pub fn run(options: &Options) -> anyhow::Result<()> {
    end_with_parent(options.parent)?;
    // criu takes no pipe whose other end is outside of what it dumps.
    io::close_inherited().context("cannot close what this process was started with")?;
    // Nor a process whose session began there.
    io::own_session()
        .context("cannot begin a session: do not start this as the leader of a process group")?;
    let plan = plan()?;
    let scratch = Scratch::new(Some(&options.dir), &plan)?;
    if !options.without_ring {
        uring::check(&plan)?;
        use_ring(&plan, scratch.files())?;
    }
    scratch.remove()?;
    let ready = options.dir.join(READY_NAME);
    io::create_new(&ready).with_context(|| format!("cannot create {}", ready.display()))?;
    loop {
        thread::park();
    }
}

/// `ring-close`, each of whose ops goes to a worker.
fn plan() -> anyhow::Result<Plan> {
    let plan = builtin("ring-close")?;
    let life = Life { linger: Duration::ZERO, ..plan.life };
    let length = Length::Ops(OPS);
    Ok(Plan { force_async: true, file_blocks: FILE_BLOCKS, length, life, ..plan })
}

/// On this thread, which lives on and so keeps the workers.
fn use_ring(plan: &Plan, files: &[OwnedFd]) -> anyhow::Result<()> {
    let (mut buffers, mut ledger) = (Buffers::new(plan), Ledger::new(plan));
    let mut engine = UringEngine::new(plan, files, buffers.places(), None);
    let driver = Driver::new(plan, plan.seed, &mut engine, &mut buffers, &mut ledger, &|| {});
    match driver.run() {
        Ok(driven) if driven.failed == 0 => Ok(()),
        Ok(driven) => anyhow::bail!("ops failed before the ring was closed: {:?}", driven.failures),
        Err(error) => {
            // What is in flight in the kernel may still read and write them.
            std::mem::forget(buffers);
            Err(error.into())
        }
    }
}
