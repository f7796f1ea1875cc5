//! Checks that only a run on the kernel's own io-wq raises: what the plan asks and the kernel
//! does not do, and what was not observed.

use iowq_contract::Code;
use std::time::Duration;

use iowq_workloads::Plan;

use super::check::Check;
use crate::run::plan_settings::collide;

/// What of the plan the kernel did not do. `idle_timeout` is the kernel's own; `untimed` is of how
/// many ops the probes did not write down when they were done; none if no probe watched. `refused`
/// says what limit on threads was met, if one was.
pub(super) fn checks(
    plan: &Plan,
    idle_timeout: Duration,
    untimed: Option<u64>,
    refused: Option<&str>,
) -> [Check; 4] {
    let has = idle_timeout.as_millis();
    // The first that is another, if one is.
    let mut asked = plan.streams().map(|plan| plan.idle_timeout.as_millis());
    let asked = asked.find(|asked| *asked != has).unwrap_or(has);
    [
        (
            asked != has,
            Code::IdleTimeout,
            format!(
                "The workload asks for an idle timeout of {asked} ms; this kernel's is {has} ms, \
                 and a stock kernel offers no way to change it. To compare with the pool, take \
                 the same for both: --workload NAME-stock."
            ),
        ),
        (
            plan.streams().any(collide),
            Code::BucketsNotChosen,
            "The workload wants its files in one hash bucket; the kernel hashes the address of \
             each file's inode, so they meet by chance only."
                .to_owned(),
        ),
        (
            refused.is_some(),
            Code::CreationsFailed,
            format!(
                "{} Work waited for the workers there were, or was cancelled.",
                refused.unwrap_or_default()
            ),
        ),
        (
            untimed != Some(0),
            Code::TimedAtReaping,
            match untimed {
                Some(ops) => format!(
                    "No probe saw when {ops} operations were done, so these count as done when \
                     their completions were reaped, which may be later."
                ),
                None => "Without eBPF probes an operation counts as done when its completion was \
                         reaped, which may be later than it was done."
                    .to_owned(),
            },
        ),
    ]
}

#[cfg(test)]
mod tests {
    use iowq_workloads::builtin;

    use super::*;

    fn codes(name: &str, untimed: Option<u64>) -> Vec<Code> {
        let plan = builtin(name).expect("a built-in workload");
        let checks = checks(&plan, Duration::from_secs(5), untimed, None);
        checks.into_iter().filter_map(|(holds, code, _)| holds.then_some(code)).collect()
    }

    #[test]
    fn a_setting_that_the_kernel_does_not_take_has_a_caveat_if_the_plan_uses_it() {
        assert_eq!(codes("dsync", Some(0)), [Code::IdleTimeout]);
        assert!(codes("dsync-stock", Some(0)).is_empty());
        assert_eq!(codes("collide-stock", Some(0)), [Code::BucketsNotChosen]);
        assert_eq!(codes("dsync-1-stock", None), [Code::TimedAtReaping]);
    }

    #[test]
    fn workers_that_the_kernel_could_not_create_are_a_caveat_with_the_limit() {
        let plan = builtin("dsync-stock").expect("a built-in workload");
        let checks = checks(&plan, Duration::from_secs(5), Some(0), Some("Raise it."));
        let (.., text) = checks.iter().find(|(holds, ..)| *holds).expect("one holds");
        assert!(text.starts_with("Raise it. Work waited"), "{text}");
    }

    #[test]
    fn completions_that_no_probe_saw_are_a_doubt_with_their_number() {
        assert_eq!(codes("dsync-stock", Some(3)), [Code::TimedAtReaping]);
        let plan = builtin("dsync-stock").expect("a built-in workload");
        let text = |untimed| checks(&plan, Duration::from_secs(5), untimed, None)[3].2.clone();
        assert!(text(Some(3)).starts_with("No probe saw when 3 operations were done"));
        assert!(text(None).starts_with("Without eBPF probes"));
    }
}
