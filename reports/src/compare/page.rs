//! The page of a comparison: the verdicts in words, then what forbids them, then tables and charts.

mod table;

use askama::Template;

use crate::compare::charts::{BASE, TEST};
use crate::compare::comparison::{Comparison, Comparisons};
use crate::compare::finding::Verdict;
use crate::compare::prose::Reasons;
use crate::compare::set::Set;
use crate::compare::{charts, prose};
use crate::format;
use crate::render::chart::ChartSet;
use crate::render::page::{Download, Mark, PAGE_BYTES_MAX, PageError, Room, machine};
use crate::runs::unit;

/// Comparisons whose verdict is shown, and those that have a section of their own.
const ANSWERS_MAX: usize = 200;
const SECTIONS_MAX: usize = 50;

/// Reasons of one comparison that are shown.
const REASONS_MAX: usize = 8;

/// Characters of the name of a workload or a set.
const NAME_CHARS_MAX: usize = 60;

/// What stands above the title, and tells the page from others.
const KICKER: &str = "iowq-lab comparison";

#[derive(Template)]
#[template(path = "compare.html")]
struct Page<'a> {
    comparisons: &'a Comparisons,
    lead: String,
    answers: Vec<Answer<'a>>,
    answers_left_out: usize,
    overview: Option<ChartSet>,
    sections: Vec<View<'a>>,
    sections_left_out: usize,
    charts_left_out: bool,
    downloads: Vec<Download>,
}

/// What is said of one comparison before anything is shown.
struct Answer<'a> {
    one: &'a Comparison,
    /// Name of the verdict's style, and its word.
    class: &'static str,
    word: &'static str,
    lines: Vec<String>,
    blockers: Reasons,
    notes: Reasons,
}

/// A comparison as the template shows it.
struct View<'a> {
    one: &'a Comparison,
    id: String,
    legend: [Mark; 2],
    noise: String,
    control: String,
    charts: Vec<ChartSet>,
}

/// Makes the page. `sets` are what was compared: histograms are read from them, all else is in the
/// comparisons. A set that is not there costs its charts alone.
///
/// # Errors
///
/// When a chart or the template cannot be written out; no input should bring that about.
pub fn page(comparisons: &Comparisons, sets: &[Set<'_>]) -> Result<String, PageError> {
    let find = |name: &str| sets.iter().find(|set| set.name == name);
    let mut room = Room::new();
    let overview = charts::overview(comparisons)?.and_then(|set| room.take(set));
    let mut sections = Vec::new();
    for (at, one) in comparisons.all.iter().take(SECTIONS_MAX).enumerate() {
        let charts = room.draw(|| charts::sets(one, find(&one.base), find(&one.test)))?;
        let boots = find(&one.base).is_some_and(|base| unit::any(&base.runs));
        sections.push(view(at, one, charts, boots));
    }
    let count = comparisons.all.len();
    let of_one = |one| answer(one, comparisons.alpha);
    let mut page = Page {
        comparisons,
        lead: lead(comparisons, sets),
        answers: comparisons.all.iter().take(ANSWERS_MAX).map(of_one).collect(),
        answers_left_out: count.saturating_sub(ANSWERS_MAX),
        overview,
        sections,
        sections_left_out: count.saturating_sub(SECTIONS_MAX),
        charts_left_out: room.left_out,
        downloads: Vec::new(),
    };
    let room = PAGE_BYTES_MAX.saturating_sub(page.render()?.len());
    let about = "every figure of this page, with the values of each pair";
    page.downloads.extend(Download::json("comparison.json", about, comparisons, room));
    Ok(page.render()?)
}

/// Whether a page was made here, by what stands above its title.
pub fn is_of_comparison(html: &[u8]) -> bool {
    html.windows(KICKER.len()).any(|part| part == KICKER.as_bytes())
}

fn name(text: &str) -> String {
    format::clip(text, NAME_CHARS_MAX)
}

/// `6.12 against 6.17 on fsync-mix and dsync`, with numbers where names would be too many.
fn title(comparisons: &Comparisons) -> String {
    let names = |pick: fn(&Comparison) -> &str, many: &str| {
        let names = format::distinct(comparisons.all.iter().map(|one| name(pick(one))));
        match names.len() {
            0 => format!("no {many}"),
            1..=4 => format::list(&names),
            number => format!("{number} {many}"),
        }
    };
    let (test, base) = (names(|one| &one.test, "sets"), names(|one| &one.base, "bases"));
    format!("{test} against {base} on {}", names(|one| &one.workload, "workloads"))
}

fn lead(comparisons: &Comparisons, sets: &[Set<'_>]) -> String {
    let count = comparisons.all.len() as u64;
    let mut parts = vec![format::count(count, "comparison", "comparisons")];
    let first = sets.first().and_then(|base| base.runs.first());
    parts.extend(first.map(|run| format!("base on {}", machine(run))));
    parts.join(" · ")
}

fn answer(one: &Comparison, alpha: f64) -> Answer<'_> {
    let (class, word) = Verdict::style(one.verdict);
    Answer {
        one,
        class,
        word,
        lines: prose::lines(one, alpha),
        blockers: Reasons::of(&one.blockers, REASONS_MAX),
        notes: Reasons::of(&one.notes, REASONS_MAX),
    }
}

fn view(at: usize, one: &Comparison, charts: Vec<ChartSet>, boots: bool) -> View<'_> {
    let mark = |place, role: &str, set: &str| Mark::at(place, format!("{role}: {}", name(set)));
    View {
        id: format!("c{at}"),
        one,
        legend: [mark(BASE, "base", &one.base), mark(TEST, "test", &one.test)],
        noise: prose::noise(one, boots),
        control: prose::control(one, boots),
        charts,
    }
}
