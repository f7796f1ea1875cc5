//! The page of a comparison: what it opens with, what it says of what is missing, how large it is.

mod support;

use iowq_contract::{Caveat, Code, Record};
use iowq_reports::compare::{self, Comparisons, Pairing};
use iowq_reports::load::Loaded;
use iowq_reports::render::page::PAGE_BYTES_MAX;
use iowq_sample as sample;

fn made_up() -> (Vec<Record>, Comparisons) {
    let records = sample::bench(10);
    let comparisons = support::comparisons(&records);
    (records, comparisons)
}

fn page_of(comparisons: &Comparisons, records: &[Record]) -> String {
    let loaded = Loaded { records: records.to_vec(), ..Loaded::default() };
    let sets = support::sets(&loaded);
    let page = compare::page::page(comparisons, &sets).expect("it can be drawn");
    for outside in ["http:", "https:", "<script", "<link", "@import", "url("] {
        assert!(!page.contains(outside), "{outside} is in the page");
    }
    assert!(!page.contains("#C1") && !page.contains("#A1"), "a stand-in colour was left");
    assert!(page.len() <= PAGE_BYTES_MAX, "{} bytes", page.len());
    page
}

#[test]
fn a_page_opens_with_the_verdicts_and_what_bars_them() {
    let (records, comparisons) = made_up();
    let page = page_of(&comparisons, &records);
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} is not in the page"));
    let verdict = at("class=\"word improvement\"");
    assert!(verdict < at("class=\"word none\"") && at("class=\"word none\"") < at("events-lost"));
    assert!(at("events-lost") < at("id=\"overview\"") && at("id=\"overview\"") < at("id=\"c0\""));
    for chart in ["Pairs", "Shift of response time by quantile", "Run order"] {
        assert!(at(&format!("<h3>{chart}</h3>")) > at("id=\"c0\""));
    }
    assert!(page.contains("download=\"comparison.json\""));
    assert!(page == page_of(&comparisons, &records), "the same input gives other bytes");
}

#[test]
fn a_page_says_the_confidence_that_was_asked_for_and_the_threshold_in_both_directions() {
    let (records, mut comparisons) = made_up();
    assert!(
        page_of(&comparisons, &records).contains("a 95\u{a0}% interval that excludes no change")
    );
    comparisons.alpha = 0.01;
    let page = page_of(&comparisons, &records);
    for part in
        ["a 99\u{a0}% interval that excludes", "a 98\u{a0}% interval within", "-4.76\u{a0}%"]
    {
        assert!(page.contains(part), "{part} is not in the page");
    }
}

#[test]
fn a_page_says_which_checks_were_not_made_or_failed() {
    let (records, comparisons) = made_up();
    let page = page_of(&comparisons, &records);
    assert!(page.contains("injected and not found: this comparison cannot show"));
    assert!(page.contains("There are no runs of the base against itself"));
    assert!(page.contains("No delay was injected"));
}

#[test]
fn a_comparison_without_pairs_has_estimates_and_no_pair_is_drawn() {
    let (records, mut comparisons) = made_up();
    for one in &mut comparisons.all {
        let why = "the sets come from different files".to_owned();
        one.pairing = Pairing::Unpaired { base_runs: 10, test_runs: 10, why };
    }
    let page = page_of(&comparisons, &records);
    assert!(page.contains("<h3>Estimates</h3>") && !page.contains("<h3>Pairs</h3>"));
    assert!(!page.contains("<h3>Shift of response time by quantile</h3>"));
}

#[test]
fn a_comparison_in_which_nothing_was_found_still_has_a_page() {
    let (_, mut comparisons) = made_up();
    for one in &mut comparisons.all {
        for finding in one.primary.iter_mut().chain(&mut one.advisory).chain(&mut one.noise) {
            finding.estimate = None;
            finding.intervals.clear();
            finding.points.clear();
            finding.verdict = None;
            finding.missing = Some("too few runs".to_owned());
        }
        (one.verdict, one.control) = (None, None);
    }
    assert!(page_of(&comparisons, &[]).contains("too few runs"));
    let nothing = Comparisons { all: Vec::new(), ..comparisons };
    assert!(page_of(&nothing, &[]).contains("no workloads"));
}

#[test]
fn values_that_are_no_numbers_and_hostile_names_break_nothing() {
    let (records, mut comparisons) = made_up();
    let one = &mut comparisons.all[0];
    one.test = "<script>alert(1)</script>".to_owned();
    one.blockers.push(Caveat::new(Code::Other("</li>".to_owned()), "\u{1b}[31m<b>".repeat(500)));
    let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -1.0, 1e300, 1e-300];
    for (finding, value) in one.primary.iter_mut().zip(odd.into_iter().cycle()) {
        (finding.estimate, finding.threshold) = (Some(value), value);
        finding.intervals.insert(95, (value, -value));
        for (point, value) in finding.points.iter_mut().zip(odd) {
            (point.base, point.test) = (value, 1.0);
        }
    }
    page_of(&comparisons, &records);
}

#[test]
fn a_page_of_many_comparisons_stays_small() {
    let records = sample::bench(3);
    let mut comparisons = support::comparisons(&records);
    let mut one = comparisons.all[0].clone();
    one.blockers = vec![Caveat::new(Code::HostsDiffer, "a long reason ".repeat(100)); 40];
    comparisons.all = vec![one; 600];
    let page = page_of(&comparisons, &records);
    assert!(page.contains("400 more comparisons are in the raw numbers"));
    assert!(page.contains("Charts are omitted"));
}
