//! The page of booted kernels: what each does against the base, the table of workers, and what was
//! booted on what.

mod machine;
mod mark;
mod table;

use askama::Template;

use crate::compare::comparison::Comparison;
use crate::compare::finding::Verdict;
use crate::compare::pairs;
use crate::compare::set::Set;
use crate::format;
use crate::kernels::boots::Class;
use crate::kernels::charts::kernel;
use crate::kernels::nearest::Overall;
use crate::kernels::outcome::KernelsOutcome;
use crate::kernels::page::mark::{mark, name};
use crate::kernels::{charts, text};
use crate::render::chart::ChartSet;
use crate::render::page::{Download, Mark, PAGE_BYTES_MAX, PageError, Room};
use crate::render::palette::place;
use crate::runs::caveat::ScopedCaveat;

/// Name of the page with every pair of kernels in full.
pub const PAIRS_NAME: &str = "pairs.html";

/// Workloads that have charts.
const CHARTED_MAX: usize = 12;

/// Findings that are shown.
const FINDINGS_MAX: usize = 48;

#[derive(Template)]
#[template(path = "kernels.html")]
struct Page<'a> {
    outcome: &'a KernelsOutcome<'a>,
    word: &'static str,
    class: &'static str,
    sections: Vec<View>,
    charts_left_out: bool,
    downloads: Vec<Download>,
}

/// The charts of one workload.
struct View {
    id: String,
    title: String,
    about: String,
    legend: Vec<Mark>,
    charts: Vec<ChartSet>,
}

/// The presets that kernels are nearest to.
struct Presets {
    workloads: Vec<String>,
    rows: Vec<PresetRow>,
    missing: Vec<String>,
}

struct PresetRow {
    mark: Mark,
    overall: String,
    below: String,
    /// The nearest preset of each workload, and those that behave alike there.
    cells: Vec<[String; 2]>,
}

/// Makes the page; `sets` are the runs of each kernel, the base first.
///
/// # Errors
///
/// When a chart or the template cannot be written out; no input should bring that about.
pub fn page(outcome: &KernelsOutcome<'_>, sets: &[Set<'_>]) -> Result<String, PageError> {
    let mut room = Room::new();
    let sections = sections(sets, &mut room)?;
    let (class, word) = match outcome.exit_code() {
        0 => verdict(outcome),
        1 => ("regression", "regression"),
        2 => ("none", "trouble"),
        _ => ("none", "no verdict on all"),
    };
    let mut page = Page {
        outcome,
        word,
        class,
        sections,
        charts_left_out: room.left_out,
        downloads: Vec::new(),
    };
    let room = PAGE_BYTES_MAX.saturating_sub(page.render()?.len());
    let about = "every figure of this page and of the page of pairs";
    page.downloads.extend(Download::json("compare.json", about, outcome, room));
    Ok(page.render()?)
}

fn title(outcome: &KernelsOutcome<'_>) -> String {
    let tests = outcome.kernels.kernels.iter().skip(1).map(|one| name(&one.label));
    format!("{} against {}", format::list(&tests.collect::<Vec<_>>()), name(outcome.base()))
}

/// The verdict of all, if none is a regression and all have one.
fn verdict(outcome: &KernelsOutcome<'_>) -> (&'static str, &'static str) {
    Verdict::style(outcome.comparisons.all.iter().filter_map(|one| one.verdict).max())
}

/// The worst that there is to say.
fn headline(outcome: &KernelsOutcome<'_>) -> String {
    if let Some(finding) = outcome.findings.iter().find(|finding| finding.class <= Class::Trouble) {
        return format!("{}.", finding.text);
    }
    if let Some(violation) = outcome.comparisons.all.iter().flat_map(|one| &one.violations).next() {
        return violation.text.clone();
    }
    let of = |wanted: Verdict| {
        let mut all = outcome.comparisons.all.iter();
        all.find(move |one| one.verdict == Some(wanted))
    };
    let sides = [
        (Verdict::Regression, "worse"),
        (Verdict::Improvement, "better"),
        (Verdict::Inconclusive, "undecided"),
    ];
    for (verdict, word) in sides {
        if let Some((one, finding)) = of(verdict).and_then(|one| Some((one, one.deciding()?))) {
            let (test, workload) = (name(&one.test), name(&one.workload));
            return format!("{test} is {word} on {workload}: {}", finding.sentence());
        }
    }
    "All kernels are equivalent, or nothing could be judged.".to_owned()
}

