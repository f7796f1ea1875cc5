//! Writes the page of a made-up comparison: to look at it without measuring.
//!
//! `compare_page FILE [PAIRS]`

use std::error::Error;
use std::fs;

use iowq_reports::{page, sample};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (file, pairs) = match arguments.as_slice() {
        [file] => (file, 10),
        [file, pairs] => (file, pairs.parse()?),
        _ => return Err("compare_page FILE [PAIRS]".into()),
    };
    let records = sample::bench(pairs);
    let runs: Vec<_> = records.iter().collect();
    let comparisons = sample::comparisons(&records);
    fs::write(file, page::compare::page(&comparisons, &runs, &[("6.17", runs.clone())])?)?;
    Ok(())
}
