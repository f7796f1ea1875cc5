//! What the tools themselves or fio wrote, perhaps long ago, or another hand: all that is taken is
//! analysed, compared, summed up and drawn.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use iowq_contract::jsonl::line;
use iowq_contract::{Quantiles, Record, Role};
use iowq_reports::bench::analysis::analyse;
use iowq_reports::bench::text;
use iowq_reports::compare::set::Set;
use iowq_reports::compare::{self, Rules, compare as judge, ktap};
use iowq_reports::output::{KernelsRequest, kernels};
use iowq_reports::import::{Import, Tool, Unit};
use iowq_reports::{export, load};

use crate::folder;

const RULES: Rules = Rules { threshold: 0.05, alpha: 0.05 };

/// What stands between the files of a folder of boots.
const NEXT_FILE: &[u8] = b"\n====\n";

pub(crate) fn record(bytes: &[u8]) {
    match load::read(bytes, Path::new("record.jsonl")) {
        Ok(loaded) => {
            let analysis = analyse(&loaded);
            assert!(!text::text(&analysis, text::WIDTH_TEXT).is_empty());
            for (_, format) in export::Format::ALL {
                for (_, table) in export::Table::ALL {
                    let _ = format.bytes(&loaded.records, &|run| loaded.whole(run), table);
                }
            }
        }
        Err(error) => assert!(error.to_string().contains("record.jsonl")),
    }
}

pub(crate) fn compare(bytes: &[u8]) {
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
    let found = judge(&sets, RULES);
    let text = compare::text::text(&found);
    assert!(text.lines().all(|line| line.chars().count() <= compare::text::WIDTH));
    assert!(ktap::text(&found).starts_with("KTAP version 1\n"));
    assert!(compare::page::page(&found, &sets).is_ok());
}

/// Three files in one input: what was booted, the boots, the runs.
pub(crate) fn boots(bytes: &[u8]) {
    let mut rest = bytes;
    for name in ["kernels.json", "boots.jsonl", "record.jsonl"] {
        let end = rest.windows(NEXT_FILE.len()).position(|window| window == NEXT_FILE);
        let end = end.unwrap_or(rest.len());
        folder::put(name, &rest[..end]);
        rest = rest.get(end + NEXT_FILE.len()..).unwrap_or_default();
    }
    let dir = folder::path();
    match kernels(&KernelsRequest { dir, confirmed_by: None, rules: RULES, out: None }) {
        Ok(found) => assert!(found.exit_code <= 3 && !found.text.is_empty()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// JSON of fio.
pub(crate) fn fio(bytes: &[u8]) {
    imported(Tool::Fio, bytes);
}

/// Interval logs of HdrHistogram.
pub(crate) fn hlog(bytes: &[u8]) {
    imported(Tool::Hlog, bytes);
}

/// What bpftrace and bcc print.
pub(crate) fn printed(bytes: &[u8]) {
    imported(Tool::Histogram, bytes);
}

/// What is taken are records that the loader takes, too, and finds the same in.
fn imported(tool: Tool, bytes: &[u8]) {
    match tool.records(bytes, None, Some(Unit::Us)) {
        Ok(Import { records, .. }) => {
            let lines = records.iter().map(|record| line(record).expect("a record can be written"));
            let lines = lines.collect::<Vec<_>>().concat();
            let loaded = load::read(lines.as_slice(), Path::new("record.jsonl"));
            let loaded = loaded.expect("an import can be read");
            let whole = |run| loaded.whole(run).expect("it was read before").into_owned();
            let read = loaded.records.iter().map(whole).collect();
            assert_eq!(without_rates(read), without_rates(records));
        }
        Err(problem) => assert!(!problem.is_empty()),
    }
}

/// Fractions are read to all but their last bit; the loader itself checks rates.
fn without_rates(mut records: Vec<Record>) -> Vec<Record> {
    records.iter_mut().for_each(|record| record.ops.per_s = 0.0);
    records
}

/// The bytes of a histogram behind the number of its values.
pub(crate) fn histogram(bytes: &[u8]) {
    let Some((count, bytes)) = bytes.split_first_chunk() else { return };
    let count = u64::from_le_bytes(*count);
    let stated = Quantiles { count, hdr_v2: STANDARD.encode(bytes), ..Quantiles::default() };
    if let Some(histogram) = stated.histogram() {
        assert_eq!(histogram.len(), count);
        assert!(Quantiles::of(&histogram).histogram().is_some());
    }
}
