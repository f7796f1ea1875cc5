//! Any bytes as a file of records: read, analysed, summed up and exported, or refused.

#![no_main]

use std::path::Path;

use clap::ValueEnum as _;
use iowq_reports::{analysis, export, load, summary};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    match load::read(bytes, Path::new("record.jsonl")) {
        Ok(loaded) => {
            let analysis = analysis::analyse(&loaded);
            assert!(!summary::text(&analysis, summary::WIDTH_TEXT).is_empty());
            for format in export::Format::value_variants() {
                let _ = format.text(&loaded.records);
            }
        }
        Err(error) => assert!(error.to_string().contains("record.jsonl")),
    }
});
