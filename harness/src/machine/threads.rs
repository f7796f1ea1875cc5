//! Threads: the limits on how many may exist, and whether a run met one.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::{Resource, getrlimit, getuid};
use rustix::thread::{CapabilitySet, capabilities};

use super::text;

/// The limits on threads, as they were when a run began.
#[derive(Debug)]
pub struct ThreadLimits {
    user: Option<UserThreads>,
    /// Groups of this process, each with how often it has refused a thread.
    groups: Vec<(PathBuf, u64)>,
}

/// The threads of a user whom `RLIMIT_NPROC` binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserThreads {
    /// How many there were.
    pub had: u64,
    /// How many there may be.
    pub limit: u64,
}

/// What a run met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThreadsRefused {
    /// The user's threads before the run, if they are bound.
    pub user: Option<UserThreads>,
    /// The group that refused threads meanwhile, and how often.
    pub group: Option<(PathBuf, u64)>,
}

impl ThreadLimits {
    /// As they are now.
    #[must_use]
    pub fn here() -> ThreadLimits {
        let groups = groups(&text("/proc/self/cgroup").unwrap_or_default());
        let counted = groups.into_iter().filter_map(|group| Some((refusals(&group)?, group)));
        ThreadLimits {
            user: user_limit().map(|limit| UserThreads { had: threads_of_user(), limit }),
            groups: counted.map(|(count, group)| (group, count)).collect(),
        }
    }

    /// What was met since then.
    #[must_use]
    pub fn met(self) -> ThreadsRefused {
        let since = |(group, before): (PathBuf, u64)| {
            let more = refusals(&group)?.saturating_sub(before);
            (more > 0).then_some((group, more))
        };
        ThreadsRefused { user: self.user, group: self.groups.into_iter().find_map(since) }
    }
}

impl ThreadsRefused {
    /// What kept, or may have kept, the kernel from creating workers in a run that took up to this
    /// many threads besides those before it, in a sentence; none if nothing did.
    #[must_use]
    pub fn reason(&self, more: u64) -> Option<String> {
        if let Some((group, times)) = &self.group {
            return Some(format!(
                "The kernel could not create all workers that it wanted: pids.max of {} was in \
                 the way {times} times. Raise it.",
                group.display()
            ));
        }
        let UserThreads { had, limit } = self.user?;
        (had.saturating_add(more) >= limit).then(|| {
            format!(
                "The kernel may not have been able to create all workers that it wanted: the user \
                 may have {limit} threads, had {had} before, and the run takes up to {more} more. \
                 Raise `ulimit -u`."
            )
        })
    }
}

/// How many threads the user may have, if that binds: root and those who may pass limits are free.
#[must_use]
pub fn user_limit() -> Option<u64> {
    let free = CapabilitySet::SYS_RESOURCE | CapabilitySet::SYS_ADMIN;
    let is_free = capabilities(None).is_ok_and(|sets| sets.effective.intersects(free));
    if getuid().is_root() || is_free { None } else { getrlimit(Resource::Nproc).current }
}

/// The folder of the controller of threads for this process, and those above it, from the text of
/// `/proc/self/cgroup`.
#[must_use]
pub fn groups(cgroup: &str) -> Vec<PathBuf> {
    let lines = || cgroup.lines().filter_map(|line| line.split_once(':')?.1.split_once(':'));
    // In the older hierarchy each controller has a tree of its own.
    let old = lines().find(|(names, _)| names.split(',').any(|name| name == "pids"));
    let (root, path) = match (old, lines().find(|(names, _)| names.is_empty())) {
        (Some((_, path)), _) => ("/sys/fs/cgroup/pids", path),
        (None, Some((_, path))) => ("/sys/fs/cgroup", path),
        (None, None) => return Vec::new(),
    };
    // Without the slash that joining nothing would leave at the end.
    let folder: PathBuf = Path::new(root).join(path.trim_matches('/')).components().collect();
    folder.ancestors().take_while(|above| above.starts_with(root)).map(Path::to_owned).collect()
}

/// How often a group has refused a thread.
fn refusals(group: &Path) -> Option<u64> {
    let events = text(group.join("pids.events"))?;
    events.lines().find_map(|line| line.strip_prefix("max ")?.trim().parse().ok())
}

/// Threads of the user of this process, in all processes that can be seen.
fn threads_of_user() -> u64 {
    let user = getuid().as_raw();
    let Ok(entries) = fs::read_dir("/proc") else { return 0 };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let threads = |pid: u32| threads_in(&text(format!("/proc/{pid}/status"))?, user);
    pids.filter_map(threads).sum()
}

/// Threads of a process, from the text of its `status`, if it is this user's.
fn threads_in(status: &str, user: u32) -> Option<u64> {
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
    let owner: u32 = field("Uid:")?.split_whitespace().next()?.parse().ok()?;
    (owner == user).then_some(field("Threads:")?.trim().parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_groups_are_those_of_the_controller_of_threads_up_to_the_root() {
        let of = |text: &str| {
            groups(text).iter().map(|group| group.display().to_string()).collect::<Vec<_>>()
        };
        let root = "/sys/fs/cgroup";
        assert_eq!(of("0::/a/b\n"), [format!("{root}/a/b"), format!("{root}/a"), root.into()]);
        assert_eq!(of("0::/\n"), [root]);
        let old = "9:cpu,cpuacct:/c\n8:pids:/a\n0::/b\n";
        assert_eq!(of(old), [format!("{root}/pids/a"), format!("{root}/pids")]);
        assert_eq!(of("1:cpu:/old\n"), [""; 0]);
    }

    #[test]
    fn a_limit_that_was_met_is_named_and_one_that_was_not_is_no_reason() {
        let user = |had, limit| Some(UserThreads { had, limit });
        let of_user = |had, limit| ThreadsRefused { user: user(had, limit), group: None };
        assert_eq!(ThreadsRefused::default().reason(u64::MAX), None);
        assert_eq!(of_user(5, 100).reason(9), None);
        let reason = of_user(5, 14).reason(9).expect("it is met");
        assert!(reason.contains("may have 14 threads") && reason.contains("ulimit -u"), "{reason}");
        let group = Some((PathBuf::from("/g"), 3));
        let reason = ThreadsRefused { user: user(5, 100), group }.reason(1).expect("it refused");
        assert!(reason.contains("pids.max of /g") && reason.contains("3 times"), "{reason}");
    }

    #[test]
    fn threads_are_those_of_one_user() {
        let status = "Name:\tx\nUid:\t1000\t0\t0\t0\nThreads:\t7\n";
        assert_eq!(threads_in(status, 1000), Some(7));
        assert_eq!(threads_in(status, 0), None);
        assert_eq!(threads_in("", 0), None);
    }
}
