//! How long a run is meant to be, and how long it may take as far as that is known before.

use std::time::Duration;

use iowq_workloads::{Arrival, Length, Plan};

use crate::drive::OVERRUN;

/// How long a run may take beyond what its workload says.
const GRACE: Duration = Duration::from_secs(60);
/// What a run whose workload is a number of ops is taken to last until one shows how long it does.
const OPS_TIME: Duration = Duration::from_secs(1);
/// How long a run may take whose workload is a number of ops.
const OPS_TIME_MAX: Duration = Duration::from_secs(600);
/// How long a plan may make itself wait, at most: a year, so that sums stay in range.
const TIME_MAX: Duration = Duration::from_secs(365 * 86_400);

/// How long a run is meant to be, as far as that is known: as long as the longest of its streams.
#[must_use]
pub fn length(plan: &Plan) -> Duration {
    of_streams(plan, |plan| {
        let length = match plan.length {
            Length::Time(time) => time,
            Length::Ops(ops) => OPS_TIME + rings(plan, ops),
            Length::Either { time, .. } => time.min(OPS_TIME),
        };
        plan.begins_after + plan.warmup + length + plan.life.linger
    })
}

/// How long a run may take, for the host of a virtual machine, which gets no messages of it. A
/// bench goes by what its runs say, see `silence`.
pub(super) fn time_max(plan: &Plan) -> Duration {
    let longest = of_streams(plan, |plan| {
        let length = match plan.length {
            Length::Time(time) | Length::Either { time, .. } => time.saturating_mul(OVERRUN),
            Length::Ops(ops) => OPS_TIME_MAX + waits(plan, ops) + rings(plan, ops),
        };
        plan.begins_after + plan.warmup + length + plan.life.linger
    });
    longest + GRACE
}

/// The longest of what its streams take.
fn of_streams(plan: &Plan, time: impl Fn(&Plan) -> Duration) -> Duration {
    plan.streams().map(time).max().unwrap_or_default()
}

/// How long the plan itself waits over N ops, at worst.
fn waits(plan: &Plan, ops: u64) -> Duration {
    let ops = ops as f64;
    let arrivals = match plan.arrival {
        // A round may end a single op.
        Arrival::Closed { pause, .. } => pause.as_secs_f64() * ops,
        Arrival::Rate { per_s } | Arrival::Poisson { per_s } => ops / per_s,
        Arrival::Bursts { ops: burst, gap } => gap.as_secs_f64() * ops / f64::from(burst),
    };
    Duration::try_from_secs_f64(arrivals).unwrap_or(TIME_MAX).min(TIME_MAX)
}

/// How long no ring is open over N ops.
fn rings(plan: &Plan, ops: u64) -> Duration {
    let rings = ops.checked_div(plan.life.reopen_after_ops).unwrap_or(0);
    let seconds = plan.life.closed.as_secs_f64() * rings as f64;
    Duration::try_from_secs_f64(seconds).unwrap_or(TIME_MAX).min(TIME_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(arrival: &str, ring: &str) -> Plan {
        let text = format!("[arrival]\n{arrival}\n[ring]\n{ring}\n[run]\nops = 1000");
        Plan::parse("slow", "slow.toml", &text).expect("a valid spec")
    }

    #[test]
    fn a_run_that_waits_because_its_workload_says_so_does_not_count_as_hung() {
        let slow = [
            ("pattern = \"rate\"\nper_s = 0.5", "", 2_000),
            ("pattern = \"bursts\"\nburst_ops = 1\ngap_ms = 5000", "", 5_000),
            ("pause_ms = 3000", "depth = 1", 3_000),
            ("", "reopen_after_ops = 2\nclosed_ms = 4000", 2_000),
        ];
        for (arrival, ring, seconds) in slow {
            let time_max = time_max(&plan(arrival, ring));
            assert!(time_max > Duration::from_secs(seconds), "{arrival} {ring}: {time_max:?}");
        }
        assert_eq!(time_max(&plan("", "")), OPS_TIME_MAX + GRACE);
    }
}
