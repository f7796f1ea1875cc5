//! Writes the page of a made-up comparison: to look at it without measuring.
//!
//! `compare_page FILE [PAIRS]`

#[path = "../tests/support/mod.rs"]
mod support;

use std::error::Error;
use std::fs;

use iowq_reports::compare;
use iowq_reports::load::Loaded;
use iowq_sample as sample;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (file, pairs) = match arguments.as_slice() {
        [file] => (file, 10),
        [file, pairs] => (file, pairs.parse()?),
        _ => return Err("compare_page FILE [PAIRS]".into()),
    };
    let loaded = Loaded { records: sample::bench(pairs), ..Loaded::default() };
    let comparisons = support::comparisons(&loaded.records);
    fs::write(file, compare::page::page(&comparisons, &support::sets(&loaded))?)?;
    Ok(())
}
