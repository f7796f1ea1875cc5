//! Keys: what each does to what is shown.

use std::ops::ControlFlow;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::state::{State, View};

/// Rows of a page.
const PAGE: isize = 10;
/// Characters of a filter; names of processes have 15.
const FILTER_MAX: usize = 32;

/// Keys and what they do, for the help.
pub(super) const KEYS: [(&str, &str); 9] = [
    ("↑ ↓ k j", "move, or scroll; PgUp and PgDn by ten, Home and End"),
    ("enter", "open the process"),
    ("esc", "back; in the table, show all names again"),
    ("s S", "sort by the next column; reverse the order"),
    ("/", "show only names that contain what is typed"),
    ("f", "findings in full"),
    ("p space", "pause what is shown; the trace goes on"),
    ("? h", "this help"),
    ("q ^C", "quit, and print the summary"),
];

/// Takes a key; a break ends the trace.
pub(super) fn press(state: &mut State, key: KeyEvent) -> ControlFlow<()> {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return match key.code {
            KeyCode::Char('c' | 'd' | '\\' | '4') => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        };
    }
    if state.typing {
        type_filter(state, key.code);
        return ControlFlow::Continue(());
    }
    match key.code {
        KeyCode::Char('q') => return ControlFlow::Break(()),
        KeyCode::Up | KeyCode::Char('k') => go(state, -1),
        KeyCode::Down | KeyCode::Char('j') => go(state, 1),
        KeyCode::PageUp => go(state, -PAGE),
        KeyCode::PageDown => go(state, PAGE),
        KeyCode::Home | KeyCode::Char('g') => go(state, isize::MIN),
        KeyCode::End | KeyCode::Char('G') => go(state, isize::MAX),
        KeyCode::Enter | KeyCode::Right if state.view == View::Table => {
            if let Some(pid) = state.selected_pid() {
                state.show(View::Process(pid));
            }
        }
        KeyCode::Esc | KeyCode::Left | KeyCode::Backspace => back(state),
        KeyCode::Char('s') => state.sort_by_next(),
        KeyCode::Char('S') => state.reversed = !state.reversed,
        KeyCode::Char('/') => {
            state.show(View::Table);
            state.typing = true;
        }
        KeyCode::Char('f') => toggle(state, View::Findings),
        KeyCode::Char('?' | 'h') => toggle(state, View::Help),
        KeyCode::Char('p' | ' ') => state.pause_or_go_on(),
        _ => {}
    }
    ControlFlow::Continue(())
}

fn go(state: &mut State, down: isize) {
    if state.view == View::Table {
        state.move_by(down);
    } else {
        let down = i16::try_from(down).unwrap_or(if down < 0 { i16::MIN } else { i16::MAX });
        state.scroll = state.scroll.saturating_add_signed(down);
    }
}

fn back(state: &mut State) {
    if state.view == View::Table {
        state.filter.clear();
    } else {
        state.show(View::Table);
    }
}

fn toggle(state: &mut State, view: View) {
    state.show(if state.view == view { View::Table } else { view });
}

fn type_filter(state: &mut State, key: KeyCode) {
    match key {
        KeyCode::Enter => state.typing = false,
        KeyCode::Esc => {
            state.typing = false;
            state.filter.clear();
        }
        KeyCode::Backspace => drop(state.filter.pop()),
        KeyCode::Char(letter) if state.filter.chars().count() < FILTER_MAX => {
            state.filter.push(letter);
        }
        _ => {}
    }
}
