//! Rights between a user's and root's: what suffices works, and what is missing is named.

use std::ffi::CString;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::process::{Command, Output, Stdio};

use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use crate::dirs::own_mounts;
use crate::support::{IOWQ, Place, as_user, root_or_skip, skipped, stderr};

/// A run of a small workload, which fails without eBPF.
const BENCH: [&str; 12] = [
    "bench",
    "--workload",
    "tiny.toml",
    "--policy",
    "6.17",
    "--pairs",
    "1",
    "--dir",
    "files",
    "--out",
    "out",
    "--probes=bpf",
];

/// What a bench says that another command confines; none, and the reason was said, if this machine
/// has no such command or it does not work.
fn confined(test: &str, place: &Place, command: &[&str], arguments: &[&str]) -> Option<Output> {
    let found = Command::new(command[0]).args(&command[1..]).arg("true").output();
    if !found.is_ok_and(|output| output.status.success()) {
        skipped(test, format_args!("`{}` does not work here", command.join(" ")));
        return None;
    }
    let mut bench = Command::new(command[0]);
    bench.args(&command[1..]).arg(IOWQ).args(BENCH).args(arguments);
    bench.current_dir(place.home());
    Some(bench.output().expect("it runs"))
}

#[test]
fn what_keeps_root_from_its_probes_is_named() {
    let test = "what_keeps_root_from_its_probes_is_named";
    if !root_or_skip(test, "confining root") {
        return;
    }
    let rows: [(&[&str], &str, &str); 3] = [
        (&["unshare", "--user", "--map-root-user"], "in a user namespace", "userns-remap"),
        (
            &["setpriv", "--bounding-set=-bpf,-perfmon,-sys_admin", "--inh-caps=-all"],
            "CAP_PERFMON",
            "--cap-add BPF --cap-add PERFMON",
        ),
        (&["prlimit", "--nofile=16"], "too many open files", "ulimit -n"),
    ];
    for (command, why, advice) in rows {
        let place = Place::new();
        let Some(output) = confined(test, &place, command, &[]) else { continue };
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(advice), "{said}");
        assert!(said.contains(why), "{said}");
        for wrong in ["verifier", "CONFIG_FTRACE", "memory"] {
            assert!(!said.contains(wrong), "{said}");
        }
    }
}

