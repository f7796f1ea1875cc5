//! The caveats of a run itself; those of the machine are in `machine`.

mod check;
pub(super) mod files;
mod kernel;
mod switches;
pub(super) mod timing;
pub(super) mod unmodelled;

use iowq_contract::{Blocking, Caveat, Code, Counts, EngineName, RunRequest, Tier, Workers};

use iowq_workloads::Plan;

use super::outcome::Outcome;
use crate::machine::kernel_idle_timeout;
use check::Check;

/// The caveats of a run itself; `cpus` is the number of processors.
pub(super) fn of_run(
    request: &RunRequest,
    outcome: &Outcome,
    workers: &Workers,
    cpus: u32,
) -> Vec<Caveat> {
    let switches = outcome.switches().map(|it| switches::checks(&it, workers, cpus));
    let untimed = outcome.remains.timed_at_reaping;
    let refused = outcome.threads_refused.reason(threads_max(&request.plan, outcome, workers));
    let of_the_kernel = (request.variant.engine == EngineName::Uring)
        .then(|| kernel::checks(&request.plan, kernel_idle_timeout(), untimed, refused.as_deref()));
    of_the_watch(outcome, workers)
        .into_iter()
        .chain(of_the_work(outcome, workers))
        .chain(timing::checks(&request.plan, outcome))
        .chain(switches.into_iter().flatten())
        .chain(files::checks(&request.plan, outcome.rounds, &outcome.settled))
        .chain(of_the_kernel.into_iter().flatten())
        .filter(|(holds, ..)| *holds)
        .map(|(_, code, text)| Caveat { code, text })
        .collect()
}

/// How many threads a run on the kernel took at most: workers, and those that submit. By polling
/// most workers are missed, so then it is as many as the plan can use.
fn threads_max(plan: &Plan, outcome: &Outcome, workers: &Workers) -> u64 {
    let workers = match outcome.seen.tier {
        Tier::Bpf | Tier::Tracefs => workers.peak.unwrap_or_default(),
        Tier::Proc | Tier::Off => plan.streams().map(workers_max).sum(),
    };
    u64::from(workers) + plan.streams().count() as u64
}

/// How many workers a stream can use.
fn workers_max(plan: &Plan) -> u32 {
    plan.depth.min(plan.limit_max(0).saturating_add(plan.limit_max(1)))
}

/// What was not seen, or not for certain.
fn of_the_watch(outcome: &Outcome, workers: &Workers) -> [Check; 6] {
    let seen = &outcome.seen;
    let lost: u64 = seen.lost.iter().map(|(_, lost)| lost).sum();
    let untracked = outcome.sleeps.map_or(0, |sleeps| sleeps.untracked);
    let trusted = workers.created.trusted() && workers.exited.trusted();
    let agree = workers.created.agree() && workers.exited.agree();
    let (created, exited) = (counts(&workers.created), counts(&workers.exited));
    let reason = &seen.reason;
    let books = match (outcome.remains.tally.is_some(), seen.tier) {
        (true, Tier::Proc) => "the engine's own, compared with what /proc lists now and then",
        (true, _) => "the engine's own, not checked by another source",
        (false, Tier::Proc) => "what /proc lists now and then, which misses short lives",
        (false, _) => "not known",
    };
    [
        (
            lost > 0,
            Code::EventsLost,
            format!(
                "{lost} probe events were lost, so births and deaths are lower bounds: no \
                 statement on churn."
            ),
        ),
        (
            !trusted,
            Code::CountsDisagree,
            format!(
                "The sources do not agree on how many workers there were: created {created}, \
                 exited {exited}. No statement on churn."
            ),
        ),
        (
            trusted && !agree,
            Code::ProcMissed,
            format!(
                "/proc missed workers that came and went between two samples: created \
                 {created}, exited {exited}."
            ),
        ),
        (
            seen.tier != Tier::Bpf && outcome.blocking != Blocking::None,
            Code::NoBpf,
            format!("No eBPF probes ({reason}): births and deaths are {books}."),
        ),
        (
            outcome.blocking == Blocking::Declared,
            Code::BlockingDeclared,
            "Workers reported blocking themselves, around every call, whether it slept or not: more \
             workers are created than the kernel would create. `--blocking sched` (as root) asks \
             the scheduler."
                .to_owned(),
        ),
        (
            untracked > 0,
            Code::UntrackedWorkers,
            format!(
                "The scheduler's probe did not know of {untracked} workers, so their sleeps \
                 created no workers."
            ),
        ),
    ]
}

