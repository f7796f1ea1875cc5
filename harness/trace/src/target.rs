//! What to trace.

use std::fmt;
use std::path::Path;

use anyhow::{bail, ensure};
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

use crate::procfs;

/// Bytes that a name has at most.
const COMM_BYTES_MAX: usize = 15;

/// What to trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// All processes of the machine.
    All,
    /// This process.
    Pid(u32),
    /// Processes of this name.
    Comm(String),
    /// Processes of this control group and those below it: a path from the root of the hierarchy.
    Cgroup(String),
    /// A command that is started for the trace, as a reader sees it; and its children.
    Command(String),
}

impl Target {
    /// Checks that there is, or may be, what is to be traced.
    ///
    /// # Errors
    ///
    /// Names a process that is not there, a thread that is none, a name that none can have, and a control
    /// group that is not there.
    pub fn check(&self) -> anyhow::Result<()> {
        match self {
            Target::Pid(pid) => check_pid(*pid),
            Target::Comm(name) => {
                let cut = &name[..name.floor_char_boundary(COMM_BYTES_MAX)];
                let fits = cut.len() == name.len();
                ensure!(fits, "no process is named {name}: names are cut to 15 bytes, to {cut}");
                Ok(())
            }
            Target::Cgroup(path) => check_cgroup(path),
            Target::All | Target::Command(_) => Ok(()),
        }
    }

    /// Whether the programs are told which processes to trace. If not, all are counted, and what is
    /// no target is left out.
    #[must_use]
    pub(crate) fn is_named(&self) -> bool {
        matches!(self, Target::Pid(_) | Target::Command(_))
    }

    /// Whether a process of this name is to be traced, whatever else it is.
    #[must_use]
    pub(crate) fn has_name(&self, comm: &str) -> bool {
        matches!(self, Target::Comm(name) if name == comm)
    }

    /// Whether a process that was seen is to be traced.
    #[must_use]
    pub(crate) fn has(&self, pid: u32) -> bool {
        match self {
            Target::All | Target::Pid(_) | Target::Command(_) => true,
            Target::Comm(_) => procfs::comm(pid).is_some_and(|comm| self.has_name(&comm)),
            Target::Cgroup(path) => procfs::cgroup(pid).is_some_and(|of| is_within(&of, path)),
        }
    }
}

fn check_pid(pid: u32) -> anyhow::Result<()> {
    let number = i32::try_from(pid).ok().and_then(Pid::from_raw);
    // Another user's process may be hidden in /proc, and is there all the same.
    if number.is_none_or(|number| test_kill_process(number) == Err(Errno::SRCH)) {
        bail!("there is no process {pid}: ps -e lists them");
    }
    match procfs::process_of(pid) {
        Some(of) if of != pid => bail!("{pid} is a thread of process {of}: trace that"),
        _ => Ok(()),
    }
}

/// Where the hierarchy of version 2 is mounted, alone and beside those of version 1.
const HIERARCHIES: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];

fn check_cgroup(path: &str) -> anyhow::Result<()> {
    let is_root = |root: &&str| Path::new(root).join("cgroup.controllers").exists();
    // Without one that is mounted here, processes tell theirs all the same.
    let Some(root) = HIERARCHIES.iter().find(|root| is_root(root)) else { return Ok(()) };
    let is_there =
        !path.split('/').any(|part| part == "..") && Path::new(&format!("{root}{path}")).is_dir();
    ensure!(is_there, "there is no control group {path} in {root}: systemd-cgls lists them");
    Ok(())
}

/// Whether a control group is this one or below it.
fn is_within(group: &str, above: &str) -> bool {
    let above = above.trim_end_matches('/');
    group.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Target::All => write!(f, "all processes"),
            Target::Pid(pid) => write!(f, "process {pid}"),
            Target::Comm(name) => write!(f, "processes named {name}"),
            Target::Cgroup(path) => write!(f, "control group {path}"),
            Target::Command(command) => write!(f, "{command}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_group_has_those_below_it_and_not_those_beside_it() {
        let rows = [("/a", true), ("/a/b", true), ("/ab", false), ("/", false)];
        rows.into_iter().for_each(|(group, within)| assert_eq!(is_within(group, "/a/"), within));
        assert!(is_within("/anything", "/"));
    }

    #[test]
    fn a_process_that_is_not_there_and_a_thread_are_refused_by_what_they_are() {
        let own = std::process::id();
        assert!(Target::Pid(own).check().is_ok() && Target::Pid(1).check().is_ok());
        let said = |pid| Target::Pid(pid).check().expect_err("it is refused").to_string();
        assert!(said(u32::MAX).starts_with("there is no process 4294967295"));
        let (tell, told) = std::sync::mpsc::channel();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            tell.send(rustix::thread::gettid().as_raw_pid()).expect("it is waited for");
            // Until the other end is gone.
            let _ = ended.recv();
        });
        let tid = told.recv().expect("a number").unsigned_abs();
        assert_eq!(said(tid), format!("{tid} is a thread of process {own}: trace that"));
        drop(end);
        thread.join().expect("it ends");
    }

    #[test]
    fn a_control_group_that_is_not_there_is_refused_where_that_can_be_told() {
        let is_told =
            HIERARCHIES.iter().any(|root| Path::new(root).join("cgroup.controllers").exists());
        for path in ["/no such group", "/../.."] {
            assert_eq!(Target::Cgroup(path.into()).check().is_err(), is_told, "{path}");
        }
        assert!(Target::Cgroup("/".into()).check().is_ok());
    }

    #[test]
    fn a_name_that_no_process_can_have_is_refused_with_what_it_is_cut_to() {
        let check = |name: &str| Target::Comm(name.into()).check();
        assert!(check("123456789012345").is_ok());
        let said = check("1234567890123456").expect_err("it is refused").to_string();
        assert!(said.ends_with("to 123456789012345"), "{said}");
        assert!(check("fünfzehn-zeichen").is_err());
    }
}
