//! What is in files before a run, with a state in the spec and without.

use iowq_workloads::FileState::{self, Allocated, Fresh, Written};
use iowq_workloads::{Plan, builtins};

fn states(spec: &str) -> Vec<FileState> {
    Plan::parse("x", "x.toml", spec).unwrap_or_else(|error| panic!("{error}")).state
}

#[test]
fn files_that_are_read_have_data_and_a_log_grows() {
    assert_eq!(states(""), [Allocated]);
    assert_eq!(states("[mix]\nread = 1"), [Written]);
    assert_eq!(states("[files]\ncount = 2\n[log]"), [Fresh, Allocated, Allocated]);
    assert_eq!(states("[mix]\nread = 1\n[log]\nstate = \"allocated\""), [Allocated, Written]);
    assert_eq!(states("[files]\nstate = \"fresh\"\n[mix]\nread = 1"), [Fresh]);
}

#[test]
fn no_built_in_workload_reads_what_was_never_written() {
    for plan in builtins().expect("valid specs") {
        assert!(plan.mix.read == 0 || plan.state.iter().all(|state| *state == Written));
        assert_eq!(plan.state.len(), plan.files as usize, "{}", plan.name);
    }
}