/// What one kernel does against the base: `AB: better on paced and dsync-1; the same on limit-8.`
fn line(outcome: &KernelsOutcome<'_>, label: &str) -> String {
    let of_test: Vec<&Comparison> =
        outcome.comparisons.all.iter().filter(|one| one.test == label).collect();
    let kinds = [
        (Some(Verdict::Regression), "worse on"),
        (Some(Verdict::Improvement), "better on"),
        (Some(Verdict::Inconclusive), "undecided on"),
        (Some(Verdict::Equivalent), "the same on"),
        (None, "no verdict on"),
    ];
    let mut parts = Vec::new();
    for (verdict, words) in kinds {
        let names = of_test.iter().filter(|one| one.verdict == verdict);
        let names: Vec<String> = names.map(|one| name(&one.workload)).collect();
        if !names.is_empty() {
            parts.push(format!("{words} {}", format::list(&names)));
        }
    }
    format!("{}: {}.", name(label), parts.join("; "))
}

/// What went wrong in boots, broken limits and what forbids verdicts, the worst first.
fn findings(outcome: &KernelsOutcome<'_>) -> Vec<ScopedCaveat> {
    let finding = outcome.findings.iter().map(|finding| ScopedCaveat {
        scope: String::new(),
        severe: finding.class <= Class::Trouble,
        code: finding.code.clone(),
        text: finding.sentence(),
    });
    let mut all: Vec<ScopedCaveat> = finding.collect();
    for one in &outcome.comparisons.all {
        let workload = name(&one.workload);
        let about = format!("{workload}, {}", name(&one.test));
        let violations = one.violations.iter().map(|violation| (&workload, violation));
        for (about, bar) in violations.chain(one.blockers.iter().map(|bar| (&about, bar))) {
            let text = format!("{about}: {}", format::clip(&bar.text, 300));
            let (code, scope) = (bar.code.clone(), String::new());
            all.push(ScopedCaveat { severe: true, code, text, scope });
        }
    }
    all.sort_by_key(|finding| !finding.severe);
    all.truncate(FINDINGS_MAX);
    all
}

fn sections(sets: &[Set<'_>], room: &mut Room) -> Result<Vec<View>, PageError> {
    let mut views = Vec::new();
    let workloads = crate::kernels::table::workloads(sets);
    for (at, workload) in workloads.into_iter().take(CHARTED_MAX).enumerate() {
        let kernels: Vec<kernel::Kernel<'_>> = sets
            .iter()
            .map(|set| kernel::Kernel { set, boots: pairs::units_of(set, workload) })
            .collect();
        let first = sets.iter().find_map(|set| set.of(workload).first().copied());
        let legend = sets.iter().enumerate();
        let legend = legend.map(|(at, set)| Mark::at(place(at), name(&set.name)));
        views.push(View {
            id: format!("w{at}"),
            title: name(workload),
            about: first.map_or_else(String::new, |run| format::clip(&run.settings.summary, 300)),
            legend: legend.collect(),
            charts: room.draw(|| charts::sets(&kernels))?,
        });
    }
    Ok(views)
}

fn presets(outcome: &KernelsOutcome<'_>) -> Presets {
    let nearest = &outcome.nearest;
    let mut workloads: Vec<String> = Vec::new();
    let mut missing = Vec::new();
    for cell in &nearest.cells {
        if let Some(why) = &cell.missing {
            missing.push(format!("{}, {}: {why}", name(&cell.workload), name(&cell.kernel)));
        } else if !workloads.contains(&cell.workload) {
            workloads.push(cell.workload.clone());
        }
    }
    missing.truncate(FINDINGS_MAX);
    let row = |one: &Overall| {
        let cell = |workload: &String| {
            let mut cells = nearest.cells.iter();
            let cell = cells.find(|cell| cell.kernel == one.kernel && cell.workload == *workload);
            near(cell.map_or(&[], |cell| &cell.presets), &one.preset)
        };
        let at = nearest.presets.iter().position(|preset| *preset == one.preset);
        let distance = at.and_then(|at| one.distances.get(at)).copied().unwrap_or(f64::NAN);
        PresetRow {
            mark: mark(outcome, &one.kernel),
            overall: format!("{} (distance {})", one.preset, format::number(distance)),
            below: unlike(one),
            cells: workloads.iter().map(cell).collect(),
        }
    };
    let rows = nearest.overall.iter().map(row).collect();
    Presets { rows, workloads, missing }
}

/// The nearest preset and those alike; the one that is nearest over all stands first if it is one.
fn near(presets: &[String], overall: &str) -> [String; 2] {
    let shown = presets.iter().find(|preset| *preset == overall).or_else(|| presets.first());
    let Some(shown) = shown else {
        return ["n/a".to_owned(), String::new()];
    };
    let others: Vec<String> = presets.iter().filter(|preset| *preset != shown).cloned().collect();
    let alike =
        if others.is_empty() { String::new() } else { format!("alike: {}", others.join(", ")) };
    [shown.clone(), alike]
}

/// What tells the nearest preset from the others.
fn unlike(one: &Overall) -> String {
    let parts: Vec<String> = one
        .others
        .iter()
        .map(|(preset, workloads)| match workloads.as_slice() {
            [] => format!("{preset} is indistinguishable from it here"),
            workloads => format!("{preset} differs on {}", format::list(workloads)),
        })
        .collect();
    parts.join("; ")
}
