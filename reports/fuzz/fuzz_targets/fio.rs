//! Any bytes as what fio wrote: what is taken is a record that the loader takes too.

#![no_main]

use std::path::Path;

use iowq_reports::{import, load};
use iowq_sample as sample;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    match import::fio::records(bytes, None) {
        Ok(records) => {
            let lines = sample::lines(&records);
            let loaded = load::read(lines.as_bytes(), Path::new("record.jsonl"));
            assert_eq!(loaded.expect("an import can be read").records, records);
        }
        Err(problem) => assert!(!problem.is_empty()),
    }
});
