//! The summary: the same answers as the page, as plain text for a terminal or a mail.

use comfy_table::Table;

use crate::bench::analysis::Analysis;
use crate::bench::births;
use crate::bench::side_by_side::{METRICS as METRICS_OF_HOSTS, SideBySide};
use crate::bench::tasks::{self, TaskFigures};
use crate::fidelity::analysis::Fidelity;
use crate::fidelity::prose;
use crate::format;
use crate::render::text::{ascii, break_to, fits, table, trimmed, wrap};
use crate::runs::arrival;
use crate::runs::figures::{Figures, Spread};
use crate::runs::group::{self, Group, Section};
use crate::runs::metric::Metric;
use crate::runs::set;

/// Width of `summary.txt`: fits into a mail and a terminal.
pub const WIDTH_TEXT: usize = 100;

/// Narrowest text that is laid out; a table below that is unreadable.
const WIDTH_MIN: usize = 60;

/// Caveats that are said on a terminal; the page has them all.
const CAVEATS_MAX: usize = 12;

/// Cells that are off, worst first; the fidelity page has them all.
const OFF_MAX: usize = 24;

/// Rows of the table, and workloads that are answered; a report of some has the others.
const ROWS_MAX: usize = 200;
const WORKLOADS_MAX: usize = 40;

/// Lines of a workload's tasks; the page has more.
const TASKS_MAX: usize = 24;

/// Characters of a variant: a policy, and fields that were set.
const VARIANT_CHARS_MAX: usize = 80;

/// The metrics of the table; the last but one is called `created` there.
const METRICS: [Metric; 6] = [
    Metric::OpsPerS,
    Metric::ResponseP50,
    Metric::ResponseP99,
    Metric::ResponseP999,
    Metric::CreatedPer1000,
    Metric::Peak,
];

/// The whole summary, at most `width` columns wide where its words allow.
pub fn text(analysis: &Analysis<'_>, width: usize) -> String {
    let width = width.max(WIDTH_MIN);
    let mut text = String::new();
    if let Some(hosts) = &analysis.hosts {
        text.push_str(&side_by_side(hosts, width));
    }
    if let Some(fidelity) = &analysis.fidelity {
        text.push_str(&fidelity_text(fidelity, width));
    }
    if !analysis.is_grid() {
        text.push_str(&sections(analysis, width));
    }
    text.push_str(&wrap("Descriptive: ranges of runs, not a statistical verdict.", width, ""));
    if !analysis.caveats.is_empty() {
        text.push_str("\nCaveats\n");
    }
    for caveat in analysis.caveats.iter().take(CAVEATS_MAX) {
        let scope =
            if caveat.scope.is_empty() { String::new() } else { format!(" ({})", caveat.scope) };
        let sign = if caveat.severe { "!" } else { "-" };
        let line = format!("{sign} {}: {}{scope}", caveat.code, caveat.text);
        text.push_str(&wrap(&line, width, "  "));
    }
    let more = analysis.caveats.len().saturating_sub(CAVEATS_MAX);
    if more > 0 {
        text.push_str(&format!("  and {more} more in the report\n"));
    }
    ascii(&text)
}

/// The hosts, in what they differ, and the figures of what ran on several.
fn side_by_side(hosts: &SideBySide, width: usize) -> String {
    let mut text = wrap(&hosts.words(), width, "");
    let heads = ["workload", "policy", "host"].into_iter();
    let heads: Vec<&str> =
        heads.chain(METRICS_OF_HOSTS.iter().flat_map(|one| [one.1, ""])).collect();
    let last = heads.len();
    let mut rows = table(heads, (0, 2), 3..=last);
    for row in &hosts.rows {
        let cells = row.cells.iter().flat_map(|(value, times)| [value.clone(), times.clone()]);
        let names = [row.workload.clone(), row.variant.clone(), row.host.clone()];
        rows.add_row(names.into_iter().chain(cells).collect::<Vec<String>>());
    }
    break_to(&mut rows, width);
    if !hosts.rows.is_empty() {
        text.push_str(&trimmed(&rows));
    }
    text.push_str(&wrap(&hosts.of_table(), width, ""));
    text.push('\n');
    text
}

/// The verdict on the presets, group by group, the cells that are off, and further figures.
fn fidelity_text(fidelity: &Fidelity<'_>, width: usize) -> String {
    let mut text = wrap(&format!("{}.", prose::headline(fidelity)), width, "");
    text.push_str(&trimmed(&groups(fidelity)));
    text.push('\n');
    text.push_str(&wrap(&prose::group_rules(fidelity), width, ""));
    let off = fidelity.off();
    if !off.is_empty() {
        text.push_str("\nOff, the worst first\n");
    }
    for cell in off.iter().take(OFF_MAX) {
        text.push_str(&wrap(&format!("! {}", prose::off(cell)), width, "  "));
    }
    if off.len() > OFF_MAX {
        let more = off.len() - OFF_MAX;
        text.push_str(&format!("  and {more} more, in the fidelity page\n"));
    }
    text.push('\n');
    for line in prose::figures(fidelity) {
        text.push_str(&wrap(&format!("- {line}"), width, ""));
    }
    text.push('\n');
    text
}

/// The table of groups of cells.
fn groups(fidelity: &Fidelity<'_>) -> Table {
    let heads = prose::GROUP_HEADS;
    let mut table = table(heads, (1, 0), 1..=heads.len());
    if let Some(group) = table.column_mut(0) {
        group.set_padding((0, 0));
    }
    table.add_rows(prose::groups(fidelity));
    table
}

