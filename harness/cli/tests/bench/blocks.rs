//! Many files, mixed sizes and skewed choice, end to end on all engines: what was written is read
//! back and compared.

use std::io::Write as _;

use iowq_harness::engine::uring;
use iowq_workloads::Plan;
use serde_json::json;

use crate::support::{Place, caveats, stderr};

/// Runs a spec on the pool, without a ring and, if this kernel can, through io_uring; returns all records.
fn records(name: &str, spec: &str) -> Vec<serde_json::Value> {
    let place = Place::new();
    place.write("spec.toml", spec);
    let mut flags = vec!["--workload", "spec.toml", "--policy", "6.17", "--pairs", "1"];
    flags.extend(["--engine", "pool", "--engine", "sync"]);
    match uring::check(&Plan::parse("spec", "spec.toml", spec).expect("a valid spec")) {
        Ok(()) => flags.extend(["--engine", "uring"]),
        Err(reason) => {
            let _ = writeln!(std::io::stderr(), "skipped: {name} through io_uring: {reason}");
        }
    }
    let output = place.bench(&flags).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    place.assert_dir_is_empty();
    let records = place.records();
    for record in &records {
        let ops = &record["ops"];
        assert_eq!((&ops["done"], &ops["failed"]), (&json!(4000), &json!(0)), "{ops}");
        assert!(ops["verified_blocks"].as_u64() > Some(0), "{ops}");
    }
    records
}

const REST: &str = "[mix]\nread = 1\nwrites_per_fsync = 8\n[ring]\ndepth = 32\n\
                    [workers]\nidle_timeout_ms = 2000\n[run]\nops = 4000\n";

#[test]
fn ops_of_several_sizes_on_forced_workers_are_what_was_written() {
    let files = "[files]\ncount = 2\nsize_mib = 4\norder = \"random\"\nopen = [\"buffered\", \"direct\"]\n\
                 block_bytes = [{ bytes = 4096, weight = 3 }, { bytes = 12288 }, { bytes = 262144 }]\n";
    let spec = format!("{files}{REST}[log]\n");
    for spec in [spec.clone(), spec.replace("[ring]\n", "[ring]\nforce_async = true\n")] {
        for record in records("ops of several sizes", &spec) {
            let sizes = &record["settings"]["plan"]["block_sizes"];
            assert_eq!(sizes[1], json!({ "bytes": 12_288, "weight": 1 }));
            assert_eq!(record["settings"]["block_bytes"], json!(4096));
        }
    }
}

#[test]
fn a_block_that_is_written_again_and_again_is_compared_and_no_doubt_if_it_was_written_before() {
    let files = "[files]\ncount = 1\nsize_mib = 1\norder = \"zipf:1.4\"\nstate = \"written\"\n";
    let spec = format!("{files}{REST}").replace("[ring]\n", "[ring]\nforce_async = true\n");
    for record in records("a skewed choice of blocks", &spec) {
        assert_eq!(record["settings"]["plan"]["order"], json!("zipf:1.4"));
        assert!(!caveats(&record).contains(&"blocks-came-round"), "{:?}", caveats(&record));
    }
}

#[test]
fn more_files_than_a_process_may_usually_open_are_open_at_once() {
    let files = "[files]\ncount = 1500\nsize_mib = 0.02\n";
    for record in records("many files", &format!("{files}{REST}")) {
        let plan = &record["settings"]["plan"];
        assert_eq!(record["settings"]["files"], json!(1500));
        assert_eq!(plan["open"], json!(["buffered"]), "one word for all");
        assert_eq!(plan["state"], json!(["written"]));
    }
}
