//! The doubts that a run raises by itself; those of the machine are in `machine`.

use iowq_contract::{Blocking, Caveat, Counts, Tier, Workers};

use super::{EngineName, Outcome, Request, file_doubts, kernel_doubts, switch_doubts, timing};
use crate::machine::kernel_idle_timeout;

/// Whether a doubt holds, its code, and what it means for the reader.
pub(super) type Doubt = (bool, &'static str, String);

/// The doubts that a run raises by itself; `cpus` is the number of processors.
pub(super) fn doubts(
    request: &Request,
    outcome: &Outcome,
    workers: &Workers,
    cpus: u32,
) -> Vec<Caveat> {
    let switches = outcome.switches().map(|it| switch_doubts::doubts(&it, workers, cpus));
    let untimed = outcome.remains.timed_at_reaping;
    let of_the_kernel = (request.engine == EngineName::Uring)
        .then(|| kernel_doubts::doubts(&request.plan, kernel_idle_timeout(), untimed));
    of_the_watch(outcome, workers)
        .into_iter()
        .chain(of_the_work(outcome, workers))
        .chain(timing::doubts(&request.plan, outcome))
        .chain(switches.into_iter().flatten())
        .chain(file_doubts::doubts(&request.plan, outcome.rounds, &outcome.settled))
        .chain(of_the_kernel.into_iter().flatten())
        .filter(|(holds, ..)| *holds)
        .map(|(_, code, text)| Caveat { code: code.to_owned(), text })
        .collect()
}

/// What was not seen, or not for certain.
fn of_the_watch(outcome: &Outcome, workers: &Workers) -> [Doubt; 6] {
    let seen = &outcome.seen;
    let lost: u64 = seen.lost.iter().map(|(_, lost)| lost).sum();
    let untracked = outcome.sleeps.map_or(0, |sleeps| sleeps.untracked);
    let trusted = workers.created.trusted() && workers.exited.trusted();
    let agree = workers.created.agree() && workers.exited.agree();
    let (created, exited) = (counts(&workers.created), counts(&workers.exited));
    let reason = &seen.reason;
    let books = match (outcome.remains.tally.is_some(), seen.tier) {
        (true, Tier::Proc) => "the engine's own, compared with what /proc lists now and then",
        (true, _) => "the engine's own, and nobody checked them",
        (false, Tier::Proc) => "what /proc lists now and then, which misses short lives",
        (false, _) => "not known",
    };
    [
        (
            lost > 0,
            "events-lost",
            format!(
                "{lost} probe events were lost, so births and deaths are lower bounds: no \
                 statement on churn."
            ),
        ),
        (
            !trusted,
            "counts-disagree",
            format!(
                "The sources do not agree on how many workers there were: created {created}, \
                 exited {exited}. No statement on churn."
            ),
        ),
        (
            trusted && !agree,
            "proc-missed",
            format!(
                "/proc missed workers that came and went between two looks at it: created \
                 {created}, exited {exited}."
            ),
        ),
        (
            seen.tier != Tier::Bpf,
            "no-bpf",
            format!("No eBPF probes ({reason}): births and deaths are {books}."),
        ),
        (
            outcome.blocking == Blocking::Declared,
            "blocking-declared",
            "Workers said themselves that they block, around every call, whether it slept or not: \
             more workers are made than the kernel would make. `--blocking sched` (as root) asks \
             the scheduler."
                .to_owned(),
        ),
        (
            untracked > 0,
            "untracked-workers",
            format!(
                "The scheduler's probe did not know of {untracked} workers, so their sleeps made \
                 nobody."
            ),
        ),
    ]
}

/// What did not go as it should.
fn of_the_work(outcome: &Outcome, workers: &Workers) -> [Doubt; 5] {
    let failed = outcome.driven.failed;
    let saturated = outcome.remains.recorder.saturated();
    let creations = workers.creations_failed;
    [
        (
            outcome.no_attempts.is_some(),
            "all-ops-punted",
            format!(
                "There is no io_uring here ({}), so the pool could not try ops first as io_uring \
                 does: every one went to a worker.",
                outcome.no_attempts.as_deref().unwrap_or_default()
            ),
        ),
        (
            outcome.no_begun.is_some(),
            "direct-ops-waited-for",
            format!(
                "Workers waited for direct ops to end, for which the kernel's are free once they \
                 are begun ({}): more workers were needed than in the kernel.",
                outcome.no_begun.as_deref().unwrap_or_default()
            ),
        ),
        (failed > 0, "ops-failed", format!("{failed} ops failed; they are in no latency figure.")),
        (
            saturated > 0,
            "latency-saturated",
            format!("{saturated} latencies were longer than 100 s and count as that."),
        ),
        (
            creations > 0,
            "creations-failed",
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
    use iowq_contract::Settled;
    use iowq_workloads::{Rounds, builtin};

    use super::*;
    use crate::cell::watch::Seen;
    use crate::cell::{Probes, WantBlocking, assemble};
    use crate::clock::Nanos;
    use crate::drive::Driven;
    use crate::engine::EngineReport;
    use crate::engine::blocking::SchedReport;

    /// What a run leaves that went without a doubt.
    fn outcome() -> Outcome {
        Outcome {
            driven: Driven { measured_until: Nanos(2_500_000_000), ..Driven::default() },
            remains: EngineReport::default(),
            seen: Seen {
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
            stillness: Default::default(),
            load: Default::default(),
            time_namespace: false,
            settled: Settled { quiet: true, ..Settled::default() },
            rounds: Rounds::default(),
        }
    }

    fn request() -> Request {
        Request {
            plan: builtin("dsync").expect("a built-in workload"),
            engine: EngineName::Pool,
            policy: None,
            seed: 1,
            pair: 0,
            position: 0,
            role: Default::default(),
            delay: None,
            dir: None,
            probes: Probes::Auto,
            blocking: WantBlocking::Auto,
            records_latency: true,
            tell: |_| (),
        }
    }

    fn codes(caveats: &[Caveat]) -> Vec<&str> {
        caveats.iter().map(|caveat| caveat.code.as_str()).collect()
    }

    #[test]
    fn a_run_without_trouble_raises_no_doubt() {
        assert_eq!(doubts(&request(), &outcome(), &Workers::default(), 2), []);
    }

    #[test]
    fn a_ring_that_overflowed_is_in_the_record_by_cause_and_as_a_doubt() {
        let mut outcome = outcome();
        outcome.seen.lost = vec![("threads-ring-full", 5), ("blocks-ring-full", 2)];
        let record = assemble::record(&request(), &outcome, Default::default(), String::new());
        assert_eq!(record.probe.events_lost, 7);
        assert_eq!(record.probe.lost["threads-ring-full"], 5);
        assert_eq!(record.probe.lost["blocks-ring-full"], 2);
        let doubt = record.caveats.iter().find(|caveat| caveat.code == "events-lost");
        assert_eq!(
            doubt.map(|doubt| doubt.text.as_str()),
            Some(
                "7 probe events were lost, so births and deaths are lower bounds: no statement \
                 on churn."
            )
        );
    }

    #[test]
    fn ops_that_failed_sources_that_differ_and_workers_that_nobody_knew_are_doubts() {
        let mut outcome = outcome();
        outcome.driven.failed = 1;
        outcome.sleeps = Some(SchedReport { in_works: 9, untracked: 1, ..SchedReport::default() });
        outcome.blocking = Blocking::Declared;
        outcome.seen.tier = Tier::Off;
        let created = Counts { probe: Some(4), engine: Some(3), proc: Some(2) };
        let workers = Workers { created, creations_failed: 1, ..Workers::default() };
        let doubts = doubts(&request(), &outcome, &workers, 2);
        let all = [
            "counts-disagree",
            "no-bpf",
            "blocking-declared",
            "untracked-workers",
            "ops-failed",
            "creations-failed",
        ];
        assert_eq!(codes(&doubts), all);
        assert!(doubts[0].text.contains("probe 4, engine 3, proc 2"), "{}", doubts[0].text);
    }

    #[test]
    fn what_only_proc_missed_is_a_softer_doubt() {
        let created = Counts { probe: None, engine: Some(3), proc: Some(2) };
        let doubts = doubts(&request(), &outcome(), &Workers { created, ..Workers::default() }, 2);
        assert_eq!(codes(&doubts), ["proc-missed"]);
        assert!(doubts[0].text.contains("probe -, engine 3, proc 2"), "{}", doubts[0].text);
    }
}
