//! Limits of the kernel's own: by processors that are online, not by those that a run may use.

use std::process::Command;

use iowq_harness::engine::uring;
use iowq_harness::machine::cpus_online;
use iowq_workloads::builtin;

use crate::support::{Place, caveats, skipped, stderr};

#[test]
fn a_run_bound_to_one_processor_has_the_limits_of_all_on_both_engines() {
    let test = "a_run_bound_to_one_processor_has_the_limits_of_all_on_both_engines";
    let online = cpus_online();
    if online < 2 {
        return skipped(test, "only one processor is online");
    }
    if let Err(error) = uring::check(&builtin("nop").expect("a built-in workload")) {
        return skipped(test, error);
    }
    let place = Place::new();
    place.write(
        "stock.toml",
        "[ring]\ndepth = 64\n[workers]\nkernel_limits = true\n[run]\nops = 64\n\
         [files]\nsize_mib = 1",
    );
    let bench = place.bench(&[
        "--workload",
        "./stock.toml",
        "--engine",
        "pool",
        "--engine",
        "uring",
        "--policy",
        "6.1",
        "--policy",
        "6.17",
        "--pairs",
        "1",
    ]);
    let mut bound = Command::new("taskset");
    bound.args(["-c", "0"]).arg(bench.get_program()).args(bench.get_args());
    let Ok(output) = bound.current_dir(place.home()).output() else {
        return skipped(test, "there is no taskset");
    };
    let records = place.records();
    assert_eq!(records.len(), 3, "{}", stderr(&output));
    for record in &records {
        assert_eq!(record["host"]["cpus"], 1);
        let limit = u64::from(online * 4).min(64);
        assert_eq!(record["settings"]["limit_bounded"], limit, "{}", record["key"]);
        // Only the workers of 6.1 are not bound with their submitter.
        let touched = record["key"]["policy"] == "6.1";
        assert_eq!(caveats(record).contains(&"not-modelled"), touched, "{}", record["caveats"]);
    }
}
