//! Limits that change in the middle of a run, in the pool as in the kernel.

use iowq_harness::engine::uring;
use iowq_workloads::builtin;

use crate::support::{Place, skipped, stderr};

#[test]
fn a_limit_that_is_raised_in_the_middle_lets_more_workers_be_made() {
    let test = "a_limit_that_is_raised_in_the_middle_lets_more_workers_be_made";
    if let Err(error) = uring::check(&builtin("fsync-mix").expect("a workload")) {
        return skipped(test, error);
    }
    // Splices that wait for 20 ms hold every worker that may be.
    let spec = |later: &str| {
        format!(
            "[sockets]\ncount = 32\nkind = \"pipe\"\nanswer_ms = 20\n[mix]\nsplice = 1\n\
             [ring]\ndepth = 32\n[run]\nseconds = 0.6\n[workers]\nunbounded = 3\n{later}"
        )
    };
    let place = Place::new();
    place.write("same.toml", &spec(""));
    place.write("raised.toml", &spec("[workers.later]\nafter_ms = 200\nunbounded = 12"));
    let flags = ["--workload", "same.toml", "--workload", "raised.toml", "--engine", "pool"];
    let more = ["--engine", "uring", "--policy", "6.17", "--pairs", "1"];
    let output = place.bench(&[&flags[..], &more[..]].concat()).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let records = place.records();
    if records.iter().any(|record| record["workers"]["peak_unbounded"].is_null()) {
        return skipped(test, "no eBPF: accounts of workers are not seen");
    }
    for record in &records {
        let raised = record["key"]["workload"] == "raised";
        let expected = if raised { 12 } else { 3 };
        assert_eq!(record["workers"]["peak_unbounded"], expected, "{}", record["key"]);
        assert_eq!(record["settings"]["limit_unbounded"], expected, "{}", record["key"]);
    }
}
