//! Writes the page of a made-up comparison: to look at it without measuring.
//!
//! `compare_page FILE [PAIRS]`

use std::error::Error;
use std::fs;

use iowq_reports::load::Loaded;
use iowq_reports::{page, sample};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (file, pairs) = match arguments.as_slice() {
        [file] => (file, 10),
        [file, pairs] => (file, pairs.parse()?),
        _ => return Err("compare_page FILE [PAIRS]".into()),
    };
    let loaded = Loaded { records: sample::bench(pairs), ..Loaded::default() };
    let comparisons = sample::comparisons(&loaded.records);
    fs::write(file, page::compare::page(&comparisons, &sample::sets(&loaded))?)?;
    Ok(())
}