/// What did not go as it should.
fn of_the_work(outcome: &Outcome, workers: &Workers) -> [Check; 5] {
    let failed = outcome.driven.failed;
    let saturated = outcome.remains.recorder.saturated();
    let creations = workers.creations_failed;
    [
        (
            outcome.no_attempts.is_some(),
            Code::AllOpsPunted,
            format!(
                "There is no io_uring here ({}), so the pool could not try ops first as io_uring \
                 does: every one went to a worker.",
                outcome.no_attempts.as_deref().unwrap_or_default()
            ),
        ),
        (
            outcome.no_begun.is_some(),
            Code::DirectOpsWaitedFor,
            format!(
                "Workers waited for direct ops to end, for which the kernel's are free once they \
                 are begun ({}): more workers were needed than in the kernel.",
                outcome.no_begun.as_deref().unwrap_or_default()
            ),
        ),
        (
            failed > 0,
            Code::OpsFailed,
            format!("{failed} ops failed; they are in no latency figure."),
        ),
        (
            saturated > 0,
            Code::LatencySaturated,
            format!("{saturated} latencies were longer than 100 s and count as that."),
        ),
        (
            creations > 0,
            Code::CreationsFailed,
            format!(
                "{creations} workers could not be created; see ulimit -u and the pids limit of \
                 the cgroup."
            ),
        ),
    ]
}

fn counts(counts: &Counts) -> String {
    let text = |count: Option<u64>| count.map_or_else(|| "-".to_owned(), |count| count.to_string());
    format!(
        "probe {}, engine {}, proc {}",
        text(counts.probe),
        text(counts.engine),
        text(counts.proc)
    )
}

#[cfg(test)]
mod tests {
    use iowq_contract::{Phases, Settled, Variant};
    use iowq_workloads::{Rounds, builtin};

    use super::*;
    use crate::clock::Nanos;
    use crate::drive::DriveStats;
    use crate::engine::EngineReport;
    use crate::engine::blocking::SchedReport;
    use crate::probes::watch::ProbeReport;
    use crate::run::assemble;

    /// What a run leaves that went without a caveat.
    fn outcome() -> Outcome {
        Outcome {
            driven: DriveStats { measured_until: Nanos(2_500_000_000), ..DriveStats::default() },
            remains: EngineReport::default(),
            seen: ProbeReport {
                tier: Tier::Bpf,
                reason: String::new(),
                probe: None,
                proc: None,
                events_seen: 0,
                start_ns: None,
                lost: Vec::new(),
                switches_missed: 0,
                queued: [0; 2],
                unseen: Vec::new(),
            },
            blocking: Blocking::Sched,
            sleeps: None,
            started: Nanos(1),
            ended: Nanos(2),
            birth: Default::default(),
            no_attempts: None,
            no_begun: None,
            tasks: Vec::new(),
            stillness: Default::default(),
            load: Default::default(),
            threads_refused: Default::default(),
            time_namespace: false,
            settled: Settled { quiet: true, ..Settled::default() },
            rounds: Rounds::default(),
            phases: Phases::default(),
        }
    }

    fn request() -> RunRequest {
        RunRequest::new(builtin("dsync").expect("a built-in workload"), Variant::pool("6.17"))
    }

    fn codes(caveats: &[Caveat]) -> Vec<Code> {
        caveats.iter().map(|caveat| caveat.code.clone()).collect()
    }

    #[test]
    fn a_run_without_trouble_raises_no_doubt() {
        assert_eq!(of_run(&request(), &outcome(), &Workers::default(), 2), []);
    }

    #[test]
    fn a_ring_that_overflowed_is_in_the_record_by_cause_and_as_a_doubt() {
        let mut outcome = outcome();
        outcome.seen.lost = vec![("threads-ring-full", 5), ("blocks-ring-full", 2)];
        let record =
            assemble::record(&request(), None, &outcome, Default::default(), Default::default());
        assert_eq!(record.probe.events_lost, 7);
        assert_eq!(record.probe.lost["threads-ring-full"], 5);
        assert_eq!(record.probe.lost["blocks-ring-full"], 2);
        let caveat = record.caveats.iter().find(|caveat| caveat.code == Code::EventsLost);
        assert_eq!(
            caveat.map(|caveat| caveat.text.as_str()),
            Some(
                "7 probe events were lost, so births and deaths are lower bounds: no statement \
                 on churn."
            )
        );
    }

    #[test]
    fn failed_ops_differing_counts_and_untracked_workers_are_caveats() {
        let mut outcome = outcome();
        outcome.driven.failed = 1;
        outcome.sleeps = Some(SchedReport { in_works: 9, untracked: 1, ..SchedReport::default() });
        outcome.blocking = Blocking::Declared;
        outcome.seen.tier = Tier::Off;
        let created = Counts { probe: Some(4), engine: Some(3), proc: Some(2) };
        let workers = Workers { created, creations_failed: 1, ..Workers::default() };
        let caveats = of_run(&request(), &outcome, &workers, 2);
        let all = [
            Code::CountsDisagree,
            Code::NoBpf,
            Code::BlockingDeclared,
            Code::UntrackedWorkers,
            Code::OpsFailed,
            Code::CreationsFailed,
        ];
        assert_eq!(codes(&caveats), all);
        assert!(caveats[0].text.contains("probe 4, engine 3, proc 2"), "{}", caveats[0].text);
    }

    #[test]
    fn what_only_proc_missed_is_a_softer_doubt() {
        let created = Counts { probe: None, engine: Some(3), proc: Some(2) };
        let caveats = of_run(&request(), &outcome(), &Workers { created, ..Workers::default() }, 2);
        assert_eq!(codes(&caveats), [Code::ProcMissed]);
        assert!(caveats[0].text.contains("probe -, engine 3, proc 2"), "{}", caveats[0].text);
    }
}
