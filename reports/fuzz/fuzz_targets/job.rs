//! Any text as a fio job file: a plan or an error, never a panic.

#![no_main]

use iowq_workloads::Plan;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Err(error) = Plan::parse_fio("job", "job.fio", text) {
        assert!(!error.to_string().is_empty());
    }
});
