//! The page: one offline file that opens with the answer. Strings go in, the template lays out.

mod birth;
mod dispatch;
mod measured;
mod raw;
mod table;
mod tasks;

use askama::Template;
use iowq_contract::{Code, Record};

use crate::bench::analysis::Analysis;
use crate::bench::answer::Answer;
use crate::bench::page::dispatch::ReachRow;
use crate::bench::page::table::Row;
use crate::bench::page::tasks::TaskRow;
use crate::bench::topic::TOPICS;
use crate::bench::{charts, ranges, text};
use crate::fidelity::analysis::Fidelity;
use crate::fidelity::page::{self as fidelity_page, CellTable};
use crate::format;
use crate::render::chart::ChartSet;
use crate::render::page::{Download, Mark, PAGE_BYTES_MAX, PageError, Room, machine};
use crate::render::palette::Colours;
use crate::runs::arrival::Arrival;
use crate::runs::caveat::ScopedCaveat;
use crate::runs::group::Section;
use crate::runs::metric::Metric;
use crate::runs::{counts, group, set};

/// Points of all timelines together, and of one of them.
const POINTS_ALL_MAX: usize = 32_000;
const POINTS_MIN: usize = 100;
const POINTS_MAX: usize = 800;

/// Fields that were set and are named at the top; the settings of a workload have all.
const SET_MAX: usize = 4;

/// Failed runs that are listed one by one.
const FAILURES_MAX: usize = 50;

/// How much of each list is shown.
#[derive(Clone, Copy)]
struct Shown {
    workloads: usize,
    /// Policies of each of them.
    policies: usize,
    caveats: usize,
}

/// From as much as can be read to as little as always fits.
const SHOWN: [Shown; 4] = [
    Shown { workloads: 200, policies: 200, caveats: 200 },
    Shown { workloads: 100, policies: 40, caveats: 100 },
    Shown { workloads: 40, policies: 24, caveats: 60 },
    Shown { workloads: 12, policies: 12, caveats: 30 },
];

/// Kinds of operation that a policy has a row of, for each row of the table of figures.
const REACH_ROWS_PER_POLICY: usize = 4;

/// Tasks that a policy has a row of, in the same way.
const TASKS_PER_POLICY: usize = 8;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    analysis: &'a Analysis<'a>,
    title: String,
    lead: String,
    sections: Vec<View<'a>>,
    workloads_left_out: usize,
    caveats: &'a [ScopedCaveat],
    caveats_left_out: usize,
    runs: Vec<[String; 13]>,
    runs_left_out: usize,
    failures: Vec<(String, String)>,
    failures_left_out: usize,
    downloads: Vec<Download>,
    /// Whether the running kernel is among the groups.
    kernel: bool,
    /// Whether something is shown that a bench of the pool alone does not have.
    extra: bool,
    fidelity: Option<FidelityPart<'a>>,
}

/// The fidelity part: what its own page opens with, and the cells where the page is of a grid.
struct FidelityPart<'a> {
    found: &'a Fidelity<'a>,
    cells: Option<CellTable>,
    workloads: usize,
    /// Whether some run has a histogram of latency.
    histograms: bool,
}

/// A section as the template shows it.
struct View<'a> {
    of: &'a Section<'a>,
    id: String,
    answers: &'a [Answer],
    legend: Vec<Mark>,
    rows: Vec<Row>,
    /// What its response times can show.
    arrival: &'static str,
    reach: Vec<ReachRow>,
    /// None of a workload that is one stream.
    tasks: Vec<TaskRow>,
    charts: Vec<ChartSet>,
    note: String,
}

/// Makes the page. The same analysis gives the same bytes.
///
/// # Errors
///
/// When a chart or the template cannot be written out; no input should bring that about.
pub fn page(analysis: &Analysis<'_>) -> Result<String, PageError> {
    let mut html = String::new();
    for shown in SHOWN {
        html = page_of(analysis, shown)?;
        if html.len() <= PAGE_BYTES_MAX {
            break;
        }
    }
    Ok(html)
}

