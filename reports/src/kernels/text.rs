//! The text of booted kernels: for a terminal, and for the cover letter of a patch.

use comfy_table::{ColumnConstraint, Table, Width};
use iowq_contract::{Caveat, Code};

use crate::compare::comparison::{Comparison, Comparisons};
use crate::compare::finding::{Finding, Verdict};
use crate::compare::text::{self, WIDTH};
use crate::format;
use crate::kernels::boots::{BootFinding, Class};
use crate::kernels::dumps::Dumps;
use crate::kernels::floor::Floor;
use crate::kernels::nearest::{Nearest, Overall};
use crate::kernels::outcome::KernelsOutcome;
use crate::kernels::table::Row;
use crate::render::text::{ascii, break_to, table, trimmed, wrap};

/// Characters of a label or a workload.
const NAME_CHARS_MAX: usize = 24;

/// Room for a head and a range of workers created, with the space behind it.
const RANGE_CHARS: u16 = 13;

/// The same in the table, where ranges need the room.
const CELL_CHARS_MAX: usize = 15;

/// The whole text.
pub fn text(outcome: &KernelsOutcome<'_>) -> String {
    let mut text = wrap(&head(outcome), WIDTH, "");
    text.push('\n');
    text.push_str(&trimmed(&table_of_boots(outcome)));
    text.push('\n');
    text.push_str(&wrap(
        "Created per 1000 ops: median of boots (least to most). Left: how long the last worker \
         outlived the last ring. WORSE, better and same are shown; open: neither a change nor \
         equivalence is; none: something forbids a verdict.",
        WIDTH,
        "",
    ));
    let parts = [
        ("Boots", boots(outcome)),
        ("Found", found(&outcome.comparisons)),
        ("Noise", noise(outcome)),
        ("Checkpoint", outcome.dumps.iter().flat_map(Dumps::lines).collect()),
        ("Nearest preset", nearest(&outcome.nearest)),
        ("Method", method(outcome)),
        ("Notes", notes(outcome)),
    ];
    for (title, lines) in parts.iter().filter(|(_, lines)| !lines.is_empty()) {
        text.push_str(&format!("\n{title}\n"));
        for line in lines {
            let line = if line.starts_with('!') { line.clone() } else { format!("- {line}") };
            text.push_str(&wrap(&line, WIDTH, "  "));
        }
    }
    ascii(&text)
}

fn head(outcome: &KernelsOutcome<'_>) -> String {
    let machine = &outcome.kernels.machine;
    let tests = outcome.kernels.kernels.iter().skip(1);
    let tests: Vec<String> = tests.map(|one| format::clip(&one.label, NAME_CHARS_MAX)).collect();
    let disk = &machine.disk;
    let delay = match disk.delay_us {
        0 => String::new(),
        delay_us => format!(" delayed by {}", format::duration(delay_us as f64 * 1e3)),
    };
    let noise = match outcome.boots_for_noise() {
        0 => String::new(),
        boots => format!(" ({boots} for noise)"),
    };
    format!(
        "{} against {}: {}{noise}, {}, {}, {}{delay}",
        format::list(&tests),
        format::clip(outcome.base(), NAME_CHARS_MAX),
        format::count(outcome.boots.len() as u64, "boot", "boots"),
        machine.accelerator.to_uppercase(),
        format::count(u64::from(machine.cpus), "processor", "processors"),
        format::clip(&disk.filesystem, 20),
    )
}

/// How far the base differs from itself, a line for each workload.
fn noise(outcome: &KernelsOutcome<'_>) -> Vec<String> {
    let line = |floor: &Floor| {
        let workload = name(&floor.workload);
        format!("{workload}: {} ({})", floor.sizes_text(), floor.pairs_text())
    };
    let mut lines: Vec<String> = outcome.noise.iter().map(line).collect();
    if !lines.is_empty() {
        let text = format!(
            "How far {} differs from itself. With enough pairs a change must be at least as \
             large to count; the limit for equivalence stays the threshold.",
            name(outcome.base())
        );
        lines.insert(0, text);
    }
    lines
}

fn table_of_boots(outcome: &KernelsOutcome<'_>) -> Table {
    let steps = !outcome.steps.is_empty();
    let mut heads = vec!["workload", "kernel", "created/1000", "peak", "left", "vs base"];
    if steps {
        heads.push("step");
    }
    let mut table = table(heads, (0, 1), 2..=4);
    let mut last = "";
    for row in &outcome.table {
        if !last.is_empty() && last != row.workload {
            table.add_row([""]);
        }
        let workload = if last == row.workload { "" } else { row.workload.as_str() };
        last = &row.workload;
        table.add_row(cells(outcome, row, workload, steps));
    }
    if break_to(&mut table, WIDTH) {
        // Ranges may go to a line of their own; a name that is broken in two is none.
        for column in table.column_iter_mut().take(2) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
        if let Some(created) = table.column_mut(2) {
            created.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(RANGE_CHARS)));
        }
    }
    table
}

/// A name whose words are below each other: the workload's, and what was set.
fn word_by_word(name: &str) -> String {
    let words = name.split(' ').map(|word| format::clip(word, CELL_CHARS_MAX));
    words.collect::<Vec<_>>().join("\n")
}

