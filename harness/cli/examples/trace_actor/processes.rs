//! Modes of several processes, and of one that becomes another program.

use std::env;
use std::fs;
use std::io::{self, PipeReader, PipeWriter, Read as _, Write as _, pipe};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, bail};

use super::report::{Done, Report};
use super::ring::{Gate, Ring};
use super::{Task, stay};

/// Entries of a ring.
const ENTRIES: u32 = 8;

/// A child, and what it says that it did.
struct Child {
    pid: i32,
    says: PipeReader,
}

impl Child {
    /// Forks; as this number if one is named, which is for who may choose numbers.
    fn start(
        number: Option<i32>,
        work: impl FnOnce(&mut PipeWriter) -> anyhow::Result<()>,
    ) -> anyhow::Result<Child> {
        let (says, mut tells) = pipe()?;
        let pid = match number {
            // SAFETY: this program has one thread.
            None => unsafe { libc::fork() },
            // SAFETY: likewise.
            Some(number) => unsafe { fork_as(number) },
        };
        match pid {
            0 => {
                drop(says);
                let failed = work(&mut tells).inspect_err(|error| eprintln!("{error:#}")).is_err();
                // SAFETY: ends the child without what its parent would do at its end.
                unsafe { libc::_exit(failed.into()) }
            }
            pid if pid > 0 => Ok(Child { pid, says }),
            _ => Err(std::io::Error::last_os_error()).context("fork"),
        }
    }

    /// What it did, once it said so.
    fn done(&mut self) -> anyhow::Result<Done> {
        let mut length = [0; 4];
        self.says.read_exact(&mut length)?;
        let mut text = vec![0; usize::try_from(u32::from_ne_bytes(length))?];
        self.says.read_exact(&mut text)?;
        Ok(serde_json::from_slice(&text)?)
    }

    /// Waits until it is gone and its number is free.
    fn gone(self) -> anyhow::Result<()> {
        let mut status = 0;
        // SAFETY: the status is an integer of this function.
        match unsafe { libc::waitpid(self.pid, &raw mut status, 0) } {
            pid if pid == self.pid && status == 0 => Ok(()),
            _ => bail!("a child fails: status {status:#x}"),
        }
    }
}

/// `clone3` with a number for the child: -1 if that is not to be had.
///
/// # Safety
///
/// As `fork`.
unsafe fn fork_as(number: i32) -> i32 {
    let numbers = [number];
    let mut arguments = [0_u64; 11];
    arguments[4] = libc::SIGCHLD as u64;
    arguments[8] = numbers.as_ptr() as u64;
    arguments[9] = 1;
    let size = size_of_val(&arguments);
    // SAFETY: the arguments are those of the manual, in its order, and outlive the call.
    unsafe { libc::syscall(libc::SYS_clone3, arguments.as_ptr(), size) as i32 }
}

fn tell(tells: &mut PipeWriter, done: &Done) -> anyhow::Result<()> {
    let text = serde_json::to_vec(done)?;
    tells.write_all(&u32::try_from(text.len())?.to_ne_bytes())?;
    Ok(tells.write_all(&text)?)
}

/// All rings of all processes are open at one time.
pub(super) fn many(task: &Task) -> anyhow::Result<()> {
    let (processes, rings, nops) = (task.number(0)?, task.number(1)?, task.number(2)?);
    let (mut until, held) = pipe()?;
    let mut held = Some(held);
    let mut children = Vec::new();
    for _ in 0..processes {
        children.push(Child::start(None, |tells| {
            held = None;
            let mut done = Done::nothing();
            let mut opened = Vec::new();
            for _ in 0..rings {
                let mut ring = Ring::open(ENTRIES, &mut done)?;
                ring.nops(&mut done, nops)?;
                opened.push(ring);
            }
            done.look();
            tell(tells, &done)?;
            until.read_to_end(&mut Vec::new())?;
            Ok(())
        })?);
    }
    let done = children.iter_mut().map(Child::done).collect::<anyhow::Result<_>>()?;
    Report { processes: done }.write(&task.folder)?;
    stay()?;
    drop(held);
    children.into_iter().try_for_each(Child::gone)
}

