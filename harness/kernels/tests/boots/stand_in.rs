//! Every end of a boot, with a script in the place of QEMU.

use std::{fs, time::Duration};

use anyhow::bail;
use iowq_contract::{Boot, ComplaintKind, Ended};
use iowq_kernels::{
    boot::{Limits, Request},
    stop::{Stop, Stopped},
};
use signal_hook::consts::SIGINT;

use crate::support::{Place, boots, boots_until, run_message};

const UP: &str = "say() { printf '%s\\n' \"$1\" >&0; }
say '{\"message\":\"up\",\"release\":\"6.12.0\",\"version\":\"#1\"}'";
const BENCH: &str = "say '{\"message\":\"bench\",\"number\":0,\"time_max_s\":60}'";
const DONE: &str = "say '{\"message\":\"done\"}'";

/// Passes at once, where nothing is to come before it does.
const AT_ONCE: Duration = Duration::from_millis(50);
/// Long enough for a script to say its next line, on a busy machine too.
const SOON: Duration = Duration::from_secs(3);

/// The end of a boot with a script, which left nothing behind.
fn end_of(script: &str, limits: Limits) -> Boot {
    let place = Place::new();
    let request = Request { limits, ..place.stand_in(script) };
    let (boot, _) = boots(&request);
    place.assert_nothing_is_left();
    boot
}

fn assert_ends(script: &str, limits: Limits, ended: Ended, reason: &str) -> Boot {
    let boot = end_of(script, limits);
    assert_eq!(boot.ended, ended, "{script}: {boot:#?}");
    assert!(boot.reason.starts_with(reason), "{script}: {:?} is not {reason:?}", boot.reason);
    boot
}

fn generous() -> Limits {
    Limits::EMULATION
}

#[test]
fn a_guest_that_says_all_is_done_finishes() {
    let script = format!("echo 'Linux version 6.12.0 (x)'; {UP}; {BENCH}; {DONE}");
    let boot = assert_ends(&script, generous(), Ended::Finished, "");
    assert_eq!((boot.kernel.as_str(), boot.number, boot.round, boot.runs), ("base", 3, 1, 0));
    assert_eq!(boot.release.as_deref(), Some("6.12.0"));
    assert_eq!(boot.console, "console.log");
    assert!(boot.console_tail.is_empty() && boot.complaints.is_empty() && boot.reason.is_empty());
}

#[test]
fn a_record_is_handed_over_while_the_machine_is_still_on() {
    let place = Place::new();
    let seen = place.path("seen");
    let script = format!(
        "{UP}; {BENCH}; say '{}'; while [ ! -e {} ]; do sleep 0.02; done; {DONE}",
        run_message(),
        seen.display()
    );
    let boot = boots_until(&place.stand_in(&script), &Stop::default(), &mut |record| {
        assert_eq!(record.key.workload, "dsync");
        Ok(fs::write(&seen, "")?)
    });
    let boot = boot.unwrap();
    assert_eq!((boot.ended, boot.runs), (Ended::Finished, 1), "{}", boot.reason);
    place.assert_nothing_is_left();
}

#[test]
fn messages_that_arrived_meanwhile_are_read_before_a_timeout_is_declared() {
    let place = Place::new();
    let said = place.path("said");
    std::process::Command::new("mkfifo").arg(&said).status().unwrap();
    let bench = "{\"message\":\"bench\",\"number\":0,\"time_max_s\":1}";
    // Both in one write: a shell that has to wait in between would be late by itself.
    let messages = place.path("messages");
    fs::write(&messages, format!("{bench}\n{}\n", run_message())).unwrap();
    let script =
        format!("{UP}; cat {} >&0; sleep 2; {DONE}; echo >{}", messages.display(), said.display());
    let limits = Limits { between_max: Duration::from_secs(1), ..generous() };
    let request = Request { limits, ..place.stand_in(&script) };
    // Keeping the record takes longer than the bench has.
    let boot = boots_until(&request, &Stop::default(), &mut |_| {
        fs::read(&said)?;
        Ok(())
    });
    let boot = boot.unwrap();
    assert_eq!((boot.ended, boot.runs), (Ended::Finished, 1), "{}", boot.reason);
}

#[test]
fn a_guest_without_a_port_talks_on_the_console() {
    let script = "echo 'iowq-guest: {\"message\":\"up\",\"release\":\"6.1\",\"version\":\"\"}'
        echo 'iowq-guest: {\"message\":\"failed\",\"reason\":\"no port\"}'";
    assert_ends(script, generous(), Ended::Failed, "no port");
}

#[test]
fn the_features_that_a_kernel_lacks_are_named() {
    let script = format!(
        "{UP}; say '{{\"message\":\"missing\",\"features\":[{{\"option\":\"CONFIG_IO_URING\",\
         \"saw\":\"ENOSYS\"}}]}}'"
    );
    let reason = "the kernel lacks CONFIG_IO_URING (ENOSYS)";
    assert_ends(&script, generous(), Ended::MissingFeature, reason);
}

#[test]
fn a_kernel_that_panics_is_ended_with_its_last_words() {
    let script = "echo '[    1.0] WARNING: CPU: 0 PID: 1 at fs/x.c:1'
        echo '[    2.0] Kernel panic - not syncing: Attempted to kill init!'
        echo '[    2.1] Call Trace:'; sleep 1000";
    let limits = Limits { panic_max: SOON, ..generous() };
    let reason = "the kernel panicked before the guest was up: [    2.0] Kernel panic - not";
    let boot = assert_ends(script, limits, Ended::Panicked, reason);
    assert_eq!(boot.console_tail.last().map(String::as_str), Some("[    2.1] Call Trace:"));
    let kinds: Vec<_> = boot.complaints.iter().map(|complaint| complaint.kind).collect();
    assert_eq!(kinds, [ComplaintKind::Panic, ComplaintKind::Warning]);
}

