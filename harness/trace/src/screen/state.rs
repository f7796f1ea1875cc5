//! What the screen shows: the latest figures, and what the reader chose to see of them.

use iowq_contract::trace::{Finding, TraceLine, TraceProcess};

use super::column::{COLUMNS, QUEUED};
use super::lives::AllLives;
use super::row::{Row, rows};
use crate::findings;
use crate::story::Story;

/// All that is drawn.
#[derive(Debug)]
pub(super) struct State {
    live: Figures,
    /// What stands still while the reader pauses.
    frozen: Option<Box<Figures>>,
    pub(super) view: View,
    /// The process that is marked.
    selected: Option<u32>,
    /// Which column the table is sorted by.
    pub(super) sort: usize,
    pub(super) reversed: bool,
    /// Names must have this in them.
    pub(super) filter: String,
    /// Whether keys go to the filter.
    pub(super) typing: bool,
    /// Lines that are scrolled over in a view of lines.
    pub(super) scroll: u16,
    pub(super) colour: bool,
    /// Columns of the screen, which cannot sort by what it does not show.
    pub(super) width: u16,
}

/// What fills the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    Table,
    Process(u32),
    Findings,
    Help,
}

/// What a trace told so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    pub(super) story: Story,
    pub(super) rows: Vec<Row>,
    pub(super) lives: AllLives,
    pub(super) findings: Vec<Finding>,
    /// Share of one processor that the trace itself took in the last interval.
    pub(super) own_cpu: f64,
}

impl Figures {
    fn take(&mut self, line: &TraceLine) {
        self.lives.take(line);
        if let TraceLine::Snapshot(now) = line {
            let before = &self.story.last;
            let time_ns = now.at_ns.saturating_sub(before.at_ns).max(1);
            let own_ns = now.own_cpu_ns.saturating_sub(before.own_cpu_ns);
            self.own_cpu = own_ns as f64 / time_ns as f64;
            self.rows = rows(before, now);
        }
        self.story.take(line);
        if matches!(line, TraceLine::Snapshot(_)) {
            self.findings = findings::of(&self.story);
        }
    }

    /// The figures of a process since the start.
    pub(super) fn process(&self, pid: u32) -> Option<&TraceProcess> {
        self.story.last.processes.iter().find(|process| process.pid == pid)
    }
}

impl State {
    pub(super) fn new(colour: bool) -> State {
        State {
            live: Figures::default(),
            frozen: None,
            view: View::Table,
            selected: None,
            sort: QUEUED,
            reversed: false,
            filter: String::new(),
            typing: false,
            scroll: 0,
            colour,
            width: u16::MAX,
        }
    }

    /// Takes a line of the trace.
    pub(super) fn take(&mut self, line: &TraceLine) {
        self.live.take(line);
    }

    /// What is to be shown.
    pub(super) fn figures(&self) -> &Figures {
        self.frozen.as_deref().unwrap_or(&self.live)
    }

    pub(super) fn is_paused(&self) -> bool {
        self.frozen.is_some()
    }

    pub(super) fn pause_or_go_on(&mut self) {
        self.frozen = match self.frozen {
            Some(_) => None,
            None => Some(Box::new(self.live.clone())),
        };
    }

    /// The rows of the table, filtered and sorted.
    pub(super) fn rows(&self) -> Vec<&Row> {
        let filter = self.filter.to_lowercase();
        let rows = self.figures().rows.iter();
        let mut rows: Vec<_> =
            rows.filter(|row| row.comm.to_lowercase().contains(&filter)).collect();
        let order = COLUMNS[self.sort].order;
        rows.sort_by(|a, b| {
            let order = order(a, b);
            let order = if self.reversed { order.reverse() } else { order };
            // Those that are over come last.
            a.ended.cmp(&b.ended).then(order).then(a.pid.cmp(&b.pid))
        });
        rows
    }

    /// Where the marked process is among the rows: the first, if it is not there or none is marked.
    pub(super) fn selected(&self) -> usize {
        let rows = self.rows();
        rows.iter().position(|row| Some(row.pid) == self.selected).unwrap_or(0)
    }

    /// Marks the row that is so many below the marked one.
    pub(super) fn move_by(&mut self, rows_down: isize) {
        let last = self.rows().len().saturating_sub(1);
        let to = self.selected().saturating_add_signed(rows_down).min(last);
        self.selected = self.rows().get(to).map(|row| row.pid);
    }

    /// The process that is marked.
    pub(super) fn selected_pid(&self) -> Option<u32> {
        self.rows().get(self.selected()).map(|row| row.pid)
    }

    /// Sorts by the next column that is shown.
    pub(super) fn sort_by_next(&mut self) {
        let mut next = (1..=COLUMNS.len()).map(|step| (self.sort + step) % COLUMNS.len());
        let shown = next.find(|nth| COLUMNS[*nth].from <= self.width);
        self.sort = shown.unwrap_or(QUEUED);
    }

    /// Shows a view from its beginning.
    pub(super) fn show(&mut self, view: View) {
        self.view = view;
        self.scroll = 0;
        if let View::Process(pid) = view {
            self.selected = Some(pid);
        }
    }
}
