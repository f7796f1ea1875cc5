//! What `/proc` tells of a process: its name, its rings, what a descriptor is, its workers.

use std::fs;
use std::path::PathBuf;

use iowq_contract::clean;

/// What a descriptor of a ring links to.
const RING: &str = "anon_inode:[io_uring]";
/// How the name of an io-wq worker begins.
const WORKER: &str = "iou-wrk-";
/// Functions in which a worker waits for work, since Linux 5.18 and before.
const IDLE_IN: [&str; 2] = ["io_wq_worker", "io_wqe_worker"];
/// Characters of a file's name that are kept.
const NAME_CHARS_MAX: usize = 160;

/// All processes there are.
pub(crate) fn pids() -> Vec<u32> {
    numbers(PathBuf::from("/proc"))
}

/// A file's text. Names in it are bytes of any kind, such as half a character of a name that was cut.
fn text(path: String) -> Option<String> {
    Some(String::from_utf8_lossy(&fs::read(path).ok()?).into_owned())
}

/// When a process was started, in clock ticks since the machine was: another process of the same
/// number has another time. None if it is over, also while its parent has not taken notice.
pub(crate) fn started(pid: u32) -> Option<u64> {
    let stat = text(format!("/proc/{pid}/stat"))?;
    // The name may hold anything.
    let fields: Vec<&str> = stat[stat.rfind(')')? + 1..].split_whitespace().collect();
    let [state, threads, started] = [0, 17, 19].map(|field| fields.get(field));
    // A leader may leave before its threads.
    let is_over = ["Z", "X"].contains(state?) && *threads? == "1";
    if is_over { None } else { started?.parse().ok() }
}

/// Whether a thread of a process is there.
pub(crate) fn has_thread(pid: u32, tid: u32) -> bool {
    fs::exists(format!("/proc/{pid}/task/{tid}")).unwrap_or(false)
}

/// Its name.
pub(crate) fn comm(pid: u32) -> Option<String> {
    Some(clean(text(format!("/proc/{pid}/comm"))?.trim_end()).into_owned())
}

/// The process that a thread is of; of a process, itself.
pub(crate) fn process_of(tid: u32) -> Option<u32> {
    let text = text(format!("/proc/{tid}/status"))?;
    // The name before it may have no line breaks here.
    text.lines().find_map(|line| line.strip_prefix("Tgid:"))?.trim().parse().ok()
}

/// Its control group, below the root of the hierarchy; of version 2 alone.
pub(crate) fn cgroup(pid: u32) -> Option<String> {
    let text = text(format!("/proc/{pid}/cgroup"))?;
    text.lines().find_map(|line| line.strip_prefix("0::")).map(str::to_owned)
}

/// Its parent.
pub(crate) fn parent(pid: u32) -> Option<u32> {
    let text = text(format!("/proc/{pid}/stat"))?;
    parent_in(&text)
}

/// The parent that the text of a `stat` names. The name before it may have spaces and parentheses.
fn parent_in(stat: &str) -> Option<u32> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

/// Whether this process may see what another has open and where its threads wait.
pub(crate) fn is_open(pid: u32) -> bool {
    fs::read_link(format!("/proc/{pid}/cwd")).is_ok()
}

/// Threads of it.
pub(crate) fn threads(pid: u32) -> Vec<u32> {
    numbers(PathBuf::from(format!("/proc/{pid}/task")))
}

/// Threads of it that are workers of io-wq.
pub(crate) fn workers(pid: u32) -> Vec<u32> {
    let mut tids = threads(pid);
    tids.retain(|tid| worker_name(pid, *tid).is_some());
    tids
}

/// The name of a thread, if it is that of a worker: `iou-wrk-` and the thread that it works for.
pub(crate) fn worker_name(pid: u32, tid: u32) -> Option<String> {
    let name = text(format!("/proc/{pid}/task/{tid}/comm"))?;
    let name = name.trim_end();
    name.starts_with(WORKER).then(|| name.to_owned())
}

/// Descriptors of its rings.
pub(crate) fn rings(pid: u32) -> Vec<u32> {
    let mut fds = numbers(PathBuf::from(format!("/proc/{pid}/fd")));
    fds.retain(|fd| is_ring(pid, *fd));
    fds
}

/// Whether a descriptor is that of a ring.
pub(crate) fn is_ring(pid: u32, fd: u32) -> bool {
    fs::read_link(format!("/proc/{pid}/fd/{fd}")).is_ok_and(|to| to.as_os_str() == RING)
}

/// Name of a thread.
pub(crate) fn thread_comm(pid: u32, tid: u32) -> Option<String> {
    Some(clean(text(format!("/proc/{pid}/task/{tid}/comm"))?.trim_end()).into_owned())
}

/// Entries of a ring's submission queue.
pub(crate) fn ring_entries(pid: u32, fd: u32) -> Option<u32> {
    let text = text(format!("/proc/{pid}/fdinfo/{fd}"))?;
    let mask = text.lines().find_map(|line| line.strip_prefix("SqMask:"))?.trim();
    let mask = u32::from_str_radix(mask.trim_start_matches("0x"), 16).ok()?;
    mask.checked_add(1)
}

/// What a descriptor is: a path, or what else the kernel calls it.
pub(crate) fn file(pid: u32, fd: u32) -> Option<String> {
    let to = fs::read_link(format!("/proc/{pid}/fd/{fd}")).ok()?;
    Some(clean(&to.to_string_lossy()).chars().take(NAME_CHARS_MAX).collect())
}

