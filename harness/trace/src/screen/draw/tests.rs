//! What is drawn, of made-up figures.

use iowq_contract::Host;
use iowq_contract::trace::{
    BirthCause, ByAccount, Limits, Snapshot, TraceBirth, TraceCause, TraceExit, TraceFile,
    TraceLine, TraceOp, TraceProcess, TraceRing, TraceStart, Way,
};
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Color;

use super::*;
use crate::screen::keys::press;

const SECOND_NS: u64 = 1_000_000_000;

fn start() -> TraceLine {
    let host = serde_json::json!({
        "kernel": "6.12.117-test #1 SMP", "cpu": "", "cpus": 2, "memory_bytes": 0, "filesystem": "",
        "mount_options": "", "device": "", "governor": "", "accelerator": "", "commit": "",
        "rustc": "", "profile": "debug"
    });
    let host: Host = serde_json::from_value(host).expect("a host");
    TraceLine::Start(Box::new(TraceStart {
        schema: String::new(),
        started: String::new(),
        target: "all processes".into(),
        interval_ms: 1000,
        tier: iowq_contract::Tier::Bpf,
        reason: String::new(),
        unseen: vec!["who is idle".into()],
        caveats: Vec::new(),
        host,
    }))
}

fn process(pid: u32, comm: &str, queued: u64) -> TraceProcess {
    let way = Way { hashed: true, ..Way::default() };
    let op = "WRITE".to_owned();
    TraceProcess {
        pid,
        comm: comm.into(),
        rings: vec![TraceRing { fd: 5, entries: Some(32), by_tid: Some(7555) }],
        alive: ByAccount { bounded: 3, ..ByAccount::default() },
        limits: Limits { bounded: Some(8), unbounded: None },
        peak: 4,
        born: 12,
        causes: vec![TraceCause { op: Some(op.clone()), way, born: 12, paid_ns: 360_000 }],
        files: vec![TraceFile { file: "/data/one".into(), op: op.clone(), way, queued }],
        ops: vec![TraceOp {
            op,
            submitted: queued * 2,
            queued,
            hashed: queued,
            ..Default::default()
        }],
        ..TraceProcess::default()
    }
}

fn snapshot(at_s: u64, processes: Vec<TraceProcess>) -> TraceLine {
    let at_ns = at_s * SECOND_NS;
    TraceLine::Snapshot(Snapshot { at_ns, processes, ..Snapshot::default() })
}

/// A trace of two processes after two seconds, in which one was busier than the other.
fn traced() -> State {
    let mut state = State::new(true);
    state.take(&start());
    state.take(&snapshot(1, vec![process(7, "calm", 0), process(8, "busy", 100)]));
    state.take(&snapshot(2, vec![process(7, "calm", 10), process(8, "busy", 400)]));
    state
}

fn screen(state: &State, width: u16, height: u16) -> Vec<String> {
    let mut terminal = ratatui::Terminal::new(TestBackend::new(width, height)).expect("a buffer");
    terminal.draw(|frame| _ = draw(frame, state)).expect("it can be drawn");
    let buffer = terminal.backend().buffer().clone();
    let letters: Vec<_> = buffer.content().iter().map(ratatui::buffer::Cell::symbol).collect();
    letters.chunks(width.into()).map(|row| row.concat().trim_end().to_owned()).collect()
}

fn type_keys(state: &mut State, keys: &str) {
    for letter in keys.chars() {
        let code = match letter {
            '\n' => KeyCode::Enter,
            '\u{1b}' => KeyCode::Esc,
            letter => KeyCode::Char(letter),
        };
        assert!(press(state, KeyEvent::new(code, KeyModifiers::NONE)).is_continue());
    }
}

/// Names in the order of the table.
fn names(state: &State) -> Vec<&str> {
    state.rows().iter().map(|row| row.comm.as_str()).collect()
}

#[test]
fn the_table_has_the_rates_of_the_last_interval_busiest_first() {
    let shown = screen(&traced(), 80, 14);
    let expected = [
        "iowq trace  all processes  Linux 6.12.117-test  2 s  own CPU 0.0%",
        "2 processes  workers 6 +0/s -0/s  submitted 620/s  io-wq 310/s  now 0",
        "not seen: who is idle",
        "    PID NAME         RING   WORKERS  +/s  -/s SUB/s IOWQ/s  NOW IDLE   P50   P99",
        "      8 busy            1       3/8    0    0   600    300    0    -     -     -",
        "      7 calm            1       3/8    0    0    20     10    0    -     -     -",
    ];
    assert_eq!(shown[..expected.len()], expected);
    assert!(shown[13].starts_with("q quit  enter open  s sort: IOWQ/s"), "{}", shown[13]);
    assert!(screen(&traced(), 200, 60)[3].contains("FORCED HASHED UNBOUND"));
}

