//! Any bytes as a file of records, and its first two policies compared: page, summary and KTAP.

#![no_main]

use std::path::Path;

use iowq_contract::Role;
use iowq_reports::compare::set::Set;
use iowq_reports::compare::{self, Rules, compare, ktap};
use iowq_reports::load;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(loaded) = load::read(bytes, Path::new("record.jsonl")) else { return };
    let measured = || loaded.records.iter().filter(|run| run.key.role == Role::Measured);
    let mut policies: Vec<&str> = measured().map(|run| run.key.policy.as_str()).collect();
    policies.sort_unstable();
    policies.dedup();
    let set = |policy: &&str| {
        let runs = measured().filter(|run| run.key.policy == *policy).collect();
        Set::new((*policy).to_owned(), 0, &loaded, runs)
    };
    let sets: Vec<Set<'_>> = policies.iter().take(2).map(set).collect();
    let found = compare(&sets, Rules { threshold: 0.05, alpha: 0.05 });
    let text = compare::text::text(&found);
    assert!(text.lines().all(|line| line.chars().count() <= compare::text::WIDTH));
    assert!(ktap::text(&found).starts_with("KTAP version 1\n"));
    assert!(compare::page::page(&found, &sets).is_ok());
});
