//! Capacity: processors, their clock, the disk, and how many threads may exist.

use std::path::{Path, PathBuf};

use super::Check;
use crate::machine::threads::{groups, user_limit};
use crate::machine::{self, UNKNOWN, mounts, mounts::Mount, text};

/// Threads a run may need: a limit of 64 workers, sixteenfold for a policy that passes its limit.
const THREADS_WANTED: u64 = 1024;

pub(super) fn cpus() -> Check {
    match machine::cpus() {
        0 => Check::less("processors", "how many there are is unknown"),
        1 => Check::less(
            "processors",
            "1: workers, submitter and probes share it, and each switch between them is in the \
             figures",
        ),
        cpus => Check::ok("processors", format!("{cpus} may be used")),
    }
}

pub(super) fn governor() -> Check {
    governor_of(&machine::governor())
}

fn governor_of(governor: &str) -> Check {
    match governor {
        UNKNOWN => Check::ok("governor", "no frequency scaling seen"),
        "performance" => Check::ok("governor", "performance"),
        other => Check::less(
            "governor",
            format!("{other}: the clock changes during a run, which blurs latency"),
        )
        .fix("echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"),
    }
}

pub(super) fn filesystem(dir: &Path) -> Check {
    filesystem_of(dir, mounts::under(dir))
}

fn filesystem_of(dir: &Path, mount: Option<Mount>) -> Check {
    let name = "file system";
    let (is_there, dir) = (dir.exists(), dir.display());
    let Some(Mount { filesystem, options, device }) = mount else {
        if is_there {
            return Check::missing(name, "what is under it is unknown: /proc is not mounted")
                .fix("mount -t proc proc /proc");
        }
        return Check::missing(name, format!("{dir} is missing")).fix(format!("mkdir -p {dir}"));
    };
    let found = format!("{dir} is on {filesystem}, {device}, {options}");
    if filesystem == "tmpfs" || filesystem == "ramfs" {
        return Check::less(
            name,
            format!("{found}: memory hardly blocks, so few workers are made"),
        )
        .fix("bench --dir DIR    (a folder on a disk)");
    }
    if options.split(',').any(|option| option == "ro") {
        return Check::missing(name, format!("{found}: nothing can be written there"))
            .fix("bench --dir DIR    (a folder that can be written)");
    }
    Check::ok(name, found)
}

pub(super) fn threads() -> Check {
    let groups = groups(&text("/proc/self/cgroup").unwrap_or_default());
    let limit = |group: &PathBuf| text(group.join("pids.max"))?.trim().parse().ok();
    let limited = groups.iter().filter_map(|group| Some((group.as_path(), limit(group)?)));
    threads_of(user_limit(), limited.min_by_key(|(_, limit)| *limit))
}

fn threads_of(user: Option<u64>, group: Option<(&Path, u64)>) -> Check {
    let name = "threads";
    let few = "fewer than a run may need: creations that fail are counted, and change its result";
    match (user, group) {
        (Some(limit), _) if limit < THREADS_WANTED => {
            Check::less(name, format!("RLIMIT_NPROC is {limit}, {few}"))
                .fix(format!("ulimit -u {THREADS_WANTED}"))
        }
        (_, Some((folder, limit))) if limit < THREADS_WANTED => {
            let folder = folder.display();
            Check::less(name, format!("{folder}/pids.max is {limit}, {few}"))
                .fix(format!("echo {THREADS_WANTED} | sudo tee {folder}/pids.max"))
        }
        _ => Check::ok(name, format!("{THREADS_WANTED} or more may exist")),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::State, *};

    fn on(filesystem: &str, options: &str) -> Check {
        let text = str::to_owned;
        let mount =
            Mount { filesystem: text(filesystem), options: text(options), device: text("/dev/x") };
        filesystem_of(Path::new("data"), Some(mount))
    }

    #[test]
    fn a_disk_is_fine_memory_is_less_and_a_read_only_mount_will_not_do() {
        assert_eq!(on("ext4", "rw,relatime").state, State::Ok);
        assert_eq!(on("tmpfs", "rw").state, State::Less);
        assert_eq!(on("ext4", "ro,errors=remount-ro").state, State::Missing);
        assert_eq!(on("ext4", "rw,errors=remount-ro").state, State::Ok);
    }

    #[test]
    fn a_folder_that_is_there_is_not_to_be_made_where_only_proc_is_missing() {
        let fix = |dir: &str| filesystem_of(Path::new(dir), None).fix.unwrap_or_default();
        assert_eq!(fix("."), "mount -t proc proc /proc");
        assert_eq!(fix("/not/there"), "mkdir -p /not/there");
    }

    #[test]
    fn a_governor_that_is_not_known_is_no_fault() {
        assert_eq!(governor_of(UNKNOWN).state, State::Ok);
        assert_eq!(governor_of("performance").state, State::Ok);
        assert_eq!(governor_of("schedutil").state, State::Less);
    }

    #[test]
    fn the_lower_of_the_limits_on_threads_is_named_with_the_command_that_raises_it() {
        assert_eq!(threads_of(None, None).state, State::Ok);
        assert_eq!(threads_of(Some(4096), Some((Path::new("/g"), 4096))).state, State::Ok);
        assert!(threads_of(Some(10), None).meaning.contains("RLIMIT_NPROC is 10"));
        let group = threads_of(Some(4096), Some((Path::new("/g"), 10)));
        assert_eq!(group.fix.as_deref(), Some("echo 1024 | sudo tee /g/pids.max"));
    }
}