#[test]
fn in_a_pid_namespace_the_probes_see_the_same_workers_as_the_pool_and_their_sleeps() {
    let test = "in_a_pid_namespace_the_probes_see_the_same_workers_as_the_pool_and_their_sleeps";
    if !root_or_skip(test, "a PID namespace") {
        return;
    }
    let place = Place::new();
    let command = ["unshare", "--pid", "--fork", "--mount-proc"];
    let engines = ["--engine=pool", "--engine=uring", "--blocking=sched"];
    let Some(output) = confined(test, &place, &command, &engines) else { return };
    let said = stderr(&output);
    if said.contains("security module") || said.contains("seccomp") {
        skipped(test, format_args!("this machine refuses what root may: {said}"));
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{said}");
    let records = place.records();
    let of = |engine: &str| {
        let found = records.iter().find(|record| record["key"]["engine"] == *engine);
        found.expect("a run of each engine")
    };
    for engine in ["pool", "uring"] {
        let (probe, workers) = (&of(engine)["probe"], &of(engine)["workers"]);
        assert_eq!((&probe["tier"], &probe["events_lost"]), (&"bpf".into(), &0.into()));
        assert!(workers["created"]["probe"].as_u64() > Some(0), "{workers}");
        assert_eq!(workers["exited"]["probe"], workers["created"]["probe"], "{workers}");
    }
    let pool = of("pool");
    assert_eq!(pool["workers"]["created"]["probe"], pool["workers"]["created"]["engine"]);
    assert_eq!(pool["blocking"], "sched");
    let caveats = pool["caveats"].to_string();
    assert!(!caveats.contains("untracked-workers"), "{caveats}");
    let switches = &pool["probe"]["switches"];
    let count = |name: &str| switches[name].as_u64().expect("a count");
    assert!(count("outs_missed") < count("outs"), "{switches}");
    assert!(count("outs_asleep_missed") < count("outs_asleep"), "{switches}");
}

#[test]
fn two_capabilities_suffice_if_tracefs_may_be_read_and_else_the_rest_is_named() {
    let test = "two_capabilities_suffice_if_tracefs_may_be_read_and_else_the_rest_is_named";
    if !root_or_skip(test, "becoming another user") {
        return;
    }
    // Its permissions are the same wherever it is mounted.
    if fs::read_to_string("/proc/mounts").is_ok_and(|mounts| mounts.contains(" tracefs ")) {
        skipped(test, "tracefs is mounted, and others may need it as it is");
        return;
    }
    let outcome = std::thread::spawn(move || {
        if let Err(errno) = own_mounts() {
            skipped(test, format_args!("mounts of its own take root ({errno})"));
            return;
        }
        for suffices in [false, true] {
            with_two_capabilities(test, suffices);
        }
    });
    if let Err(panic) = outcome.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Mounts tracefs for this thread, and what it starts, until dropped.
struct Tracefs;

impl Tracefs {
    const PLACE: &str = "/sys/kernel/tracing";

    fn mount(options: &str) -> Result<Tracefs, Errno> {
        let options = CString::new(options).expect("no zero in it");
        let flags = MountFlags::empty();
        mount("none", Tracefs::PLACE, "tracefs", flags, options.as_c_str()).map(|()| Tracefs)
    }
}

impl Drop for Tracefs {
    fn drop(&mut self) {
        let _ = unmount(Tracefs::PLACE, UnmountFlags::DETACH);
        // As it is by default, for later mounts.
        if let Ok(()) =
            mount("none", Tracefs::PLACE, "tracefs", MountFlags::empty(), c"gid=0,mode=700")
        {
            let _ = unmount(Tracefs::PLACE, UnmountFlags::DETACH);
        }
    }
}

fn with_two_capabilities(test: &str, suffices: bool) {
    let place = Place::new();
    let Some(bench) = as_user(test, &place, 0, &BENCH) else { return };
    let (program, home) = (bench.get_program(), bench.get_current_dir().expect("its home"));
    // The place belongs to that user.
    let user = home.metadata().expect("a folder").uid();
    let options = if suffices { format!("gid={user},mode=750") } else { "mode=700".to_owned() };
    let _tracefs = match Tracefs::mount(&options) {
        Ok(tracefs) => tracefs,
        Err(errno) => {
            skipped(test, format_args!("no tracefs can be mounted ({errno})"));
            return;
        }
    };
    let mut command = Command::new("setpriv");
    command.arg(format!("--reuid={user}")).arg(format!("--regid={user}"));
    command.args(["--clear-groups", "--inh-caps=+bpf,+perfmon", "--ambient-caps=+bpf,+perfmon"]);
    command.arg(program).args(bench.get_args()).current_dir(home).stdin(Stdio::null());
    let Ok(output) = command.output() else {
        skipped(test, "setpriv is missing");
        return;
    };
    let said = stderr(&output);
    if said.contains("security module") || said.contains("seccomp") {
        skipped(test, format_args!("this machine refuses what root may: {said}"));
        return;
    }
    if suffices {
        assert_eq!(output.status.code(), Some(0), "{said}");
        let record = &place.records()[0];
        assert_eq!(
            (&record["probe"]["tier"], &record["blocking"]),
            (&"bpf".into(), &"sched".into())
        );
        return;
    }
    assert_eq!(output.status.code(), Some(2), "{said}");
    let names = "the capabilities CAP_DAC_READ_SEARCH that this process lacks";
    let line = "sudo setcap cap_bpf,cap_perfmon,cap_dac_read_search+ep";
    assert!(said.contains(names) && said.contains(line), "{said}");
}
