//! The runs of a bench: the request of each, by its place in the order.

use iowq_contract::order::ScheduledRun;
use iowq_contract::{Asked, BenchRequest, InjectedDelay, Role, RunRequest, Workload};
use iowq_workloads::Length;

use super::folder::OwnFolder;
use super::site::Site;

/// All that stays the same from run to run.
pub(super) struct Bench<'a> {
    pub(super) request: &'a BenchRequest,
    pub(super) folder: &'a OwnFolder,
    pub(super) site: &'a Site<'a>,
    /// How much later ops of a control are handed over, by workload; none without a control.
    pub(super) delays: Vec<InjectedDelay>,
}

impl Bench<'_> {
    /// The request of a run.
    pub(super) fn run_request(&self, run: &ScheduledRun) -> RunRequest {
        let BenchRequest { workloads, variants, seed, seconds, .. } = self.request;
        let (workload, variant) = (&workloads[run.group], &variants[run.variant]);
        let Workload { name, plan: unset, .. } = workload;
        // That there is one was checked before the first run.
        let plan = workload.plan_of(variant).unwrap_or(unset);
        // The same for all variants of a round, another in the next round.
        let seed = seed.unwrap_or(plan.seed).wrapping_add(u64::from(run.round));
        // A plan that is still a number of ops is not to be run for a time.
        let seconds = seconds.filter(|_| matches!(plan.length, Length::Time(_)));
        let asked = Asked { workload: name.clone(), seconds };
        let delay = self.delays.get(run.group).copied();
        RunRequest {
            seed,
            plan_unset: (!variant.set.is_empty()).then(|| unset.clone()),
            round: run.round,
            position: run.number,
            delay: delay.filter(|_| variant.role == Role::Control),
            dir: Some(self.folder.path().to_owned()),
            probes: self.request.probes,
            blocking: self.request.blocking,
            // No bench can be asked for another idle timeout by the name of its workload alone.
            asked: self.request.idle_timeout.is_none().then_some(asked),
            parent: Some(std::process::id()),
            ..RunRequest::new(plan.clone(), variant.clone())
        }
    }
}
