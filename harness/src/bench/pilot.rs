//! Pilot runs: how long the first variant takes to respond, to inject a part of that into a control.

use iowq_contract::order::ScheduledRun;
use iowq_contract::{InjectedDelay, Workload};

use super::child::{self, Ended};
use super::runs::Bench;
use super::site::Observer;

/// The delay of each workload's control: a percentage of the median response time that its first
/// variant has in one run. The run's record is not kept, because it is in no round.
pub(super) fn delays(
    bench: &Bench<'_>,
    percent: f64,
    observer: &mut dyn Observer,
) -> anyhow::Result<Vec<InjectedDelay>> {
    let workloads = 0..bench.request.workloads.len();
    workloads.map(|workload| delay(bench, workload, percent, observer)).collect()
}

fn delay(
    bench: &Bench<'_>,
    workload: usize,
    percent: f64,
    observer: &mut dyn Observer,
) -> anyhow::Result<InjectedDelay> {
    let Workload { name, .. } = &bench.request.workloads[workload];
    let request =
        bench.run_request(&ScheduledRun { number: 0, round: 0, group: workload, variant: 0 });
    let shown = format!("{name} {}", request.variant);
    let ended = child::run(bench.site, &request, &mut |_| Ok(()))?;
    bench.folder.clear()?;
    let record = match ended {
        Ended::Record(record) => record,
        Ended::Failed(error, _) => {
            anyhow::bail!("--control: the pilot run of {shown} failed: {error}")
        }
        Ended::Interrupted(_) => anyhow::bail!("interrupted in the pilot run of {shown}"),
    };
    let median_ns = record.latency.response.get("all").map_or(0, |all| all.p50_ns);
    let delay = InjectedDelay { ns: (median_ns as f64 * percent / 100.0).round() as u64, percent };
    if delay.ns == 0 {
        anyhow::bail!(
            "--control: in the pilot run of {shown} {} ops were done, with a median response time \
             of {median_ns} ns, and {percent} % of that is no delay; take longer runs with \
             --seconds, or omit --control",
            record.ops.done
        );
    }
    observer.pilot(&shown, median_ns, delay);
    Ok(delay)
}