#[test]
fn a_lesser_tier_is_named_with_its_reason_and_that_births_are_at_least_so_many() {
    let TraceLine::Start(mut begun) = start() else { panic!("a start") };
    (begun.tier, begun.reason) = (iowq_contract::Tier::Proc, "no rights".into());
    let mut state = State::new(true);
    state.take(&TraceLine::Start(begun));
    state.take(&snapshot(1, vec![process(7, "calm", 0)]));
    let shown = screen(&state, 80, 14);
    assert!(shown[0].contains("all processes  tier proc  Linux 6.12"), "{}", shown[0]);
    assert_eq!(shown[2], "births, exits and peaks are AT LEAST these: /proc is polled");
    assert_eq!(shown[3], "not by bpf: no rights");
}

#[test]
fn a_process_is_shown_with_its_requests_births_files_and_workers() {
    let mut state = traced();
    let cause = BirthCause { op: "WRITE".into(), way: Way::default(), file: None, paid_ns: 0 };
    let birth = |tid, at_ns| TraceBirth {
        at_ns,
        pid: 8,
        tid,
        by_tid: 8,
        account: None,
        cause: Some(cause.clone()),
    };
    state.take(&TraceLine::Birth(birth(90, SECOND_NS)));
    state.take(&TraceLine::Birth(birth(91, 0)));
    let (at_ns, born_ns) = (SECOND_NS, Some(0));
    state.take(&TraceLine::Exit(TraceExit { at_ns, pid: 8, tid: 91, born_ns }));
    type_keys(&mut state, "\n");
    let shown = screen(&state, 80, 30).join("\n");
    for text in [
        "busy[8]\n  rings: 1 open: fd 5 (32 entries)\n",
        "  alive  ██  most 3, over 1.0s\n",
        "  op             submit forced  iowq hashed unbnd  done failed   p50   p99   max\n",
        "  WRITE             800      0   400    400     0     0      0     -     -     -\n",
        "  12 born for WRITE (hashed), 30 µs of the submitter's time each\n",
        "  400 WRITE (hashed) on /data/one\n",
    ] {
        assert!(shown.contains(text), "{text} in\n{shown}");
    }
    let bars: Vec<_> = shown.lines().filter(|line| line.contains('━')).collect();
    assert!(bars[0].starts_with(&format!("       91 {}", "━".repeat(23))), "{shown}");
    assert!(bars[1].starts_with(&format!("       90 {}━", " ".repeat(23))), "{shown}");
    assert!(bars[0].ends_with("   1.0s  for WRITE"), "{shown}");
}

#[test]
fn keys_open_leave_and_move() {
    let mut state = traced();
    type_keys(&mut state, "jjj\n");
    assert_eq!(state.view, View::Process(7));
    type_keys(&mut state, "jj\u{1b}");
    assert_eq!((state.view, state.scroll, state.selected_pid()), (View::Table, 0, Some(7)));
    type_keys(&mut state, "k");
    assert_eq!(state.selected_pid(), Some(8));
    type_keys(&mut state, "?");
    assert_eq!(state.view, View::Help);
    type_keys(&mut state, "?f");
    assert_eq!(state.view, View::Findings);
    for (code, modifiers) in
        [(KeyCode::Char('q'), KeyModifiers::NONE), (KeyCode::Char('c'), KeyModifiers::CONTROL)]
    {
        assert!(press(&mut state, KeyEvent::new(code, modifiers)).is_break());
    }
}

#[test]
fn the_mark_stays_with_its_process_when_the_order_changes() {
    let mut state = traced();
    type_keys(&mut state, "j");
    assert_eq!((state.selected(), state.selected_pid()), (1, Some(7)));
    state.take(&snapshot(3, vec![process(7, "calm", 9_999), process(8, "busy", 401)]));
    assert_eq!((state.selected(), state.selected_pid()), (0, Some(7)));
}

#[test]
fn the_table_is_sorted_by_any_column_and_backwards() {
    let mut state = traced();
    assert_eq!(names(&state), ["busy", "calm"]);
    type_keys(&mut state, "S");
    assert_eq!(names(&state), ["calm", "busy"]);
    type_keys(&mut state, "S");
    while COLUMNS[state.sort].title != "PID" {
        type_keys(&mut state, "s");
    }
    assert_eq!(names(&state), ["calm", "busy"]);
    state.width = 80;
    let mut titles = Vec::new();
    for _ in 0..12 {
        titles.push(COLUMNS[state.sort].title);
        type_keys(&mut state, "s");
    }
    assert!(titles.contains(&"IDLE") && !titles.contains(&"HASHED"), "only what is shown");
    assert_eq!(COLUMNS[state.sort].title, "PID");
    let over = TraceProcess { ended: true, ..process(7, "calm", 99_999) };
    state.take(&snapshot(3, vec![over, process(8, "busy", 400)]));
    assert_eq!(names(&state), ["busy", "calm"], "those that are over come last");
}

