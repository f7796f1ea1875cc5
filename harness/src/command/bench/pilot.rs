//! Pilot runs: how long the first arm takes to respond, to inject a part of that into a control.

use super::Bench;
use std::io::Write as _;

use super::child::{self, Ended};
use super::order::Place;
use crate::cell::InjectedDelay;

/// The delay of each workload's control: so many percent of the median response time that its first
/// arm has in one run. The run's record is not kept, because it is in no round.
pub(super) fn delays(bench: &Bench<'_>, percent: f64) -> anyhow::Result<Vec<InjectedDelay>> {
    let workloads = 0..bench.wanted.plans.len();
    workloads.map(|workload| delay(bench, workload, percent)).collect()
}

fn delay(bench: &Bench<'_>, workload: usize, percent: f64) -> anyhow::Result<InjectedDelay> {
    let (name, plan) = &bench.wanted.plans[workload];
    let arm = &bench.wanted.arms[0];
    let place = Place { workload, arm: 0, pair: 0, position: 0 };
    let arguments = bench.arguments(name, arm, &place);
    let ended = child::run(&arguments, plan, bench.stop, &mut |_| Ok(()))?;
    bench.folder.clear()?;
    let record = match ended {
        Ended::Record(record) => record,
        Ended::Failed(error, _) => {
            anyhow::bail!("--control: the pilot run of {name} {arm} failed: {error}")
        }
        Ended::Interrupted(_) => anyhow::bail!("interrupted in the pilot run of {name} {arm}"),
    };
    let median_ns = record.latency.response.get("all").map_or(0, |all| all.p50_ns);
    let ns = (median_ns as f64 * percent / 100.0).round() as u64;
    if ns == 0 {
        anyhow::bail!(
            "--control: in the pilot run of {name} {arm} {} ops were done, with a median response \
             time of {median_ns} ns, and {percent} % of that is no delay; take longer runs with \
             --seconds, or leave --control away",
            record.ops.done
        );
    }
    // Whoever read this may have left; the runs go on.
    let _ = writeln!(
        std::io::stderr(),
        "pilot  {name} {arm}: median response time {:.1} us, {percent} % of it are {:.2} us",
        median_ns as f64 / 1e3,
        ns as f64 / 1e3
    );
    Ok(InjectedDelay { ns, percent })
}
