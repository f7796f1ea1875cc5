//! Boots that the host cannot make, and a host process that is killed in the middle of one.

use std::{
    env,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use iowq_contract::Ended;
use iowq_kernels::{
    boot::{Limits, Request},
    stop::Stop,
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{CWD, Mode, mkfifoat},
    process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open},
};

use crate::{
    fifo,
    support::{Place, boots, boots_until, mounted, skip},
};

/// Tells the process that is to be stopped for a while where to boot.
const STOPPED_PLACE: &str = "IOWQ_TEST_STOPPED_PLACE";
/// Tells the process that is to be killed where to boot.
const PLACE: &str = "IOWQ_TEST_KILLED_PLACE";

#[test]
fn a_log_that_cannot_be_made_or_written_is_an_error_of_the_host() {
    let place = Place::new();
    let mut request = place.stand_in("echo hello; sleep 1000");
    for (console, expected) in [
        ("no/console.log", "cannot create the console's log "),
        ("/dev/full", "cannot write the log of the console"),
    ] {
        request.console = console.to_owned();
        let ended = boots_until(&request, &Stop::default(), &mut |_| Ok(()));
        let Err(error) = ended else { panic!("{console}: {ended:?}") };
        assert!(error.to_string().starts_with(expected), "{error}");
        place.assert_nothing_is_left();
    }
}

#[test]
fn a_qemu_that_is_not_there_is_an_error_of_the_host() {
    let place = Place::new();
    let request = place.request(place.path("no-qemu"), place.path("kernel"));
    let ended = boots_until(&request, &Stop::default(), &mut |_| Ok(()));
    let error = ended.unwrap_err().to_string();
    assert!(error.starts_with("cannot run ") && error.ends_with("no-qemu"), "{error}");
    place.assert_nothing_is_left();
}

#[test]
fn a_host_without_room_for_the_disk_is_an_error() {
    let place = Place::new();
    let Some(_mount) = mounted(&place.scratch(), 8) else {
        return skip("a_host_without_room_for_the_disk_is_an_error", "only root may mount");
    };
    let mut request = place.stand_in("exit 0");
    request.machine.disk.filesystem = "ext4".to_owned();
    let ended = boots_until(&request, &Stop::default(), &mut |_| Ok(()));
    let error = ended.unwrap_err().to_string();
    assert!(error.starts_with("a disk of 64 MiB does not fit into "), "{error}");
    place.assert_nothing_is_left();
}

#[test]
fn a_boot_that_fails_on_a_full_host_says_so() {
    let place = Place::new();
    let Some(_mount) = mounted(&place.scratch(), 8) else {
        return skip("a_boot_that_fails_on_a_full_host_says_so", "only root may mount");
    };
    let (boot, _) = boots(&place.stand_in("exit 1"));
    assert!(boot.reason.contains("; the host has only "), "{}", boot.reason);
}

/// Not a test by itself: the process that the next one kills.
#[test]
fn a_boot_that_is_killed() {
    let Some(folder) = env::var_os(PLACE) else { return };
    let folder = Path::new(&folder);
    let place = Place::new();
    let fifo = folder.join("fifo");
    let script = format!("echo $$ >{}; exec sleep 1000", fifo.display());
    boots(&place.stand_in(&script));
}

#[test]
#[should_panic(expected = "was not written, and its writer ended with exit status: 0")]
fn a_process_that_ends_without_output_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    mkfifoat(CWD, &fifo, Mode::RWXU).unwrap();
    fifo::words(&fifo, &mut Command::new("true").spawn().unwrap());
}

#[test]
fn qemu_ends_when_we_are_killed() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    mkfifoat(CWD, &fifo, Mode::RWXU).unwrap();
    let mut killed = Command::new(env::current_exe().unwrap())
        .args(["--exact", "undone::a_boot_that_is_killed"])
        .env(PLACE, folder.path())
        .env("TMPDIR", folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let qemu: i32 = fifo::words(&fifo, &mut killed).trim().parse().unwrap();
    let qemu = pidfd_open(Pid::from_raw(qemu).unwrap(), PidfdFlags::empty()).unwrap();
    killed.kill().unwrap();
    killed.wait().unwrap();
    let mut ended = [PollFd::new(&qemu, PollFlags::IN)];
    let limit = Timespec { tv_sec: 30, tv_nsec: 0 };
    assert_eq!(poll(&mut ended, Some(&limit)), Ok(1), "it is still there");
}

/// Not a test by itself: the process that the next one stops for longer than the guest has. Some
/// time after that the guest says that all is done.
#[test]
fn a_boot_that_is_stopped() {
    let Some(folder) = env::var_os(STOPPED_PLACE) else { return };
    let folder = Path::new(&folder).display();
    let place = Place::new();
    let script = format!("echo >{folder}/up; sleep 6; echo >{folder}/late; sleep 1");
    let script = format!("{script}; printf '%s\\n' '{{\"message\":\"done\"}}' >&0");
    let limits = Limits { up_max: Duration::from_secs(5), ..Limits::EMULATION };
    let (boot, _) = boots(&Request { limits, ..place.stand_in(&script) });
    assert_eq!(boot.ended, Ended::Finished, "{}", boot.reason);
}

#[test]
fn time_while_we_are_stopped_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["up", "late"] {
        mkfifoat(CWD, folder.path().join(name), Mode::RWXU).unwrap();
    }
    let mut stopped = Command::new(env::current_exe().unwrap())
        .args(["--exact", "undone::a_boot_that_is_stopped"])
        .env(STOPPED_PLACE, folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    fifo::words(&folder.path().join("up"), &mut stopped);
    kill_process(Pid::from_child(&stopped), Signal::STOP).unwrap();
    fifo::words(&folder.path().join("late"), &mut stopped);
    kill_process(Pid::from_child(&stopped), Signal::CONT).unwrap();
    assert!(stopped.wait().unwrap().success());
}
