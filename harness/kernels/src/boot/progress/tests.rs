//! The progress of a boot by its messages, without a machine and without a clock.

use super::*;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn limits() -> Limits {
    Limits {
        up_max: seconds(100),
        ready_max: seconds(50),
        bench_factor: 4,
        between_max: seconds(10),
        off_max: seconds(20),
        panic_max: seconds(5),
    }
}

fn up() -> Message {
    Message::Up { release: "6.12".to_owned(), version: String::new() }
}

fn bench(number: u32) -> Message {
    Message::Bench { number, time_max_s: 30 }
}

/// What came of these messages, one a second.
fn after(messages: Vec<Message>) -> Progress {
    let mut progress = Progress::new(limits());
    for (now, message) in (1..).zip(messages) {
        assert!(progress.message(seconds(now), message).is_none());
    }
    progress
}

fn verdict(progress: Progress) -> (Ended, String) {
    progress.finish().2
}

#[test]
fn each_step_has_a_deadline_of_its_own() {
    assert_eq!(after(vec![]).deadline(), seconds(100));
    assert_eq!(after(vec![up()]).deadline(), seconds(1 + 50));
    assert_eq!(after(vec![up(), bench(0)]).deadline(), seconds(2 + 4 * 30 + 10));
    assert_eq!(after(vec![up(), bench(0), bench(1)]).deadline(), seconds(3 + 4 * 30 + 10));
    assert_eq!(after(vec![up(), bench(0), Message::Done]).deadline(), seconds(3 + 20));
}

#[test]
fn a_time_that_no_clock_can_hold_is_no_overflow() {
    let endless = Message::Bench { number: 0, time_max_s: u64::MAX };
    assert_eq!(after(vec![up(), endless]).deadline(), DEADLINE_MAX);
}

#[test]
fn a_late_boot_has_hung_and_the_reason_says_where() {
    let cases = [
        (vec![], "the guest did not start within 100 s"),
        (vec![up()], "the guest was up, but no bench began within 51 s of the start"),
        (vec![up(), bench(0), bench(1)], "bench 1 was not over within 133 s of the start"),
        (vec![Message::Done], "all was done, but the machine did not switch itself off"),
    ];
    for (messages, reason) in cases {
        let mut progress = after(messages);
        progress.late(true);
        assert!(progress.is_over());
        assert_eq!(verdict(progress), (Ended::Hung, reason.to_owned()));
    }
    let mut silent = after(vec![]);
    silent.late(false);
    assert!(verdict(silent).1.contains("CONFIG_SERIAL_8250_CONSOLE"));
}

#[test]
fn the_guests_first_verdict_stays() {
    let features =
        vec![MissingFeature { option: "CONFIG_EXT4_FS".to_owned(), saw: "ENODEV".to_owned() }];
    let mut progress = after(vec![up(), Message::Missing { features }, Message::Done, bench(3)]);
    assert_eq!(progress.deadline(), seconds(2 + 20), "a bench after the last word changes nothing");
    progress.panicked(seconds(3), "Kernel panic");
    progress.broken("garbage");
    progress.gone("killed", 7);
    let expected = "the kernel lacks CONFIG_EXT4_FS (ENODEV)";
    assert_eq!(verdict(progress), (Ended::MissingFeature, expected.to_owned()));
}

#[test]
fn a_panic_after_all_was_done_counts() {
    let mut progress = after(vec![up(), bench(0), Message::Done]);
    progress.panicked(seconds(4), "Kernel panic - not syncing: x");
    assert!(!progress.is_over(), "the rest of the trace is waited for");
    assert_eq!(progress.deadline(), seconds(4 + 5));
    progress.late(true);
    let (ended, reason) = verdict(progress);
    assert_eq!(ended, Ended::Panicked);
    assert_eq!(reason, "the kernel panicked after the last bench: Kernel panic - not syncing: x");
}

#[test]
fn qemu_that_exits_early_has_died() {
    let mut progress = after(vec![up(), bench(2)]);
    progress.gone("QEMU ended with signal: 9 (SIGKILL)", 0);
    let expected = "QEMU ended with signal: 9 (SIGKILL) (in bench 2)";
    assert_eq!(verdict(progress), (Ended::Died, expected.to_owned()));
    let mut progress = after(vec![up(), bench(0), Message::Done]);
    progress.gone("the machine was switched off", 0);
    assert_eq!(verdict(progress), (Ended::Finished, String::new()));
}

#[test]
fn a_message_that_was_cut_off_is_never_passed_over() {
    let mut progress = after(vec![up(), bench(2)]);
    progress.gone("QEMU is gone", 9);
    let expected = "QEMU is gone (in bench 2); a message was cut off after 9 bytes";
    assert_eq!(verdict(progress), (Ended::Died, expected.to_owned()));
    let mut progress = after(vec![up(), bench(2), Message::Done]);
    progress.gone("switched off", 9);
    assert_eq!(verdict(progress).0, Ended::Failed);
}
