//! Any bytes as a file of records: read, analysed, summed up and exported, or refused.

#![no_main]

use std::path::Path;

use iowq_reports::bench::analysis::analyse;
use iowq_reports::bench::text;
use iowq_reports::{export, load};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    match load::read(bytes, Path::new("record.jsonl")) {
        Ok(loaded) => {
            let analysis = analyse(&loaded);
            assert!(!text::text(&analysis, text::WIDTH_TEXT).is_empty());
            for (_, format) in export::Format::ALL {
                let _ = format.text(&loaded.records, &|run| loaded.whole(run));
            }
        }
        Err(error) => assert!(error.to_string().contains("record.jsonl")),
    }
});
