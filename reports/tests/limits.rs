//! Limits: whatever stands in the records, page and summary stay small, and say what they omit.

use iowq_contract::{Caveat, Code, Record};
use iowq_reports::bench::analysis::analyse;
use iowq_reports::bench::{page, text};
use iowq_reports::compare::set::Set;
use iowq_reports::compare::{self, Rules};
use iowq_reports::load::Loaded;
use iowq_reports::render::page::PAGE_BYTES_MAX;
use iowq_sample as sample;

/// Bytes of a summary that still can be mailed.
const SUMMARY_BYTES_MAX: usize = 300_000;

/// Many small runs, each changed by its number.
fn made(runs: u32, change: impl Fn(u32, &mut Record)) -> Loaded {
    let mut run = sample::run("nop", "6.12", 0);
    run.latency.drop_histograms();
    run.timeline.truncate(4);
    run.churn = Default::default();
    let records = (0..runs).map(|number| {
        let mut run = run.clone();
        change(number, &mut run);
        run
    });
    Loaded { records: records.collect(), ..Loaded::default() }
}

/// Page and summary, neither of them too large.
fn bounded(loaded: &Loaded) -> [String; 2] {
    let analysis = analyse(loaded);
    let page = page::page(&analysis).expect("a page");
    assert!(page.len() <= PAGE_BYTES_MAX, "{} bytes of page", page.len());
    let summary = text::text(&analysis, text::WIDTH_TEXT);
    assert!(summary.len() <= SUMMARY_BYTES_MAX, "{} bytes of summary", summary.len());
    [page, summary]
}

#[test]
fn thousands_of_policies_are_counted_where_they_are_not_listed() {
    let loaded = made(4_000, |number, run| run.key.policy = format!("{number:0>190}"));
    let [page, summary] = bounded(&loaded);
    assert!(page.contains("policies are not."), "the page does not say how many it omits");
    assert!(summary.contains("and 3,800 more rows"), "{}", &summary[..9_000]);
}

#[test]
fn thousands_of_workloads_are_counted_where_they_are_not_listed() {
    let loaded = made(4_000, |number, run| run.key.workload = format!("{number:0>190}"));
    let [page, summary] = bounded(&loaded);
    assert!(page.contains("more workloads: report some"), "the page does not say what it omits");
    assert!(summary.contains("and 3,960 more workloads"), "{}", &summary[..9_000]);
}

#[test]
fn thousands_of_caveats_and_hosts_are_counted_where_they_are_not_listed() {
    let word = |number: u32| -> String {
        number.to_string().chars().map(|digit| char::from(b'a' + digit as u8 % 16)).collect()
    };
    let loaded = made(3_000, |number, run| {
        let text = format!("{} {}", word(number), "<".repeat(380));
        run.caveats.push(Caveat::new(Code::BusyMachine, text));
    });
    let [page, summary] = bounded(&loaded);
    assert!(page.contains(" more.</p>") && summary.contains(" more in the report"), "{summary}");
    let loaded = made(1_000, |number, run| run.host.device = word(number));
    let [page, _] = bounded(&loaded);
    assert!(page.contains("1000 hosts"), "hosts are counted");
}

#[test]
fn a_comparison_of_many_workloads_counts_those_that_it_does_not_show() {
    let loaded = made(200, |number, run| {
        run.key.workload = format!("w{}", number / 2);
        run.key.policy = ["6.12", "6.17"][number as usize % 2].to_owned();
        run.key.position = number;
    });
    let set = |policy: &str| {
        let runs = loaded.records.iter().filter(|run| run.key.policy == policy).collect();
        Set::new(policy.to_owned(), 0, &loaded, runs)
    };
    let rules = Rules { threshold: 0.05, alpha: 0.05 };
    let text = compare::text::text(&compare::compare(&[set("6.12"), set("6.17")], rules));
    assert!(text.len() <= SUMMARY_BYTES_MAX, "{} bytes of summary", text.len());
    assert!(text.contains("and 60 more comparisons ("), "{text}");
}