fn cells(outcome: &KernelsOutcome<'_>, row: &Row, workload: &str, steps: bool) -> Vec<String> {
    let [whole, step] = outcome.of(&row.workload, &row.kernel);
    let verdict = |one: Option<&Comparison>| one.map_or("", short).to_owned();
    let mut cells = vec![
        word_by_word(workload),
        format::clip(&row.kernel, CELL_CHARS_MAX),
        row.created_text(),
        row.peak_text(),
        row.linger_text(),
        verdict(whole),
    ];
    if steps {
        cells.push(verdict(step));
    }
    cells
}

/// A verdict in a word that leaves room beside it.
fn short(one: &Comparison) -> &'static str {
    match one.verdict {
        Some(Verdict::Equivalent) => "same",
        Some(Verdict::Improvement) => "better",
        Some(Verdict::Inconclusive) => "open",
        Some(Verdict::Regression) => "WORSE",
        None => "none",
    }
}

/// What went wrong in boots.
fn boots(outcome: &KernelsOutcome<'_>) -> Vec<String> {
    let line = |finding: &BootFinding| {
        let mark = if finding.class <= Class::Trouble { "! " } else { "" };
        format!("{mark}{}", finding.sentence())
    };
    outcome.findings.iter().map(line).collect()
}

/// Faults, regressions and why there is no verdict, each in a line, and what each kernel improves.
fn found(comparisons: &Comparisons) -> Vec<String> {
    let mut lines = Vec::new();
    for one in &comparisons.all {
        let about = format!("{}, {}", name(&one.workload), name(&one.test));
        for violation in &one.violations {
            lines.push(format!("! {}: {}", name(&one.workload), violation.text));
        }
        let worse = effects(one, Verdict::Regression);
        if !worse.is_empty() {
            lines.push(format!("! {about}: worse in {}", format::list(&worse)));
        }
        let codes: Vec<String> = one.blockers.iter().map(|bar| bar.code.to_string()).collect();
        if !codes.is_empty() {
            lines.push(format!("! {about}: no verdict, {}", format::list(&codes)));
        }
    }
    lines.extend(better(comparisons));
    lines
}

/// `AB: better on paced (created/1000 -87, peak -55)`, a line for each kernel.
fn better(comparisons: &Comparisons) -> Vec<String> {
    let part = |one: &Comparison| {
        let better = effects(one, Verdict::Improvement);
        (!better.is_empty()).then(|| format!("{} ({})", name(&one.workload), better.join(", ")))
    };
    let line = |test: &String| {
        let of_test = comparisons.all.iter().filter(|one| one.test == *test);
        let parts: Vec<String> = of_test.filter_map(part).collect();
        (!parts.is_empty()).then(|| format!("{}: better on {}", name(test), format::list(&parts)))
    };
    let tests = format::distinct(comparisons.all.iter().map(|one| &one.test));
    tests.into_iter().filter_map(line).collect()
}

/// The metrics with a verdict, and how much they changed.
fn effects(one: &Comparison, verdict: Verdict) -> Vec<String> {
    let of_it = one.primary.iter().filter(|finding| finding.verdict == Some(verdict));
    of_it.map(effect).collect()
}

fn effect(finding: &Finding) -> String {
    let effect = finding.estimate.map_or_else(String::new, |one| finding.metric.show_effect(one));
    format!("{} {effect}", finding.metric.name())
}

fn name(text: &str) -> String {
    format::clip(text, NAME_CHARS_MAX)
}

fn nearest(nearest: &Nearest) -> Vec<String> {
    if nearest.presets.is_empty() {
        return vec!["No preset ran with the kernels; --presets 1 runs them in a boot.".to_owned()];
    }
    let line = |one: &Overall| {
        let alike: Vec<String> = one.alike();
        let alike = if alike.is_empty() {
            String::new()
        } else {
            format!(", indistinguishable from {} here", format::list(&alike))
        };
        format!("{}: {}{alike}", name(&one.kernel), one.preset)
    };
    nearest.overall.iter().map(line).collect()
}

fn method(outcome: &KernelsOutcome<'_>) -> Vec<String> {
    let comparisons = &outcome.comparisons;
    let mut lines = vec![
        comparisons.decides.clone(),
        format!(
            "The unit is the boot: pairs are boots of one round. Exact signed-rank p after Holm, \
             error rate {}; smallest change that counts {}.",
            format::number(comparisons.alpha),
            format::either_way(comparisons.threshold)
        ),
    ];
    if !outcome.steps.is_empty() {
        lines.push(
            "A step is the kernel against the one before it. Steps are for information: they \
             decide no exit code."
                .to_owned(),
        );
    }
    lines
}

/// Notes of comparisons with the base, each once, and of the reading.
pub(crate) fn notes(outcome: &KernelsOutcome<'_>) -> Vec<String> {
    let told = |note: &&Caveat| note.code != Code::Stayed;
    let mut all = outcome.comparisons.clone();
    for one in &mut all.all {
        one.notes = one.notes.iter().filter(told).cloned().collect();
    }
    let mut lines = text::notes(&all);
    lines.extend(outcome.notes.iter().map(|note| format!("reading: {}.", note.text)));
    lines.dedup();
    lines
}
