//! What liburing's own tests expect of io-wq, in workloads of ours.

use serde_json::Value;

use crate::support::{Place, skipped, stderr};

/// `io-wq-unused-exit.t`: work on a pipe is spliced, the ring is closed, and two seconds later no worker
/// may be left. It fails before 38aa434ab933, whose rule is the preset `exit-on-idle`.
const UNUSED_EXIT: &str = r#"
    [sockets]
    count = 4
    kind = "pipe"
    [mix]
    splice = 1
    [ring]
    depth = 4
    linger_ms = 500
    [run]
    ops = 40
"#;

#[test]
fn workers_that_splices_needed_are_gone_once_no_ring_is_left_only_under_the_rule_that_says_so() {
    let test = "workers_that_splices_needed_are_gone_once_no_ring_is_left";
    let place = Place::new();
    place.write("unused-exit.toml", UNUSED_EXIT);
    let flags = ["--workload", "unused-exit.toml", "--pairs", "1"];
    let policies = ["--policy", "6.17", "--policy", "exit-on-idle"];
    let output = place.bench(&[flags, policies].concat()).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let records = place.records();
    if records.iter().any(|record| record["probe"]["tier"] != "bpf") {
        return skipped(test, "no eBPF: when workers leave is not seen to the millisecond");
    }
    for record in &records {
        let outlived = record["workers"]["outlived_ms"].as_array().expect("a list");
        assert!(!outlived.is_empty(), "splices need workers");
        let stays = record["key"]["policy"] == "6.17";
        assert!(
            outlived.iter().all(|ms| ms.is_null() == stays),
            "{}",
            Value::from(outlived.clone())
        );
    }
}