/// The file that is registered under this number, if all rings of the process that have one there
/// have the same.
pub(crate) fn registered_file(pid: u32, index: u32) -> Option<String> {
    let of_ring = |fd: u32| {
        let text = text(format!("/proc/{pid}/fdinfo/{fd}"))?;
        registered(&text, index)
    };
    let mut names: Vec<_> = rings(pid).into_iter().filter_map(of_ring).collect();
    names.dedup();
    names.pop().filter(|_| names.is_empty())
}

/// A line of the list of files in a ring's `fdinfo`, which ends with that of its buffers.
fn registered(fdinfo: &str, index: u32) -> Option<String> {
    let list = fdinfo.lines().skip_while(|line| !line.starts_with("UserFiles:")).skip(1);
    let line = list.take_while(|line| line.starts_with(' ')).find_map(|line| {
        let (number, name) = line.trim_start().split_once(": ")?;
        (number.parse() == Ok(index)).then_some(name)
    });
    Some(clean(line.filter(|name| *name != "<none>")?).chars().take(NAME_CHARS_MAX).collect())
}

/// Soft limit on processes of its user, which is io-wq's default limit on unbounded workers.
pub(crate) fn nproc_limit(pid: u32) -> Option<u64> {
    let text = text(format!("/proc/{pid}/limits"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Max processes"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Processors that a thread may run on, such as `0-3`.
pub(crate) fn allowed_cpus(pid: u32, tid: u32) -> Option<String> {
    let text = text(format!("/proc/{pid}/task/{tid}/status"))?;
    let cpus = text.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    Some(cpus.trim().to_owned())
}

/// Whether a worker waits for work; none if it is gone, or the kernel does not tell.
pub(crate) fn is_idle(pid: u32, tid: u32) -> Option<bool> {
    let waits_in = text(format!("/proc/{pid}/task/{tid}/wchan"))?;
    Some(IDLE_IN.contains(&waits_in.trim_end()))
}

/// Whether the kernel tells where threads wait: of any process, of which nearly all wait.
pub(crate) fn tells_waits() -> bool {
    let tells = |pid: u32| {
        let waits_in = text(format!("/proc/{pid}/wchan"));
        waits_in.is_some_and(|waits_in| !["", "0"].contains(&waits_in.trim()))
    };
    pids().into_iter().any(tells)
}

/// The entries of a folder that are numbers; none where it cannot be read.
fn numbers(folder: PathBuf) -> Vec<u32> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsRawFd as _;
    use std::process::Command;

    use super::*;

    #[test]
    fn this_process_is_read() {
        let pid = std::process::id();
        assert!(started(pid).is_some() && pids().contains(&pid));
        assert!(has_thread(pid, pid) && !has_thread(pid, 0));
        assert!(comm(pid).is_some_and(|comm| !comm.is_empty()));
        assert!(allowed_cpus(pid, pid).is_some());
        assert!(workers(pid).is_empty() && rings(pid).is_empty());
    }

    #[test]
    fn a_registered_file_has_its_name_from_the_ring() {
        let fdinfo = "SqThread:\t-1\nUserFiles:\t3\n    0: /etc/passwd\n    1: <none>\n    \
                      2: /a: b\nUserBufs:\t1\n    0: 0x7f00/4096\n";
        assert_eq!(registered(fdinfo, 0).as_deref(), Some("/etc/passwd"));
        assert_eq!(registered(fdinfo, 2).as_deref(), Some("/a: b"));
        assert_eq!([registered(fdinfo, 1), registered(fdinfo, 3)], [None, None]);
    }

    #[test]
    fn a_name_that_is_no_text_hides_nothing() {
        let seen = std::thread::spawn(|| {
            // Fifteen bytes of it fit, and not the whole last character.
            rustix::thread::set_name(c"b\xc3\xbccherwaltung\xc3").expect("it is short");
            let tid = rustix::thread::gettid().as_raw_nonzero().get().cast_unsigned();
            (comm(tid), started(tid).is_some(), parent(tid).is_some(), tid)
        });
        let (name, is_started, has_parent, tid) = seen.join().expect("no panic");
        assert!(is_started && has_parent, "{tid}");
        assert!(name.is_some_and(|name| name.starts_with("b\u{fc}cher")));
    }

    #[test]
    fn a_parent_is_found_behind_any_name() {
        assert_eq!(parent(std::process::id()), Some(std::os::unix::process::parent_id()));
        assert_eq!(parent_in("7 (a) R 1) S 42 7 7 0"), Some(42));
        assert_eq!(parent_in("7 (a"), None);
    }

    #[test]
    fn a_process_that_ended_is_over_before_its_parent_takes_notice() {
        let mut child = Command::new("true").spawn().expect("it starts");
        while started(child.id()).is_some() {
            std::thread::yield_now();
        }
        child.wait().expect("it is there");
        assert_eq!(started(child.id()), None);
    }

    #[test]
    fn a_descriptor_has_the_name_of_its_file_and_a_closed_one_none() {
        let file_of_ours = File::open("/dev/null").expect("it is always there");
        let fd = file_of_ours.as_raw_fd().unsigned_abs();
        assert_eq!(file(std::process::id(), fd).as_deref(), Some("/dev/null"));
        assert_eq!(file(std::process::id(), 1 << 30), None);
    }
}