#[test]
fn what_does_not_go_on_has_hung() {
    let up = Limits { up_max: AT_ONCE, ..generous() };
    assert_ends("sleep 1000", up, Ended::Hung, "the kernel said nothing within 0 s; does it have");
    let closed = "exec >&- 2>&- <&-; sleep 1000";
    assert_ends(closed, up, Ended::Hung, "the kernel said nothing");
    let ready = Limits { ready_max: AT_ONCE, ..generous() };
    assert_ends(&format!("{UP}; sleep 1000"), ready, Ended::Hung, "the guest was up, but");
    let bench = format!("{UP}; say '{{\"message\":\"bench\",\"number\":7,\"time_max_s\":0}}'");
    let between = Limits { between_max: AT_ONCE, ..generous() };
    let boot = assert_ends(&format!("{bench}; sleep 1000"), between, Ended::Hung, "bench 7 was");
    assert_eq!(boot.release.as_deref(), Some("6.12.0"));
    let off = Limits { off_max: AT_ONCE, ..generous() };
    let reason = "all was done, but the machine did not switch itself off";
    assert_ends(&format!("{UP}; {DONE}; sleep 1000"), off, Ended::Hung, reason);
}

#[test]
fn a_kernel_that_talks_but_has_no_guest_has_hung() {
    let limits = Limits { up_max: SOON, ..generous() };
    let boot = assert_ends("echo x; sleep 1000", limits, Ended::Hung, "the guest did not start");
    assert_eq!(boot.console_tail, ["x"]);
}

#[test]
fn a_console_that_never_stops_does_not_outrun_the_deadline() {
    let limits = Limits { up_max: SOON, ..generous() };
    assert_ends("yes '[    1.0] noise'", limits, Ended::Hung, "the guest did not start");
    assert_ends("cat /dev/zero", limits, Ended::Hung, "the kernel said nothing");
}

#[test]
fn qemu_that_exits_early_is_quoted() {
    let script = "echo 'qemu-system-x86_64: could not open disk image' >&2; exit 1";
    let reason = "QEMU ended with exit status: 1: could not open disk image (before the guest";
    assert_ends(script, generous(), Ended::Died, reason);
    let killed = format!("{UP}; {BENCH}; kill -9 $$");
    let reason = "QEMU ended with signal: 9 (SIGKILL) (in bench 0)";
    assert_ends(&killed, generous(), Ended::Died, reason);
    let reason = "the machine powered off or restarted (before the guest was up)";
    assert_ends("exit 0", generous(), Ended::Died, reason);
}

#[test]
fn what_qemu_started_ends_with_it() {
    let reason = "the machine powered off";
    assert_ends("sleep 1000 & exit 0", generous(), Ended::Died, reason);
}

#[test]
fn an_invalid_message_is_a_failure_with_a_reason() {
    let cases = [
        ("printf 'hello\\n' >&0; sleep 1000", "invalid message: expected value at line"),
        ("printf '{\"message\":\"x\"}\\n' >&0", "invalid message: unknown variant `x`"),
        ("printf '\\377\\376\\n' >&0", "invalid message: "),
        ("printf '{\"message\":\"run\",\"record\":{}}\\n' >&0", "invalid message: missing"),
        ("exec 3>&0; tr '\\0' x </dev/zero >&3", "a message is too long or was cut off: xxxxxx"),
    ];
    for (script, reason) in cases {
        assert_ends(script, generous(), Ended::Failed, reason);
    }
    let boot = end_of("printf '{\"mess' >&0", generous());
    assert!(boot.reason.ends_with("; a message was cut off after 6 bytes"), "{}", boot.reason);
}

#[test]
fn a_request_to_stop_ends_the_boot_and_keeps_earlier_results() {
    let place = Place::new();
    let request = place.stand_in(&format!("{UP}; {BENCH}; say '{}'; sleep 1000", run_message()));
    let (stop, mut kept) = (Stop::default(), 0);
    let ended = boots_until(&request, &stop, &mut |_| {
        kept += 1;
        stop.ask(SIGINT);
        Ok(())
    });
    assert_eq!(ended.unwrap_err().downcast_ref(), Some(&Stopped { signal: SIGINT }));
    assert_eq!(kept, 1);
    place.assert_nothing_is_left();
    let again = boots_until(&request, &stop, &mut |_| bail!("nothing is started any more"));
    assert!(again.unwrap_err().is::<Stopped>());
}

#[test]
fn a_request_to_stop_is_noticed_while_idle() {
    let place = Place::new();
    let (ready, stop) = (place.path("ready"), Stop::default());
    let request = place.stand_in(&format!(": >{}; sleep 1000", ready.display()));
    // Opening the pipe to read waits until the script has opened it to write.
    std::process::Command::new("mkfifo").arg(&ready).status().unwrap();
    let asked = stop.clone();
    let asks = std::thread::spawn(move || {
        fs::read(ready).unwrap();
        asked.ask(SIGINT);
    });
    let ended = boots_until(&request, &stop, &mut |_| Ok(()));
    assert!(ended.unwrap_err().is::<Stopped>());
    asks.join().unwrap();
    place.assert_nothing_is_left();
}

#[test]
fn a_record_that_cannot_be_kept_ends_the_boot() {
    let place = Place::new();
    let request = place.stand_in(&format!("{UP}; {BENCH}; say '{}'; sleep 1000", run_message()));
    let ended = boots_until(&request, &Stop::default(), &mut |_| bail!("no room for records"));
    assert_eq!(ended.unwrap_err().to_string(), "no room for records");
    place.assert_nothing_is_left();
}
