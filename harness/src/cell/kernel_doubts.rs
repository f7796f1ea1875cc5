//! The doubts that only a run on the kernel's own io-wq raises: what the plan asks and the kernel
//! does not do, and what nobody saw.

use std::time::Duration;

use iowq_workloads::Plan;

use super::doubts::Doubt;
use super::plan_settings::collide;

/// What of the plan the kernel did not do. `idle_timeout` is the kernel's own; `timed` says
/// whether the probes wrote down when each request was done.
pub(super) fn doubts(plan: &Plan, idle_timeout: Duration, timed: bool) -> [Doubt; 3] {
    let (asked, has) = (plan.idle_timeout.as_millis(), idle_timeout.as_millis());
    [
        (
            asked != has,
            "idle-timeout",
            format!(
                "The workload asks for an idle timeout of {asked} ms; this kernel's is {has} ms, \
                 and a stock kernel offers no way to change it. To compare with the pool, take \
                 the same for both: --workload NAME-stock."
            ),
        ),
        (
            collide(plan),
            "buckets-not-chosen",
            "The workload wants its files in one hash bucket; the kernel hashes the address of \
             each file's inode, so they meet by chance only."
                .to_owned(),
        ),
        (
            !timed,
            "timed-at-reaping",
            "Without eBPF probes an operation counts as done when its completion was reaped, \
             which may be later than it was done."
                .to_owned(),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use iowq_workloads::builtin;

    use super::*;

    fn codes(name: &str, timed: bool) -> Vec<&'static str> {
        let plan = builtin(name).expect("a built-in workload");
        let doubts = doubts(&plan, Duration::from_secs(5), timed);
        doubts.into_iter().filter_map(|(holds, code, _)| holds.then_some(code)).collect()
    }

    #[test]
    fn what_the_kernel_cannot_be_told_is_a_doubt_where_the_plan_asks_for_it() {
        assert_eq!(codes("dsync", true), ["idle-timeout"]);
        assert!(codes("dsync-stock", true).is_empty());
        assert_eq!(codes("collide-stock", true), ["buckets-not-chosen"]);
        assert_eq!(codes("dsync-1-stock", false), ["timed-at-reaping"]);
    }
}