fn page_of(analysis: &Analysis<'_>, shown: Shown) -> Result<String, PageError> {
    let sections = if analysis.is_grid() { Vec::new() } else { views(analysis, shown)? };
    let kernel = analysis.sections.iter().any(|section| section.kernel().is_some());
    let extra = kernel || sections.iter().any(|section| !section.reach.is_empty());
    let failed = analysis.loaded.records.iter().filter(|run| run.error.is_some()).count();
    let (runs, runs_left_out) = measured::runs(analysis);
    let mut page = Page {
        analysis,
        title: title(analysis),
        lead: lead(analysis),
        workloads_left_out: if analysis.is_grid() {
            0
        } else {
            analysis.sections.len() - sections.len()
        },
        sections,
        caveats: analysis.caveats.get(..shown.caveats).unwrap_or(&analysis.caveats),
        caveats_left_out: analysis.caveats.len().saturating_sub(shown.caveats),
        runs,
        runs_left_out,
        failures: failures(analysis),
        failures_left_out: failed.saturating_sub(FAILURES_MAX),
        downloads: Vec::new(),
        kernel,
        extra,
        fidelity: fidelity_part(analysis),
    };
    let room = PAGE_BYTES_MAX.saturating_sub(page.render()?.len());
    page.downloads = if analysis.is_grid() {
        raw::table_alone(&analysis.loaded.records, room)
    } else {
        raw::downloads(analysis.loaded, room)?
    };
    Ok(page.render()?)
}

/// Makes the fidelity page, if the analysis has something to say on it.
///
/// # Errors
///
/// As of [`page`].
pub fn fidelity(analysis: &Analysis<'_>) -> Result<Option<String>, PageError> {
    let page = |fidelity| {
        let colours = Colours::of(&analysis.sections);
        fidelity_page::page(fidelity, title(analysis), lead(analysis), &colours, &analysis.caveats)
    };
    analysis.fidelity.as_ref().map(page).transpose()
}

fn fidelity_part<'a>(analysis: &'a Analysis<'_>) -> Option<FidelityPart<'a>> {
    let found = analysis.fidelity.as_ref()?;
    Some(FidelityPart {
        found,
        cells: analysis.is_grid().then(|| fidelity_page::all(found)),
        workloads: analysis.sections.len(),
        histograms: analysis.loaded.has_histogram(analysis.loaded.records.iter()),
    })
}

fn views<'a>(analysis: &'a Analysis<'_>, shown: Shown) -> Result<Vec<View<'a>>, PageError> {
    let colours = Colours::of(&analysis.sections);
    let panels: usize = analysis.sections.iter().map(|section| section.groups.len()).sum();
    let points_max = (POINTS_ALL_MAX / panels.max(1)).clamp(POINTS_MIN, POINTS_MAX);
    let mut room = Room::new();
    let mut views = Vec::new();
    let all = analysis.sections.iter().zip(&analysis.answers).take(shown.workloads);
    for (at, (section, answers)) in all.enumerate() {
        let mut note = Vec::new();
        let is_live = |record: &Record| record.caveats.iter().any(|it| it.code == Code::Live);
        // A trace has times in io-wq alone, and no bench would give others.
        if !analysis.loaded.has_histogram(section.records()) && !section.records().any(is_live) {
            note.push(no_histogram(section));
        }
        let charts = room.draw(|| charts::sets(analysis.loaded, section, &colours, points_max))?;
        if room.left_out {
            note.push(
                "Charts are omitted if they would make the page too large: \
                 report this workload alone to see them all."
                    .to_owned(),
            );
        }
        match charts::left_out(section) {
            0 => {}
            left_out => note.push(format!(
                "{} not drawn, for lack of room.",
                format::count(left_out as u64, "policy is", "policies are")
            )),
        }
        let more = section.groups.len().saturating_sub(shown.policies);
        if more > 0 {
            let more = format::count(more as u64, "policy is", "policies are");
            note.push(format!("The first {} are listed, and {more} not.", shown.policies));
        }
        views.push(View {
            id: format!("w{at}"),
            of: section,
            answers,
            legend: legend(section, &colours, shown.policies),
            rows: table::rows(section, &colours, shown.policies),
            arrival: Arrival::of(section).map_or("", Arrival::words),
            reach: dispatch::rows(section, &colours, shown.policies * REACH_ROWS_PER_POLICY),
            tasks: tasks::rows(section, &colours, shown.policies * TASKS_PER_POLICY),
            charts,
            note: note.join(" "),
        });
    }
    Ok(views)
}

