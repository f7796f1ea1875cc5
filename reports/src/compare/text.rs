//! The text of a comparison: for a terminal, and for the cover letter of a patch.

use std::collections::BTreeMap;

use comfy_table::Table;
use iowq_contract::{Caveat, Code};

use crate::compare::comparison::{Comparison, Comparisons, Pairing};
use crate::compare::decide::Decides;
use crate::compare::finding::{Finding, Verdict};
use crate::format;
use crate::render::text::{ascii, break_to, table, trimmed, wrap};

/// Width of the text: what a mail leaves of 80 columns after it was quoted twice.
pub const WIDTH: usize = 76;

/// Comparisons that are shown; a comparison of some workloads has the others.
const COMPARISONS_MAX: usize = 40;

/// Notes that are shown, and places that one of them names.
const NOTES_MAX: usize = 40;
const PLACES_MAX: usize = 12;

/// Heads of the columns.
const COLUMNS: [&str; 6] = ["metric", "base", "test", "change (95 %)", "p adj", "verdict"];

/// The whole text.
pub fn text(comparisons: &Comparisons) -> String {
    let mut text = String::new();
    for one in comparisons.all.iter().take(COMPARISONS_MAX) {
        text.push_str(&comparison(one, comparisons));
        text.push('\n');
    }
    text.push_str(&and_more(comparisons.all.get(COMPARISONS_MAX..).unwrap_or_default()));
    let method = format!(
        "p after Holm over the metrics above the gap, error rate {}; smallest change that counts \
         {}, or more if a note says so. The unit is the run, never the op. Metrics below the gap \
         are for information.",
        format::number(comparisons.alpha),
        format::either_way(comparisons.threshold),
    );
    text.push_str(&wrap(&method, WIDTH, ""));
    if comparisons.decides != Decides::usual().why {
        text.push_str(&wrap(&comparisons.decides, WIDTH, ""));
    }
    let notes = notes(comparisons);
    if !notes.is_empty() {
        text.push_str("\nNotes\n");
    }
    for note in notes.iter().take(NOTES_MAX) {
        text.push_str(&wrap(&format!("- {note}"), WIDTH, "  "));
    }
    if notes.len() > NOTES_MAX {
        text.push_str(&format!("  and {} more in compare.json\n", notes.len() - NOTES_MAX));
    }
    ascii(&text)
}

/// How many comparisons are left out, by their verdicts.
fn and_more(left_out: &[Comparison]) -> String {
    if left_out.is_empty() {
        return String::new();
    }
    let name = |one: &Comparison| one.verdict.map_or("no verdict", Verdict::name);
    let parts = format::distinct(left_out.iter().map(name)).into_iter().map(|verdict| {
        let number = left_out.iter().filter(|one| name(one) == verdict).count();
        format!("{verdict} {}", format::thousands(number as u64))
    });
    let more = format!(
        "and {} more comparisons ({}): compare some with --workload, or read compare.json",
        format::thousands(left_out.len() as u64),
        format::list(&parts.collect::<Vec<_>>())
    );
    wrap(&more, WIDTH, "") + "\n"
}

/// Head, table, sentence and blockers of one comparison.
fn comparison(one: &Comparison, all: &Comparisons) -> String {
    let head = format!("{}, {}", one.title(), runs(&one.pairing));
    let mut text = wrap(&head, WIDTH, "");
    text.extend(one.differs_text().map(|differs| wrap(&differs, WIDTH, "")));
    text.push('\n');
    text.push_str(&trimmed(&table_of_metrics(one)));
    text.push('\n');
    let severe = |one: &Caveat| wrap(&format!("! {}: {}", one.code, one.text), WIDTH, "  ");
    text.extend(one.violations.iter().map(severe));
    text.push_str(&wrap(&sentence(one, all), WIDTH, ""));
    text.extend(one.blockers.iter().map(severe));
    text
}

fn runs(pairing: &Pairing) -> String {
    match pairing {
        Pairing::Paired { pairs, .. } => format::count(u64::from(*pairs), "pair", "pairs"),
        Pairing::Unpaired { base_runs, test_runs, .. } => {
            let runs = format::count(u64::from(*test_runs), "run", "runs");
            format!("{runs} against {base_runs}, no pairs")
        }
    }
}

fn table_of_metrics(one: &Comparison) -> Table {
    let mut table = table(COLUMNS, (0, 1), 1..=4);
    for finding in &one.primary {
        let verdict = finding.verdict.map_or("-", Verdict::name);
        table.add_row(row(finding, verdict));
    }
    table.add_row([""; COLUMNS.len()]);
    for finding in &one.advisory {
        table.add_row(row(finding, ""));
    }
    break_to(&mut table, WIDTH);
    table
}

fn row(finding: &Finding, verdict: &str) -> [String; COLUMNS.len()] {
    let absent = || "n/a".to_owned();
    let (base, test) = finding.medians().map_or((absent(), absent()), |(base, test)| {
        (finding.metric.show(base), finding.metric.show(test))
    });
    let p = finding.p_adjusted.map_or_else(|| "-".to_owned(), format::p);
    let name = finding.metric.name().to_owned();
    [name, base, test, change(finding), p, verdict.to_owned()]
}

/// `+4.2 % (+3.1, +5.0)`: the estimate and its interval, if there is one.
fn change(finding: &Finding) -> String {
    let Some(estimate) = finding.estimate else {
        return "n/a".to_owned();
    };
    let show = |effect: f64| finding.metric.show_effect(effect);
    match finding.interval_95() {
        Some((low, high)) => {
            // The sign of percent stands once, after the estimate.
            let bare = |effect| show(effect).trim_end_matches("\u{a0}%").to_owned();
            format!("{} ({}, {})", show(estimate), bare(low), bare(high))
        }
        None => show(estimate),
    }
}

/// What comes of it, in one sentence.
fn sentence(one: &Comparison, all: &Comparisons) -> String {
    let codes = |caveats: &[Caveat]| -> Vec<String> {
        caveats.iter().map(|caveat| caveat.code.to_string()).collect()
    };
    let blockers = format::list(&codes(&one.blockers));
    let Some(verdict) = one.verdict else {
        return format!("No verdict: {blockers}.");
    };
    let mut parts = codes(&one.violations);
    if !blockers.is_empty() {
        parts.push(format!("no verdict on metrics: {blockers}"));
    }
    parts.extend(one.parts(all.alpha));
    let percent = format::number(all.threshold * 100.0);
    format!("{}, at {percent} %: {}.", format::capital(verdict.name()), parts.join("; "))
}

/// Notes of all comparisons, each once, with the workloads that it is about if not all have it.
pub(crate) fn notes(comparisons: &Comparisons) -> Vec<String> {
    let mut order: Vec<&Caveat> = Vec::new();
    let mut about: BTreeMap<(&Code, &str), Vec<String>> = BTreeMap::new();
    for one in &comparisons.all {
        for note in &one.notes {
            let places = about.entry((&note.code, &note.text)).or_default();
            if places.is_empty() {
                order.push(note);
            }
            places.push(format!("{} under {}", one.workload, one.test));
        }
    }
    let line = |note: &Caveat| {
        let places = about.get(&(&note.code, note.text.as_str()));
        let places = places.filter(|places| places.len() < comparisons.all.len());
        let named = |all: &Vec<String>| format::first_of(all.clone(), PLACES_MAX);
        let scope = places.map_or_else(String::new, |all| format!(" ({})", named(all)));
        format!("{}: {}{scope}", note.code, note.text)
    };
    order.into_iter().map(line).collect()
}