/// A child submits through its parent's ring, and so does the parent before and after.
pub(super) fn fork(task: &Task) -> anyhow::Result<()> {
    let nops = task.number(0)?;
    let mut done = Done::nothing();
    let mut ring = Ring::open(ENTRIES, &mut done)?;
    ring.nops(&mut done, nops)?;
    let (mut until, held) = pipe()?;
    let mut held = Some(held);
    let mut child = Child::start(None, |tells| {
        held = None;
        let mut done = Done::nothing();
        ring.nops(&mut done, 2 * nops)?;
        done.look();
        tell(tells, &done)?;
        until.read_to_end(&mut Vec::new())?;
        Ok(())
    })?;
    let of_child = child.done()?;
    ring.nops(&mut done, nops)?;
    done.look();
    Report { processes: vec![of_child, done] }.write(&task.folder)?;
    stay()?;
    drop(held);
    child.gone()
}

/// A child ends while its opens wait.
pub(super) fn exit(task: &Task) -> anyhow::Result<()> {
    let opens = task.number(0)?;
    let mut child = Child::start(None, |tells| {
        let mut done = Done::nothing();
        let gate = Gate::new(&task.folder)?;
        let mut ring = Ring::open(u32::try_from(opens)?, &mut done)?;
        gate.hold(&mut ring, &mut done, opens)?;
        tell(tells, &done)?;
        // Nothing of it is dropped: the kernel cleans up.
        std::mem::forget(ring);
        Ok(())
    })?;
    let done = child.done()?;
    child.gone()?;
    Report { processes: vec![done] }.write(&task.folder)?;
    stay()
}

/// Becomes another program while opens wait.
pub(super) fn exec(task: &Task) -> anyhow::Result<()> {
    let opens = task.number(0)?;
    let mut done = Done::nothing();
    let gate = Gate::new(&task.folder)?;
    let mut ring = Ring::open(u32::try_from(opens)?, &mut done)?;
    gate.hold(&mut ring, &mut done, opens)?;
    fs::write(task.folder.join("before"), serde_json::to_vec(&done)?)?;
    let mut next = Command::new(env::current_exe()?);
    Err(next.args(["exec-done".as_ref(), task.folder.as_os_str(), "3".as_ref()]).exec().into())
}

/// The other program: the same process, as far as the kernel counts.
pub(super) fn exec_done(task: &Task) -> anyhow::Result<()> {
    let mut done: Done = serde_json::from_slice(&fs::read(task.folder.join("before"))?)?;
    let mut ring = Ring::open(ENTRIES, &mut done)?;
    ring.nops(&mut done, task.number(0)?)?;
    done.look();
    Report { processes: vec![done] }.write(&task.folder)?;
    stay()
}

/// A process, and when it is gone and a line was read one more of the same number, which has twice the
/// requests. The second has number 0 if numbers cannot be chosen here.
pub(super) fn reuse(task: &Task) -> anyhow::Result<()> {
    let nops = task.number(0)?;
    let work = |nops: u64, tells: &mut PipeWriter| {
        let mut done = Done::nothing();
        let mut ring = Ring::open(ENTRIES, &mut done)?;
        ring.nops(&mut done, nops)?;
        done.look();
        tell(tells, &done)?;
        // It stays open for the second, which is looked at while it is alive.
        Ok(ring)
    };
    let mut first = Child::start(None, |tells| work(nops, tells).map(drop))?;
    let mut report = Report { processes: vec![first.done()?] };
    let number = first.pid;
    first.gone()?;
    report.write(&task.folder)?;
    io::stdin().read_line(&mut String::new())?;
    let (mut until, held) = pipe()?;
    let mut held = Some(held);
    let second = Child::start(Some(number), |tells| {
        held = None;
        let _ring = work(2 * nops, tells)?;
        until.read_to_end(&mut Vec::new())?;
        Ok(())
    });
    let Ok(mut second) = second else {
        report.processes.push(Done::default());
        report.write(&task.folder)?;
        return stay();
    };
    report.processes.push(second.done()?);
    report.write(&task.folder)?;
    stay()?;
    drop(held);
    second.gone()
}
