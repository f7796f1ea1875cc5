//! What to trace.

use std::fmt;

use crate::procfs;

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
}