/// The table and the answers of each workload.
fn sections(analysis: &Analysis<'_>, width: usize) -> String {
    let mut text = trimmed(&table_of_runs(analysis, width));
    let rows: usize = analysis.sections.iter().map(|section| section.groups.len()).sum();
    text.push_str(&and_more(rows, ROWS_MAX, "rows"));
    text.push_str(
        "\nMedians of runs. created: workers per 1000 operations; times are response times.\n",
    );
    let set = set::fields(analysis.loaded.records.iter());
    if !set.is_empty() {
        text.push_str(&wrap(&format!("Set: {}.", set.join("; ")), width, ""));
    }
    for words in arrival::words(&analysis.sections) {
        text.push_str(&wrap(&words, width, ""));
    }
    text.push('\n');
    for (section, answers) in analysis.sections.iter().zip(&analysis.answers).take(WORKLOADS_MAX) {
        text.push_str(&format!("{}\n", section.title()));
        if let Some(births) = births::parts(section) {
            text.push_str(&wrap(&births, width, "  "));
        }
        for task in tasks::figures(section).iter().take(TASKS_MAX) {
            text.push_str(&wrap(&task_line(task), width, "  "));
        }
        for answer in answers {
            text.push_str(&wrap(&format!("{}: {}", answer.topic, answer.text), width, "  "));
        }
    }
    text.push_str(&and_more(analysis.sections.len(), WORKLOADS_MAX, "workloads"));
    text
}

/// A task under one variant, in a line.
fn task_line(task: &TaskFigures<'_>) -> String {
    let show = |spread: Option<Spread>, show: fn(f64) -> String| {
        spread.map_or_else(|| "n/a".to_owned(), |spread| show(spread.median))
    };
    format!(
        "{} under {}: {} ops/s, p50 {}, p99 {}",
        format::clip(&task.task, 40),
        format::clip(&task.group.variant, VARIANT_CHARS_MAX),
        show(task.ops_per_s, format::number),
        show(task.p50_ns, format::duration),
        show(task.p99_ns, format::duration)
    )
}

/// How many are left out, if some are.
fn and_more(all: usize, shown: usize, what: &str) -> String {
    match all.saturating_sub(shown) {
        0 => String::new(),
        more => format!(
            "and {} more {what}: report some with --workload\n",
            format::thousands(more as u64)
        ),
    }
}

fn table_of_runs(analysis: &Analysis<'_>, width: usize) -> Table {
    let heads = heads();
    let last = heads.len();
    let mut table = table(heads, (0, 2), 2..=last);
    let groups = analysis.sections.iter();
    let groups = groups.flat_map(|one| one.groups.iter().map(move |group| (one, group)));
    for (section, group) in groups.take(ROWS_MAX) {
        table.add_row(row(section, group));
    }
    // Columns move together, and then cells are broken, only where the table would not fit.
    if !fits(&table, width) {
        table.column_iter_mut().for_each(|column| _ = column.set_padding((0, 1)));
    }
    break_to(&mut table, width);
    table
}

fn heads() -> Vec<&'static str> {
    let name = |metric: Metric| match metric {
        Metric::CreatedPer1000 => "created",
        other => other.name(),
    };
    let before = ["workload", "policy", "runs"].into_iter();
    before.chain(METRICS.map(name)).chain([Metric::Linger.name()]).collect()
}

fn row(section: &Section<'_>, group: &Group<'_>) -> Vec<String> {
    let show = |metric: Metric| {
        let spread = group.figures.of(metric);
        spread.map_or_else(|| "n/a".to_owned(), |spread| metric.show(spread.median))
    };
    let variant = format::clip(&group.variant, VARIANT_CHARS_MAX).into();
    let label = group::on(variant, section.host.as_deref()).into_owned();
    let mut row = vec![format::clip(section.workload, 40), label, group.runs_text()];
    row.extend(METRICS.map(show));
    row.push(linger(&group.figures));
    row
}

fn linger(figures: &Figures) -> String {
    match (figures.linger_ms, figures.stayed) {
        (Some(spread), _) => format::duration(spread.median * 1e6),
        (None, 0) => "n/a".to_owned(),
        (None, _) => "stayed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use iowq_sample as sample;

    use super::*;
    use crate::bench::analysis::analyse;
    use crate::load::Loaded;

    #[test]
    fn a_name_cannot_steer_a_terminal() {
        assert_eq!(ascii("6.12\u{1b}[2J\n4.5\u{a0}µs"), "6.12 [2J\n4.5 us");
    }

    #[test]
    fn names_stay_whole_in_a_table_that_just_fits() {
        let mut runs = vec![sample::run("ring-per-batch", "exit-on-idle-retire", 0)];
        runs[0].ops.per_s = 1_234_567.0;
        let loaded = Loaded { records: runs, ..Loaded::default() };
        let text = table_of_runs(&analyse(&loaded), WIDTH_TEXT).to_string();
        assert!(text.contains("exit-on-idle-retire"), "{text}");
        assert!(text.lines().all(|line| line.trim_end().chars().count() <= WIDTH_TEXT), "{text}");
    }

    #[test]
    fn long_paragraphs_are_broken_and_indented() {
        assert_eq!(wrap("one two three", 9, ""), "one two\n  three\n");
        assert_eq!(wrap("verylongword", 5, "  "), "  verylongword\n");
    }
}
