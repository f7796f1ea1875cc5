//! What is kept of a console, whatever its bytes are.

use std::fs;

use super::*;

struct Watched {
    console: Console,
    folder: tempfile::TempDir,
}

fn watched() -> Watched {
    let folder = tempfile::tempdir().unwrap();
    Watched { console: Console::create(&folder.path().join("log")).unwrap(), folder }
}

impl Watched {
    fn log(&self) -> Vec<u8> {
        fs::read(self.folder.path().join("log")).unwrap()
    }
}

#[test]
fn complaints_are_counted_by_kind_with_their_first_line_the_worst_first() {
    let mut watched = watched();
    let text = "[    0.0] Linux version 6.12.117 (x@y) #1 SMP\r\n\
                [    1.0] WARNING: CPU: 0 PID: 1 at a.c:1\r\n\
                [    2.0] WARNING: CPU: 0 PID: 1 at b.c:2\r\n\
                [    3.0] Kernel panic - not syncing: x\r\n\
                [    3.1] ---[ end Kernel panic - not syncing: x ]---\r\n";
    let events = watched.console.push(text.as_bytes()).unwrap();
    assert_eq!(events, [ConsoleEvent::Panic("[    3.0] Kernel panic - not syncing: x".to_owned())]);
    let complaints = watched.console.complaints();
    let short: Vec<_> = complaints.iter().map(|one| (one.kind, one.count)).collect();
    assert_eq!(short, [(ComplaintKind::Panic, 1), (ComplaintKind::Warning, 2)]);
    assert_eq!(complaints[1].line, "[    1.0] WARNING: CPU: 0 PID: 1 at a.c:1");
    assert_eq!(watched.console.release(), Some("6.12.117"));
    assert_eq!(watched.log(), text.as_bytes());
}

#[test]
fn a_panic_without_a_line_end_is_found_at_the_end() {
    let mut watched = watched();
    assert!(watched.console.push(b"[ 1.0] Kernel panic - not syncing: x").unwrap().is_empty());
    assert!(matches!(watched.console.end(), Some(ConsoleEvent::Panic(_))));
    assert_eq!(watched.console.end(), None);
}

#[test]
fn messages_of_the_guest_are_distinguished_from_its_other_output() {
    let mut watched = watched();
    let text = b"iowq-guest: {\"message\":\"done\"}\n\
                 iowq-guest: no disk yet\n\
                 [    1.0] iowq-guest: {\"message\":\"up\"}\nx iowq-guest: {}\n";
    let message = |json: &str| ConsoleEvent::Message(json.to_owned(), false);
    let expected = [message("{\"message\":\"done\"}"), message("{\"message\":\"up\"}")];
    assert_eq!(watched.console.push(text).unwrap(), expected);
}

#[test]
fn any_bytes_become_lines_that_a_terminal_can_show() {
    let mut watched = watched();
    let every: Vec<u8> = (0..=255).collect();
    watched.console.push(&every).unwrap();
    watched.console.push(b"\n\x1b[1;31mred\x1b[0m\tand\x1bplain \x1b[\n").unwrap();
    let tail = watched.console.tail();
    assert_eq!(tail.last().map(String::as_str), Some("red andplain"));
    assert!(tail.iter().all(|line| !line.contains(char::is_control)), "{tail:?}");
}

#[test]
fn only_the_last_lines_are_kept_and_long_ones_are_cut() {
    let mut watched = watched();
    for number in 0..1000 {
        watched.console.push(format!("line {number}\n").as_bytes()).unwrap();
    }
    watched.console.push("x".repeat(10_000).as_bytes()).unwrap();
    watched.console.end();
    let tail = watched.console.tail();
    assert_eq!(tail.len(), TAIL_LINES);
    assert_eq!(tail[TAIL_LINES - 2], "line 999");
    assert_eq!(tail[TAIL_LINES - 1].len(), TAIL_LINE_CHARS_MAX);
}

#[test]
fn a_log_without_end_has_one() {
    let mut watched = watched();
    let noise = vec![b'x'; 1 << 20];
    for _ in 0..2 * (LOG_BYTES_MAX >> 20) {
        watched.console.push(&noise).unwrap();
    }
    let log = watched.log();
    assert!(log.len() as u64 - LOG_BYTES_MAX < 100, "{}", log.len());
    assert!(String::from_utf8_lossy(&log).ends_with("(the log ends here, after 32 MiB)\n"));
}