#[test]
fn a_filter_shows_names_that_contain_it_until_it_is_taken_back() {
    let mut state = traced();
    type_keys(&mut state, "/CAq");
    assert!(names(&state).is_empty(), "letters go to the filter");
    assert!(screen(&state, 80, 12)[3].contains("no process has such a name"));
    assert!(press(&mut state, KeyEvent::from(KeyCode::Backspace)).is_continue());
    type_keys(&mut state, "\n");
    assert_eq!(names(&state), ["calm"]);
    assert!(screen(&state, 80, 12)[11].contains("filter: CA"));
    type_keys(&mut state, "\u{1b}");
    assert_eq!(names(&state).len(), 2);
}

#[test]
fn a_pause_holds_the_figures_and_not_the_trace() {
    let mut state = traced();
    type_keys(&mut state, "p");
    state.take(&snapshot(9, vec![process(9, "new", 1)]));
    assert_eq!(names(&state), ["busy", "calm"]);
    assert!(screen(&state, 80, 12)[0].ends_with("PAUSED"));
    type_keys(&mut state, " ");
    assert_eq!(names(&state), ["new"]);
}

#[test]
fn scrolling_ends_with_the_text() {
    let mut state = traced();
    type_keys(&mut state, "?G");
    let mut terminal = ratatui::Terminal::new(TestBackend::new(80, 12)).expect("a buffer");
    let mut scroll = 0;
    terminal.draw(|frame| scroll = draw(frame, &state)).expect("it can be drawn");
    assert!((10..40).contains(&scroll), "{scroll}");
}

#[test]
fn narrow_screens_have_fewer_columns_and_none_is_cut() {
    let mut state = traced();
    let shown = screen(&state, 60, 14);
    assert_eq!(shown[3], "    PID NAME        WORKERS  +/s  -/s IOWQ/s  NOW IDLE   P99");
    type_keys(&mut state, "\n");
    let shown = screen(&state, 60, 24).join("\n");
    assert!(
        shown.contains("  op      submit forced  iowq hashed unbnd   p50   p99   max\n"),
        "{shown}"
    );
    assert!(
        shown.contains("  WRITE      800      0   400    400     0     -     -     -\n"),
        "{shown}"
    );
}

#[test]
fn a_tiny_screen_says_so_and_none_is_too_small_to_draw_on() {
    assert!(screen(&traced(), 40, 8).join(" ").contains("too small: 60x10 needed, 40x8 here"));
    for (width, height) in [(1, 1), (60, 10), (59, 9), (61, 300), (300, 10)] {
        for view in [View::Table, View::Process(8), View::Process(99), View::Findings, View::Help] {
            let mut state = traced();
            state.show(view);
            screen(&state, width, height);
        }
    }
}

#[test]
fn without_colours_there_are_none_and_losses_are_alarming_with_them() {
    for colour in [true, false] {
        let mut state = State::new(colour);
        state.take(&start());
        let lost = [("events".to_owned(), 3)].into();
        state.take(&TraceLine::Snapshot(Snapshot { at_ns: 1, lost, ..Snapshot::default() }));
        let mut terminal = ratatui::Terminal::new(TestBackend::new(80, 12)).expect("a buffer");
        terminal.draw(|frame| _ = draw(frame, &state)).expect("it can be drawn");
        let buffer = terminal.backend().buffer();
        let red = buffer.content().iter().filter(|cell| cell.fg == Color::Red).count();
        assert_eq!(red, if colour { "LOST 3 events".len() } else { 0 });
        assert_eq!(buffer.content().iter().any(|cell| cell.fg != Color::Reset), colour);
    }
}

#[test]
fn names_do_not_steer_the_terminal() {
    let mut state = State::new(true);
    state.take(&start());
    let mut evil = process(8, "\u{1b}[31mred\u{202e}", 5);
    evil.files[0].file = "/a\nb\u{7}".into();
    state.take(&snapshot(1, vec![evil]));
    for view in [View::Table, View::Process(8)] {
        state.show(view);
        let shown = screen(&state, 120, 30).concat();
        assert!(!shown.chars().any(|letter| letter.is_control() || letter == '\u{202e}'));
    }
}