/// Why no chart shows how long operations took.
fn no_histogram(section: &Section<'_>) -> String {
    let engines = section.engines();
    let engines: String =
        engines.iter().map(|name| format!(" --engine {}", format::clip(name, 20))).collect();
    format!(
        "There are no charts of latency: these runs have no histograms, which a fidelity bench \
         does not keep. bench --workload {}{engines} makes them.",
        format::clip(section.workload, 60)
    )
}

fn legend(section: &Section<'_>, colours: &Colours<'_>, shown: usize) -> Vec<Mark> {
    section.groups.iter().take(shown).map(|group| Mark::of_group(group, colours)).collect()
}

/// What the workload shows, as its specification says it.
fn about(section: &Section<'_>) -> String {
    let text = section.records().next().map_or("", |record| &record.settings.summary);
    format::clip(text, 300)
}

/// `6.12, 6.16 and 6.17 on fsync-mix and dsync`, with numbers where names would be too many.
fn title(analysis: &Analysis<'_>) -> String {
    let groups = analysis.sections.iter().flat_map(|section| &section.groups);
    let policies = format::distinct(groups.map(|group| format::clip(&group.variant, 40)));
    let workloads = analysis.sections.iter().map(|section| format::clip(section.workload, 40));
    let workloads = format::distinct(workloads);
    let name = |names: Vec<String>, many: &str| match names.len() {
        0..=6 => format::list(&names),
        number => format!("{number} {many}"),
    };
    let is_set = analysis.loaded.records.iter().any(|run| !run.key.set.is_empty());
    let many = if is_set { "variants" } else { "policies" };
    format!("{} on {}", name(policies, many), name(workloads, "workloads"))
}

fn lead(analysis: &Analysis<'_>) -> String {
    let records = &analysis.loaded.records;
    let failed = records.iter().filter(|record| record.error.is_some()).count();
    let finished = (records.len() - failed) as u64;
    let mut parts = vec![format::count(finished, "finished run", "finished runs")];
    if failed > 0 {
        parts.push(format!("{failed} failed"));
    }
    parts.extend(set::fields(records.iter()).into_iter().take(SET_MAX));
    parts.extend(match &analysis.hosts {
        None => records.first().map(machine),
        Some(hosts) => Some(format!("{} hosts", hosts.hosts)),
    });
    parts.join(" · ")
}

/// How often ranges like these lie apart for no reason: the weight of the answers.
fn chance(analysis: &Analysis<'_>) -> String {
    let groups = || analysis.sections.iter().flat_map(|section| &section.groups);
    let runs = groups().map(|group| group.runs.len()).filter(|runs| *runs > 1).min();
    let Some(runs) = runs else {
        return "With one run per policy the variation between runs is not known.".to_owned();
    };
    let others = |section: &Section<'_>| {
        let base = section.base().unwrap_or(0);
        ranges::against_base(section, base, Metric::CreatedPer1000).len() * TOPICS.len()
    };
    let comparisons = analysis.sections.iter().map(others).sum::<usize>() as u64;
    format!(
        "With {runs} runs each, the ranges of two equal policies are disjoint in one of {} \
         comparisons by chance, and this page makes {}.",
        format::number(ranges::apart_by_chance_one_in(runs).round()),
        format::count(comparisons, "comparison", "comparisons")
    )
}

fn failures(analysis: &Analysis<'_>) -> Vec<(String, String)> {
    let groups = analysis
        .sections
        .iter()
        .flat_map(|section| section.groups.iter().map(move |group| (section, group)));
    let failed =
        groups.flat_map(|(section, group)| group.failed.iter().map(move |run| (section, run)));
    let failure = |(section, run): (&Section<'_>, &&Record)| {
        let label = group::on(group::label(run), section.host.as_deref());
        let round = run.key.round + 1;
        let place = format!("{} under {label}, round {round}", section.workload);
        (place, format::clip(run.error.as_deref().unwrap_or_default(), 500))
    };
    failed.map(failure).take(FAILURES_MAX).collect()
}
